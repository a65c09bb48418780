"""Decide a suggestion: a person read the text and says what was meant. Confirmed, it becomes consent; dismissed, nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial

from stopwire.core import optout
from stopwire.core.address import group_of
from stopwire.core.connections import OptOutBy
from stopwire.core.consent import Act, ConsentEvent, Reason
from stopwire.core.jobs import Review
from stopwire.core.message import Message, Status
from stopwire.core.packs import Packs
from stopwire.core.policy import Keyword
from stopwire.core.senders import Sender
from stopwire.flows.moves import REPLY_LIFE, quiet, reply_with, shut
from stopwire.ports.store import Haste, Tx
from stopwire.ports.world import Ids, World

UNDO_LIFE = timedelta(seconds=60)  # a page offers it for ten; a slow reader is not punished
NEVER_READ = frozenset({Status.CANCELED, Status.FAILED, Status.UNDELIVERED})
CONFIRM_AFTER = timedelta(seconds=10)  # as long as a page offers to undo: until then nobody is told


class Finding(StrEnum):
    """What a person found that a text meant, whatever the machine proposed."""

    OPT_OUT = "opt_out"
    WRONG_NUMBER = "wrong_number"
    WANTS_TEXTS = "wants_texts"
    HELP = "help"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewed:
    """The suggestion as it now is; None where there is none. `changed` is false where it had been decided before.

    `reply` is the confirmation that was queued. `told`: it could not be taken back, for the person has been told.
    """

    review: Review | None = None
    changed: bool = False
    reply: str | None = None
    told: bool = False


async def confirm(world: World, *, account: str, id: str, actor: str, note: str | None = None) -> Reviewed:
    """It was meant: block for a STOP, lift for a START. A block is confirmed to the person, in the five minutes after their text."""
    unit = partial(_confirm, id=id, actor=actor, note=note, packs=world.packs, now=world.clock.now(), ids=world.ids)
    reviewed, under_way = await world.store.write(unit, account=account, haste=Haste.URGENT)
    if reviewed.review is not None:
        await quiet(world, account=account, recipient=reviewed.review.recipient, under_way=under_way)
    return reviewed


async def find(world: World, *, account: str, id: str, finding: Finding, actor: str, note: str | None = None) -> Reviewed:
    """Decide by what a person found: block, lift, or leave the standing as it is.

    A block holds at once. Only its confirmation waits until the decision is not likely to be taken back.
    """
    unit = partial(_find, id=id, finding=finding, actor=actor, note=note, packs=world.packs, now=world.clock.now(), ids=world.ids)
    reviewed, under_way = await world.store.write(unit, account=account, haste=Haste.URGENT)
    if reviewed.review is not None:
        await quiet(world, account=account, recipient=reviewed.review.recipient, under_way=under_way)
    return reviewed


async def confirmed_until(world: World, *, account: str, review: Review) -> datetime | None:
    """Until when finding an opt-out also confirms it to the person; None where it does not."""
    until = review.created_at + REPLY_LIFE - CONFIRM_AFTER
    if review.state != "open" or world.clock.now() >= until:
        return None
    return until if await world.store.read(partial(_would_confirm, review=review, packs=world.packs), account=account) else None


def _would_confirm(tx: Tx, *, review: Review, packs: Packs) -> bool:
    blocked = tx.consent.block(review.scope, group_of(review.recipient), review.recipient)
    return blocked is None and _words(tx, review, packs) is not None


async def undo(world: World, *, account: str, id: str, actor: str) -> Reviewed:
    """Take back one's own decision, right after it: the suggestion is open again, and the block it made is lifted.

    A lift is not taken back so, nor a block whose confirmation has left: what the person was told, they may have acted on.
    """
    unit = partial(_undo, id=id, actor=actor, now=world.clock.now(), ids=world.ids)
    return await world.store.write(unit, account=account, haste=Haste.URGENT)


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
    tx: Tx, *, id: str, finding: Finding, actor: str, note: str | None, packs: Packs, now: datetime, ids: Ids
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
    under_way = shut(tx, events, now=now, ids=ids)
    return replace(reviewed, reply=_confirmation(tx, review, events, packs, now, ids, after=CONFIRM_AFTER)), under_way


def _undo(tx: Tx, *, id: str, actor: str, now: datetime, ids: Ids) -> Reviewed:
    review = tx.suggestions.get(id)
    if review is None or review.decided_by != actor or review.decided_at is None or now - review.decided_at > UNDO_LIFE:
        return Reviewed(review=review)
    if _was_told(tx, review):
        return Reviewed(review=review, told=True)
    tx.suggestions.reopen(id)
    tx.tell("suggestion.reopened", id=id, recipient=review.recipient)
    block = tx.consent.block(review.scope, group_of(review.recipient), review.recipient)
    event = tx.consent.event(block.event) if block else None
    if block and event and event.event.actor == actor and event.event.message == review.message:
        shut(tx, [_event(tx, review, Act.LIFT, block.holder, block.reason, actor, "undo", now, ids)], now=now, ids=ids)
    return Reviewed(review=tx.suggestions.get(id), changed=True)


def _confirm(
    tx: Tx, *, id: str, actor: str, note: str | None, packs: Packs, now: datetime, ids: Ids
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
    under_way = shut(tx, events, now=now, ids=ids)
    return replace(reviewed, reply=_confirmation(tx, review, events, packs, now, ids, after=timedelta(0))), under_way


def _confirmation(
    tx: Tx, review: Review, events: Sequence[ConsentEvent], packs: Packs, now: datetime, ids: Ids, *, after: timedelta
) -> str | None:
    """Queue what the word STOP would have been answered: once a transition, in the five minutes after their text, or never."""
    made = next((event for event in events if event.act is Act.BLOCK and event.reason is Reason.REVIEW), None)
    expires_at = review.created_at + REPLY_LIFE
    if made is None or now + after >= expires_at or (words := _words(tx, review, packs)) is None:
        return None
    sender, message, text = words
    reply = reply_with(
        tx,
        text,
        keyword=Keyword.STOP.value,
        sender=sender,
        connection=sender.connection,
        answers=message,
        event=made.id,
        decision={"review": review.id},
        now=now,
        due_at=now + after,
        expires_at=expires_at,
        ids=ids,
    )
    tx.messages.save(replace(message, decision={**message.decision, "reply": reply}))
    return reply


def _words(tx: Tx, review: Review, packs: Packs) -> tuple[Sender, Message, str] | None:
    """Who would confirm an opt-out, to which text, and how; None where the word STOP would have got no answer of ours."""
    directory = tx.services.directory()
    message = tx.messages.get(review.message) if review.message else None
    sender = directory.sender_at(review.sender)
    if message is None or sender is None:
        return None
    home = directory.home(sender)
    match = optout.read("STOP", review.recipient, home, packs)
    sealed = tx.connections.find(sender.connection)
    if match is None or not match.reply or home.holder != review.scope or (sealed and sealed.connection.opt_out_by is OptOutBy.CARRIER):
        return None
    return sender, message, match.reply


def _was_told(tx: Tx, review: Review) -> bool:
    """Whether the confirmation of this decision has left, or may have."""
    message = tx.messages.get(review.message) if review.message else None
    sid = message.decision.get("reply") if message else None
    reply = tx.messages.get(str(sid), any_purpose=True) if sid else None
    if reply is None or reply.decision.get("review") != review.id or reply.status in NEVER_READ:
        return False
    waiting = tx.jobs.of_message(reply.sid)
    return waiting is None or waiting.state != "queued"


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
