"""What is only looked at, and forgotten at the end of the process: the live tail, the newest requests of programs, the pulse.

Nothing depends on any, and none grows without end. What must not be lost is in the store.
"""

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from heapq import merge
from typing import Any

from stopwire.ports.faults import StoreClosed
from stopwire.ports.world import ApiRequest, Beat, Clock, RequestFilter, TailEvent

KEPT = 5000  # events; older ones are in the store, under their own names
REFUSED_KEPT = 5000  # requests that were refused
ANSWERED_KEPT = 4000  # requests that were not: on a shelf of their own, so that they push out no refusal
STRANGERS_KEPT = 1000  # requests without a sign-in: anybody can make them, so they push out nothing else
KEYS_KEPT = 10_000
BEATS_KEPT = 24 * 60  # one a minute
PACE_SECONDS = 3600


class LiveTail:
    """Implements `ports.world.Tail`. Used on one event loop."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        # Ids go on growing over restarts, so that a watcher that comes back does not miss or repeat.
        self._newest = int(clock.now().timestamp() * 1000)
        self._events: deque[TailEvent] = deque(maxlen=KEPT)
        self._more = asyncio.Event()
        self._closed = False

    def add(self, account: str, event: str, facts: Mapping[str, Any]) -> None:
        self._newest += 1
        self._events.append(TailEvent(id=self._newest, account=account, at=self._clock.now(), event=event, facts=facts))
        self._more.set()

    def newest(self) -> int:
        return self._newest

    def close(self) -> None:
        """Send everybody home who watches: an answer without an end would hold up the end of the process."""
        self._closed = True
        self._more.set()

    async def wait(self, account: str, after: int, *, seconds: float, limit: int) -> list[TailEvent]:
        """Events of `account` after id `after`; waits up to `seconds` for the first. Raises StoreClosed at the end."""
        ends_at = self._clock.monotonic() + seconds
        while True:
            found = [e for e in self._events if e.id > after and e.account == account][:limit]
            left = ends_at - self._clock.monotonic()
            if found or left <= 0:
                return found
            if self._closed:
                raise StoreClosed
            self._more = self._more if not self._more.is_set() else asyncio.Event()
            try:
                async with asyncio.timeout(left):
                    await self._more.wait()
            except TimeoutError:
                return []


class RecentPulse:
    """Implements `ports.world.Pulse`. Used on one event loop."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.since = clock.now()
        self._started = clock.monotonic()
        self._beats: deque[Beat] = deque(maxlen=BEATS_KEPT)
        self._seconds: dict[str, deque[list[int]]] = {}  # by connection: [monotonic second, parts]

    def beat(self, beat: Beat) -> None:
        self._beats.append(beat)

    def beats(self) -> list[Beat]:
        return list(self._beats)

    def answered(self, connection: str) -> None:
        second = int(self._clock.monotonic())
        seconds = self._seconds.get(connection)
        if seconds is None:
            seconds = self._seconds[connection] = deque(maxlen=PACE_SECONDS)
        if seconds and seconds[-1][0] == second:
            seconds[-1][1] += 1
        else:
            seconds.append([second, 1])

    def pace(self, connection: str) -> list[tuple[datetime, int]]:
        ends_at, now = self._clock.monotonic(), self._clock.now()
        found = self._seconds.get(connection, ())
        return [(now - timedelta(seconds=ends_at - second), parts) for second, parts in found if ends_at - second <= PACE_SECONDS]

    @property
    def drift_seconds(self) -> float:
        told = (self._clock.now() - self.since).total_seconds()
        return told - (self._clock.monotonic() - self._started)


class RecentRequests:
    """Implements `ports.world.RequestLog`. Used on one event loop."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.since = clock.now()
        self._newest = int(self.since.timestamp() * 1000)
        self._refused: deque[ApiRequest] = deque(maxlen=REFUSED_KEPT)
        self._answered: deque[ApiRequest] = deque(maxlen=ANSWERED_KEPT)
        self._strangers: deque[ApiRequest] = deque(maxlen=STRANGERS_KEPT)
        self._used: dict[str, datetime] = {}

    def keep(self, requests: Sequence[tuple[ApiRequest, float]], keys: Mapping[str, float]) -> None:
        now = self._clock.now()
        for request, ago in requests:
            self._newest += 1
            shelf = self._strangers if not request.known else self._refused if request.status >= 400 else self._answered
            shelf.append(replace(request, id=self._newest, at=now - timedelta(seconds=ago)))
        for key, ago in keys.items():
            self._used.pop(key, None)
            self._used[key] = now - timedelta(seconds=ago)
        while len(self._used) > KEYS_KEPT:
            del self._used[next(iter(self._used))]

    def page(self, account: str, wanted: RequestFilter, *, limit: int, after: int | None, before: int | None) -> list[ApiRequest]:
        found: list[ApiRequest] = []
        if after is None and before is not None:
            for request in self._each(newest_first=False):
                if request.id > before and len(found) < limit and _fits(request, account, wanted):
                    found.append(request)
            return found[::-1]
        for request in self._each(newest_first=True):
            if len(found) == limit:
                break
            if (after is None or request.id < after) and _fits(request, account, wanted):
                found.append(request)
        return found

    def used(self, keys: Sequence[str]) -> dict[str, datetime]:
        return {key: self._used[key] for key in keys if key in self._used}

    def _each(self, *, newest_first: bool) -> Iterable[ApiRequest]:
        shelves = (self._refused, self._answered, self._strangers)
        if newest_first:
            return merge(*(reversed(shelf) for shelf in shelves), key=lambda request: request.id, reverse=True)
        return merge(*shelves, key=lambda request: request.id)


def _fits(request: ApiRequest, account: str, wanted: RequestFilter) -> bool:
    return (
        request.account == account
        and (wanted.failed is None or wanted.failed == (request.status >= 400))
        and wanted.status in (None, request.status)
        and wanted.code in (None, request.code)
        and wanted.method in (None, request.method)
        and wanted.key in (None, request.key)
        and (wanted.path is None or wanted.path.casefold() in request.path.casefold())
    )
