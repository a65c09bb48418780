"""The quiet engine: ends what waits for answers or parts that will never come, and forgets what has served its time."""

import asyncio
from datetime import timedelta

from stopwire.flows import dispatch, health, ingest, purge, receive, report, retention
from stopwire.log import get_logger
from stopwire.ports.faults import StoreClosed
from stopwire.ports.world import World
from stopwire.workers import quarantine

log = get_logger(__name__)
EVERY_SECONDS = 30.0
PURGE_EVERY = 20  # rounds
BEAT_EVERY = 2  # rounds
IMPORT_IDLE = timedelta(hours=1)  # an import whose door process has died


async def run(world: World) -> None:
    rounds, walks = 0, retention.Walks()
    while True:
        try:
            if rounds % BEAT_EVERY == 0:
                await health.beat(world)
        except StoreClosed:
            return
        except Exception:
            log.exception("beat.failed")
        await asyncio.sleep(EVERY_SECONDS)
        rounds += 1
        try:
            await tidy(world, forget=rounds % PURGE_EVERY == 0, walks=walks)
        except StoreClosed:
            return
        except Exception:
            log.exception("reaper.failed")


async def tidy(world: World, *, forget: bool, walks: retention.Walks | None = None) -> None:
    """One round: end what is overdue and, if `forget`, drop what has served its time. `walks`: where the last round ended."""
    for connection in await world.store.read(lambda tx: tx.jobs.holding(), account=""):
        await dispatch.expire_unknown(world, connection=connection)
    await quarantine.retry(world)
    if closed := await receive.close_parts(world):
        log.info("parts.closed", texts=closed)
    if half := await report.close_half_reported(world):
        log.info("reports.closed", messages=half)
    if idle := await ingest.abandon(world, idle=IMPORT_IDLE):
        log.info("imports.closed", imports=idle)
    if forget and (forgotten := await purge.purge(world)):
        log.info("purge.done", rows=forgotten)
    if forget and (gone := await retention.sweep(world, walks or retention.Walks())):
        log.info("retention.done", **gone)
