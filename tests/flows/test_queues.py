"""Queues that are full: what is refused then, what fails, and that it passes."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from stopwire.core.message import Status
from stopwire.core.orders import Order
from stopwire.flows import queues
from tests.flows.still import ALONE, SERVICE_MEMBER, Still, still_house

PEOPLE = [f"+1415555020{n}" for n in range(10)]


@pytest.fixture
async def still(tmp_path: Path) -> AsyncIterator[Still]:
    """A house in which three may wait for a sender."""
    async with still_house(tmp_path) as house:
        house.world = replace(house.world, choices=replace(house.world.choices, sender_queue_max=3))
        yield house


async def fill(still: Still, sender: str = ALONE) -> None:
    await still.send(*(Order(to=person, from_=sender, body="x") for person in PEOPLE[:3]))
    await queues.measure(still.world)


async def code(still: Still, **order: str) -> int:
    """0, or the code of the refusal."""
    (receipt,) = await still.send(Order(**{"to": PEOPLE[9], "from_": ALONE, "body": "x", **order}))
    return receipt.refused.code if receipt.refused else 0


async def test_a_sender_whose_queue_is_full_takes_no_more_until_some_have_left(still: Still) -> None:
    await fill(still)
    assert (21611, 0) == (await code(still), await code(still, from_=SERVICE_MEMBER))
    await still.settle(await still.claim(room=1))
    await queues.measure(still.world)
    assert 0 == await code(still)


async def test_a_block_is_told_before_a_full_queue(still: Still) -> None:
    await fill(still)
    await still.text("STOP", person=PEOPLE[9], to=ALONE)
    assert 21610 == await code(still)


async def test_through_a_service_a_full_queue_fails_the_message(still: Still) -> None:
    members = [s.address for s in (await still.world.store.directory(still.account)).pool(still.service) if s.address.startswith("+")]
    for member in members:
        await fill(still, member)
    (receipt,) = await still.send(Order(to=PEOPLE[9], service=still.service, body="x"))
    assert receipt.message is not None
    assert (Status.FAILED, 30001) == ((seen := await still.seen(receipt.message)).status, seen.error_code)


async def test_what_is_scheduled_takes_no_place_until_its_time(still: Still) -> None:
    at = (still.world.clock.now() + timedelta(hours=1)).isoformat()
    later = [Order(to=p, from_=SERVICE_MEMBER, service=still.service, body="x", schedule_type="fixed", send_at=at) for p in PEOPLE[:3]]
    await still.send(*later)
    await queues.measure(still.world)
    assert 0 == await code(still, from_=SERVICE_MEMBER)
    await fill(still, SERVICE_MEMBER)
    assert 21611 == await code(still, from_=SERVICE_MEMBER)
    assert 0 == await code(still, from_=SERVICE_MEMBER, service=still.service, schedule_type="fixed", send_at=at)


async def test_a_confirmation_leaves_though_the_queue_is_full(still: Still) -> None:
    await fill(still)
    await still.text("STOP", person=PEOPLE[9], to=ALONE)
    assert any(part.keyword_reply and part.recipient == PEOPLE[9] for part in await still.claim())
