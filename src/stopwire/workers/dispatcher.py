"""One engine a connection: claims while there is room, hands over, and settles answers as they come.

Claims, hand-overs and settlements go on beside each other; what is under way is bounded by the carrier's room.
"""

import asyncio
import contextlib
from collections.abc import Sequence

from stopwire import metrics
from stopwire.core.outcomes import Outcome, OutcomeKind, Part
from stopwire.flows import dispatch
from stopwire.log import get_logger
from stopwire.ports.carrier import Carrier
from stopwire.ports.faults import StoreClosed
from stopwire.ports.world import World

log = get_logger(__name__)
POLL_SECONDS = 5.0  # the net under the wake-ups
FAULT_SECONDS = 1.0
FINISH_SECONDS = 5.0  # for answers on their way when a connection closes; later ones are recovered as unknown
BEHIND_SECONDS = 0.02  # a due job may wait behind its line: look again soon, but do not spin


class Dispatcher:
    def __init__(self, world: World, connection: str, carrier: Carrier) -> None:
        self._world, self.connection, self._carrier = world, connection, carrier
        self.bell = asyncio.Event()
        self._answers: list[Outcome] = []
        self._parts: dict[str, Part] = {}  # handed over and not settled, by attempt
        self._answer_bell = asyncio.Event()
        self._handing: set[asyncio.Task[None]] = set()
        self._finishing = False

    async def run(self) -> None:
        """Serve the connection until told to finish, cancelled, or the store closes. What is under way stays on disk."""
        recovered = await dispatch.recover(self._world, connection=self.connection)
        if recovered:
            log.info("dispatch.recovered", connection=self.connection, messages=recovered)
        settling = asyncio.get_running_loop().create_task(self._settle())
        try:
            await self._claim()
            if self._handing:
                await asyncio.wait(self._handing, timeout=FINISH_SECONDS)
            settling.cancel()
            await asyncio.gather(settling, return_exceptions=True)
            await self._settle_all()
        finally:
            for task in (settling, *self._handing):
                task.cancel()
            await asyncio.gather(settling, *self._handing, return_exceptions=True)

    async def finish(self, running: "asyncio.Task[None]") -> None:
        """Claim nothing more, let the answers of what was handed over come in, and end `running`."""
        self._finishing = True
        self.bell.set()
        await asyncio.wait([running], timeout=FINISH_SECONDS + 1)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    async def _claim(self) -> None:
        while not self._finishing:
            self.bell.clear()
            room = self._carrier.room()
            if room <= 0:
                await self._rest(POLL_SECONDS)
                continue
            try:
                round_ = await dispatch.dispatch(self._world, connection=self.connection, room=room)
            except StoreClosed:
                return
            except Exception:
                # Nothing was kept, so nothing leaves.
                log.exception("dispatch.failed", connection=self.connection)
                await asyncio.sleep(FAULT_SECONDS)
                continue
            if round_.parts:
                self._hand_over(round_.parts)
            if round_.taken < room:  # nothing more is due; what comes, and each answer, rings
                await self._rest(self._seconds_until(round_))

    def _seconds_until(self, round_: dispatch.Round) -> float:
        if round_.next_due is None:
            return POLL_SECONDS
        due = (round_.next_due - self._world.clock.now()).total_seconds()
        return min(POLL_SECONDS, max(BEHIND_SECONDS, due))

    async def _rest(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.bell.wait()

    def _hand_over(self, parts: Sequence[Part]) -> None:
        metrics.dispatched(self.connection, "handed", len(parts))
        task = asyncio.get_running_loop().create_task(self._send(parts))
        self._handing.add(task)
        task.add_done_callback(self._handing.discard)

    async def _send(self, parts: Sequence[Part]) -> None:
        waiting = {part.attempt for part in parts}
        self._parts.update((part.attempt, part) for part in parts)

        def answered(outcome: Outcome) -> None:
            waiting.discard(outcome.attempt)
            self._world.pulse.answered(self.connection)
            self._answers.append(outcome)
            self._answer_bell.set()

        try:
            await self._carrier.send(parts, answered)
        except Exception:
            log.exception("carrier.failed", connection=self.connection)
            for attempt in list(waiting):
                answered(Outcome(attempt=attempt, kind=OutcomeKind.UNKNOWN, detail="the carrier broke"))
        self.bell.set()

    async def _settle(self) -> None:
        """Answers that come while a commit is under way are settled together in the next."""
        while True:
            await self._answer_bell.wait()
            self._answer_bell.clear()
            try:
                await self._settle_all()
            except StoreClosed:
                return
            except Exception:
                log.exception("dispatch.unsettled", connection=self.connection, answers=len(self._answers))
                await asyncio.sleep(FAULT_SECONDS)
                self._answer_bell.set()
            self.bell.set()

    async def _settle_all(self) -> None:
        answers, self._answers = self._answers, []
        try:
            await dispatch.settle(self._world, outcomes=answers, parts=self._parts)
            for answer in answers:
                self._parts.pop(answer.attempt, None)
        except BaseException:
            self._answers = answers + self._answers
            raise
