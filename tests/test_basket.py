"""Orders that come together are kept together, and answered each for itself."""

import asyncio
from collections.abc import Sequence
from typing import Any, cast

import pytest

from stopwire.basket import AT_ONCE, Basket, Baskets
from stopwire.core.errors import Refused
from stopwire.core.orders import Order
from stopwire.flows.send import Receipt, Sent
from stopwire.ports.faults import StoreBusy
from stopwire.ports.house import House


class Kept:
    """A house that answers each order with its own text, and breaks on some."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.fault: Exception | None = None

    async def __call__(self, flow: Any, *, account: str, orders: Sequence[Order]) -> Sent:
        await asyncio.sleep(0)
        self.batches.append([order.body for order in orders])
        if self.fault is not None:
            raise self.fault
        if any(order.body == "poison" for order in orders):
            raise ZeroDivisionError
        return Sent(receipts=tuple(Receipt(refused=Refused(code=1, message=order.body, status=400)) for order in orders))


    async def keep(self, orders: list[Order]) -> Sequence[Receipt]:
        return (await self(None, account="AC1", orders=orders)).receipts


Orders = Basket[Order, Receipt]


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def basket(kept: Kept) -> Orders:
    return Basket(kept.keep)


async def said(basket: Orders, *bodies: str) -> list[Any]:
    outcomes = await asyncio.gather(*(basket.take(Order(body=body)) for body in bodies), return_exceptions=True)
    return [one.refused.message if isinstance(one, Receipt) and one.refused else type(one) for one in outcomes]


async def test_each_order_has_its_own_answer_in_few_batches(basket: Orders, kept: Kept) -> None:
    bodies = [str(number) for number in range(AT_ONCE + 50)]
    assert bodies == await said(basket, *bodies)
    assert [bodies[:AT_ONCE], bodies[AT_ONCE:]] == kept.batches
    assert ["again"] == await said(basket, "again")


async def test_one_that_breaks_its_batch_breaks_it_alone(basket: Orders) -> None:
    assert ["one", ZeroDivisionError, "two"] == await said(basket, "one", "poison", "two")


async def test_while_the_store_cannot_nobody_is_answered_otherwise(basket: Orders, kept: Kept) -> None:
    kept.fault = StoreBusy()
    assert [StoreBusy, StoreBusy] == await said(basket, "one", "two")
    kept.fault = None
    assert ["three"] == await said(basket, "three")


async def test_an_order_that_comes_as_the_last_call_ends_is_not_left_lying(basket: Orders, kept: Kept) -> None:
    async def again(body: str) -> Any:
        await said(basket, body)
        return (await said(basket, f"{body} again"))[0]

    async with asyncio.timeout(5):
        assert ["a again", "b again"] == await asyncio.gather(again("a"), again("b"))


async def test_several_calls_may_be_under_way_and_what_comes_meanwhile_goes_together(kept: Kept) -> None:
    basket: Orders = Basket(kept.keep, under_way=2)
    first = [asyncio.create_task(said(basket, body)) for body in "ab"]
    await asyncio.sleep(0)
    later = [asyncio.create_task(said(basket, body)) for body in "cde"]
    await asyncio.gather(*first, *later)
    assert sorted("abcde") == sorted("".join("".join(batch) for batch in kept.batches))
    assert len(kept.batches) < 5


async def test_an_account_that_asks_no_more_leaves_no_basket(kept: Kept) -> None:
    baskets = Baskets(cast(House, kept))
    await asyncio.gather(*(baskets.send(f"AC{n % 2}", Order(body=str(n))) for n in range(9)))
    assert {} == baskets._baskets
