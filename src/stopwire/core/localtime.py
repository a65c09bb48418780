"""What hour it is where somebody is, by the time zone of their number. Never whether they may be written to."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

HOURS_OF_WEEK = 168
NOWHERE = -1
THURSDAY = 3 * 24  # the day of the week on which 1970 began
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def local_hour_of_week(hour: int, zone: str | None) -> int:
    """Hours since Monday, 0 to 167, in `zone` at `hour` (hours since 1970 UTC); -1 without a zone. Never raises.

    Of zones that are half an hour off, the hour in which ours begins.
    """
    if zone is None:
        return NOWHERE
    shift = _shift(zone, hour // 24)
    return NOWHERE if shift is None else (hour + shift // 60 + THURSDAY) % HOURS_OF_WEEK


@lru_cache(maxsize=65536)
def _shift(zone: str, day: int) -> int | None:
    """Minutes that `zone` is ahead of UTC at noon of a day since 1970; None where the zone is not known."""
    try:
        ahead = (_EPOCH + timedelta(days=day, hours=12)).astimezone(ZoneInfo(zone)).utcoffset()
    except (OSError, ValueError, LookupError):
        return None
    return None if ahead is None else int(ahead.total_seconds()) // 60
