"""The block list: read it, add to it, lift from it, ask it."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field

from stopwire.api import shapes
from stopwire.api.door import (
    CarefulRoute,
    Cursor,
    In,
    Limit,
    Out,
    TheCaller,
    TheHouse,
    actor,
    holder,
    instant,
    no_scope,
    page,
    person,
)
from stopwire.api.problems import Problem, unknown
from stopwire.api.shapes import Answers, Block, ItemError, Page
from stopwire.core.consent import Reason
from stopwire.flows import amend, preview
from stopwire.ports.store import Consent, Cut

CHECKED_MAX = 10_000  # questions of one call

router = APIRouter(prefix="/blocks", tags=["Blocks"], route_class=CarefulRoute)

Scope = Annotated[str, Field(max_length=128, description="SID or sender address.", examples=["+14155550100"])]
Recipient = Annotated[str, Field(max_length=128, examples=["+14155550101"])]
Why = Annotated[str | None, Field(max_length=1000, description="Why, for whoever reads the ledger.")]


class NewBlock(In):
    recipient: Recipient
    scope: Scope
    reason: Literal["api", "consent", "complaint", "wrong_number", "operator"] = "api"
    note: Why = None


class Lifting(In):
    recipient: Recipient
    scope: Scope
    note: Why = None


class Question(In):
    """From one sender (`from`) or through a messaging service (`service`)."""

    from_: str = Field("", alias="from", max_length=128, examples=["+14155550100"])
    service: str = Field("", max_length=64)
    to: str = Field(max_length=128, examples=["+14155550101"])


class Questions(In):
    items: list[Question]


class CheckedItem(Out):
    blocked: bool
    because: Block | None
    error: ItemError | None


@router.get("", summary="The block list, in the order it grew")
async def blocks(
    house: TheHouse,
    who: TheCaller,
    recipient: Annotated[str | None, Query(max_length=128)] = None,
    scope: Annotated[str | None, Query(max_length=128, description="SID or sender address.")] = None,
    reason: Annotated[Reason | None, Query()] = None,
    since: Annotated[str | None, Query(max_length=64, description="Blocked at this time or later.")] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Page[Block]:
    who_ = person(recipient) if recipient is not None else None
    where = await holder(house, who.account, scope) if scope is not None else None
    asked = house.read(
        who.account,
        Consent.blocks,
        Cut(limit=limit + 1, after=cursor),
        who_,
        where,
        reason.value if reason else None,
        instant(since, "since"),
    )
    items, further, as_of = await page(house, asked, limit, lambda each: each.id)
    return Page(items=[shapes.block(each) for each in items], next=further, as_of=as_of)


@router.post("", status_code=201, summary="Block a recipient in a scope")
async def add(new: NewBlock, house: TheHouse, who: TheCaller) -> Block:
    """Whoever is blocked there already stays so under the first block, which is answered."""
    done = await house(
        amend.block,
        account=who.account,
        recipient=person(new.recipient),
        scope=new.scope,
        reason=Reason(new.reason),
        actor=actor(who),
        note=new.note,
    )
    if done.unknown_scope or done.block is None:
        raise no_scope(new.scope)
    return shapes.block(done.block)


@router.delete("", summary="Lift a block, whatever its reason")
async def lift(given: Lifting, house: TheHouse, who: TheCaller) -> Block:
    """Answers the block that was lifted."""
    done = await house(
        amend.lift, account=who.account, recipient=person(given.recipient), scope=given.scope, actor=actor(who), note=given.note
    )
    if done.block is None:
        if done.unknown_scope:
            raise no_scope(given.scope)
        raise unknown("recipient", "This recipient is not blocked in this scope: GET /api/v1/blocks tells where it is.")
    return shapes.block(done.block)


@router.post("/check", summary="May these be written to?")
async def check(asked: Questions, house: TheHouse, who: TheCaller) -> Answers[CheckedItem]:
    """Up to 10,000 questions; each answer is true of one moment, and a send is asked again."""
    if len(asked.items) > CHECKED_MAX:
        raise Problem(413, f"At most {CHECKED_MAX:,} questions fit in one call: ask the rest in another.")
    questions = [preview.Question(to=item.to, from_=item.from_, service=item.service) for item in asked.items]
    found = await house(preview.check, account=who.account, questions=questions)
    return Answers(items=[_checked(each) for each in found])


def _checked(found: preview.Checked) -> CheckedItem:
    return CheckedItem(
        blocked=found.blocked,
        because=shapes.block(found.because) if found.because else None,
        error=ItemError(message=found.error) if found.error else None,
    )
