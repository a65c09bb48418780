"""The SMPP carrier: hands parts to its binds as window and pace allow, names what became of them, hears what comes.

It retries no message, keeps nothing on disk and has never heard of consent. A segment that was refused for speed is
given again by itself: the carrier said that it has not taken it, and the others of its message are there already.
"""

import asyncio
import itertools
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from stopwire.carriers.smpp import settings as smpp_settings
from stopwire.carriers.smpp import translate
from stopwire.carriers.smpp.bind import KeptBind, roles
from stopwire.carriers.smpp.pace import Pace
from stopwire.core.connections import LinkState, LinkStatus, Sealed
from stopwire.core.outcomes import Cause, Outcome, OutcomeKind, Part
from stopwire.core.policy import Problem
from stopwire.link import Link, Lost, NotSent, Response
from stopwire.link import Outcome as LinkOutcome
from stopwire.log import get_logger
from stopwire.ports.carrier import Inbox, Tools
from stopwire.ports.faults import StoreFault
from stopwire.smpp import receipt
from stopwire.smpp.fields import Status
from stopwire.smpp.pdu import DataSm, DeliverSm, Pdu, PduError, SubmitSm, SubmitSmResp, response_to

log = get_logger(__name__)

# Parts that wait here cover the two commits of the next claim, so that the window never runs dry. A STOP does not wait
# for them (`halt` releases them at once), and they leave well within their write deadline.
PREFETCH_SECONDS = 0.2
PACED_SECONDS = 0.02  # of a route with a limit: what leaves within this
CLAIM_MAX = 500  # parts handed over at once
REFUSING_SECONDS = 30.0  # how long texts are put off before the receivers are unbound, so that the carrier queues them
LOOK_AGAIN_SECONDS = 0.005  # at a socket that does not take what we write
LATE_MAX = 1000  # messages without an answer whose answer may still come
TOLD_AGAIN_SECONDS = 10.0  # between two lines in the log about messages without an answer: a lost link has a window of them


class _Out:
    """One part on its way: its segments, how far it has come, and what came back."""

    __slots__ = ("again", "answered", "done", "ended", "halted", "ids", "next", "open", "part", "pdus", "refusal", "unknown", "wait")

    def __init__(
        self, part: Part, pdus: list[SubmitSm], answered: Callable[[Outcome], None], ended: Callable[[], None]
    ) -> None:
        self.part, self.pdus, self.answered, self.ended = part, pdus, answered, ended
        self.done = False  # answered: what comes later is no answer to the hand-over
        self.ids: list[str] = [""] * len(pdus)
        self.next = 0  # segment to write next
        self.again: list[int] = []  # segments refused for speed while others were taken
        self.open = 0  # written and without an answer
        self.wait = 0.0
        self.halted = False
        self.refusal: tuple[int, int] | None = None  # (segment, status) of the first that was refused for good or for now
        self.unknown = ""  # why a segment has no answer

    @property
    def left(self) -> bool:
        """Whether any of it may have left."""
        return self.open > 0 or bool(self.unknown) or any(self.ids)

    @property
    def has_more(self) -> bool:
        stop = self.halted or self.unknown or self.refusal is not None
        return not stop and (bool(self.again) or self.next < len(self.pdus))


class Smpp:
    """One connection of type `smpp`."""

    TYPE = smpp_settings.TYPE

    def __init__(self, sealed: Sealed, secrets: Mapping[str, str], tools: Tools) -> None:
        self._sid = sealed.connection.sid
        self._tools = tools
        self._settings = smpp_settings.read(sealed.connection.settings, secrets.get("password", ""))
        self._now = tools.clock.monotonic
        self._pace = Pace(self._settings.throughput, now=self._now())
        self._lanes: OrderedDict[str, deque[_Out]] = OrderedDict()  # what has not been written at all, by sender
        self._begun: deque[_Out] = deque()  # what has segments left
        self._under_way: dict[str, _Out] = {}  # by attempt
        self._late: OrderedDict[int, _Out] = OrderedDict()  # by the identity of the PDU, which it holds
        self._inbox: Inbox | None = None
        self._binds: list[KeptBind] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._stopping = False
        self._pumping = False  # a pump is due in this turn of the loop
        self._was_full = False
        self._refusing_since: float | None = None
        self._unanswered_at = -TOLD_AGAIN_SECONDS  # when the log was last told of one
        self._counts = {"sent": 0, "failed": 0, "throttled": 0, "unknown": 0, "received": 0, "reports": 0}

    @classmethod
    def problems(cls, settings: Mapping[str, Any]) -> list[Problem]:
        return smpp_settings.problems(settings)

    async def start(self, inbox: Inbox) -> None:
        """Begin to bind. Returns at once: a carrier that is away keeps nobody waiting."""
        self._inbox = inbox
        loop = asyncio.get_running_loop()
        for role in roles(self._settings):
            bind = KeptBind(
                role, self._settings, self._tools, on_pdu=self._hear, on_change=self._changed, on_late=self._answered_late
            )
            self._binds.append(bind)
            self._tasks.append(loop.create_task(bind.keep(), name=f"smpp:{self._sid}:{role}"))

    async def stop(self) -> None:
        """Release what has not left, let answers come in, unbind."""
        self._stopping = True
        self._release("The connection is being closed.")
        await asyncio.gather(*(bind.leave() for bind in self._binds))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._timer is not None:
            self._timer.cancel()

    def state(self) -> LinkState:
        up = [bind for bind in self._binds if bind.bound]
        senders = sum(bind.sends for bind in up)
        figures = self._figures(up)
        since = max((bind.since for bind in up if bind.since), default=None)
        if senders:
            says = f"{len(up)} of {len(self._binds)} binds are up, {int(figures['waiting'])} messages wait for an answer."
            if self._settings.tls and not self._settings.tls_verify:
                says += " Anybody may be at the other end: its certificate is not checked."
            if self._pace.rate is not None:
                says += f" At most {self._pace.rate:g} messages a second."
            return LinkState(status=LinkStatus.UP, says=says, since=since, figures=figures)
        failed = next((bind for bind in self._binds if bind.failed), None)
        if failed is not None:
            return LinkState(status=LinkStatus.DOWN, says=failed.failed, since=failed.since, figures=figures)
        return LinkState(status=LinkStatus.CONNECTING, says=f"Connecting to {self._settings.host}:{self._settings.port}.", figures=figures)

    def _figures(self, up: Sequence[KeptBind]) -> dict[str, float]:
        links = [bind.link for bind in up if bind.link is not None and bind.sends]
        return {
            **{name: float(count) for name, count in self._counts.items()},
            "binds": float(len(up)),
            "waiting": float(sum(link.session.outstanding for link in links)),
            "queued": float(self._queued()),
            "window": float(self._settings.window * len(links)),
            "per_second": round(self._pace.recent, 1),
            "rate": self._pace.rate or 0.0,
        }

    # ── towards the carrier ──────────────────────────────────────────────────────────────────────────

    def room(self) -> int:
        links = self._links()
        if not links or self._stopping:
            self._was_full = True
            return 0
        now = self._now()
        window = self._settings.window * len(links)
        ahead = max(window, int(self._pace.recent * PREFETCH_SECONDS))
        room = sum(link.room for link in links) + ahead - self._queued()
        paced = self._pace.room(PACED_SECONDS, now=now)
        if paced is not None:
            room = min(room, paced - self._queued())
        room = max(0, min(room, CLAIM_MAX))
        self._was_full = room == 0
        if room == 0 and paced is not None:
            self._arm(self._pace.wait(now=now))
        return room

    async def send(self, parts: Sequence[Part], answered: Callable[[Outcome], None]) -> None:
        done = asyncio.get_running_loop().create_future()
        left = 0

        def ended() -> None:
            nonlocal left
            left -= 1
            if not left and not done.done():
                done.set_result(None)

        for part in parts:
            try:
                pdus = translate.submits(part, self._settings, now=self._tools.clock.now())
            except (PduError, ValueError) as error:
                self._counts["failed"] += 1
                answered(Outcome(attempt=part.attempt, kind=OutcomeKind.REJECTED, cause=Cause.OTHER, detail=str(error)))
                continue
            out = _Out(part, pdus, answered, ended)
            left += 1
            self._under_way[part.attempt] = out
            self._lanes.setdefault(part.sender, deque()).append(out)
        self._pump()
        if left:
            await done

    def halt(self, attempts: Sequence[str]) -> None:
        """Of these nothing more leaves: what has not begun is released, what has is cut short."""
        for attempt in attempts:
            out = self._under_way.get(attempt)
            if out is None or out.halted or not (out.has_more or not out.left):
                continue
            out.halted = True
            if not out.left:
                self._drop(out)
                self._answer(out, OutcomeKind.RELEASED, detail="halted before it left")
            elif not out.open:
                self._finish(out)

    async def recall(self, parts: Sequence[str]) -> list[Outcome]:
        """Nothing can be asked: query_sm wants the carrier's id (SMPP 3.4 §4.8), and that stood in the answer we never saw.

        What became of them, the receipts may tell. Whether they may be written again, this connection says, where it does.
        """
        again = self._again()
        if again is None:
            return []
        lost = "the process ended before the answer came"
        return [Outcome(attempt=attempt, kind=OutcomeKind.UNKNOWN, detail=lost, again=again) for attempt in parts]

    def _again(self) -> bool | None:
        """What this connection wants done with what has no answer; None: as the account is set."""
        return {"retry": True, "hold": False}.get(self._settings.ambiguous or "")

    def _links(self) -> list[Link]:
        return [bind.link for bind in self._binds if bind.sends and bind.link is not None and bind.link.bound]

    def _queued(self) -> int:
        return sum(map(len, self._lanes.values())) + len(self._begun)

    def _pump(self) -> None:
        """Write what window and pace allow now: what has begun first, then the senders in turn."""
        self._pumping = False
        now, links = self._now(), self._links()
        for link in links:
            link.cork()
        if not self._stopping:
            while out := self._next():
                roomy = [link for link in links if link.room > 0]
                # A deadline is only worth its name where nothing stands in our buffers before it.
                ready = [link for link in roomy if link.writable]
                if not ready:
                    if roomy:
                        self._arm(LOOK_AGAIN_SECONDS)
                    break
                link = max(ready, key=lambda each: each.room)
                if not self._pace.take(1, now=now):
                    self._arm(self._pace.wait(now=now))
                    break
                self._write(out, link)
        for link in links:
            link.uncork()
        self._expire(now)
        if self._was_full and self._inbox is not None:
            self._was_full = False
            self._inbox.ready()

    def _next(self) -> _Out | None:
        while self._begun:
            if self._begun[0].has_more:
                return self._begun[0]
            self._begun.popleft()
        for lane in self._lanes.values():
            return lane[0]
        return None

    def _write(self, out: _Out, link: Link) -> None:
        """Write the next segment. The first one's deadline is compared in the same step as it is written."""
        first = not out.left and out.next == 0
        number = out.again.pop(0) if out.again else out.next
        (promise,) = link.start([out.pdus[number]], deadline=out.part.write_by if first else None)
        if promise.done() and isinstance(obstacle := promise.result(), NotSent):
            if first:
                self._drop(out)
                # A value that does not fit its field never will: to try again would be to try for ever.
                kind = OutcomeKind.RELEASED if obstacle.fault is None else OutcomeKind.REJECTED
                self._answer(out, kind, detail=obstacle.reason)
            else:
                out.unknown = obstacle.reason
                if not out.open:
                    self._finish(out)
            return
        if number == out.next:
            out.next += 1
        out.open += 1
        if first:
            self._drop(out)
            if out.has_more:
                self._begun.append(out)
        promise.add_done_callback(partial(self._segment_answered, out, number))

    def _drop(self, out: _Out) -> None:
        """Take a part that has not begun out of its lane; the sender's next turn comes after all others'."""
        lane = self._lanes.get(out.part.sender)
        if lane is None or out not in lane:
            return
        lane.remove(out)
        if lane:
            self._lanes.move_to_end(out.part.sender)
        else:
            del self._lanes[out.part.sender]

    def _segment_answered(self, out: _Out, number: int, promise: "asyncio.Future[LinkOutcome]") -> None:
        out.open -= 1
        match promise.result():
            case Response(SubmitSmResp(status=Status.ESME_ROK) as taken):
                out.ids[number] = taken.message_id or f"~{out.part.attempt}.{number + 1}"  # some carriers give no id
            case Response(pdu):
                self._refused(out, number, pdu.status)
            case Lost(reason) | NotSent(reason):
                out.unknown = out.unknown or reason
        if not out.open and not out.has_more:
            self._finish(out)
        self._pump_soon()

    def _pump_soon(self) -> None:
        """Answers come in crowds: the window is filled again once for all of them."""
        if not self._pumping:
            self._pumping = True
            asyncio.get_running_loop().call_soon(self._pump)

    def _refused(self, out: _Out, number: int, status: int) -> None:
        kind, _, too_fast = translate.refused(status, self._settings)
        if too_fast:
            self._counts["throttled"] += 1
            if self._pace.refused(now=self._now()):
                self._tools.tell("throttled", f"{translate.said(status)} At most {self._pace.rate:.3g} messages a second now.")
        if kind is OutcomeKind.DEFERRED and len(out.pdus) > 1 and out.left and not out.halted:
            out.again.append(number)
            if out not in self._begun:
                self._begun.append(out)
            return
        out.refusal = out.refusal or (number, status)

    def _finish(self, out: _Out) -> None:
        """Every segment that left has its answer: what that comes to."""
        total, taken = len(out.pdus), sum(map(bool, out.ids))
        if out.unknown:
            which = translate.counted(out.next, total, out.ids)
            self._counts["unknown"] += 1
            self._remember(out)
            self._tell_unanswered(out.unknown)
            again = self._again() if not taken else False
            self._answer(out, OutcomeKind.UNKNOWN, detail=f"{which}{out.unknown}", again=again)
        elif out.refusal is not None:
            number, status = out.refusal
            kind, cause, _ = translate.refused(status, self._settings)
            if taken:  # nobody takes back what is there: the message as a whole has failed
                kind = OutcomeKind.REJECTED
            if kind is OutcomeKind.REJECTED:
                self._counts["failed"] += 1
                self._tools.tell("refused", translate.said(status))
            which = translate.counted(number + 1, total, out.ids)
            wait = self._pace.wait(now=self._now()) if kind is OutcomeKind.DEFERRED else None
            self._answer(out, kind, cause=cause, detail=f"{which}{translate.said(status)}", retry_after_seconds=wait)
        elif taken == total:
            self._counts["sent"] += 1
            self._answer(out, OutcomeKind.ACCEPTED, reference=out.ids[0], segments=tuple(out.ids))
        else:
            self._answer(out, OutcomeKind.HALTED, detail=f"{taken} of {total} segments left")

    def _answer(self, out: _Out, kind: OutcomeKind, **more: Any) -> None:
        self._under_way.pop(out.part.attempt, None)
        if not out.done:
            out.done = True
            out.answered(Outcome(attempt=out.part.attempt, kind=kind, **more))
            out.ended()

    def _tell_unanswered(self, reason: str) -> None:
        now = self._now()
        if now - self._unanswered_at >= TOLD_AGAIN_SECONDS:
            self._unanswered_at = now
            self._tools.tell("unanswered", f"{reason} What was written may have left. Messages without an answer so far: {self._counts['unknown']}.")

    def _remember(self, out: _Out) -> None:
        """A message in one segment whose answer may still come."""
        if len(out.pdus) == 1:
            self._late[id(out.pdus[0])] = out
            if len(self._late) > LATE_MAX:
                self._late.popitem(last=False)

    def _answered_late(self, request: Pdu, response: Pdu) -> None:
        out = self._late.pop(id(request), None)
        if out is None or not isinstance(response, SubmitSmResp) or response.status != Status.ESME_ROK:
            return
        self._tools.tell("late", "An answer came after its time; its message counts as sent.")
        ids = (response.message_id or f"~{out.part.attempt}.1",)
        out.answered(Outcome(attempt=out.part.attempt, kind=OutcomeKind.ACCEPTED, reference=ids[0], segments=ids))

    def _expire(self, now: float) -> None:
        """Release what waited here past its time, and see to the next that will."""
        up = bool(self._links())
        for out in self._overdue(now) if up else [out for lane in self._lanes.values() for out in lane]:
            self._drop(out)
            self._answer(out, OutcomeKind.RELEASED, detail="no room before its write deadline" if up else "the link is down")
        if not up and self._begun:
            self._cut_off()
        if self._lanes:
            self._arm(min(lane[0].part.write_by for lane in self._lanes.values()) - now)

    def _overdue(self, now: float) -> list[_Out]:
        """What waits past its deadline. A lane is in the order of its deadlines, for later claims have later ones."""
        found: list[_Out] = []
        for lane in self._lanes.values():
            found += itertools.takewhile(lambda out: now > out.part.write_by, lane)
        return found

    def _cut_off(self) -> None:
        """The link is gone and some segments with it: the message cannot be completed within its reader's patience."""
        for out in list(self._begun):
            if out.has_more and not out.open:
                out.unknown = out.unknown or "The link was lost before all segments had left."
                self._finish(out)
        self._begun = deque(out for out in self._begun if out.open)

    def _release(self, reason: str) -> None:
        for out in [out for lane in self._lanes.values() for out in lane]:
            self._drop(out)
            self._answer(out, OutcomeKind.RELEASED, detail=reason)

    def _arm(self, seconds: float) -> None:
        """Look again after `seconds`, or earlier where that was asked for before."""
        loop = asyncio.get_running_loop()
        due = loop.time() + max(0.001, seconds)
        if self._timer is not None:
            if self._timer.when() <= due:
                return
            self._timer.cancel()
        self._timer = loop.call_at(due, self._rung)

    def _rung(self) -> None:
        self._timer = None
        self._pump()

    def _changed(self) -> None:
        """A bind came or went."""
        self._was_full = True
        self._pump()

    # ── from the carrier ─────────────────────────────────────────────────────────────────────────────

    async def _hear(self, pdu: Pdu) -> Pdu | None:
        """Answer a request of the carrier's: what it brought is on the disk first, or it is asked to bring it again."""
        if not isinstance(pdu, DeliverSm | DataSm):
            return response_to(pdu, Status.ESME_RINVCMDID)
        try:
            await self._take(pdu)
        except StoreFault as fault:
            return self._put_off(pdu, fault)
        except ConnectionRefusedError:
            return response_to(pdu, Status.ESME_RSYSERR)
        self._refusing_since = None
        return response_to(pdu)

    async def _take(self, pdu: DeliverSm | DataSm) -> None:
        assert self._inbox is not None
        found = receipt.read(pdu)
        if found is not None:
            self._counts["reports"] += 1
            reports = translate.reports(pdu, found, self._settings, self._sid)
            if reports:
                await self._inbox.reported(reports)
            return
        self._counts["received"] += 1
        await self._inbox.received(translate.heard(pdu, self._settings, self._sid))

    def _put_off(self, pdu: Pdu, fault: StoreFault) -> Pdu:
        """A status that makes the carrier come again; after a while of them unbind, so that it queues and does not give up."""
        now = self._now()
        self._refusing_since = self._refusing_since or now
        log.warning("smpp.put_off", connection=self._sid, fault=str(fault))
        if now - self._refusing_since >= REFUSING_SECONDS:
            self._refusing_since = None
            self._tools.tell("unbound", "Nothing can be kept here at present: the carrier shall queue what it has for us.")
            for bind in self._binds:
                if bind.role != "transmitter":
                    bind.drop("Nothing can be kept here at present.")
        return response_to(pdu, Status.ESME_RMSGQFUL)
