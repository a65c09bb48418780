"""What came while others were being kept, taken together: one call, one unit, one commit.

Doors gather here the orders that callers of one account ask one by one, the inbox the delivery reports of its carriers.
Each still has an answer of its own. What an order or a report may do is decided by the flow.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Generic, TypeVar

from stopwire.core.orders import Order
from stopwire.flows import send
from stopwire.flows.send import Receipt
from stopwire.log import get_logger
from stopwire.ports.faults import StoreFault
from stopwire.ports.house import House

T = TypeVar("T")
R = TypeVar("R")

log = get_logger(__name__)
AT_ONCE = 100  # things of one unit, so that a STOP never waits long behind them


class Basket(Generic[T, R]):
    def __init__(self, keep: Callable[[list[T]], Awaitable[Sequence[R]]], *, under_way: int = 1) -> None:
        """`keep` answers each thing in its place. `under_way`: how many calls of it may be on their way at once."""
        self._keep, self._under_way = keep, under_way
        self._waiting: list[tuple[T, asyncio.Future[R]]] = []
        self._walking = 0  # not len(_carrying): a task that has just ended takes nothing more
        self._carrying: set[asyncio.Task[None]] = set()

    @property
    def idle(self) -> bool:
        return not self._waiting and not self._walking

    async def take(self, thing: T) -> R:
        """What became of `thing`, once it is on the disk. Raises what its store raised."""
        loop = asyncio.get_running_loop()
        promise: asyncio.Future[R] = loop.create_future()
        self._waiting.append((thing, promise))
        if self._walking < self._under_way:
            self._walking += 1
            task = loop.create_task(self._carry(), name="basket")
            self._carrying.add(task)
            task.add_done_callback(self._carrying.discard)
        return await promise

    async def _carry(self) -> None:
        try:
            while self._waiting:
                taken, self._waiting = self._waiting[:AT_ONCE], self._waiting[AT_ONCE:]
                await self._take(taken)
        finally:
            self._walking -= 1

    async def _take(self, taken: list[tuple[T, "asyncio.Future[R]"]]) -> None:
        try:
            await self._answer(taken)
        except StoreFault as fault:
            _fail(taken, fault)
        except Exception as fault:
            log.exception("basket.failed", things=len(taken))
            if len(taken) == 1:
                _fail(taken, fault)
            else:
                await self._one_by_one(taken)

    async def _one_by_one(self, taken: list[tuple[T, "asyncio.Future[R]"]]) -> None:
        """One of them broke the unit, which kept none: the others do not suffer for it."""
        for each in taken:
            try:
                await self._answer([each])
            except Exception as fault:
                _fail([each], fault)

    async def _answer(self, taken: list[tuple[T, "asyncio.Future[R]"]]) -> None:
        answers = await self._keep([thing for thing, _ in taken])
        for (_, promise), answer in zip(taken, answers, strict=True):
            if not promise.done():
                promise.set_result(answer)


class Baskets:
    """A basket of orders for each account that asks at present."""

    def __init__(self, house: House, *, under_way: int = 1) -> None:
        """`under_way`: how many calls of one account may be on their way at once."""
        self._house, self._under_way = house, under_way
        self._baskets: dict[str, Basket[Order, Receipt]] = {}

    async def send(self, account: str, order: Order) -> Receipt:
        """What became of `order`, once it is on the disk. Raises what its store raised."""
        basket = self._baskets.get(account)
        if basket is None:
            basket = self._baskets[account] = Basket(partial(self._keep, account), under_way=self._under_way)
        try:
            return await basket.take(order)
        finally:
            if basket.idle and self._baskets.get(account) is basket:
                del self._baskets[account]

    async def _keep(self, account: str, orders: Sequence[Order]) -> Sequence[Receipt]:
        return (await self._house(send.send, account=account, orders=orders)).receipts


def _fail(taken: list[tuple[T, "asyncio.Future[R]"]], fault: Exception) -> None:
    for _, promise in taken:
        if not promise.done():
            promise.set_exception(fault)
