"""The consent ledger: read it, verify it, and gather what proves one person's standing."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import Field

from stopwire.api import shapes
from stopwire.api.door import CarefulRoute, Cursor, Limit, Out, TheCaller, TheHouse, actor, page, person
from stopwire.api.policy import PolicyVersionOut, version_out
from stopwire.api.problems import Problem, not_found
from stopwire.api.shapes import Block, ConsentEvent, Message, Page
from stopwire.flows import erase, prove, visit
from stopwire.ports.store import Consent, Cut

router = APIRouter(tags=["Consent"], route_class=CarefulRoute)


class Verdict(Out):
    """`head` is the hash of the last event; whoever keeps it elsewhere can later prove that nothing before it changed."""

    ok: bool
    events: int
    head: str
    first_fault: str | None


class CitedPolicy(PolicyVersionOut):
    service: str


class Evidence(Out):
    """All about one person, oldest first. `sealed`: every event is as it was written; `complete` is false where there is more
    than one answer carries. Each event has its place in the chain: `ledger/verify` checks them all."""

    recipient: str = Field(examples=["+14155550101"])
    as_of: datetime
    complete: bool
    blocks: list[Block]
    events: list[ConsentEvent]
    messages: list[Message]
    policies: list[CitedPolicy]
    sealed: bool


class Erased(Out):
    """How much was emptied. `waiting`: texts on their way, texts whose webhooks are not told yet, and open suggestions. They
    are readable still: ask again once they have ended."""

    messages: int
    events: int
    others: int
    waiting: int


@router.get("/consent-events", summary="The ledger, the newest first")
async def consent_events(
    house: TheHouse,
    who: TheCaller,
    recipient: Annotated[str | None, Query(max_length=128)] = None,
    message: Annotated[str | None, Query(max_length=64, description="SID of the text that made them.")] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Page[ConsentEvent]:
    whom = person(recipient) if recipient is not None else None
    asked = house.read(who.account, Consent.events, Cut(limit=limit + 1, after=cursor), whom, message)
    items, further, as_of = await page(house, asked, limit, lambda each: each.event.id)
    return Page(items=[shapes.consent_event(each) for each in items], next=further, as_of=as_of)


@router.get("/consent-events/{id}", summary="One event of the ledger")
async def consent_event(id: Annotated[str, Path(max_length=64)], house: TheHouse, who: TheCaller) -> ConsentEvent:
    found = await house.read(who.account, Consent.event, id)
    if found is None:
        raise not_found("event of this id")
    return shapes.consent_event(found)


@router.get("/ledger/verify", summary="Check the whole chain, and the block list against it")
async def verify(house: TheHouse, who: TheCaller) -> Verdict:
    return Verdict.model_validate(await house(prove.verify, account=who.account))


@router.get("/evidence/{recipient}", summary="What proves one person's standing")
async def evidence_of(recipient: Annotated[str, Path(max_length=128)], house: TheHouse, who: TheCaller) -> Evidence:
    """Events with their place in the chain, the texts in both directions, and the settings that were in force."""
    found = await house(prove.evidence, account=who.account, recipient=person(recipient))
    return Evidence(
        recipient=found.recipient,
        as_of=found.at,
        complete=found.complete,
        blocks=[shapes.block(each) for each in found.blocks],
        events=[shapes.consent_event(each) for each in found.events],
        messages=[shapes.message(each) for each in found.messages],
        policies=[CitedPolicy(service=each.service, **version_out(each.version).__dict__) for each in found.policies],
        sealed=found.sealed,
    )


@router.post("/recipients/{recipient}/erase", summary="Erase a person; their blocks stay")
async def erase_person(recipient: Annotated[str, Path(max_length=128)], house: TheHouse, who: TheCaller) -> Erased:
    """Empties their texts, their number and notes about them, and takes scheduled texts back. Nothing of it comes back.

    The ledger keeps its rows without number and words, and its chain still verifies. Who is blocked stays blocked.
    """
    whom = person(recipient)
    done = await house(erase.erase, account=who.account, recipient=whom)
    if done.held:
        raise Problem(409, "A legal hold keeps everything that this account has: lift it first, with PATCH /api/v1/account.")
    await house(visit.note, account=who.account, actor=actor(who), act="recipient.erased", subject=f"•••{whom[-4:]}")
    return Erased.model_validate(done)
