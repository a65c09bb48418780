"""The quiet engine: ends what waits for answers or parts that will never come."""

import asyncio

from stopwire.flows import dispatch, receive
from stopwire.log import get_logger
from stopwire.ports.faults import StoreClosed
from stopwire.ports.world import World

log = get_logger(__name__)
EVERY_SECONDS = 30.0


async def run(world: World) -> None:
    while True:
        await asyncio.sleep(EVERY_SECONDS)
        try:
            for connection in world.carriers:
                await dispatch.expire_unknown(world, connection=connection)
            closed = await receive.close_parts(world)
            if closed:
                log.info("parts.closed", texts=closed)
        except StoreClosed:
            return
        except Exception:
            log.exception("reaper.failed")
