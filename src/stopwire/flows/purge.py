"""Forget what has served its time: kept answers, carriers' references, reports without a message. Never consent."""

from datetime import timedelta

from stopwire.core.receipts import REPORTED_WITHIN
from stopwire.ports.world import World

KEPT_ANSWERS = timedelta(hours=24)  # as long as an idempotency key holds
REFERENCES = timedelta(hours=48)  # as long as a carrier's reference names one message
ORPHANS = timedelta(hours=72)  # a report may come before its answer, but not by days
REFUSED_PUSHES = timedelta(days=7)  # how long a secret may stay wrong without a text being lost
SUBMITTED = timedelta(hours=24)  # how long a bound customer may take to hand over a long text
ALERTS = timedelta(days=400)  # after they were over: a year, and time to look back on it
AT_ONCE = 500  # rows a unit, so that a STOP never waits long behind it


async def purge(world: World) -> int:
    """One sweep. How many rows it forgot."""
    now = world.clock.now()
    forgotten = 0
    while True:
        rows = await world.store.write(
            lambda tx: (
                tx.messages.forget_kept(now - KEPT_ANSWERS, AT_ONCE)
                + tx.inbound.forget(now - REFERENCES, AT_ONCE)
                + tx.jobs.drop_orphans(now - ORPHANS, AT_ONCE)
                + tx.submitted.forget(now - SUBMITTED, AT_ONCE)
                + tx.pushes.forget(now - REFUSED_PUSHES, AT_ONCE)
                + tx.people.forget_sessions(now, AT_ONCE)
                + tx.jobs.forget_segments(now - REPORTED_WITHIN, AT_ONCE)
                + tx.alerts.forget(now - ALERTS, AT_ONCE)
            ),
            account="",
        )
        forgotten += rows
        if rows == 0:
            return forgotten
