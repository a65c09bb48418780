"""The webhook log: every event that a customer was told, each request with its answer, and delivering one again."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from pydantic import Field

from stopwire.api.door import CarefulRoute, Cursor, In, Limit, Out, TheCaller, TheHouse, page
from stopwire.api.problems import Problem, not_found, unknown, wrong
from stopwire.api.shapes import Page
from stopwire.core.jobs import Delivery as CoreDelivery
from stopwire.core.jobs import DeliveryAttempt
from stopwire.flows.replay import replay
from stopwire.flows.sample import sample
from stopwire.ports.store import Cut, Services, Webhooks

router = APIRouter(prefix="/webhook-deliveries", tags=["Webhooks"], route_class=CarefulRoute)

Id = Annotated[str, Path(max_length=64)]
READ_AT_ONCE = 500  # deliveries whose requests are read by one statement


class Attempt(Out):
    """One request. `error` tells why there was no answer; `code` is that of the public error dictionary."""

    at: datetime
    status: int | None = Field(examples=[200])
    ms: int
    request: dict[str, Any]
    response: dict[str, Any] | None
    error: str | None
    code: int | None


class Delivery(Out):
    id: str
    event: str = Field(examples=["inbound"])
    url: str
    method: str
    message_sid: str
    state: str = Field(examples=["delivered"])
    params: dict[str, str]
    rounds: int
    created_at: datetime
    due_at: datetime
    attempts: list[Attempt]


@router.get("", summary="Webhook deliveries, the newest first")
async def deliveries(
    house: TheHouse,
    who: TheCaller,
    message: Annotated[str | None, Query(max_length=64)] = None,
    state: Annotated[Literal["pending", "sending", "delivered", "failed", "expired"] | None, Query()] = None,
    event: Annotated[Literal["inbound", "status"] | None, Query()] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Page[Delivery]:
    asked = house.read(who.account, Webhooks.page, Cut(limit=limit + 1, after=cursor), message, state, event)
    items, further, as_of = await page(house, asked, limit, lambda each: each.id)
    made: dict[str, list[DeliveryAttempt]] = {}
    for start in range(0, len(items), READ_AT_ONCE):
        ids = [each.id for each in items[start : start + READ_AT_ONCE]]
        made |= await house.read(who.account, Webhooks.attempts, ids)
    return Page(items=[_delivery(each, made.get(each.id, [])) for each in items], next=further, as_of=as_of)


class Test(In):
    """`kind`: a text, a keyword, or a status. Without `url` it goes where such events of the sender go."""

    sender: str = Field(max_length=64, examples=["+14155550100"])
    kind: Literal["text", "stop", "start", "help", "delivered", "failed", "undelivered"] = "text"
    url: str = Field(default="", max_length=4000, examples=[""])


@router.post("/test", status_code=201, summary="Call a webhook with an invented event")
async def test(wanted: Test, house: TheHouse, who: TheCaller) -> Delivery:
    """Signed and logged like any other, but no message stands behind it, and what is answered is not carried out."""
    directory = await house.read(who.account, Services.directory)
    found = directory.senders.get(wanted.sender) or directory.sender_at(wanted.sender)
    if found is None:
        raise unknown("sender", "This account has no such sender: give its SID or its address.")
    made = await house(sample, account=who.account, sender=found.sid, kind=wanted.kind, url=wanted.url)
    if made.delivery is None:
        raise wrong("url", made.problem or "Nobody is called.")
    return _delivery(made.delivery, [])


@router.get("/{id}", summary="One delivery with its requests and answers")
async def delivery(id: Id, house: TheHouse, who: TheCaller) -> Delivery:
    found = await house.read(who.account, Webhooks.get, id)
    if found is None:
        raise not_found("delivery of this id")
    made = await house.read(who.account, Webhooks.attempts, [id])
    return _delivery(found, made.get(id, []))


@router.post("/{id}/replay", summary="Deliver it again")
async def again(id: Id, house: TheHouse, who: TheCaller) -> Delivery:
    """The same event under the same token; its answer is obeyed only if none was obeyed before."""
    done = await house(replay, account=who.account, id=id)
    if done.delivery is None:
        raise not_found("delivery of this id")
    if done.under_way:
        raise Problem(409, "It is being delivered just now: read it in a moment.")
    made = await house.read(who.account, Webhooks.attempts, [id])
    return _delivery(done.delivery, made.get(id, []))


def _delivery(value: CoreDelivery, attempts: list[DeliveryAttempt]) -> Delivery:
    return Delivery(
        id=value.id,
        event=value.event,
        url=value.url,
        method=value.method,
        message_sid=value.message,
        state=value.state,
        params=dict(value.params),
        rounds=value.rounds,
        created_at=value.created_at,
        due_at=value.due_at,
        attempts=[_attempt(each) for each in attempts],
    )


def _attempt(value: DeliveryAttempt) -> Attempt:
    response = dict(value.response) if value.response else None
    return Attempt(
        at=value.at,
        status=response.get("status") if response else None,
        ms=value.ms,
        request=dict(value.request),
        response=response,
        error=value.error,
        code=value.code,
    )
