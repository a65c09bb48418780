"""The engine that counts: keeps the tallies behind the figures up to date. It knows when, and never what is counted."""

import asyncio

from stopwire.flows.tally import tally
from stopwire.log import get_logger
from stopwire.ports.faults import StoreClosed
from stopwire.ports.world import World

log = get_logger(__name__)
EVERY_SECONDS = 20.0
PIECES = 64  # a round, so that a long past is caught up with in minutes and nobody waits behind it


async def run(world: World) -> None:
    while True:
        try:
            counted = await tally(world, pieces=PIECES)
        except StoreClosed:
            return
        except Exception:
            log.exception("teller.failed")
            counted = 0
        if counted < PIECES:
            await asyncio.sleep(EVERY_SECONDS)
