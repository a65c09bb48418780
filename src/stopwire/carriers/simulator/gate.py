"""The gate of the message centre: whether it takes a part now, makes it wait for its place, or refuses it.

It remembers whose turn it is, and carries nothing: what it let pass, `carrier.py` brings to the handset.
"""

from collections import Counter

from stopwire.carriers.simulator.air import Air
from stopwire.carriers.simulator.reports import reference_of
from stopwire.core.handsets import temper_of
from stopwire.core.outcomes import Cause, Outcome, OutcomeKind, Part
from stopwire.ports.store import Store
from stopwire.ports.world import Clock

DOWN_SECONDS = 1.0  # until a part is offered again to a message centre that is down


class Gate:
    def __init__(self, store: Store, clock: Clock, air: Air) -> None:
        self._store, self._clock, self._air = store, clock, air
        self._deferred: Counter[str] = Counter()  # tries of parts to a busy handset, by message
        self._pace: dict[str, float] = {}  # when a sender with a limit may speak again, monotonic seconds
        self._placed: set[str] = set()  # messages that wait for a place of theirs

    async def pass_(self, part: Part) -> Outcome:
        """What the message centre says to a part: it has it, or why not."""
        if self._clock.monotonic() > part.write_by:
            return Outcome(attempt=part.attempt, kind=OutcomeKind.RELEASED, detail="write deadline passed")
        chaos = self._air.chaos(part.account)
        if chaos.down:
            detail = "chaos: the message centre is down"
            return Outcome(attempt=part.attempt, kind=OutcomeKind.RELEASED, detail=detail, retry_after_seconds=DOWN_SECONDS)
        wait = await self._wait_seconds(part)
        if wait > 0:
            return Outcome(attempt=part.attempt, kind=OutcomeKind.RELEASED, detail="sender limit", retry_after_seconds=wait)
        if self._air.full(part.account):
            detail = f"chaos: throttled to {chaos.per_second} a second"
            return Outcome(attempt=part.attempt, kind=OutcomeKind.DEFERRED, cause=Cause.THROTTLED, detail=detail)
        temper = temper_of(part.recipient)
        if self._deferred[part.message] < temper.defers:
            self._deferred[part.message] += 1
            return Outcome(attempt=part.attempt, kind=OutcomeKind.DEFERRED, detail="the carrier is busy")
        self._deferred.pop(part.message, None)
        return Outcome(
            attempt=part.attempt, kind=temper.outcome, cause=temper.cause, reference=reference_of(part.attempt), detail=temper.says
        )

    async def _wait_seconds(self, part: Part) -> float:
        """How long a part must wait for its place, where its sender has a limit: each comes back once, at its own time.

        A keyword reply goes at once and pays with the place that comes next: whoever said STOP does not queue behind others.
        """
        directory = await self._store.directory(part.account)
        of = directory.sender_at(part.sender)
        if of is None or not of.mps or part.message in self._placed:
            self._placed.discard(part.message)
            return 0.0
        now = self._clock.monotonic()
        place = max(self._pace.get(part.sender, now), now)
        self._pace[part.sender] = place + 1 / of.mps
        if part.keyword_reply:
            return 0.0
        if place > now:
            self._placed.add(part.message)
        return place - now
