"""The engine that looks whether anything is wrong. It knows when, and never what would be."""

import asyncio

from stopwire.flows.watch import Memory, look
from stopwire.log import get_logger
from stopwire.ports.faults import StoreClosed
from stopwire.ports.world import World

log = get_logger(__name__)
EVERY_SECONDS = 60.0
THOROUGH_EVERY = 5  # looks: what is read from messages changes by the hour, and costs more


async def run(world: World) -> None:
    memory, looks = Memory(), 0
    while True:
        await asyncio.sleep(EVERY_SECONDS)
        looks += 1
        try:
            if changed := await look(world, memory, thorough=looks % THOROUGH_EVERY == 1):
                log.info("alerts.changed", alerts=changed)
        except StoreClosed:
            return
        except Exception:
            log.exception("watcher.failed")
