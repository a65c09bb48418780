"""Take delivery reports. Status moves forward only; a report that came too early is kept."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from stopwire.core.address import SenderKind
from stopwire.core.message import Status
from stopwire.core.outcomes import DeliveryReport
from stopwire.flows.moves import learn, reported
from stopwire.ports.store import Tx
from stopwire.ports.world import Ids, World

NETWORK_BLOCK = 30004


async def report(world: World, *, reports: Sequence[DeliveryReport]) -> None:
    """Keep what a carrier says of parts it accepted. When this returns, the carrier may forget it."""
    await world.store.write(partial(take, reports=reports, now=world.clock.now(), ids=world.ids), account="")


def take(tx: Tx, *, reports: Sequence[DeliveryReport], now: datetime, ids: Ids) -> None:
    for report in reports:
        _take_one(tx, report=report, now=now, ids=ids)


def _take_one(tx: Tx, *, report: DeliveryReport, now: datetime, ids: Ids) -> None:
    attempt = tx.jobs.by_reference(report.connection, report.reference)
    if attempt is None:
        tx.jobs.add_orphan(report, now)
        return
    of = tx.of(attempt.account)
    message = of.messages.get(attempt.message, any_purpose=True)
    if message is None:
        return  # deleted meanwhile
    reported(of, message, report.status, report.error_code, now=now, ids=ids)
    sender = of.services.directory().sender_at(message.sender or "")
    blocked_by_network = report.status in (Status.UNDELIVERED, Status.FAILED) and report.error_code == NETWORK_BLOCK
    if blocked_by_network and sender is not None and sender.kind is SenderKind.TOLL_FREE:
        learn(of, message, now=now, ids=ids, reference=report.reference, detail="the toll-free network blocks this pair")
