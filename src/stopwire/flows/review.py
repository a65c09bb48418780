"""Decide a suggestion: a person read the text and says what was meant. Confirmed, it becomes consent; dismissed, nothing."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial

from stopwire.core.address import group_of
from stopwire.core.consent import Act, ConsentEvent, Reason
from stopwire.core.jobs import Review
from stopwire.flows.moves import quiet, shut
from stopwire.ports.store import Tx
from stopwire.ports.world import Ids, World

UNDO_LIFE = timedelta(seconds=60)  # a page offers it for ten; a slow reader is not punished


class Finding(StrEnum):
    """What a person found that a text meant, whatever the machine proposed."""

    OPT_OUT = "opt_out"
    WRONG_NUMBER = "wrong_number"
    WANTS_TEXTS = "wants_texts"
    HELP = "help"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewed:
    """The suggestion as it now is; None where there is none. `changed` is false where it had been decided before."""

    review: Review | None = None
    changed: bool = False


async def confirm(world: World, *, account: str, id: str, actor: str, note: str | None = None) -> Reviewed:
    """It was meant: block for a STOP, lift for a START. No reply is sent; the person did not ask for one."""
    unit = partial(_confirm, id=id, actor=actor, note=note, now=world.clock.now(), ids=world.ids)
    reviewed, under_way = await world.store.write(unit, account=account, urgent=True)
    if reviewed.review is not None:
        await quiet(world, account=account, recipient=reviewed.review.recipient, under_way=under_way)
    return reviewed


async def find(world: World, *, account: str, id: str, finding: Finding, actor: str, note: str | None = None) -> Reviewed:
    """Decide by what a person found: block, lift, or leave the standing as it is. No reply is sent."""
    unit = partial(_find, id=id, finding=finding, actor=actor, note=note, now=world.clock.now(), ids=world.ids)
    reviewed, under_way = await world.store.write(unit, account=account, urgent=True)
    if reviewed.review is not None:
        await quiet(world, account=account, recipient=reviewed.review.recipient, under_way=under_way)
    return reviewed


async def undo(world: World, *, account: str, id: str, actor: str) -> Reviewed:
    """Take back one's own decision, right after it: the suggestion is open again, and the block it made is lifted.

    A lift is not taken back so: what the person was told by it, they may have acted on.
    """
    unit = partial(_undo, id=id, actor=actor, now=world.clock.now(), ids=world.ids)
    return await world.store.write(unit, account=account, urgent=True)


async def dismiss(world: World, *, account: str, id: str, actor: str, note: str | None = None) -> Reviewed:
    """It was not meant. The person's standing stays as it is."""
    unit = partial(_decide, id=id, state="dismissed", actor=actor, note=note, now=world.clock.now())
    return await world.store.write(unit, account=account)


def _decide(tx: Tx, *, id: str, state: str, actor: str, note: str | None, now: datetime) -> Reviewed:
    review = tx.suggestions.get(id)
    if review is None or review.state != "open":
        return Reviewed(review=review)
    tx.suggestions.decide(id, state, by=actor, now=now, note=note)
    tx.tell(f"suggestion.{state}", id=id, recipient=review.recipient)
    return Reviewed(review=tx.suggestions.get(id), changed=True)


def _find(
    tx: Tx, *, id: str, finding: Finding, actor: str, note: str | None, now: datetime, ids: Ids
) -> tuple[Reviewed, tuple[str, ...]]:
    state = "dismissed" if finding is Finding.NOTHING else "confirmed"
    reviewed = _decide(tx, id=id, state=state, actor=actor, note=note, now=now)
    review = reviewed.review
    if not reviewed.changed or review is None:
        return reviewed, ()
    match finding:
        case Finding.OPT_OUT:
            meant = replace(review, reason="phrase") if review.reason == "wrong_number" else review
            events = [_block(tx, meant, actor, note, now, ids)]
        case Finding.WRONG_NUMBER:
            events = [_block(tx, replace(review, reason="wrong_number"), actor, note, now, ids)]
        case Finding.WANTS_TEXTS:
            events = _lifts(tx, review, actor, note, now, ids)
        case Finding.HELP | Finding.NOTHING:
            events = []
    return reviewed, shut(tx, events, now=now, ids=ids)


def _undo(tx: Tx, *, id: str, actor: str, now: datetime, ids: Ids) -> Reviewed:
    review = tx.suggestions.get(id)
    if review is None or review.decided_by != actor or review.decided_at is None or now - review.decided_at > UNDO_LIFE:
        return Reviewed(review=review)
    tx.suggestions.reopen(id)
    tx.tell("suggestion.reopened", id=id, recipient=review.recipient)
    block = tx.consent.block(review.scope, group_of(review.recipient), review.recipient)
    event = tx.consent.event(block.event) if block else None
    if block and event and event.event.actor == actor and event.event.message == review.message:
        shut(tx, [_event(tx, review, Act.LIFT, block.holder, block.reason, actor, "undo", now, ids)], now=now, ids=ids)
    return Reviewed(review=tx.suggestions.get(id), changed=True)


def _confirm(
    tx: Tx, *, id: str, actor: str, note: str | None, now: datetime, ids: Ids
) -> tuple[Reviewed, tuple[str, ...]]:
    reviewed = _decide(tx, id=id, state="confirmed", actor=actor, note=note, now=now)
    review = reviewed.review
    if not reviewed.changed or review is None:
        return reviewed, ()
    match review.proposes:
        case "STOP":
            events = [_block(tx, review, actor, note, now, ids)]
        case "START":
            events = _lifts(tx, review, actor, note, now, ids)
        case _:  # a HELP asks for nothing that a standing could change
            events = []
    return reviewed, shut(tx, events, now=now, ids=ids)


def _block(tx: Tx, review: Review, actor: str, note: str | None, now: datetime, ids: Ids) -> ConsentEvent:
    blocked = tx.consent.block(review.scope, group_of(review.recipient), review.recipient)
    reason = Reason.WRONG_NUMBER if review.reason == "wrong_number" else Reason.REVIEW
    act = Act.REPEAT if blocked else Act.BLOCK
    return _event(tx, review, act, review.scope, reason, actor, note, now, ids)


def _lifts(tx: Tx, review: Review, actor: str, note: str | None, now: datetime, ids: Ids) -> list[ConsentEvent]:
    """A START that only an operator could honour names in its evidence the holders that refused it."""
    holders = dict.fromkeys((*review.evidence, review.scope))
    group = group_of(review.recipient)
    blocks = [tx.consent.block(holder, group, review.recipient) for holder in holders]
    return [
        _event(tx, review, Act.LIFT, block.holder, block.reason, actor, note, now, ids) for block in blocks if block is not None
    ]


def _event(
    tx: Tx, review: Review, act: Act, holder: str, reason: Reason, actor: str, note: str | None, now: datetime, ids: Ids
) -> ConsentEvent:
    previous = tx.messages.last_outbound(review.recipient)
    return ConsentEvent(
        id=ids.sid("CE"),
        holder=holder,
        group=group_of(review.recipient),
        recipient=review.recipient,
        act=act,
        reason=reason,
        actor=actor,
        # The person spoke when the text came; that is when the wish was made.
        occurred_at=review.created_at if act is Act.BLOCK else now,
        recorded_at=now,
        message=review.message,
        text=review.body,
        rule=f"review:{review.reason}",
        previous=previous.sid if previous else None,
        note=note,
    )
