"""The simulator as a carrier, and its handsets as phones.

A handset remembers what it sent and received, as a phone does: that is its only store. It decides nothing
about consent; the toll-free network's own block is the network's, not ours.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any

from stopwire.carriers.simulator import networks
from stopwire.core.address import SenderKind, kind_of
from stopwire.core.connections import SIMULATOR, LinkState, LinkStatus
from stopwire.core.handsets import Temper, temper_of
from stopwire.core.jobs import HandsetMessage
from stopwire.core.message import Status
from stopwire.core.outcomes import DeliveryReport, InboundMedia, Outcome, OutcomeKind, Part, Received
from stopwire.ports.carrier import Inbox, Texted
from stopwire.ports.store import Store, Tx
from stopwire.ports.world import Clock, Ids

ROOM = 256  # parts handed over at once: bounds the work of one round
REPORT_SECONDS = 0.01  # between the answer and its delivery report


class Simulator:
    """One connection of kind `simulator`; also the port `Phones`."""

    def __init__(self, *, store: Store, clock: Clock, ids: Ids) -> None:
        self._store, self._clock, self._ids = store, clock, ids
        self._inbox: Inbox | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._deferred: Counter[str] = Counter()  # tries of parts to a busy handset, by message
        self._handing = 0
        self._pace: dict[str, float] = {}  # when a sender with a limit may speak again, monotonic seconds
        self._placed: set[str] = set()  # messages that wait for a place of theirs

    async def start(self, inbox: Inbox) -> None:
        """Listen, and report what the last process took and did not report."""
        self._inbox = inbox
        waiting = await self._store.read(lambda tx: tx.handsets.unreported(), account="")
        if waiting:
            self._later(self._tell(waiting))

    async def stop(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def room(self) -> int:
        return ROOM - self._handing

    def state(self) -> LinkState:
        return LinkState(status=LinkStatus.UP, says="The simulator is part of this process; no text leaves this machine.")

    def halt(self, attempts: Sequence[str]) -> None:
        """Handsets take a message whole: there is nothing to cut short."""

    # ── towards handsets ─────────────────────────────────────────────────────────────────────────────

    async def send(self, parts: Sequence[Part], answered: Callable[[Outcome], None]) -> None:
        self._handing += len(parts)
        try:
            for outcome in await self._send(parts):
                answered(outcome)
        finally:
            self._handing -= len(parts)

    async def _send(self, parts: Sequence[Part]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        taken: list[HandsetMessage] = []
        answering: list[tuple[str, Part, str]] = []
        for part in parts:
            account = part.account
            outcome = await self._hand_over(account, part)
            outcomes.append(outcome)
            if outcome.kind is not OutcomeKind.ACCEPTED:
                continue
            temper = temper_of(part.recipient)
            blocked = await self._network_blocks(account, part)
            taken.append(self._taken(account, part, temper, blocked=blocked))
            if temper.texts_back and not blocked:
                answering.append((account, part, temper.texts_back))
        if taken:
            await self._store.write(partial(_keep, rows=taken), account="")
            self._later(self._tell(taken))
        for account, part, text in answering:
            self._later(self._text_back(account, part, text))
        return outcomes

    async def recall(self, parts: Sequence[str]) -> list[Outcome]:
        """The handsets know what reached them: what did not, never left."""
        known = await self._store.read(lambda tx: tx.handsets.known(parts), account="")
        return [
            Outcome(attempt=a, kind=OutcomeKind.ACCEPTED, reference=_reference(a))
            if a in known
            else Outcome(attempt=a, kind=OutcomeKind.RELEASED, detail="the handset never saw it")
            for a in parts
        ]

    async def _hand_over(self, account: str, part: Part) -> Outcome:
        if self._clock.monotonic() > part.write_by:
            return Outcome(attempt=part.attempt, kind=OutcomeKind.RELEASED, detail="write deadline passed")
        wait = await self._wait_seconds(account, part)
        if wait > 0:
            return Outcome(attempt=part.attempt, kind=OutcomeKind.RELEASED, detail="sender limit", retry_after_seconds=wait)
        temper = temper_of(part.recipient)
        if self._deferred[part.message] < temper.defers:
            self._deferred[part.message] += 1
            return Outcome(attempt=part.attempt, kind=OutcomeKind.DEFERRED, detail="the carrier is busy")
        self._deferred.pop(part.message, None)
        return Outcome(
            attempt=part.attempt, kind=temper.outcome, cause=temper.cause, reference=_reference(part.attempt), detail=temper.says
        )

    async def _wait_seconds(self, account: str, part: Part) -> float:
        """How long a part must wait for its place, where its sender has a limit: each comes back once, at its own time.

        A keyword reply goes at once and pays with the place that comes next: whoever said STOP does not queue behind others.
        """
        directory = await self._store.directory(account)
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

    async def _network_blocks(self, account: str, part: Part) -> bool:
        if kind_of(part.sender) is not SenderKind.TOLL_FREE:
            return False
        return await self._store.read(lambda tx: tx.handsets.network_blocked(part.sender, part.recipient), account=account)

    def _taken(self, account: str, part: Part, temper: Temper, *, blocked: bool) -> HandsetMessage:
        status, code = (Status.UNDELIVERED, networks.BLOCKED) if blocked else (temper.report, temper.error_code)
        return HandsetMessage(
            id=self._ids.sid("HM"),
            account=account,
            handset=part.recipient,
            direction="held" if status is Status.UNDELIVERED else "in",
            peer=part.sender,
            body=part.body,
            at=self._clock.now(),
            kind="auto_reply" if part.keyword_reply else "message",
            media=part.media,
            attempt=part.attempt,
            message=part.message,
            report=None if status is None else f"{status.value}:{code or ''}",
        )

    async def _tell(self, taken: Sequence[HandsetMessage]) -> None:
        """Report what became of parts; only when we have heard it, the network forgets."""
        await asyncio.sleep(REPORT_SECONDS)
        assert self._inbox is not None
        waiting = [message for message in taken if message.report]
        await self._inbox.reported([self._report_of(message) for message in waiting])
        told = [message.attempt for message in waiting if message.attempt]
        await self._store.write(lambda tx: tx.handsets.set_reported(told), account="")

    def _report_of(self, message: HandsetMessage) -> DeliveryReport:
        status, _, code = (message.report or "").partition(":")
        return DeliveryReport(
            connection=SIMULATOR,
            reference=_reference(message.attempt or ""),
            status=Status(status),
            error_code=int(code) if code else None,
            at=message.at,
        )

    async def _text_back(self, account: str, part: Part, text: str) -> None:
        await asyncio.sleep(REPORT_SECONDS)
        await self.text(account, part.recipient, part.sender, text)

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
        """A handset writes to one of our senders. Returns when we have it on disk."""
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
        answer = networks.listen(to, body)
        await self._store.write(partial(self._leave, sent=sent, answer=answer), account=account)
        assert self._inbox is not None
        message = None
        for heard in self._cut(sent, media, parts, part_order):
            for _ in range(repeat):
                message = await self._inbox.received(heard) or message
        return Texted(id=sent.id, message_sid=message)

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

    def _cut(
        self,
        sent: HandsetMessage,
        media: tuple[InboundMedia, ...],
        parts: int,
        order: tuple[int, ...] | None,
    ) -> list[Received]:
        if parts <= 1:
            return [
                Received(
                    connection=SIMULATOR, sender=sent.peer, recipient=sent.handset, body=sent.body, reference=sent.id, media=media
                )
            ]
        pieces, sequence = _pieces(sent.body, parts), order or tuple(range(1, parts + 1))
        return [
            Received(
                connection=SIMULATOR,
                sender=sent.peer,
                recipient=sent.handset,
                body=pieces[number - 1],
                reference=f"{sent.id}.{number}",
                media=media if number == sequence[-1] else (),  # with the part that makes the text whole
                part_reference=int(sent.id[2:6], 16),
                part=number,
                parts=parts,
            )
            for number in sequence
        ]

    async def conversation(self, account: str, handset: str, after: str | None, limit: int) -> list[HandsetMessage]:
        return await self._store.read(lambda tx: tx.handsets.of(handset, after, limit), account=account)

    async def handsets(self, account: str) -> list[str]:
        return await self._store.read(lambda tx: tx.handsets.all(), account=account)

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (fault := task.exception()):
            task.get_loop().call_exception_handler({"message": "simulator", "exception": fault, "task": task})


def _keep(tx: Tx, *, rows: list[HandsetMessage]) -> None:
    tx.handsets.keep(rows)


def _reference(attempt: str) -> str:
    return f"sim-{attempt}"


def _pieces(body: str, parts: int) -> list[str]:
    """`body` in `parts` pieces of about the same length; some may be empty where it is short."""
    size = -(-len(body) // parts)
    return [body[i * size : (i + 1) * size] for i in range(parts)]
