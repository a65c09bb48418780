"""One loop a connection: hand over what is due, then sleep until something is."""

import asyncio
import contextlib

from stopwire import metrics
from stopwire.flows import dispatch
from stopwire.log import get_logger
from stopwire.ports.faults import StoreClosed
from stopwire.ports.world import World

log = get_logger(__name__)
POLL_SECONDS = 5.0  # the net under the wake-ups
FAULT_SECONDS = 1.0
BEHIND_SECONDS = 0.02  # a due job may wait behind its line: look again soon, but do not spin


class Dispatcher:
    def __init__(self, world: World, connection: str) -> None:
        self._world, self.connection = world, connection
        self.bell = asyncio.Event()

    async def run(self) -> None:
        """Serve the connection until cancelled or the store closes."""
        recovered = await dispatch.recover(self._world, connection=self.connection)
        if recovered:
            log.info("dispatch.recovered", connection=self.connection, messages=recovered)
        while True:
            self.bell.clear()
            try:
                done = await dispatch.dispatch(self._world, connection=self.connection)
            except StoreClosed:
                return
            except Exception:
                # The round's messages stay claimed or written on disk; nothing is lost, nothing is sent twice.
                log.exception("dispatch.failed", connection=self.connection)
                await asyncio.sleep(FAULT_SECONDS)
                await dispatch.recover(self._world, connection=self.connection)
                continue
            if done.handed:
                metrics.dispatched(self.connection, "handed", done.handed)
            if not done.taken:
                await self._rest(done)

    async def _rest(self, done: dispatch.Round) -> None:
        seconds = POLL_SECONDS
        if done.next_due is not None:
            seconds = min(seconds, max(BEHIND_SECONDS, (done.next_due - self._world.clock.now()).total_seconds()))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.bell.wait(), seconds)
