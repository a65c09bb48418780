"""The live tail: the last few thousand events of this process, for whoever watches. Nothing depends on it."""

import asyncio
from collections import deque
from collections.abc import Mapping
from typing import Any

from stopwire.ports.faults import StoreClosed
from stopwire.ports.world import Clock, TailEvent

KEPT = 5000  # events; older ones are in the store, under their own names


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
                await asyncio.wait_for(self._more.wait(), left)
            except TimeoutError:
                return []
