"""One live SMPP connection, either side: drives a `smpp.Session` over a socket. Reading, writing, timers, limits.

What a message means, whether it may leave and what is kept is decided by whoever holds the link. A link never sends
anything twice and never sends anything again.
"""

import asyncio
import ssl
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Final, cast

from stopwire.log import get_logger
from stopwire.smpp.fields import Status, meaning
from stopwire.smpp.pdu import (
    AlertNotification,
    BindReceiver,
    BindTransceiver,
    BindTransmitter,
    Outbind,
    Pdu,
    PduError,
    Unbind,
    response_to,
)
from stopwire.smpp.session import (
    BOUND,
    Answered,
    Asked,
    Broken,
    Event,
    Role,
    Session,
    SessionError,
    State,
    Stray,
    Timers,
    Unanswered,
    Unreadable,
    Write,
)

log = get_logger(__name__)

PDU_OCTETS = 800  # about what a submit_sm takes in memory, a full short_message with it …
TLV_OCTETS = 120  # … and each TLV besides its value
COMPLAINTS_MAX = 20  # log lines a link may cause by what it sends: a stranger does not fill the disk
HANDSHAKE_SECONDS = 10  # of TLS; the time to bind counts from its end
LINGER_SECONDS = 5.0  # for the answers that a peer still owes when it unbinds: without them nobody knows what it took
LOOK_AGAIN_SECONDS = 0.02  # the buffer of a transport empties without a word


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one link may take up. Beyond them the link stops reading, and TCP tells the peer to wait."""

    window: int = 10  # our messages that may wait for their answers
    asked_max: int = 100  # requests of the peer's in work at once
    asked_octets_max: int = 1 << 20  # octets of requests that have not been answered
    write_octets_max: int = 256 << 10  # octets of ours that the peer has not taken
    connect_seconds: float = 10


@dataclass(frozen=True, slots=True)
class Response:
    """The peer's answer; its status may be an error, and a generic_nack is one too."""

    pdu: Pdu


@dataclass(frozen=True, slots=True)
class NotSent:
    """Not one octet has left: the same may be sent again, after its checks have been made again.

    But not where there is a `fault`: then a value does not fit its field, and never will.
    """

    reason: str
    fault: Status | None = None


@dataclass(frozen=True, slots=True)
class Lost:
    """It was written and nobody knows what became of it: no answer in time, or the link has closed."""

    reason: str


Outcome = Response | NotSent | Lost
Handler = Callable[[Pdu], Awaitable[Pdu | None]]
Bind = BindTransmitter | BindReceiver | BindTransceiver


class Closing(Enum):
    """Who ended a link."""

    OURS = "we closed it"
    UNBOUND = "unbound in order"
    PEER = "the peer closed it"
    BROKEN = "the protocol or a timer ended it"


class LinkError(Exception):
    """A link that did not come to be: not connected, or not bound. `status` is the peer's, where it gave one."""

    def __init__(self, sentence: str, *, status: int | None = None) -> None:
        super().__init__(sentence)
        self.status = status


async def decline(pdu: Pdu) -> Pdu:
    """The handler of a link that expects no requests."""
    return response_to(pdu, Status.ESME_RX_T_APPN)


class Link(asyncio.Protocol):
    """A connection from its first octet to its last. Made by `connect`, or by `listen` for every peer that calls.

    `on_pdu` is called for each request of the peer's in the order they came; up to `asked_max` are in work at once and
    each is answered as it is ready. None as an answer means that there is none (alert_notification, outbind).
    """

    def __init__(
        self,
        role: Role,
        *,
        on_pdu: Handler = decline,
        limits: Limits | None = None,
        timers: Timers | None = None,
        clock: Callable[[], float] = time.monotonic,
        on_late: Callable[[Pdu, Pdu], None] | None = None,
        on_odd: Callable[[str], None] | None = None,
        on_open: Callable[["Link"], None] | None = None,
    ) -> None:
        self.limits: Final = limits or Limits()
        self.clock: Final = clock
        self.session: Final = Session(role, now=clock(), window=self.limits.window, timers=timers)
        self._corked: list[bytes] | None = None  # octets held back for one write
        self._said: list[bytes] = []  # answers that leave at the end of this turn of the loop
        self.on_pdu = on_pdu
        self.closing: Closing | None = None
        self.reason = ""  # why it closed, in a sentence
        self.peer = ""  # address of the other side, for logs
        self._on_late = on_late  # (request, response): an answer to what had been called Lost
        self._on_odd = on_odd  # a sentence on what the peer did that no peer should, COMPLAINTS_MAX times at most
        self._on_open = on_open
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._waiting: dict[int, asyncio.Future[Outcome]] = {}
        self._asked: deque[Pdu] = deque()  # requests whose turn has not come; never more than one read brought
        self._asked_octets = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._unbind_asked: Pdu | None = None
        self._parting: asyncio.TimerHandle | None = None  # the peer has unbound, and owes us answers
        self._timer: asyncio.TimerHandle | None = None
        self._reading = True
        self._blocked = False  # the peer does not take what we write
        self._leaving = False  # `unbind` has begun
        self._complaints = 0
        self._turn = asyncio.Lock()  # of those who wait for room: first come, first served
        self._changed = asyncio.Event()  # something that a waiting request waits for
        self._closed: asyncio.Future[None] = self._loop.create_future()

    # --- asking ---

    @property
    def open(self) -> bool:
        return self.closing is None and self._transport is not None

    @property
    def bound(self) -> bool:
        """Bound, and no side has begun to leave."""
        return self.open and not self._leaving and self.session.state in BOUND and self.session.may_ask(Unbind.command)

    @property
    def writable(self) -> bool:
        """Nothing that was written before is still in our buffers: what is written now goes to the kernel in this turn of the loop."""
        return self._transport is not None and self.closing is None and self._transport.get_write_buffer_size() == 0

    @property
    def room(self) -> int:
        """Messages that could be written now."""
        return self.session.room if self.open and not self._blocked and not self._leaving else 0

    @property
    def in_work(self) -> int:
        """Requests of the peer's that have not been answered."""
        return len(self._asked) + len(self._tasks)

    def start(self, pdus: Sequence[Pdu], *, deadline: float | None = None) -> list[asyncio.Future[Outcome]]:
        """Write requests now, in this very step of the event loop, and promise the outcome of each.

        With a `deadline` (of `clock`) either all are compared and written in one go, with an empty buffer before them
        and no await between, or none is: NotSent. Where the window has no room, or a PDU cannot be written: NotSent too.
        """
        promises: list[asyncio.Future[Outcome]] = [self._loop.create_future() for _ in pdus]
        obstacle = self._obstacle()
        if deadline is not None and not obstacle and not self.writable:
            obstacle = "What was written before has not left yet."
        octets: list[bytes] = []
        now = self.clock()
        if deadline is not None and not obstacle and now > deadline:
            obstacle = f"The deadline passed {now - deadline:.3f} s before the write."
        for pdu, promise in zip(pdus, promises, strict=True):
            if obstacle:
                promise.set_result(NotSent(obstacle))
                continue
            try:
                sequence, written = self.session.request(pdu, now=now)
            except SessionError as error:
                promise.set_result(NotSent(str(error)))
                continue
            except PduError as error:
                promise.set_result(NotSent(error.sentence, fault=error.status))
                continue
            octets.append(written)
            if isinstance(pdu, AlertNotification | Outbind):
                promise.set_result(Response(response_to(pdu)))  # §4.1.7, §4.12: there is no answer to wait for
            else:
                self._waiting[sequence] = promise
        if octets:
            self.write(b"".join(octets))
            self._schedule()
        return promises

    async def request(self, pdu: Pdu, *, deadline: float | None = None) -> Outcome:
        """Send one message as soon as window and buffer allow, after those who waited before; its outcome.

        Never raises, whatever the peer does. Cancelling the wait does not call back what has been written.
        """
        async with self._turn:
            while self.open and not self._leaving and not self.room and self.session.may_ask(pdu.command):
                if deadline is not None and self.clock() > deadline:
                    break
                await self._wait_for_change(deadline)
            while deadline is not None and self.clock() <= deadline and self.open and not self.writable:
                await self._wait_for_change(deadline)
            (promise,) = self.start([pdu], deadline=deadline)
        return await promise

    def write(self, octets: bytes) -> None:
        """Write octets as they are. For drivers of odd peers; what the product sends goes through `start`."""
        if self._corked is not None:
            self._corked.append(octets)
        elif self._transport is not None and not self._transport.is_closing():
            self._transport.write(octets)

    def _say(self, octets: bytes) -> None:
        """Write an answer. Those that become ready together, as after a commit, leave in one write."""
        if not self._said:
            self._loop.call_soon(self._flush)
        self._said.append(octets)

    def _flush(self) -> None:
        said, self._said = self._said, []
        if said:
            self.write(b"".join(said))

    def cork(self) -> None:
        """Hold what is written until `uncork`, in the same turn of the loop: one write for many PDUs."""
        self._corked = []

    def uncork(self) -> None:
        held, self._corked = self._corked, None
        if held:
            self.write(b"".join(held))

    # --- the end ---

    async def unbind(self, *, within_seconds: float = 30) -> None:
        """Leave in order: finish what is in work on both sides, unbind, close. After `within_seconds` close as it is."""
        bound, self._leaving = self.bound, True
        self._changed.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(within_seconds):
                while self.open and (self._waiting or self.in_work):
                    await self._wait_for_change(None)
                if self.open and bound:
                    self.write(self.session.request(Unbind(), now=self.clock())[1])
                    self._schedule()
                while self.open and self.session.state in BOUND:
                    await self._wait_for_change(None)
        self.close("Closed before the unbind was answered." if bound else "Closed by us.")
        await self.wait_closed()

    def close(self, reason: str = "Closed by us.", *, closing: Closing = Closing.OURS) -> None:
        """Close now. What waits for an answer is Lost; what is in work is finished by its handlers, unanswered."""
        if self.closing is not None:
            return
        self._flush()
        self.closing, self.reason = closing, reason
        self.session.close()
        self._asked.clear()
        for timer in filter(None, (self._timer, self._parting)):
            timer.cancel()
        waiting, self._waiting = self._waiting, {}
        for promise in waiting.values():
            if not promise.done():
                promise.set_result(Lost(reason))
        self._changed.set()
        if self._transport is None:
            self._finish()
            return
        self._transport.close()
        if self._transport.get_write_buffer_size():
            # A last word may still be on its way; a peer that does not take it holds us no longer than this.
            self._timer = self._loop.call_later(self.session.timers.bind_seconds, self._transport.abort)

    async def wait_closed(self) -> None:
        """Until the connection is gone and every handler has come to its end."""
        await asyncio.shield(self._closed)
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    # --- what asyncio calls ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # A stream socket's, though uvloop's do not say so by their class. The loop has set TCP_NODELAY: no PDU waits for another.
        self._transport = transport = cast(asyncio.Transport, transport)
        transport.set_write_buffer_limits(high=self.limits.write_octets_max)
        name = transport.get_extra_info("peername")
        self.peer = f"{name[0]}:{name[1]}" if isinstance(name, tuple) else str(name or "")
        self._schedule()
        if self._on_open is not None:
            self._on_open(self)

    def data_received(self, data: bytes) -> None:
        if self.closing is None:
            self._take(self.session.receive(data, now=self.clock()))
            self._pace()

    def pause_writing(self) -> None:
        self._blocked = True
        self._pace()

    def resume_writing(self) -> None:
        self._blocked = False
        self._pace()
        self._changed.set()

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        if self.closing is None:
            self.close(f"The connection was lost: {exc}." if exc else "The peer closed the connection.", closing=Closing.PEER)
        if self._timer is not None:
            self._timer.cancel()
        self._finish()

    # --- the steps ---

    def _take(self, events: list[Event]) -> None:
        for event in events:
            match event:
                case Write(octets):
                    self.write(octets)
                case Asked(pdu) if isinstance(pdu, Unbind):
                    self._unbind_asked = pdu
                case Asked(pdu):
                    self._asked.append(pdu)
                    self._asked_octets += _weight(pdu)
                    self._work()  # at once: who hears of both hears of them in the order they came
                case Answered(sequence, _, response, late=False):
                    self._settle(sequence, Response(response))
                    if self.session.state is State.UNBOUND and not self._waiting:
                        self.close("Unbound." if self._parting is None else "The peer unbound.", closing=Closing.UNBOUND)
                case Answered(_, request, response):
                    if self._on_late is not None:
                        self._on_late(request, response)
                case Unanswered(sequence, request):
                    self._settle(
                        sequence, Lost(f"No answer to {request.command.name} in {self.session.timers.response_seconds:g} s.")
                    )
                case Stray(response):
                    name, number = response.command.name, response.sequence
                    self._complain("link.stray", _stray(name, number), command=name, sequence=number)
                case Unreadable(error):
                    said = f"A PDU came that cannot be read: {error.sentence}"
                    self._complain("link.unreadable", said, status=error.status.name, reason=error.sentence)
                case Broken(reason):
                    self.close(reason, closing=Closing.BROKEN)
        self._work()
        self._schedule()

    def _complain(self, event: str, says: str, **values: object) -> None:
        self._complaints += 1
        if self._complaints > COMPLAINTS_MAX:
            return
        last = self._complaints == COMPLAINTS_MAX
        log.warning(event, remote=self.peer, last=last, **values)
        if self._on_odd is not None:
            self._on_odd(f"{says} More of the kind on this link is told no more." if last else says)

    def _settle(self, sequence: int, outcome: Outcome) -> None:
        promise = self._waiting.pop(sequence, None)
        if promise is not None and not promise.done():
            promise.set_result(outcome)
        self._changed.set()

    def _work(self) -> None:
        """Begin with the requests whose turn has come."""
        while self._asked and len(self._tasks) < self.limits.asked_max:
            task = self._loop.create_task(self._answer(self._asked.popleft()))
            self._tasks.add(task)
            task.add_done_callback(self._worked)
        if self._unbind_asked is not None and not self._asked and not self._tasks and self.closing is None:
            self._say(self.session.answer(self._unbind_asked, response_to(self._unbind_asked)))
            self._unbind_asked = None
            part = partial(self.close, "The peer unbound.", closing=Closing.UNBOUND)
            self._parting = self._loop.call_later(LINGER_SECONDS, part)
            if not self._waiting:
                part()

    async def _answer(self, request: Pdu) -> None:
        try:
            response = await self.on_pdu(request)
            octets = self.session.answer(request, response) if response is not None else b""
        except Exception:
            # A fault of ours: the peer is told to come again, the link lives on, the log has the whole story.
            log.exception("link.handler_failed", remote=self.peer, command=request.command.name)
            response = response_to(request, Status.ESME_RSYSERR)
            octets = self.session.answer(request, response)
        finally:
            self._asked_octets -= _weight(request)
        if self.closing is not None or response is None or isinstance(request, AlertNotification | Outbind):
            return
        self._say(octets)
        if isinstance(request, Bind) and response.status != Status.ESME_ROK:
            self.close("The bind was refused.")

    def _worked(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("link.answer_failed", remote=self.peer, error=repr(error))
        self._work()
        self._pace()
        self._schedule()
        self._changed.set()

    def _obstacle(self) -> str:
        if not self.open:
            return self.reason or "The link is not open."
        if self._leaving:
            return "The link is about to be closed."
        if self._blocked:
            return "The peer does not take what was written before."
        return ""

    def _pace(self) -> None:
        """Read no more than we can hold, and nothing from a peer that does not take our answers."""
        full = (
            self._blocked
            or len(self._asked) > 0
            or len(self._tasks) >= self.limits.asked_max
            or self._asked_octets >= self.limits.asked_octets_max
        )
        if self._transport is None or self._transport.is_closing() or full is not self._reading:
            return
        self._reading = not full
        if full:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def _schedule(self) -> None:
        """Have the timer ring no later than the session needs it. Deadlines only move away, so ringing early is rare."""
        when = self.session.deadline()
        if when is None or self.closing is not None:
            return
        delay = max(0.0, when - self.clock())
        if self._timer is not None:
            if self._timer.when() <= self._loop.time() + delay:
                return
            self._timer.cancel()
        self._timer = self._loop.call_later(delay, self._ring)

    def _ring(self) -> None:
        self._timer = None
        self._take(self.session.tick(now=self.clock()))

    async def _wait_for_change(self, deadline: float | None) -> None:
        self._changed.clear()
        seconds = LOOK_AGAIN_SECONDS if deadline is not None else None
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._changed.wait()

    def _finish(self) -> None:
        if not self._closed.done():
            self._closed.set_result(None)


async def connect(
    host: str,
    port: int,
    *,
    bind: Bind,
    on_pdu: Handler = decline,
    tls: ssl.SSLContext | None = None,
    limits: Limits | None = None,
    timers: Timers | None = None,
    clock: Callable[[], float] = time.monotonic,
    on_late: Callable[[Pdu, Pdu], None] | None = None,
    on_odd: Callable[[str], None] | None = None,
) -> Link:
    """A bound link to a message centre. Raises LinkError if there is no connection, or the bind is refused."""
    limits = limits or Limits()
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(limits.connect_seconds):
            _, link = await loop.create_connection(
                lambda: Link(
                    Role.ESME, on_pdu=on_pdu, limits=limits, timers=timers, clock=clock, on_late=on_late, on_odd=on_odd
                ),
                host,
                port,
                ssl=tls,
                server_hostname=host if tls else None,
            )
    except TimeoutError as error:
        raise LinkError(
            f"No connection to {host}:{port} in {limits.connect_seconds:g} s: check host, port and firewall."
        ) from error
    except (OSError, ValueError) as error:  # ssl.SSLError is the first, a name that can be no host's the second
        raise LinkError(f"No connection to {host}:{port}: {error}.") from error
    (promise,) = link.start([bind])
    try:
        outcome = await promise
    except asyncio.CancelledError:
        link.close("Given up while binding.")
        raise
    if isinstance(outcome, Response) and outcome.pdu.status == Status.ESME_ROK:
        return link
    link.close("The bind was refused.")
    await link.wait_closed()
    if isinstance(outcome, Response):
        said = meaning(outcome.pdu.status)
        raise LinkError(f"{host}:{port} refused the bind of {bind.system_id}: {said.name}: {said.sentence}", status=said.code)
    if isinstance(outcome, NotSent):
        raise LinkError(f"The bind to {host}:{port} cannot be written: {outcome.reason}")
    raise LinkError(f"{host}:{port} did not answer the bind of {bind.system_id}: {outcome.reason}")


async def listen(
    host: str,
    port: int,
    *,
    make: Callable[[], Link],
    tls: ssl.SSLContext | None = None,
    backlog: int = 128,
) -> asyncio.Server:
    """Wait for peers; `make` makes the link of each, with Role.SMSC. Its `on_open` may close it, its handler judges the bind."""
    handshake_seconds = HANDSHAKE_SECONDS if tls else None
    loop = asyncio.get_running_loop()
    return await loop.create_server(make, host, port, ssl=tls, backlog=backlog, ssl_handshake_timeout=handshake_seconds)


def _stray(name: str, sequence: int) -> str:
    return f"{name} came under number {sequence}, and nothing waits for it: a second answer, or one under a wrong number."


def _weight(pdu: Pdu) -> int:
    """About the octets that a request holds while it is in work."""
    return PDU_OCTETS + sum(len(one.octets) + TLV_OCTETS for one in pdu.tlvs)
