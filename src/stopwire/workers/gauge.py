"""The engine that looks how full the queues are. It knows when, and never how much is too much."""

import asyncio
import time

from stopwire.flows import queues
from stopwire.log import get_logger
from stopwire.ports.faults import StoreClosed
from stopwire.ports.world import World

log = get_logger(__name__)
EVERY_SECONDS = 5.0
SHARE = 20  # of what a look takes: a long queue is counted less often, so that counting never costs more than a twentieth


async def run(world: World) -> None:
    known: frozenset[str] = frozenset()
    while True:
        began = time.monotonic()
        try:
            full = await queues.measure(world)
            if full != known:
                log.warning("queues.full", senders=len(full), newly=len(full - known))
            known = full
        except StoreClosed:
            return
        except Exception:
            log.exception("gauge.failed")
        await asyncio.sleep(max(EVERY_SECONDS, SHARE * (time.monotonic() - began)))
