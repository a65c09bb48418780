"""Time and chance of a gateway under test: a clock that can be put forward, and names that are the same in each run.

Only these two stand where the wiring's own stand; everything else of such a gateway is the real thing.
"""

import hashlib
import itertools
from datetime import datetime, timedelta

from stopwire.wiring import SystemClock

FIRST = 0x019000000000  # SIDs grow from here, as those of a real gateway grow with time


class ForwardClock:
    """Runs as the real one does, ahead of it. Deadlines of real waits stay real: only `now` moves."""

    def __init__(self) -> None:
        self._real = SystemClock()
        self._ahead = timedelta()

    def now(self) -> datetime:
        return self._real.now() + self._ahead

    def monotonic(self) -> float:
        return self._real.monotonic()

    def forward(self, by: timedelta) -> None:
        """Raises ValueError: nobody un-sends, so time goes forward only."""
        if by < timedelta():
            raise ValueError(f"The clock cannot go back by {-by}: it only goes forward. Begin with another test for an earlier time.")
        self._ahead += by


class SeededIds:
    """SIDs, tokens and chance from a seed, in the order they are asked for. Implements `ports.clock.Ids`."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._asked = itertools.count()  # `next` of it is one step: any thread may ask
        self._turns = itertools.count()

    def sid(self, prefix: str) -> str:
        number, chance = self._drawn()
        return f"{prefix}{FIRST + number:012x}{chance[:20]}"

    def token(self) -> str:
        return self._drawn()[1][:32]

    def uuid(self) -> str:
        chance = self._drawn()[1]
        return f"{chance[:8]}-{chance[8:12]}-4{chance[13:16]}-8{chance[17:20]}-{chance[20:32]}"

    def jitter(self) -> float:
        return int(self._drawn()[1][:8], 16) / 2**32

    def turn(self) -> int:
        return next(self._turns)

    def _drawn(self) -> tuple[int, str]:
        number = next(self._asked)
        return number, hashlib.sha256(f"{self._seed} {number}".encode()).hexdigest()
