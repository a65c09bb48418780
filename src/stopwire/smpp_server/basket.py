"""Orders of one account that came while the last ones were being kept, taken together: one unit, one commit.

Each still has an answer of its own. What an order may be is decided by the flow.
"""

import asyncio

from stopwire.core.orders import Order
from stopwire.flows import send
from stopwire.flows.send import Receipt
from stopwire.log import get_logger
from stopwire.ports.faults import StoreFault
from stopwire.ports.house import House

log = get_logger(__name__)
AT_ONCE = 100  # so that a STOP never waits long behind them


class Basket:
    def __init__(self, house: House, account: str) -> None:
        self._house, self._account = house, account
        self._waiting: list[tuple[Order, asyncio.Future[Receipt]]] = []
        self._carrying: asyncio.Task[None] | None = None

    async def send(self, order: Order) -> Receipt:
        """What became of `order`, once it is on the disk. Raises what its store raised."""
        loop = asyncio.get_running_loop()
        promise: asyncio.Future[Receipt] = loop.create_future()
        self._waiting.append((order, promise))
        if self._carrying is None or self._carrying.done():
            self._carrying = loop.create_task(self._carry(), name="smpp_basket")
        return await promise

    async def _carry(self) -> None:
        while self._waiting:
            taken, self._waiting = self._waiting[:AT_ONCE], self._waiting[AT_ONCE:]
            try:
                await self._keep(taken)
            except StoreFault as fault:
                _fail(taken, fault)
            except Exception as fault:
                log.exception("smpp.batch_failed", orders=len(taken))
                if len(taken) == 1:
                    _fail(taken, fault)
                else:
                    await self._one_by_one(taken)

    async def _one_by_one(self, taken: list[tuple[Order, "asyncio.Future[Receipt]"]]) -> None:
        """One of them broke the unit, which kept none: the others do not suffer for it."""
        for each in taken:
            try:
                await self._keep([each])
            except Exception as fault:
                _fail([each], fault)

    async def _keep(self, taken: list[tuple[Order, "asyncio.Future[Receipt]"]]) -> None:
        sent = await self._house(send.send, account=self._account, orders=[order for order, _ in taken])
        for (_, promise), receipt in zip(taken, sent.receipts, strict=True):
            if not promise.done():
                promise.set_result(receipt)


def _fail(taken: list[tuple[Order, "asyncio.Future[Receipt]"]], fault: Exception) -> None:
    for _, promise in taken:
        if not promise.done():
            promise.set_exception(fault)
