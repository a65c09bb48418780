"""The pulse: beats of a day and the pace of an hour, in memory, with an end to both; and a clock that was set shows."""

from datetime import UTC, datetime, timedelta

from stopwire.flows import health
from stopwire.ports.world import Beat
from stopwire.tail import BEATS_KEPT, PACE_SECONDS, RecentPulse
from tests.gateway import Gateway

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


class Clock:
    """One whose hands are moved by hand."""

    def __init__(self) -> None:
        self.at, self.seconds = NOW, 1000.0

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.seconds

    def forward(self, seconds: float) -> None:
        self.at, self.seconds = self.at + timedelta(seconds=seconds), self.seconds + seconds


def test_the_pace_counts_parts_by_the_second_and_by_connection() -> None:
    clock = Clock()
    pulse = RecentPulse(clock)
    for _ in range(3):
        pulse.answered("a")
    clock.forward(2)
    pulse.answered("a")
    pulse.answered("b")
    assert [(NOW, 3), (NOW + timedelta(seconds=2), 1)] == pulse.pace("a")
    assert [(NOW + timedelta(seconds=2), 1)] == pulse.pace("b")
    assert [] == pulse.pace("c")


def test_what_is_older_than_an_hour_is_forgotten() -> None:
    clock = Clock()
    pulse = RecentPulse(clock)
    pulse.answered("a")
    clock.forward(PACE_SECONDS + 1)
    assert [] == pulse.pace("a")
    for _ in range(PACE_SECONDS + 10):
        pulse.answered("a")
        clock.forward(1)
    assert PACE_SECONDS >= len(pulse.pace("a")) > PACE_SECONDS - 5


def test_beats_of_a_day_are_kept() -> None:
    pulse = RecentPulse(Clock())
    facts = {"database_bytes": 1, "log_bytes": 1, "free_bytes": 1, "writes_waiting": 0, "texts_waiting": 0, "webhooks_waiting": 0}
    for minute in range(BEATS_KEPT + 5):
        pulse.beat(Beat(at=NOW + timedelta(minutes=minute), **facts))
    assert (BEATS_KEPT, NOW + timedelta(minutes=5)) == (len(pulse.beats()), pulse.beats()[0].at)


def test_a_clock_that_was_set_shows() -> None:
    clock = Clock()
    pulse = RecentPulse(clock)
    clock.forward(60)
    assert 0 == pulse.drift_seconds
    clock.at -= timedelta(seconds=90)
    assert -90 == pulse.drift_seconds


def test_a_beat_tells_the_disk_and_what_waits_and_sets_the_gauge(fresh_gateway: Gateway) -> None:
    client = fresh_gateway.client()
    fresh_gateway.http.put("/api/v1/simulator/chaos", json={"delay_seconds": 60}).raise_for_status()
    client.messages.create(to="+14155550101", from_="+14155550100", body="hello")
    fresh_gateway.run(health.beat(fresh_gateway.world))
    beat = fresh_gateway.world.pulse.beats()[-1]
    assert 100_000 < beat.database_bytes + beat.log_bytes < 100 << 20
    assert beat.free_bytes > 1 << 20
    assert 0 <= beat.texts_waiting <= 1
    assert 'stopwire_queue_depth{queue="texts"}' in fresh_gateway.run(health.exposition(fresh_gateway.world))
