from datetime import UTC, datetime

import pytest

from stopwire.core.localtime import local_hour_of_week


@pytest.mark.parametrize(
    ("at", "zone", "expected"),
    [
        pytest.param(datetime(2026, 3, 2, 0, tzinfo=UTC), "UTC", 0, id="Monday begins"),
        pytest.param(datetime(2026, 3, 2, 0, tzinfo=UTC), "America/New_York", 163, id="still Sunday evening in New York"),
        pytest.param(datetime(2026, 7, 6, 0, tzinfo=UTC), "America/New_York", 164, id="in summer an hour later"),
        pytest.param(datetime(2026, 3, 1, 23, tzinfo=UTC), "Europe/Madrid", 0, id="already Monday in Madrid"),
        pytest.param(datetime(2026, 3, 2, 0, tzinfo=UTC), "Asia/Kolkata", 5, id="half an hour off counts as the hour it begins in"),
        pytest.param(datetime(2026, 3, 2, 0, tzinfo=UTC), None, -1, id="no zone is nowhere"),
        pytest.param(datetime(2026, 3, 2, 0, tzinfo=UTC), "Moon/Tranquility", -1, id="an unknown zone is nowhere"),
    ],
)
def test_an_hour_has_its_place_in_the_week_of_a_zone(at: datetime, zone: str | None, expected: int) -> None:
    assert expected == local_hour_of_week(int(at.timestamp()) // 3600, zone)
