"""Hand queued messages to a carrier: claim, ask the gate again, hand over, settle.

An attempt is on disk before its bytes leave. A STOP that commits before the claim ends the message; one that commits
after it waits for the answer (`flows/receive.py`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from stopwire.core.address import group_of
from stopwire.core.consent import Block
from stopwire.core.jobs import Attempt, Due, Job
from stopwire.core.message import Message, Purpose, Status, Waiting
from stopwire.core.optout import may_send
from stopwire.core.outcomes import ERROR_CODES, Cause, Outcome, OutcomeKind, Part
from stopwire.core.retry import carrier_delay
from stopwire.core.routing import first_route, order_of
from stopwire.core.senders import Directory, Sender, scopes_of
from stopwire.flows.moves import (
    accepted,
    end,
    learn,
    learn_from,
    proven,
    purge,
    reported,
    segments_named,
    segments_of,
    speaker,
    take_segments,
    tell_status,
)
from stopwire.ports.store import Haste, Tx
from stopwire.ports.world import Ids, World

NOT_CONFIRMED = 30046  # "Message delivery not confirmed": no carrier response until validity ended
VALIDITY_EXPIRED = 30036
NO_PARTS: Mapping[str, Part] = {}
HANDED_ON_AT_ONCE = 200  # scheduled messages of one commit
TRIES_AMBIGUOUS_MAX = 2  # writes of one message where the policy for ambiguous hand-over is `retry`


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One round of a connection: what may leave now, how many jobs were taken, and when the next is due."""

    parts: tuple[Part, ...] = ()
    taken: int = 0
    next_due: datetime | None = None


async def dispatch(world: World, *, connection: str, room: int) -> Round:
    """Take as many messages as there is room for. What comes back is written down as leaving: hand it over at once.

    Each part says until when it may leave, counted from before the commit. A process that slept between commit and
    socket finds that time passed: a STOP may have been acknowledged meanwhile.
    """
    write_by = world.clock.monotonic() + world.choices.write_deadline_seconds
    unit = partial(claim, connection=connection, room=room, write_by=write_by, now=world.clock.now(), ids=world.ids)
    # Urgent: what leaves makes room for what comes. Behind a crowd of acceptances the queue would only grow.
    return await world.store.write(unit, account="", haste=Haste.URGENT)


def claim(tx: Tx, *, connection: str, room: int, write_by: float, now: datetime, ids: Ids) -> Round:
    """Take due jobs, end those that may not leave, and begin an attempt at each of the others."""
    due = tx.jobs.claim(connection, room, now)
    parts: list[Part] = []
    for account in dict.fromkeys(each.job.account for each in due):
        parts += _claim_of(tx.of(account), [each for each in due if each.job.account == account], write_by, now, ids)
    more = len(due) == room  # there may be more than there was room for: whoever asked asks again
    return Round(parts=tuple(parts), taken=len(due), next_due=None if more else tx.jobs.next_due(connection))


def _claim_of(tx: Tx, due: Sequence[Due], write_by: float, now: datetime, ids: Ids) -> list[Part]:
    parts: list[Part] = []
    attempts: list[Attempt] = []
    for job, message, sender in _fit(tx, due, now, ids):
        if job.connection not in order_of(sender):
            tx.jobs.assign(job.message, sender=sender.sid, connection=sender.connection)
            tx.wake("dispatch")
            continue
        if message.status in (Status.ACCEPTED, Status.SCHEDULED):
            _queue(tx, message, sender, now, ids)
        attempt = ids.sid("AT")
        attempts.append(
            Attempt(id=attempt, account=job.account, message=job.message, connection=job.connection, state="written", at=now)
        )
        media = tuple(m.url or "" for m in tx.messages.media(message.sid)) if message.media else ()
        parts.append(
            Part(
                attempt=attempt,
                message=message.sid,
                account=job.account,
                connection=job.connection,
                told=message.told,
                sender=sender.address,
                recipient=message.recipient,
                body=message.body,
                media=media,
                keyword_reply=message.purpose is Purpose.KEYWORD_REPLY,
                expires_at=job.expires_at,
                write_by=write_by,
            )
        )
    tx.jobs.write(attempts)
    tx.messages.move([part.message for part in parts], Status.SENDING, now=now)
    return parts


def _fit(tx: Tx, due: Sequence[Due], now: datetime, ids: Ids) -> Iterator[tuple[Job, Waiting, Sender]]:
    """Those that may leave, each with who speaks; the others end."""
    directory = tx.services.directory()
    blocks = tx.consent.blocks_of_many(list({each.job.recipient for each in due if each.blocked}))
    for job, message in ((each.job, each.message) for each in due):
        if message is None:  # deleted while it waited
            tx.jobs.remove([job.message])
            continue
        if job.expires_at and job.expires_at <= now:
            _end(tx, message, VALIDITY_EXPIRED, now, ids)
            continue
        of_group = [b for b in blocks.get(job.recipient, []) if b.group is group_of(job.recipient)]
        sender, code = _sender_of(tx, job, message, directory, of_group, ids)
        if sender is None:
            _end(tx, message, code, now, ids)
            continue
        yield job, message, sender


def _sender_of(
    tx: Tx, job: Job, message: Waiting, directory: Directory, blocks: list[Block], ids: Ids
) -> tuple[Sender | None, int]:
    """Who speaks, or the code that ends the message: today's standing decides, not the one at acceptance."""
    sender = directory.senders.get(job.sender or "")
    service = directory.services.get(job.service or "")
    if sender is None and service is not None:
        sender, block = speaker(tx, directory, service, job.recipient, blocks=blocks, media=message.mms, ids=ids)
        if block is not None:
            return None, 21610
    if sender is None:
        return None, 21703
    if may_send(scopes_of(sender, job.service, job.account), blocks, message.purpose):
        return None, 21610
    return sender, 0


def _queue(tx: Tx, waiting: Waiting, sender: Sender, now: datetime, ids: Ids) -> None:
    """Its messaging service has chosen: from here on the message stands in one sender's queue."""
    segments = segments_of(waiting.body, waiting.mms)
    tx.messages.choose(waiting.sid, sender=sender.address, segments=segments, now=now)
    message = tx.messages.get(waiting.sid, any_purpose=True)
    assert message is not None
    tell_status(tx, replace(message, status=Status.QUEUED), now, ids)


def _end(tx: Tx, waiting: Waiting, code: int, now: datetime, ids: Ids) -> None:
    message = tx.messages.get(waiting.sid, any_purpose=True)
    assert message is not None
    end(tx, message, Status.FAILED, code, now=now, ids=ids)


async def hand_on(world: World, *, connection: str, since: datetime | None = None) -> datetime:
    """Let scheduled messages that fell due on a connection that is not usable choose their sender and their way now.

    Each does so once. `since`: up to when this was done before; the answer is up to when it is done now.
    """
    now, usable = world.clock.now(), world.carriers.usable()
    while await world.store.read(lambda tx: tx.jobs.fallen_due(connection, since, now, 1), account=""):
        unit = partial(_hand_on, connection=connection, since=since, usable=usable, now=now, ids=world.ids)
        await world.store.write(unit, account="")
    return now


def _hand_on(
    tx: Tx, *, connection: str, since: datetime | None, usable: frozenset[str], now: datetime, ids: Ids
) -> None:
    due = tx.jobs.fallen_due(connection, since, now, HANDED_ON_AT_ONCE)
    for account in dict.fromkeys(each.job.account for each in due):
        mine = [each for each in due if each.job.account == account]
        _hand_on_of(tx.of(account), mine, usable, now, ids)
    tx.wake("dispatch")


def _hand_on_of(tx: Tx, due: Sequence[Due], usable: frozenset[str], now: datetime, ids: Ids) -> None:
    for job, message, sender in _fit(tx, due, now, ids):
        _queue(tx, message, sender, now, ids)
        tx.messages.move([job.message], Status.QUEUED, now=now)
        tx.jobs.assign(job.message, sender=sender.sid, connection=first_route(sender, usable=usable))


async def settle(world: World, *, outcomes: Sequence[Outcome], parts: Mapping[str, Part] = NO_PARTS) -> None:
    """Keep what a carrier answered. Urgent: what waits for these answers is the acknowledgement of a STOP.

    `parts`: what was handed over, by attempt, as far as the caller still knows it.
    """
    if outcomes:
        unit = partial(settled, outcomes=outcomes, parts=parts, now=world.clock.now(), ids=world.ids)
        await world.store.write(unit, account="", haste=Haste.URGENT)


def settled(
    tx: Tx, *, outcomes: Sequence[Outcome], parts: Mapping[str, Part] = NO_PARTS, now: datetime, ids: Ids
) -> None:
    quick: dict[str, list[tuple[Part, Outcome]]] = {}  # by account
    slow: list[Outcome] = []
    early: dict[str, bool] = {}
    for outcome in outcomes:
        part = parts.get(outcome.attempt)
        if part is None or part.told or outcome.kind is not OutcomeKind.ACCEPTED:
            slow.append(outcome)
            continue
        if part.connection not in early:
            early[part.connection] = tx.jobs.has_orphans(part.connection)
        if early[part.connection]:  # its report may have come before its answer
            slow.append(outcome)
        else:
            quick.setdefault(part.account, []).append((part, outcome))
    for account, answers in quick.items():
        slow += _settle_quick(tx.of(account), answers, now)
    _settle_slow(tx, slow, now, ids)


def _settle_quick(tx: Tx, answers: Sequence[tuple[Part, Outcome]], now: datetime) -> list[Outcome]:
    """Most answers: accepted, and nobody asked to be told. Written without reading the messages.

    Answers those outcomes whose message has moved on meanwhile: they are for the slow way.
    """
    awaited = tx.jobs.awaited([part.attempt for part, _ in answers])
    taken = {part.attempt: (part, outcome) for part, outcome in answers if part.attempt in awaited}
    tx.jobs.accept([(attempt, outcome.reference) for attempt, (_, outcome) in taken.items()], now)
    sids = [part.message for part, _ in taken.values()]
    tx.messages.move(sids, Status.SENT, now=now, sent=True)
    tx.jobs.remove(sids)
    for part, outcome in taken.values():
        if len(outcome.segments) > 1:
            tx.jobs.add_segments(segments_named(part, outcome.segments, now))
        if not part.keyword_reply:
            tx.tell("message.status", sid=part.message, to=part.recipient, status=Status.SENT.value, code=None)
    return [outcome for part, outcome in answers if part.attempt not in awaited]


def _settle_slow(tx: Tx, outcomes: Sequence[Outcome], now: datetime, ids: Ids) -> None:
    for outcome in outcomes:
        attempt = tx.jobs.attempt(outcome.attempt)
        if attempt is None or attempt.state not in ("written", "unknown"):
            continue  # settled before, or taken back
        of = tx.of(attempt.account)
        message = of.messages.get(attempt.message, any_purpose=True)
        of.jobs.answer_attempt(attempt.id, outcome.kind.value, now, reference=outcome.reference, detail=outcome.detail)
        if message is not None:
            _settle_one(of, attempt, message, outcome, now, ids)


def _settle_one(
    tx: Tx, attempt: Attempt, message: Message, outcome: Outcome, now: datetime, ids: Ids
) -> None:
    match outcome.kind:
        case OutcomeKind.ACCEPTED:
            moved = accepted(tx, message, now=now, ids=ids)
            if outcome.segments:
                take_segments(tx, attempt, moved, outcome.segments, now=now, ids=ids)
                return
            for report in tx.jobs.take_orphans(attempt.connection, outcome.reference or ""):
                moved = reported(tx, moved, report.status, report.error_code, now=now, ids=ids)
                learn_from(tx, moved, report, now=now, ids=ids)
        case OutcomeKind.REJECTED:
            if outcome.cause is Cause.OPTED_OUT:
                learn(tx, message, now=now, ids=ids, reference=outcome.reference, detail=outcome.detail)
            end(tx, message, Status.FAILED, ERROR_CODES[outcome.cause], now=now, ids=ids)
        case OutcomeKind.DEFERRED:
            job = tx.jobs.of_message(message.sid)
            tries = (job.tries if job else 0) + 1
            due = now + carrier_delay(tries, jitter=ids.jitter(), asked_seconds=outcome.retry_after_seconds)
            _take_back(tx, message, due, tried=True, now=now, ids=ids)
        case OutcomeKind.RELEASED:
            due = now + timedelta(seconds=outcome.retry_after_seconds or 0)
            _take_back(tx, message, due, tried=False, now=now, ids=ids)
        case OutcomeKind.HALTED:
            end(tx, message, Status.FAILED, 21610, now=now, ids=ids)
        case OutcomeKind.UNKNOWN:
            if proven(tx, attempt, message, now=now, ids=ids):
                return
            job = tx.jobs.of_message(message.sid)
            of_account = tx.services.directory().account.settings.ambiguous == "retry"
            again = of_account if outcome.again is None else outcome.again
            if again and job and job.tries + 1 < TRIES_AMBIGUOUS_MAX and message.purpose is Purpose.MESSAGE:
                tx.jobs.requeue(message.sid, now + timedelta(seconds=1), tried=True)
            else:
                tx.jobs.lose(message.sid)


def _take_back(tx: Tx, message: Message, due: datetime, *, tried: bool, now: datetime, ids: Ids) -> None:
    """Put a message back into the queue, unless its person said STOP while the carrier had it."""
    tx.jobs.requeue(message.sid, due, tried=tried)
    tx.messages.move([message.sid], Status.QUEUED, now=now)
    if tx.consent.blocks_of(group_of(message.recipient), message.recipient):
        purge(tx, message.recipient, now=now, ids=ids)
    tx.wake("dispatch")


async def recover(world: World, *, connection: str) -> int:
    """After a start: settle what was under way when the process ended. Answers how many that were.

    The carrier may know. Where it does not, the outcome is unknown and the account's policy for that decides.
    """
    jobs = await world.store.read(lambda tx: tx.jobs.under_way(connection), account="")
    written = [job.attempt for job in jobs if job.state == "written" and job.attempt]
    carrier = world.carriers.get(connection)
    recalled = await carrier.recall(written) if written and carrier else []
    known = {outcome.attempt for outcome in recalled}
    lost = "the process ended before the answer came"
    outcomes = [*recalled, *(Outcome(attempt=a, kind=OutcomeKind.UNKNOWN, detail=lost) for a in written if a not in known)]
    await settle(world, outcomes=outcomes)
    return len(outcomes)


async def expire_unknown(world: World, *, connection: str) -> None:
    """End what waits for an answer that never came, once its validity is over."""
    await world.store.write(
        partial(_expire_unknown, connection=connection, now=world.clock.now(), ids=world.ids), account=""
    )


def _expire_unknown(tx: Tx, *, connection: str, now: datetime, ids: Ids) -> None:
    for job in tx.jobs.under_way(connection):
        if job.state != "unknown" or job.expires_at is None or job.expires_at > now:
            continue
        of = tx.of(job.account)
        message = of.messages.get(job.message, any_purpose=True)
        if message is None:
            of.jobs.remove([job.message])
        else:
            end(of, message, Status.UNDELIVERED, NOT_CONFIRMED, now=now, ids=ids)
