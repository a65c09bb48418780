"""The webhook engine: claims deliveries, runs a round of each beside the others, walks the replies, settles.

It runs in the process of the doors, where they have one of their own: customers' servers then cost the core little more
than the store. So it reaches the store through the house, as a door does.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from urllib.parse import urlsplit

from stopwire.basket import Basket
from stopwire.core import bound
from stopwire.core.jobs import Delivery
from stopwire.core.message import Direction
from stopwire.core.rounds import Call, Round, Told, round_of
from stopwire.flows import notify, send
from stopwire.flows.tell import tell
from stopwire.log import get_logger
from stopwire.ports.faults import StoreClosed
from stopwire.ports.house import House
from stopwire.ports.world import Outside

log = get_logger(__name__)
POLL_SECONDS = 5.0
FAULT_SECONDS = 1.0
CLAIMED_MAX = 200  # rounds that are not settled yet, over all endpoints
AHEAD = 2  # claimed for an endpoint, by what may be under way to it: who has ended finds the next one here
PACE_SECONDS = 0.005  # from one claim that found something to the next: what comes meanwhile is claimed together


class _Endpoint:
    """A host that is told: how many calls are claimed for it and have no answer yet, and those of them under way."""

    def __init__(self, parallel: int) -> None:
        self.open = 0
        self.under_way = asyncio.Semaphore(parallel)


class Notifier:
    def __init__(self, house: House, outside: Outside, *, endpoint_parallel: int) -> None:
        self._house, self._outside, self._endpoint_parallel = house, outside, endpoint_parallel
        self.bell = asyncio.Event()
        self._running: set[asyncio.Task[None]] = set()
        self._endpoints: dict[str, _Endpoint] = {}
        self._left = False  # whether the last claim may have left something for want of room
        self._ends: Basket[Round, None] = Basket(self._settle)

    async def run(self) -> None:
        """Serve until cancelled or the store closes. A round cut short is run again after the next start."""
        if again := await self._house(notify.recover):
            log.info("notify.recovered", deliveries=again)
        try:
            while True:
                self.bell.clear()
                try:
                    await self._rest(await self._claim())
                except StoreClosed:
                    return
                except Exception:
                    log.exception("notify.failed")
                    await asyncio.sleep(FAULT_SECONDS)
        finally:
            for task in list(self._running):
                task.cancel()
            await asyncio.gather(*self._running, return_exceptions=True)

    async def _claim(self) -> datetime | None:
        """Begin what may begin now. When the next one falls due; None where only a bell can bring one."""
        most = AHEAD * self._endpoint_parallel
        busy = [host for host, endpoint in self._endpoints.items() if endpoint.open >= most]
        # All that is claimed may be for the busiest of the others: it must have room for that.
        busiest = max((endpoint.open for endpoint in self._endpoints.values() if endpoint.open < most), default=0)
        room = min(CLAIMED_MAX - len(self._running), most - busiest)
        self._left = bool(busy) or room <= 0
        if room <= 0:
            return None
        claimed = await self._house(notify.claim, room=room, busy=busy)
        for call in claimed.calls:
            self._start(call)
        if claimed.calls:
            await asyncio.sleep(PACE_SECONDS)
        if len(claimed.calls) == room:
            self._left = True
            self.bell.set()
        return claimed.next_due

    async def _rest(self, next_due: datetime | None) -> None:
        seconds = POLL_SECONDS
        if next_due is not None:
            seconds = min(seconds, max(0.05, (next_due - self._outside.clock.now()).total_seconds()))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.bell.wait()

    def _start(self, call: Call) -> None:
        host = urlsplit(call.delivery.url).hostname or ""  # as `claim` compares it
        endpoint = self._endpoints.setdefault(host, _Endpoint(self._endpoint_parallel))
        endpoint.open += 1
        task = asyncio.get_running_loop().create_task(self._deliver(call, host, endpoint))
        self._running.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._running.discard(task)
        self._look_again()

    def _look_again(self) -> None:
        if self._left:
            self.bell.set()

    async def _deliver(self, call: Call, host: str, endpoint: _Endpoint) -> None:
        delivery = call.delivery
        try:
            try:
                async with endpoint.under_way:
                    told = await self._tell(call)
            finally:
                endpoint.open -= 1
                if not endpoint.open:
                    del self._endpoints[host]
                self._look_again()
            for problem in told.problems:
                log.warning("webhook.problem", id=delivery.id, code=problem.code, detail=problem.text)
            await self._ends.take(round_of(delivery, told))
        except StoreClosed:
            return
        except Exception:
            log.exception("notify.round_failed", id=delivery.id)
            await asyncio.sleep(FAULT_SECONDS)
            await self._give_up(delivery)

    async def _tell(self, call: Call) -> Told:
        """One round, and the replies that it asks for. Its requests are in the log before what follows from them."""
        delivery = call.delivery
        if delivery.url.startswith(bound.SCHEME):
            return await self._house(notify.hand_over, delivery=delivery)
        told = await tell(self._outside, call=call)
        if told.orders:
            await self._house(notify.log_requests, account=delivery.account, attempts=told.attempts)
            told = replace(told, attempts=())
        if told.delivered and told.orders and not delivery.answered:
            orders = await self._house(notify.replies_open, delivery=delivery, orders=told.orders)
            if stopped := len(told.orders) - len(orders):
                log.warning("webhook.problem", id=delivery.id, code=14107, detail=f"{stopped} replies held back")
            # The key makes it harmless that a crash before the end of the round runs the document again.
            await self._house(
                send.send,
                account=delivery.account,
                orders=orders,
                key=f"twiml:{delivery.id}",
                direction=Direction.REPLY,
            )
        return told

    async def _give_up(self, delivery: Delivery) -> None:
        """Close a round that broke; where not even that is possible, the next start takes it up."""
        try:
            await self._ends.take(round_of(delivery, Told(delivered=False)))
        except StoreClosed:
            return
        except Exception:
            log.exception("notify.unsettled", id=delivery.id)

    async def _settle(self, rounds: Sequence[Round]) -> Sequence[None]:
        await self._house(notify.settle, rounds=rounds)
        return [None] * len(rounds)
