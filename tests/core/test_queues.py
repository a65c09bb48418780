"""How many may wait for a sender."""

from dataclasses import replace

import pytest

from stopwire.core.queues import bound_of, full
from tests.core.samples import LONG


@pytest.mark.parametrize(
    ("mps", "most", "expected"),
    [
        pytest.param(None, 1000, 1000, id="no speed of its own"),
        pytest.param(None, 0, 0, id="no bound at all"),
        pytest.param(1.0, 0, 36_000, id="ten hours of its speed"),
        pytest.param(0.5, 1_000_000, 18_000, id="ten hours, where that is less"),
        pytest.param(100.0, 1000, 1000, id="never more than the gateway holds"),
        pytest.param(0.000001, 1000, 1, id="one at least"),
    ],
)
def test_ten_hours_of_a_sender_may_wait(mps: float | None, most: int, expected: int) -> None:
    assert expected == bound_of(replace(LONG, mps=mps), most)


@pytest.mark.parametrize(
    ("waiting", "most", "expected"),
    [
        pytest.param({LONG.sid: 9}, 10, False, id="room for one"),
        pytest.param({LONG.sid: 10}, 10, True, id="full"),
        pytest.param({LONG.sid: 10_000}, 0, False, id="no bound"),
        pytest.param({"PNgone": 10}, 10, False, id="a sender that was given back"),
    ],
)
def test_a_queue_is_full_when_as_many_wait_as_may(waiting: dict[str, int], most: int, expected: bool) -> None:
    assert (frozenset(waiting) if expected else frozenset()) == full(waiting, {LONG.sid: LONG}, most=most)
