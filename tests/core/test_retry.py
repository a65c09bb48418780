"""When to try again: webhooks by a fixed schedule, carriers by growing steps."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stopwire.core.retry import CARRIER_DELAY_MAX, WEBHOOK_DELAYS, carrier_delay, webhook_delay


@pytest.mark.parametrize(
    ("rounds", "seconds"),
    [(1, 5), (2, 300), (3, 1800), (4, 7200), (5, 18000), (6, 36000), (7, 50400), (8, 72000), (9, 86400), (10, None)],
)
def test_webhooks_follow_the_schedule(rounds: int, seconds: int | None) -> None:
    assert (None if seconds is None else timedelta(seconds=seconds)) == webhook_delay(rounds, jitter=0)


def test_the_schedule_lasts_three_days() -> None:
    assert timedelta(days=3) < sum(WEBHOOK_DELAYS, timedelta()) < timedelta(days=4)


@given(rounds=st.integers(1, 9), jitter=st.floats(0, 1, exclude_max=True))
def test_jitter_adds_at_most_a_tenth(rounds: int, jitter: float) -> None:
    delay = webhook_delay(rounds, jitter=jitter)
    assert delay is not None
    assert WEBHOOK_DELAYS[rounds - 1] <= delay <= WEBHOOK_DELAYS[rounds - 1] * 1.1


@given(tries=st.integers(0, 10_000), jitter=st.floats(0, 1, exclude_max=True))
def test_a_carrier_is_left_alone_for_a_while_but_not_for_long(tries: int, jitter: float) -> None:
    assert timedelta(seconds=0.5) <= carrier_delay(tries, jitter=jitter) <= CARRIER_DELAY_MAX


@given(tries=st.integers(0, 12))
def test_the_steps_grow(tries: int) -> None:
    assert carrier_delay(tries, jitter=0.9) <= carrier_delay(tries + 1, jitter=0.9)


def test_what_the_carrier_asks_for_is_the_least() -> None:
    assert timedelta(seconds=120) == carrier_delay(1, jitter=0.5, asked_seconds=120)
