"""The simulator as a carrier, and its handsets as phones.

A handset remembers what it sent and received, as a phone does, and its message centre what it could not hand over yet:
that is its only store. It decides nothing about consent; the toll-free network's own block is the network's, not ours.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

from stopwire.carriers.simulator import networks
from stopwire.carriers.simulator.air import Air
from stopwire.carriers.simulator.gate import Gate
from stopwire.carriers.simulator.reports import reference_of, report, report_of
from stopwire.carriers.simulator.transit import Onward, cut, media_of, message_of, onward_of, packed, transit_of
from stopwire.core import segments
from stopwire.core.address import SenderKind, kind_of
from stopwire.core.chaos import CALM, Chaos, Reception, link_of
from stopwire.core.connections import LinkState
from stopwire.core.handsets import temper_of
from stopwire.core.jobs import HandsetMessage, Transit
from stopwire.core.message import Status
from stopwire.core.outcomes import InboundMedia, Outcome, OutcomeKind, Part
from stopwire.ports.carrier import Fate, Inbox, Texted
from stopwire.ports.faults import StoreClosed
from stopwire.ports.store import Store, Tx
from stopwire.ports.world import Clock, Ids

ROOM = 256  # parts handed over at once: bounds the work of one round
REPORT_SECONDS = 0.01  # between the answer and its delivery report
KEPT_FOR = timedelta(hours=72)  # by the message centre, for a handset that is off, where the part does not say how long
CARRIED_AT_ONCE = 256
LOOK_SECONDS = 60.0  # the net under the timer
FAULT_SECONDS = 1.0  # until a text that could not be taken in comes again
UNSAID_MAX = 10_000  # answers that a silent carrier owes; of more, the oldest never come
UNREACHABLE, LOST = 30003, 30008  # how a text ends that waited too long, or was lost on its way


class Simulator:
    """One connection of kind `simulator`; also the port `Phones`."""

    def __init__(self, *, store: Store, clock: Clock, ids: Ids) -> None:
        self._store, self._clock, self._ids = store, clock, ids
        self._air = Air(clock, ids)
        self._gate = Gate(store, clock, self._air)
        self._carrying: asyncio.Task[None] | None = None
        self._bell = asyncio.Event()  # something new is on its way, or can be carried on
        self._unsaid: deque[tuple[str, Callable[[Outcome], None], Outcome]] = deque(maxlen=UNSAID_MAX)  # by account
        self._inbox: Inbox | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._handing = 0

    async def start(self, inbox: Inbox) -> None:
        """Listen, report what the last process took and did not report, and carry what was on its way."""
        self._inbox = inbox
        known = await self._store.read(lambda tx: tx.handsets.every_reception(), account="")
        self._air.load({(account, handset): reception for account, handset, reception in known})
        waiting = await self._store.read(lambda tx: tx.handsets.unreported(), account="")
        if waiting:
            self._later(self._tell(waiting))
        self._carrying = asyncio.get_running_loop().create_task(self._carry())

    async def stop(self) -> None:
        tasks = [*self._tasks, *([self._carrying] if self._carrying else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def room(self) -> int:
        return ROOM - self._handing

    def state(self) -> LinkState:
        """For nobody in particular it is always up: `link` says how it is for an account."""
        return link_of(CALM)

    def halt(self, attempts: Sequence[str]) -> None:
        """Handsets take a message whole: there is nothing to cut short."""

    # ── towards handsets ─────────────────────────────────────────────────────────────────────────────

    async def send(self, parts: Sequence[Part], answered: Callable[[Outcome], None]) -> None:
        self._handing += len(parts)
        try:
            for part, outcome in zip(parts, await self._send(parts), strict=True):
                answered(self._aloud(part.account, outcome, answered))
        finally:
            self._handing -= len(parts)

    def _aloud(self, account: str, outcome: Outcome, answered: Callable[[Outcome], None]) -> Outcome:
        """The outcome as we hear it: a silent carrier keeps to itself that it has the part."""
        if outcome.kind is not OutcomeKind.ACCEPTED or not self._air.chaos(account).silent:
            return outcome
        self._unsaid.append((account, answered, outcome))
        return Outcome(attempt=outcome.attempt, kind=OutcomeKind.UNKNOWN, detail="chaos: the carrier is silent")

    async def _send(self, parts: Sequence[Part]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        arrived: list[HandsetMessage] = []
        held: list[Transit] = []
        for part in parts:
            outcome = await self._gate.pass_(part)
            outcomes.append(outcome)
            if outcome.kind is not OutcomeKind.ACCEPTED:
                continue
            message = self._message(part)
            if await self._network_blocks(part.account, part):
                arrived.append(replace(message, direction="held", report=report(Status.UNDELIVERED, networks.BLOCKED)))
            elif self._is_late(message):
                held.append(self._held(message, part))
            else:
                arrived.append(self._arrived(message))
        if arrived or held:
            await self._store.write(partial(_keep, rows=arrived, held=held), account="")
            self._follow(arrived)
        if any(self._air.reception(each.account, each.handset).on for each in held):
            self._bell.set()  # the others wait for their handset, which will ring itself
        return outcomes

    async def recall(self, parts: Sequence[str]) -> list[Outcome]:
        """The handsets know what reached them: what did not, never left."""
        known = await self._store.read(lambda tx: tx.handsets.known(parts), account="")
        return [
            Outcome(attempt=a, kind=OutcomeKind.ACCEPTED, reference=reference_of(a))
            if a in known
            else Outcome(attempt=a, kind=OutcomeKind.RELEASED, detail="the handset never saw it")
            for a in parts
        ]

    async def _network_blocks(self, account: str, part: Part) -> bool:
        if kind_of(part.sender) is not SenderKind.TOLL_FREE:
            return False
        return await self._store.read(lambda tx: tx.handsets.network_blocked(part.sender, part.recipient), account=account)

    def _message(self, part: Part) -> HandsetMessage:
        return HandsetMessage(
            id=self._ids.sid("HM"),
            account=part.account,
            handset=part.recipient,
            direction="in",
            peer=part.sender,
            body=part.body,
            at=self._clock.now(),
            kind="auto_reply" if part.keyword_reply else "message",
            media=part.media,
            attempt=part.attempt,
            message=part.message,
        )

    def _is_late(self, message: HandsetMessage) -> bool:
        reception = self._air.meets(message.account, message.handset)
        return not reception.on or reception.delay_seconds > 0

    def _held(self, message: HandsetMessage, part: Part) -> Transit:
        late = timedelta(seconds=self._air.meets(message.account, message.handset).delay_seconds)
        return transit_of(message, due_at=message.at + late, expires_at=part.expires_at or message.at + KEPT_FOR)

    def _arrived(self, message: HandsetMessage) -> HandsetMessage:
        """The text at its handset, with what the network will report of it; or lost on its last step."""
        if self._air.hits(self._air.meets(message.account, message.handset).loss):
            return replace(message, direction="held", report=report(Status.UNDELIVERED, LOST))
        temper = temper_of(message.handset)
        unheard = temper.report is None or self._air.hits(self._air.chaos(message.account).lost_reports)
        return replace(
            message,
            direction="held" if temper.report is Status.UNDELIVERED else "in",
            report=None if unheard or temper.report is None else report(temper.report, temper.error_code),
        )

    def _follow(self, arrived: Sequence[HandsetMessage]) -> None:
        """What comes after texts have reached their handsets: reports, and what a handset answers by itself."""
        if not arrived:
            return
        self._later(self._tell(arrived))
        for message in arrived:
            answer = temper_of(message.handset).texts_back
            if answer and message.direction == "in":
                self._later(self._text_back(message, answer))

    async def _tell(self, taken: Sequence[HandsetMessage]) -> None:
        """Report what became of parts; only when we have heard it, the network forgets."""
        await asyncio.sleep(REPORT_SECONDS)
        assert self._inbox is not None
        waiting = [message for message in taken if message.report and not self._air.chaos(message.account).silent]
        again = [message for message in waiting if self._air.hits(self._air.meets(message.account, message.handset).duplicates)]
        await self._inbox.reported([report_of(message) for message in (*waiting, *again)])
        told = [message.attempt for message in waiting if message.attempt]
        await self._store.write(lambda tx: tx.handsets.set_reported(told), account="")

    async def _text_back(self, message: HandsetMessage, text: str) -> None:
        await asyncio.sleep(REPORT_SECONDS)
        await self.text(message.account, message.handset, message.peer, text)

    # ── from handsets ────────────────────────────────────────────────────────────────────────────────

    async def text(
        self,
        account: str,
        handset: str,
        to: str,
        body: str,
        *,
        media: tuple[InboundMedia, ...] = (),
        parts: int = 1,
        part_order: tuple[int, ...] | None = None,
        repeat: int = 1,
    ) -> Texted:
        """A handset writes to one of our senders. Returns when we have it on disk, or the network has, where it is late."""
        sent = HandsetMessage(
            id=self._ids.sid("HM"),
            account=account,
            handset=handset,
            direction="out",
            peer=to,
            body=body,
            at=self._clock.now(),
            media=tuple(m.content_type for m in media),
        )
        meets, chaos = self._air.meets(account, handset), self._air.chaos(account)
        if chaos.shuffled and part_order is None:
            parts = max(parts, segments.count(body).segments if not to.startswith("whatsapp:") else 1)
            part_order = tuple(range(parts, 0, -1))
        onward = Onward(parts=parts, part_order=part_order, repeat=repeat + self._air.hits(meets.duplicates))
        if self._air.hits(meets.loss):
            await self._store.write(partial(_keep, rows=[sent]), account=account)
            return Texted(id=sent.id, message_sid=None, fate=Fate.LOST)
        if chaos.down or meets.delay_seconds > 0:
            due_at = sent.at + timedelta(seconds=meets.delay_seconds)
            late = transit_of(sent, due_at=due_at, onward=packed(onward, media))
            await self._store.write(partial(_keep, rows=[sent], held=[late]), account=account)
            self._bell.set()
            return Texted(id=sent.id, message_sid=None, fate=Fate.ON_ITS_WAY)
        return Texted(id=sent.id, message_sid=await self._reach(sent, media, onward))

    async def _reach(self, sent: HandsetMessage, media: tuple[InboundMedia, ...], onward: Onward) -> str | None:
        """Bring a handset's text to us, as often as the network does; the SID of its message, where one is kept."""
        answer = networks.listen(sent.peer, sent.body)
        await self._store.write(partial(self._leave, sent=sent, answer=answer), account=sent.account)
        assert self._inbox is not None
        message = None
        for heard in cut(sent, media, onward):
            for _ in range(onward.repeat):
                message = await self._inbox.received(heard) or message
        return message

    def _leave(self, tx: Tx, *, sent: HandsetMessage, answer: networks.NetworkAnswer | None) -> None:
        tx.handsets.keep([sent])
        if answer is None:
            return
        tx.handsets.network_set(sent.peer, sent.handset, blocked=answer.verdict is networks.Verdict.BLOCK)
        reply = HandsetMessage(
            id=self._ids.sid("HM"),
            account=sent.account,
            handset=sent.handset,
            direction="in",
            peer=sent.peer,
            body=answer.text,
            at=sent.at,
            kind="network",
        )
        tx.handsets.keep([reply])

    async def conversation(self, account: str, handset: str, after: str | None, limit: int) -> list[HandsetMessage]:
        return await self._store.read(lambda tx: tx.handsets.of(handset, after, limit), account=account)

    # ── the air between them and us ──────────────────────────────────────────────────────────────────

    def reception(self, account: str, handset: str) -> Reception:
        return self._air.reception(account, handset)

    async def set_reception(self, account: str, handset: str, reception: Reception) -> None:
        def unit(tx: Tx) -> None:
            tx.handsets.set_reception(handset, reception)
            tx.tell("simulator.reception", handset=handset, on=reception.on)

        await self._store.write(unit, account=account)
        self._air.set_reception(account, handset, reception)
        self.look()

    def link(self, account: str) -> LinkState:
        return replace(link_of(self._air.chaos(account)), since=self._air.since(account))

    def chaos(self, account: str) -> Chaos:
        return self._air.chaos(account)

    async def set_chaos(self, account: str, chaos: Chaos) -> None:
        self._air.set_chaos(account, chaos)
        if not chaos.silent:
            await self._speak(account)
        self.look()
        await self._store.write(lambda tx: tx.tell("simulator.chaos", on=chaos != CALM), account=account)

    async def _speak(self, account: str) -> None:
        """Give the answers, and then the reports, that a silent carrier owes."""
        owed = [each for each in self._unsaid if each[0] == account]
        self._unsaid = deque((each for each in self._unsaid if each[0] != account), maxlen=UNSAID_MAX)
        for _, answered, outcome in owed:
            answered(replace(outcome, detail="late: the carrier had been silent"))
        reports = await self._store.read(lambda tx: tx.handsets.unreported(), account="")
        if mine := [message for message in reports if message.account == account]:
            self._later(self._tell(mine))

    def look(self) -> None:
        self._bell.set()

    async def _carry(self) -> None:
        """Carry on what is late or waits, when its time comes. What could not be taken in comes again."""
        while True:
            self._bell.clear()
            try:
                seconds = await self._carry_on()
            except StoreClosed:
                return
            except Exception as fault:
                task = asyncio.current_task()
                asyncio.get_running_loop().call_exception_handler({"message": "simulator", "exception": fault, "task": task})
                await asyncio.sleep(FAULT_SECONDS)
                continue
            if seconds > 0:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(seconds):  # not wait_for: where the bell rings just then, it would miss the end
                        await self._bell.wait()

    async def _carry_on(self) -> float:
        """One round: seconds until the next can be carried."""
        now, dead = self._clock.now(), self._air.dead()
        due = await self._store.read(lambda tx: tx.handsets.due(now, dead, CARRIED_AT_ONCE), account="")
        arrived = [self._at_the_handset(each) for each in due if each.direction == "in"]
        if arrived:
            await self._store.write(partial(_hand, rows=arrived), account="")
            self._follow(arrived)
        texted: dict[tuple[str, str], list[Transit]] = {}
        for each in due:
            if each.direction == "out":
                texted.setdefault((each.account, each.handset), []).append(each)
        # Handsets beside each other: a STOP may have to wait for what is under way to its person.
        ended = await asyncio.gather(*map(self._bring, texted.values()), return_exceptions=True)
        if faults := [fault for fault in ended if fault is not None]:
            raise faults[0]
        if due:
            return 0.0
        next_due = await self._store.read(lambda tx: tx.handsets.next_due(dead), account="")
        left = (next_due - self._clock.now()).total_seconds() if next_due else LOOK_SECONDS
        return min(max(left, 0.001), LOOK_SECONDS)

    async def _bring(self, texts: Sequence[Transit]) -> None:
        """Bring the late texts of one handset to us, in their order."""
        for each in texts:
            await self._reach(message_of(each), media_of(each), onward_of(each))
            await self._store.write(partial(_carried, id=each.id), account="")

    def _at_the_handset(self, transit: Transit) -> HandsetMessage:
        message, now = replace(message_of(transit), at=self._clock.now()), self._clock.now()
        if transit.expires_at is not None and transit.expires_at <= now:
            return replace(message, direction="held", report=report(Status.UNDELIVERED, UNREACHABLE))
        return self._arrived(message)

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (fault := task.exception()):
            task.get_loop().call_exception_handler({"message": "simulator", "exception": fault, "task": task})


def _keep(tx: Tx, *, rows: Sequence[HandsetMessage], held: Sequence[Transit] = ()) -> None:
    if rows:
        tx.handsets.keep(rows)
    if held:
        tx.handsets.hold(held)


def _hand(tx: Tx, *, rows: Sequence[HandsetMessage]) -> None:
    """What was on its way is at its handset."""
    tx.handsets.keep(rows)
    tx.handsets.carried([row.id for row in rows])
    for row in rows:
        tx.of(row.account).tell("simulator.arrived", handset=row.handset, sid=row.message)


def _carried(tx: Tx, *, id: str) -> None:
    tx.handsets.carried([id])
