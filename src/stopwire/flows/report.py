"""Take delivery reports. Status moves forward only; a report that came too early is kept."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

from stopwire.core import receipts
from stopwire.core.jobs import Attempt
from stopwire.core.message import Message
from stopwire.core.outcomes import DeliveryReport, hint_of
from stopwire.core.receipts import Segment
from stopwire.flows.moves import adopt, learn_from, report_segment, reported, sibling
from stopwire.ports.store import Tx
from stopwire.ports.world import Ids, World

HALF_WINDOW = timedelta(hours=1)  # after the last receipt of a message whose other segments were never reported
HALF_HORIZON = timedelta(days=3)  # how far back such messages are looked for, should the gateway have stood still
AT_ONCE = 500


async def report(world: World, *, reports: Sequence[DeliveryReport]) -> None:
    """Keep what a carrier says of parts it accepted. When this returns, the carrier may forget it."""
    await world.store.write(partial(take, reports=reports, now=world.clock.now(), ids=world.ids), account="")


def take(tx: Tx, *, reports: Sequence[DeliveryReport], now: datetime, ids: Ids) -> None:
    """In the order they came. What they may speak of is asked for all of them together."""
    named = _named(tx, reports, now)
    messages = tx.jobs.messages_of([segment.attempt for segment in named if segment])
    moved: dict[str, Message] = {}  # two reports may speak of one message
    for report, segment in zip(reports, named, strict=True):
        found = segment or _late(tx, report, now, ids)
        attempt = found.attempt if found else _referred(tx, report)
        if attempt is None and not report.forms and (found := _adopt(tx, report, now, ids)):
            attempt = found.attempt
        if attempt is None:
            tx.jobs.add_orphan(report, now)
            continue
        message = messages.get(attempt) or tx.jobs.messages_of([attempt]).get(attempt)
        if message is not None:  # else it was deleted meanwhile
            message = moved.get(message.sid, message)
            moved[message.sid] = _apply(tx, report, found, message, now=now, ids=ids)


def _named(tx: Tx, reports: Sequence[DeliveryReport], now: datetime) -> list[Segment | None]:
    """The segment that each report speaks of, by its id."""
    found: dict[tuple[str, str], list[Segment]] = defaultdict(list)
    for connection in {report.connection for report in reports if report.forms}:
        forms = {form for report in reports if report.connection == connection for form in report.forms}
        for segment in tx.jobs.segments_named(connection, list(forms), now - receipts.REPORTED_WITHIN):
            found[connection, segment.form].append(segment)
    return [
        receipts.choose([segment for form in report.forms for segment in found.get((report.connection, form), ())], report)
        for report in reports
    ]


def _late(tx: Tx, report: DeliveryReport, now: datetime, ids: Ids) -> Segment | None:
    """The segment of a report whose answer never came, or which a report before it has just proven."""
    if not report.forms:
        return None
    return _named(tx, [report], now)[0] or _adopt(tx, report, now, ids) or sibling(tx, report, now)


def _referred(tx: Tx, report: DeliveryReport) -> str | None:
    attempt = None if report.forms else tx.jobs.by_reference(report.connection, report.reference)
    return attempt.id if attempt else None


def _apply(
    tx: Tx, report: DeliveryReport, segment: Segment | None, message: Message, *, now: datetime, ids: Ids
) -> Message:
    """Move the message as a report says. Answers it as it now is."""
    of = tx.of(message.account)
    if segment is not None:
        moved = report_segment(of, segment, message, report, now=now, ids=ids)
    else:
        moved = reported(of, message, report.status, report.error_code, now=now, ids=ids)
    learn_from(of, message, report, now=now, ids=ids)
    return moved


def _adopt(tx: Tx, report: DeliveryReport, now: datetime, ids: Ids) -> Segment | None:
    """A receipt for what nobody answered proves that it left, where only one message can be meant."""
    if not report.recipient:
        return None
    found: list[tuple[Attempt, Message]] = []
    for job in tx.jobs.unknown_of(report.connection, report.recipient):
        attempt = tx.jobs.attempt(job.attempt or "")
        message = tx.of(job.account).messages.get(job.message, any_purpose=True)
        if attempt is not None and message is not None and _may_mean(report, attempt, message):
            found.append((attempt, message))
    if len(found) != 1:
        return None
    attempt, message = found[0]
    of = tx.of(attempt.account)
    if report.hint is None and of.jobs.of_recipient(message.recipient, states=("written",)):
        return None  # it may be the receipt of what is under way, ahead of its answer
    return adopt(of, attempt, message, report, now=now, ids=ids)


def _may_mean(report: DeliveryReport, attempt: Attempt, message: Message) -> bool:
    if attempt.state != "unknown" or not receipts.agrees(message.sender or "", message.recipient, report):
        return False
    if report.hint is not None and report.hint != hint_of(attempt.id):
        return False
    return not report.text or message.body.startswith(report.text)


async def close_half_reported(world: World) -> int:
    """End the wait of messages whose carrier reports on some of their segments only; how many that were."""
    now = world.clock.now()
    unit = partial(_close_half_reported, now=now, ids=world.ids)
    return await world.store.write(unit, account="")


def _close_half_reported(tx: Tx, *, now: datetime, ids: Ids) -> int:
    half = tx.jobs.half_reported(now - HALF_HORIZON, now - HALF_WINDOW, AT_ONCE)
    for account, id in half:
        of = tx.of(account)
        of.jobs.close_segments(id)
        attempt = of.jobs.attempt(id)
        message = of.messages.get(attempt.message, any_purpose=True) if attempt else None
        result = receipts.whole(segments := of.jobs.segments_of(id), len(segments))
        if message is not None and result is not None:
            reported(of, message, result[0], result[1], now=now, ids=ids)
    return len(half)
