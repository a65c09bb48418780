"""How fast a route may go: what was agreed, and what the carrier's throttling teaches. Pure; `now` in monotonic seconds.

A refusal for speed halves the rate at once; each second without one gives a little back.
"""

BURST_SECONDS = 0.05  # what may leave at once after a pause
LESS = 0.5  # of the rate, after a refusal
MORE = 0.05  # of the most, each second without one
LEAST_PER_SECOND = 0.2
SLOW_PER_SECOND = 10.0  # where we were slower when we were refused, it was not for our speed alone
REFUSALS_TOGETHER_SECONDS = 1.0  # a window full of refusals is one
FREE_AGAIN = 4.0  # times the rate at which a route without an agreed rate was refused: from there it is free again


class Pace:
    """A token bucket whose rate goes down by halves and up by steps."""

    def __init__(self, agreed: float | None, *, now: float) -> None:
        self._agreed = agreed
        self._most = agreed
        self.rate = agreed  # messages a second now; None: as fast as the window allows
        self._tokens = self._burst()
        self._counted_at = now
        self._refused_at = -REFUSALS_TOGETHER_SECONDS
        self._sent = 0
        self._sent_since = now
        self._recent = 0.0  # messages a second of late

    def take(self, count: int, *, now: float) -> bool:
        """Whether `count` messages may leave now; if so they are counted. A debt is paid off before the next leave."""
        self._count(now)
        if self.rate is not None:
            if self._tokens < 1:
                return False
            self._tokens -= count
        self._sent += count
        return True

    def wait(self, *, now: float) -> float:
        """Seconds until the next message may leave."""
        self._count(now)
        if self.rate is None or self._tokens >= 1:
            return 0.0
        return (1 - self._tokens) / self.rate

    def room(self, seconds: float, *, now: float) -> int | None:
        """Messages that may leave within `seconds`; None: any number."""
        self._count(now)
        return None if self.rate is None else max(0, int(self._tokens + self.rate * seconds))

    def refused(self, *, now: float) -> bool:
        """The carrier said that we are too fast. Whether the rate went down: refusals that come together count once."""
        self._count(now)
        if now - self._refused_at < REFUSALS_TOGETHER_SECONDS:
            return False
        self._refused_at = now
        was = self.rate if self.rate is not None else max(self.recent, SLOW_PER_SECOND)
        if self._agreed is None:
            self._most = was * FREE_AGAIN
        self.rate = max(LEAST_PER_SECOND, was * LESS)
        self._tokens = min(self._tokens, 0.0)
        return True

    @property
    def recent(self) -> float:
        """Messages a second that left of late."""
        return self._recent

    def _count(self, now: float) -> None:
        passed = max(0.0, now - self._counted_at)
        self._counted_at = now
        if now - self._sent_since >= 1.0:
            self._recent = self._sent / (now - self._sent_since)
            self._sent, self._sent_since = 0, now
        if self.rate is None or self._most is None:
            return
        self._tokens = min(self._burst(), self._tokens + passed * self.rate)
        if now - self._refused_at >= REFUSALS_TOGETHER_SECONDS and self.rate < self._most:
            self.rate = min(self._most, self.rate + passed * MORE * self._most)
            if self._agreed is None and self.rate >= self._most:
                self.rate = self._most = None

    def _burst(self) -> float:
        return max(1.0, (self.rate or 0) * BURST_SECONDS)
