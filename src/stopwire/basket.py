"""Orders of one account that came while others were being kept, taken together: one call, one unit, one commit.

A door gathers here what its callers ask one by one. Each still has an answer of its own. What an order may be is
decided by the flow.
"""

import asyncio

from stopwire.core.orders import Order
from stopwire.flows import send
from stopwire.flows.send import Receipt
from stopwire.log import get_logger
from stopwire.ports.faults import StoreFault
from stopwire.ports.house import House

log = get_logger(__name__)
AT_ONCE = 100  # orders of one unit, so that a STOP never waits long behind them

_Asked = tuple[Order, "asyncio.Future[Receipt]"]


class Baskets:
    """A basket for each account that asks at present."""

    def __init__(self, house: House, *, under_way: int = 1) -> None:
        """`under_way`: how many calls of one account may be on their way at once."""
        self._house, self._under_way = house, under_way
        self._baskets: dict[str, Basket] = {}

    async def send(self, account: str, order: Order) -> Receipt:
        """What became of `order`, once it is on the disk. Raises what its store raised."""
        basket = self._baskets.get(account)
        if basket is None:
            basket = self._baskets[account] = Basket(self._house, account, under_way=self._under_way)
        try:
            return await basket.send(order)
        finally:
            if basket.idle and self._baskets.get(account) is basket:
                del self._baskets[account]


class Basket:
    def __init__(self, house: House, account: str, *, under_way: int = 1) -> None:
        self._house, self._account = house, account
        self._waiting: list[_Asked] = []
        self._under_way = under_way
        self._walking = 0  # not len(_carrying): a task that has just ended takes nothing more
        self._carrying: set[asyncio.Task[None]] = set()

    @property
    def idle(self) -> bool:
        return not self._waiting and not self._walking

    async def send(self, order: Order) -> Receipt:
        """What became of `order`, once it is on the disk. Raises what its store raised."""
        loop = asyncio.get_running_loop()
        promise: asyncio.Future[Receipt] = loop.create_future()
        self._waiting.append((order, promise))
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

    async def _take(self, taken: list[_Asked]) -> None:
        try:
            await self._keep(taken)
        except StoreFault as fault:
            _fail(taken, fault)
        except Exception as fault:
            log.exception("basket.failed", orders=len(taken))
            if len(taken) == 1:
                _fail(taken, fault)
            else:
                await self._one_by_one(taken)

    async def _one_by_one(self, taken: list[_Asked]) -> None:
        """One of them broke the unit, which kept none: the others do not suffer for it."""
        for each in taken:
            try:
                await self._keep([each])
            except Exception as fault:
                _fail([each], fault)

    async def _keep(self, taken: list[_Asked]) -> None:
        sent = await self._house(send.send, account=self._account, orders=[order for order, _ in taken])
        for (_, promise), receipt in zip(taken, sent.receipts, strict=True):
            if not promise.done():
                promise.set_result(receipt)


def _fail(taken: list[_Asked], fault: Exception) -> None:
    for _, promise in taken:
        if not promise.done():
            promise.set_exception(fault)
