"""When to try again: carriers after a deferral, webhooks after a failure. Pure; jitter arrives as an argument."""

from datetime import timedelta

# Standard Webhooks' schedule, 75.6 hours in all: github.com/standard-webhooks/standard-webhooks spec/standard-webhooks.md
WEBHOOK_DELAYS = tuple(
    timedelta(seconds=s)
    for s in (5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600)
)
CARRIER_DELAY_FIRST = timedelta(seconds=1)
CARRIER_DELAY_MAX = timedelta(seconds=60)


def webhook_delay(rounds: int, *, jitter: float) -> timedelta | None:
    """Delay after `rounds` failed rounds (from 1), None when the schedule has ended. `jitter` in [0, 1) adds up to a tenth."""
    if rounds > len(WEBHOOK_DELAYS):
        return None
    return WEBHOOK_DELAYS[rounds - 1] * (1 + jitter / 10)


def carrier_delay(tries: int, *, jitter: float, asked_seconds: float | None = None) -> timedelta:
    """Delay before try `tries` + 1 of a deferred part: exponential with full jitter, at least what the carrier asked for."""
    ceiling: timedelta = min(CARRIER_DELAY_FIRST * (2 ** min(tries, 10)), CARRIER_DELAY_MAX)
    chosen: timedelta = CARRIER_DELAY_FIRST / 2 + (ceiling - CARRIER_DELAY_FIRST / 2) * jitter
    return max(chosen, timedelta(seconds=asked_seconds or 0))
