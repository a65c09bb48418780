"""The webhook engine: claims deliveries, runs a round of each beside the others, walks the replies, settles."""

import asyncio
import contextlib
from collections import Counter
from functools import partial
from urllib.parse import urlsplit

from stopwire import metrics
from stopwire.core.jobs import Delivery
from stopwire.core.message import Direction
from stopwire.flows import notify, send
from stopwire.log import get_logger
from stopwire.ports.faults import StoreClosed
from stopwire.ports.world import World

log = get_logger(__name__)
POLL_SECONDS = 5.0
FAULT_SECONDS = 1.0
PARALLEL_MAX = 100  # rounds at once, over all endpoints


class Notifier:
    def __init__(self, world: World, *, endpoint_parallel: int) -> None:
        self._world, self._endpoint_parallel = world, endpoint_parallel
        self.bell = asyncio.Event()
        self._running: set[asyncio.Task[None]] = set()
        self._busy: Counter[str] = Counter()

    async def run(self) -> None:
        """Serve until cancelled or the store closes. A round cut short is run again after the next start."""
        again = await self._world.store.write(lambda tx: tx.webhooks.interrupted(self._world.clock.now()), account="")
        if again:
            log.info("notify.recovered", deliveries=again)
        try:
            while True:
                self.bell.clear()
                try:
                    claimed = await self._claim()
                except StoreClosed:
                    return
                except Exception:
                    log.exception("notify.failed")
                    await asyncio.sleep(FAULT_SECONDS)
                    continue
                for delivery in claimed:
                    self._start(delivery)
                if not claimed:
                    await self._rest()
        finally:
            for task in list(self._running):
                task.cancel()
            await asyncio.gather(*self._running, return_exceptions=True)

    async def _claim(self) -> list[Delivery]:
        room = PARALLEL_MAX - len(self._running)
        if room <= 0:
            return []
        busy = [host for host, count in self._busy.items() if count >= self._endpoint_parallel]
        # All that is claimed may be for the busiest of the others: it must have room for that.
        busiest = max((count for count in self._busy.values() if count < self._endpoint_parallel), default=0)
        room = min(room, self._endpoint_parallel - busiest)
        now = self._world.clock.now()
        return await self._world.store.write(lambda tx: tx.webhooks.claim(room, now, busy), account="")

    def _start(self, delivery: Delivery) -> None:
        host = urlsplit(delivery.url).hostname or ""  # as `claim` compares it
        self._busy[host] += 1
        task = asyncio.get_running_loop().create_task(self._deliver(delivery))
        self._running.add(task)
        task.add_done_callback(partial(self._done, host))

    def _done(self, host: str, task: "asyncio.Task[None]") -> None:
        self._running.discard(task)
        self._busy[host] -= 1
        if self._busy[host] <= 0:
            del self._busy[host]
        self.bell.set()

    async def _deliver(self, delivery: Delivery) -> None:
        try:
            told = await notify.notify(self._world, delivery=delivery)
            if told.delivered and told.orders and not delivery.answered:
                orders = await notify.replies_open(self._world, delivery=delivery, orders=told.orders)
                if stopped := len(told.orders) - len(orders):
                    log.warning("webhook.problem", id=delivery.id, code=14107, detail=f"{stopped} replies held back")
                # The key makes it harmless that a crash before `settle` runs the document again.
                await send.send(
                    self._world,
                    account=delivery.account,
                    orders=orders,
                    key=f"twiml:{delivery.id}",
                    direction=Direction.REPLY,
                )
            for problem in told.problems:
                log.warning("webhook.problem", id=delivery.id, code=problem.code, detail=problem.text)
            await notify.settle(self._world, delivery=delivery, told=told)
            metrics.webhook("delivered" if told.delivered else "failed")
        except StoreClosed:
            return
        except Exception:
            log.exception("notify.round_failed", id=delivery.id)
            await asyncio.sleep(FAULT_SECONDS)
            await self._give_up(delivery)

    async def _give_up(self, delivery: Delivery) -> None:
        """Close a round that broke; where not even that is possible, the next start takes it up."""
        try:
            await notify.settle(self._world, delivery=delivery, told=notify.Told(delivered=False))
        except StoreClosed:
            return
        except Exception:
            log.exception("notify.unsettled", id=delivery.id)

    async def _rest(self) -> None:
        due = await self._world.store.read(lambda tx: tx.webhooks.next_due(), account="")
        seconds = POLL_SECONDS
        if due is not None and len(self._running) < PARALLEL_MAX:
            seconds = min(seconds, max(0.05, (due - self._world.clock.now()).total_seconds()))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.bell.wait(), seconds)
