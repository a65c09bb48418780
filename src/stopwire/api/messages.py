"""Messages: list and explain them, send many at once; and the log of sends that were declined."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query
from pydantic import Field

from stopwire.api import shapes
from stopwire.api.door import NUMBER_MAX, CarefulRoute, Cursor, In, Limit, Out, TheCaller, TheHouse, instant, page, person
from stopwire.api.problems import Problem, not_found, wrong
from stopwire.api.shapes import Answers, ItemError, Message, Page, Refusal
from stopwire.core import templates
from stopwire.core.address import parse_sender
from stopwire.core.message import Status
from stopwire.core.orders import MEDIA_MAX, Order
from stopwire.flows import send
from stopwire.flows.explain import explain
from stopwire.ports.store import Cut, MessageFilter, Messages

RECIPIENTS_MAX = 10_000  # of one call
KEY_CHARS_MAX = 255
TEMPLATE_CHARS_MAX = 20_000
OPTED_OUT = 21610

router = APIRouter(tags=["Messages"], route_class=CarefulRoute)

Sid = Annotated[str, Path(max_length=64)]


class BatchRecipient(In):
    to: str = Field(max_length=256, examples=["+14155550101"])
    variables: dict[str, str | int | float] = Field({}, examples=[{"name": "Ann"}])


class Batch(In):
    """One text to many. Give `from` or `service`, and `body` or `template`; a template's `{{name}}` is filled from each
    recipient's `variables` and never expanded twice."""

    from_: str = Field("", alias="from", max_length=128, examples=["+14155550100"])
    service: str = Field("", max_length=64)
    body: str | None = Field(None, max_length=TEMPLATE_CHARS_MAX, examples=["We open at nine."])
    template: str | None = Field(None, max_length=TEMPLATE_CHARS_MAX)
    recipients: list[BatchRecipient]
    media: list[str] = Field([], max_length=MEDIA_MAX, description="URLs of pictures and the like.")
    status_callback: str = Field("", max_length=4000)
    validity_period: int | None = Field(None, ge=1, le=36_000, description="Seconds.")
    send_at: str | None = Field(None, max_length=64, description="Through a service only: when to send.")
    smart_encoded: bool | None = None


class BatchItem(Out):
    """What became of one recipient: a `sid`, or an `error`; 21610 where they opted out."""

    to: str
    sid: str | None
    status: str | None = Field(examples=["queued"])
    error: ItemError | None
    refusal: str | None = Field(description="Its id in the log of refusals, to be explained.")


class Proof(Out):
    kind: str = Field(examples=["consent_event"])
    id: str
    at: datetime | None
    text: str


class Check(Out):
    scope: str
    name: str = Field(examples=["messaging service Demo"])
    blocked: bool
    event: str | None


class Explanation(Out):
    """`why` in plain sentences, `evidence` that proves it, `checked`: the scopes consulted, `next`: what can be done."""

    verdict: str = Field(examples=["refused"])
    why: list[str]
    evidence: list[Proof]
    checked: list[Check]
    next: list[str]


@router.get("/messages", summary="Messages, the newest first")
async def messages(
    house: TheHouse,
    who: TheCaller,
    recipient: Annotated[str | None, Query(max_length=128, description="The person, in both directions.")] = None,
    sender: Annotated[str | None, Query(max_length=128, description="Ours, in both directions.")] = None,
    to: Annotated[str | None, Query(max_length=128)] = None,
    from_: Annotated[str | None, Query(alias="from", max_length=128)] = None,
    status: Annotated[Status | None, Query()] = None,
    service: Annotated[str | None, Query(max_length=64)] = None,
    since: Annotated[str | None, Query(max_length=64)] = None,
    until: Annotated[str | None, Query(max_length=64)] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Page[Message]:
    wanted = MessageFilter(
        recipient=person(recipient) if recipient is not None else None,
        sender=_either(sender),
        to=_either(to),
        from_=_either(from_),
        since=instant(since, "since"),
        until=instant(until, "until"),
        status=status.value if status else None,
        service=service,
    )
    asked = house.read(who.account, Messages.page, wanted, Cut(limit=limit + 1, after=cursor))
    items, further, as_of = await page(house, asked, limit, lambda each: each.sid)
    return Page(items=[shapes.message(each) for each in items], next=further, as_of=as_of)


def _either(text: str | None) -> str | None:
    """An address of either side in its canonical form; a `+` that a URL turned into a space is put back."""
    if text is None:
        return None
    text = f"+{text[1:]}" if text.startswith(" ") else text.replace("whatsapp: ", "whatsapp:+")
    return parse_sender(text) or text


@router.get("/messages/{sid}", summary="One message")
async def message(sid: Sid, house: TheHouse, who: TheCaller) -> Message:
    found = await house.read(who.account, Messages.get, sid)
    if found is None:
        raise not_found("message of this id")
    return shapes.message(found)


@router.get("/messages/{sid}/explain", summary="Why it was sent, refused or answered")
async def explained(sid: Sid, house: TheHouse, who: TheCaller) -> Explanation:
    """`sid` may also be the id of a refusal, RF…."""
    done = await house(explain, account=who.account, id=sid)
    if done.explanation is None:
        raise not_found("message or refusal of this id")
    return Explanation.model_validate(done.explanation)


@router.post("/messages", summary="Send one text to many")
async def batch(
    wanted: Batch,
    house: TheHouse,
    who: TheCaller,
    idempotency_key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            min_length=1,
            max_length=KEY_CHARS_MAX,
            description="The same key and body give the same answer for 24 hours.",
        ),
    ] = None,
) -> Answers[BatchItem]:
    """Up to 10,000 recipients; each answer stands where its recipient stood."""
    if len(wanted.recipients) > RECIPIENTS_MAX:
        raise Problem(413, f"At most {RECIPIENTS_MAX:,} recipients fit in one call: send the rest in another.")
    if (wanted.body is None) == (wanted.template is None):
        raise wrong("body", "Give `body` or `template`, one of the two.")
    if not wanted.from_ and not wanted.service:
        raise wrong("from", "Who sends? Give `from` or `service`.")
    needed = templates.names(wanted.template) if wanted.template is not None else ()
    missing = [next((name for name in needed if name not in each.variables), None) for each in wanted.recipients]
    orders = [_order(wanted, each) for each, lacks in zip(wanted.recipients, missing, strict=True) if lacks is None]
    sent = await house(send.send, account=who.account, orders=orders, key=_key(idempotency_key, wanted, missing))
    if sent.conflict:
        raise Problem(409, "This Idempotency-Key was used for another body: take a new key for a new request.")
    receipts = iter(sent.receipts)
    items = [
        _item(each, next(receipts)) if lacks is None else _lacking(each, lacks)
        for each, lacks in zip(wanted.recipients, missing, strict=True)
    ]
    return Answers(items=items)


def _key(key: str | None, wanted: Batch, missing: list[Any]) -> str | None:
    return f"batch:{key}" if key is not None and any(lacks is None for lacks in missing) else None


def _order(wanted: Batch, recipient: BatchRecipient) -> Order:
    if wanted.template is not None:
        body = templates.fill(wanted.template, {name: str(value) for name, value in recipient.variables.items()})
    else:
        body = wanted.body or ""
    return Order(
        to=recipient.to,
        from_=wanted.from_,
        service=wanted.service,
        body=body,
        media=tuple(wanted.media),
        status_callback=wanted.status_callback,
        validity_period=str(wanted.validity_period) if wanted.validity_period is not None else None,
        schedule_type="fixed" if wanted.send_at is not None else None,
        send_at=wanted.send_at,
        smart_encoded=wanted.smart_encoded,
    )


def _item(recipient: BatchRecipient, receipt: send.Receipt) -> BatchItem:
    if receipt.refused is not None:
        error = ItemError(code=receipt.refused.code, message=receipt.refused.message)
        return BatchItem(to=recipient.to, sid=None, status=None, error=error, refusal=receipt.refusal)
    assert receipt.message is not None, "an order is refused or becomes a message"
    return BatchItem(to=recipient.to, sid=receipt.message.sid, status=receipt.message.status.value, error=None, refusal=None)


def _lacking(recipient: BatchRecipient, name: str) -> BatchItem:
    error = ItemError(code=None, message=f"The template needs {name!r}, which this recipient's variables do not have.")
    return BatchItem(to=recipient.to, sid=None, status=None, error=error, refusal=None)


@router.get("/refusals", summary="Sends that were declined, the newest first")
async def refusals(
    house: TheHouse,
    who: TheCaller,
    code: Annotated[int | None, Query(ge=0, le=NUMBER_MAX)] = None,
    recipient: Annotated[str | None, Query(max_length=128)] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Page[Refusal]:
    to = person(recipient) if recipient is not None else None
    asked = house.read(who.account, Messages.refusals, Cut(limit=limit + 1, after=cursor), code, to)
    items, further, as_of = await page(house, asked, limit, lambda each: each.id)
    return Page(items=[shapes.refusal(each) for each in items], next=further, as_of=as_of)


@router.get("/refusals/{id}", summary="One refusal")
async def refusal(id: Sid, house: TheHouse, who: TheCaller) -> Refusal:
    found = await house.read(who.account, Messages.refusal, id)
    if found is None:
        raise not_found("refusal of this id")
    return shapes.refusal(found)
