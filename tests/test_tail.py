"""The live tail: who watches sees the events of one account in order, from where they left, and nothing of others."""

import asyncio
from datetime import UTC, datetime

import pytest

from stopwire.ports.faults import StoreClosed
from stopwire.tail import KEPT, LiveTail

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


class _Clock:
    """Stands still on the wall; the monotonic one is the loop's."""

    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()


@pytest.fixture
def tail() -> LiveTail:
    return LiveTail(_Clock())


async def _seen(tail: LiveTail, account: str, after: int, *, limit: int = 100) -> list[str]:
    return [each.event for each in await tail.wait(account, after, seconds=0, limit=limit)]


async def test_events_come_in_order_with_growing_ids(tail: LiveTail) -> None:
    begin = tail.newest()
    for name in ("a", "b", "c"):
        tail.add("AC1", name, {"sid": name})
    found = await tail.wait("AC1", begin, seconds=0, limit=100)
    assert [("a", begin + 1), ("b", begin + 2), ("c", begin + 3)] == [(each.event, each.id) for each in found]
    assert (NOW, {"sid": "a"}) == (found[0].at, found[0].facts)


async def test_one_goes_on_behind_any_event(tail: LiveTail) -> None:
    begin = tail.newest()
    for name in ("a", "b", "c", "d"):
        tail.add("AC1", name, {})
    assert ["a", "b"] == await _seen(tail, "AC1", begin, limit=2)
    assert ["c", "d"] == await _seen(tail, "AC1", begin + 2)
    assert [] == await _seen(tail, "AC1", tail.newest())


async def test_nobody_sees_events_of_another_account(tail: LiveTail) -> None:
    tail.add("AC1", "mine", {})
    tail.add("AC2", "theirs", {})
    assert ["mine"] == await _seen(tail, "AC1", 0)


async def test_a_watcher_is_woken_by_an_event_of_its_own_account_alone(tail: LiveTail) -> None:
    async with asyncio.timeout(5):
        watching = [asyncio.ensure_future(tail.wait("AC1", 0, seconds=60, limit=10)) for _ in range(2)]
        await asyncio.sleep(0)
        tail.add("AC2", "theirs", {})
        for _ in range(5):
            await asyncio.sleep(0)
        assert [False, False] == [each.done() for each in watching]
        tail.add("AC1", "mine", {})
        assert [["mine"], ["mine"]] == [[e.event for e in await each] for each in watching]


async def test_who_waits_in_vain_gets_nothing_in_the_end(tail: LiveTail) -> None:
    assert [] == await tail.wait("AC1", 0, seconds=0.01, limit=10)


async def test_old_events_make_room(tail: LiveTail) -> None:
    for number in range(KEPT + 3):
        tail.add("AC1", str(number), {})
    assert "3" == (await _seen(tail, "AC1", 0, limit=1))[0]


async def test_ids_go_on_growing_over_a_restart(tail: LiveTail) -> None:
    class Later(_Clock):
        def now(self) -> datetime:
            return NOW.replace(second=1)

    tail.add("AC1", "before", {})
    assert LiveTail(Later()).newest() > tail.newest()


async def test_the_end_sends_watchers_home_after_what_there_still_is(tail: LiveTail) -> None:
    async with asyncio.timeout(5):
        watching = asyncio.ensure_future(tail.wait("AC1", 0, seconds=60, limit=10))
        await asyncio.sleep(0)
        tail.close()
        with pytest.raises(StoreClosed):
            await watching
        tail.add("AC1", "last", {})
        assert ["last"] == await _seen(tail, "AC1", 0)
        with pytest.raises(StoreClosed):
            await tail.wait("AC1", tail.newest(), seconds=60, limit=10)


@pytest.mark.parametrize("turns", range(6))
async def test_who_no_longer_waits_is_let_go_even_as_something_comes(tail: LiveTail, turns: int) -> None:
    watching = asyncio.create_task(tail.wait("AC1", tail.newest(), seconds=10, limit=1))
    await asyncio.sleep(0)
    tail.add("AC2", "another's", {})
    for _ in range(turns):
        await asyncio.sleep(0)
    watching.cancel()
    await asyncio.wait([watching], timeout=1)
    assert watching.cancelled()
