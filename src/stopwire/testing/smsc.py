"""A scriptable message centre on a local port, for tests and rehearsals: it answers as told, and remembers everything.

It speaks through the same `link` as the product, and may misbehave as carriers do: silent, late, twice, out of order.
Nothing of it belongs in production.
"""

import asyncio
import ssl
import time
from collections import deque
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, Final, Self

from stopwire.link import Limits, Link, NotSent, Outcome, Response, listen
from stopwire.smpp import receipt
from stopwire.smpp.fields import DataCoding, EsmClass, MessageState, Npi, RegisteredDelivery, Status, Tag, Ton
from stopwire.smpp.pdu import (
    BindReceiver,
    BindTransceiver,
    BindTransmitter,
    DeliverSm,
    Pdu,
    QuerySm,
    QuerySmResp,
    SubmitSm,
    SubmitSmResp,
    Tlv,
    body,
    encode,
    response_to,
    tlv,
)
from stopwire.smpp.session import Role, Timers

DATE: Final = "2401011200"  # of every receipt: nothing may depend on it


class When(Enum):
    """When the receipt of a message comes."""

    NEVER = "never"
    BEFORE = "before the response"
    AFTER = "after the response"
    TWICE = "twice, after the response"
    REORDERED = "the final one, then one of a message on its way"


class Form(Enum):
    """How a receipt spells the id that the response gave."""

    AS_IS = "as it is"
    UPPER = "in capitals"
    DECIMAL = "hexadecimal turned decimal"
    HEX = "decimal turned hexadecimal"
    WITHOUT_ZEROS = "without leading zeros"


class Carry(Enum):
    """Where a receipt carries its fields."""

    TEXT = "text"
    TLVS = "tlvs"
    BOTH = "both"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reports:
    """The receipt of an accepted message. Only those who asked with registered_delivery get one."""

    when: When = When.AFTER
    state: MessageState = MessageState.DELIVERED
    error: str = "000"
    form: Form = Form.AS_IS
    carry: Carry = Carry.BOTH
    delay_seconds: float = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Accept:
    """An id, and a receipt. `message_id`: that one, else the next of the centre's own."""

    message_id: str | None = None
    reports: Reports | None = None  # None: as the centre is set
    delay_seconds: float | None = None  # None: as the centre is set
    answers: int = 1  # 2: answers twice
    sequence_off: int = 0  # answers under a wrong number, this much beside the right one


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """An error: 0x58 throttled, 0x14 queue full, any other."""

    status: int
    delay_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """No answer. `keep`: the message is taken all the same, and its receipt may come."""

    keep: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HangUp:
    """The connection is cut, at once, without an answer. `keep`: the message is taken all the same."""

    keep: bool = False


Action = Accept | Reject | Silence | HangUp

THROTTLE: Final = Reject(status=Status.ESME_RTHROTTLED)
QUEUE_FULL: Final = Reject(status=Status.ESME_RMSGQFUL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """One submit_sm as it came."""

    pdu: SubmitSm
    at: float  # monotonic
    system_id: str
    action: Action
    message_id: str | None  # None: not taken

    @property
    def octets(self) -> bytes:
        return body(self.pdu)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One deliver_sm that we sent, and what was answered: a status, or None where nothing was."""

    pdu: DeliverSm
    at: float
    status: int | None


@dataclass(slots=True)
class _Peer:
    """Who is bound on one link."""

    link: Link
    bind: Pdu | None = None
    stamps: deque[float] = field(default_factory=deque)  # of the submissions in the last second
    in_work: int = 0

    @property
    def receives(self) -> bool:
        return self.link.bound and isinstance(self.bind, BindReceiver | BindTransceiver)

    @property
    def system_id(self) -> str:
        return self.bind.system_id if isinstance(self.bind, BindTransmitter | BindReceiver | BindTransceiver) else ""


class Smsc:
    """A message centre: `async with Smsc() as smsc:`, then bind to `smsc.host`, `smsc.port`.

    What to do with a message: the actions of `script` first, one a message, in order; then `choose`, which by default
    accepts. `rate` and `window` are limits per bind: beyond them a message is answered with ESME_RTHROTTLED.
    """

    host: Final = "127.0.0.1"

    def __init__(
        self,
        *,
        system_id: str = "stopwire-smsc",
        password: str | None = None,
        binds_max: int | None = None,
        rate: int | None = None,
        window: int | None = None,
        delay_seconds: float = 0,
        reports: Reports | None = None,
        choose: Callable[[SubmitSm], Action] | None = None,
        limits: Limits | None = None,
        timers: Timers | None = None,
        port: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.system_id = system_id
        self.password = password  # None: any will do
        self.binds_max = binds_max
        self.rate = rate
        self.window = window
        self.delay_seconds = delay_seconds
        self.reports = reports or Reports()
        self.choose = choose or (lambda _: Accept())
        self.bind_status: int = Status.ESME_ROK  # another: every bind is refused with it
        self.port = port
        self.tls = tls  # None: in the clear
        self.submissions: list[Submission] = []
        self.deliveries: list[Delivery] = []
        self.other: list[Pdu] = []  # requests that are neither binds nor submit_sm
        self.binds: list[Pdu] = []  # every bind that was accepted, in order
        self._limits = limits or Limits(window=1000, asked_max=1000)
        self._timers = timers or Timers(enquire_link_seconds=None)
        self._script: deque[Action] = deque()
        self._states: dict[str, MessageState] = {}  # what query_sm is answered
        self._peers: list[_Peer] = []
        self._ids = 0
        self._tasks: set[asyncio.Task[object]] = set()
        self._heard = asyncio.Condition()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        self._server = await listen(self.host, self.port, make=self._call, tls=self.tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Cut every link and stop listening. The port stays ours in name only."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self.cut()
        for peer in self._peers:
            await peer.link.wait_closed()
        self._peers.clear()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def restart(self) -> None:
        """Stop, forget every message and its receipt, start again on the same port. What was recorded stays."""
        await self.stop()
        self._states.clear()
        await self.start()

    def cut(self) -> None:
        """Cut every link at once, with no word."""
        for peer in self._peers:
            peer.link.close("Cut by the script.")

    async def unbind(self) -> None:
        """Ask every bound peer to leave, in order."""
        await asyncio.gather(*(peer.link.unbind() for peer in self._peers))

    def script(self, *actions: Action) -> None:
        """What to do with the next messages, one action each."""
        self._script.extend(actions)

    @property
    def bound(self) -> int:
        """Links that are bound now."""
        return sum(peer.link.bound for peer in self._peers)

    async def heard(self, count: int, *, within_seconds: float = 5) -> list[Submission]:
        """The submissions, once there are `count`. Raises TimeoutError if there never are."""
        async with asyncio.timeout(within_seconds), self._heard:
            await self._heard.wait_for(lambda: len(self.submissions) >= count)
        return self.submissions

    async def bound_to(self, count: int, *, within_seconds: float = 5) -> None:
        """Until `count` links are bound."""
        async with asyncio.timeout(within_seconds), self._heard:
            await self._heard.wait_for(lambda: self.bound >= count)

    async def deliver(
        self,
        octets: bytes = b"",
        *,
        source: str = "447700900123",
        destination: str = "14155550100",
        data_coding: int = DataCoding.SMSC_DEFAULT,
        esm_class: int = EsmClass.DEFAULT,
        udh: bytes = b"",
        tlvs: Iterable[Tlv] = (),
        pdu: DeliverSm | None = None,
    ) -> int | None:
        """Send one message to the application, and the status it answered; None if it did not. `pdu`: that one, as it is.

        Raises LookupError if nobody is bound who receives.
        """
        if pdu is None:
            pdu = DeliverSm(
                source_addr_ton=Ton.INTERNATIONAL,
                source_addr_npi=Npi.ISDN,
                source_addr=source,
                dest_addr_ton=Ton.INTERNATIONAL,
                dest_addr_npi=Npi.ISDN,
                destination_addr=destination,
                esm_class=esm_class | (EsmClass.UDHI if udh else 0),
                data_coding=data_coding,
                short_message=udh + octets,
                tlvs=tuple(tlvs),
            )
        return await self._delivered(pdu, self._start(pdu))

    async def report(self, submission: Submission, reports: Reports) -> int | None:
        """Send the receipt of a submission, whatever its script said."""
        return await self.deliver(pdu=self._receipt(submission.pdu, submission.message_id or "", reports, reports.state))

    def _start(self, pdu: DeliverSm) -> asyncio.Future[Outcome]:
        peer = next((one for one in self._peers if one.receives), None)
        if peer is None:
            raise LookupError("Nobody is bound who receives: bind as receiver or transceiver first.")
        (promise,) = peer.link.start([pdu])
        return promise

    async def _delivered(self, pdu: DeliverSm, promise: asyncio.Future[Outcome]) -> int | None:
        at = time.monotonic()
        outcome = await promise
        if isinstance(outcome, NotSent):
            raise LookupError(outcome.reason)
        status = outcome.pdu.status if isinstance(outcome, Response) else None
        self.deliveries.append(Delivery(pdu=pdu, at=at, status=status))
        return status

    # --- what the peers ask ---

    def _call(self) -> Link:
        link = Link(Role.SMSC, limits=self._limits, timers=self._timers)
        peer = _Peer(link)
        link.on_pdu = lambda pdu: self._answer(peer, pdu)
        self._peers = [one for one in self._peers if one.link.closing is None]
        self._peers.append(peer)
        return link

    async def _answer(self, peer: _Peer, pdu: Pdu) -> Pdu | None:
        match pdu:
            case BindTransmitter() | BindReceiver() | BindTransceiver():
                return await self._judge(peer, pdu)
            case SubmitSm():
                return await self._submitted(peer, pdu)
            case QuerySm():
                self.other.append(pdu)
                state = self._states.get(pdu.message_id)
                if state is None:
                    return QuerySmResp(status=Status.ESME_RQUERYFAIL)
                return QuerySmResp(message_id=pdu.message_id, message_state=state)
            case _:
                self.other.append(pdu)
                return response_to(pdu, Status.ESME_RINVCMDID)

    async def _judge(self, peer: _Peer, pdu: BindTransmitter | BindReceiver | BindTransceiver) -> Pdu:
        answer = response_to(pdu)
        status = self.bind_status
        if not status and self.password is not None and pdu.password != self.password:
            status = Status.ESME_RINVPASWD
        if not status and self.binds_max is not None and self.bound >= self.binds_max:
            status = Status.ESME_RALYBND
        if status:
            return replace(answer, status=status)
        peer.bind = pdu
        self.binds.append(pdu)
        asyncio.get_running_loop().call_soon(self._later, self._tell())
        named = {"system_id": self.system_id, "tlvs": (tlv(Tag.SC_INTERFACE_VERSION, 0x34),)}
        return replace(answer, **named)  # type: ignore[arg-type]  # each of the three responses has these

    async def _submitted(self, peer: _Peer, pdu: SubmitSm) -> Pdu | None:
        at = time.monotonic()
        peer.in_work += 1
        try:
            action = self._limit(peer, at) or (self._script.popleft() if self._script else self.choose(pdu))
            taken = isinstance(action, Accept) or (isinstance(action, Silence | HangUp) and action.keep)
            message_id = self._next_id(action) if taken else None
            submission = Submission(pdu=pdu, at=at, system_id=peer.system_id, action=action, message_id=message_id)
            self.submissions.append(submission)
            await self._tell()
            return await self._act(peer, submission)
        finally:
            peer.in_work -= 1

    async def _act(self, peer: _Peer, submission: Submission) -> Pdu | None:
        action, request = submission.action, submission.pdu
        delay = action.delay_seconds if isinstance(action, Accept | Reject) else None
        if delay := self.delay_seconds if delay is None else delay:
            await asyncio.sleep(delay)
        if isinstance(action, HangUp):
            peer.link.close("Cut by the script.")
        if isinstance(action, Reject):
            return SubmitSmResp(status=action.status)
        reports = (action.reports if isinstance(action, Accept) else None) or self.reports
        if submission.message_id is None:
            return None
        self._states[submission.message_id] = reports.state
        asked = request.registered_delivery & (RegisteredDelivery.FINAL | RegisteredDelivery.FAILURE)
        if asked == RegisteredDelivery.FAILURE and reports.state is MessageState.DELIVERED:
            asked = RegisteredDelivery.NONE
        if asked and reports.when is When.BEFORE:
            with suppress(LookupError):  # the link was cut meanwhile
                early = self._receipt(request, submission.message_id, reports, reports.state)
                self._later(self._delivered(early, self._start(early)))
        elif asked and reports.when is not When.NEVER:
            # Behind the response, which is written when this returns.
            asyncio.get_running_loop().call_soon(self._later, self._report_later(submission, reports))
        if not isinstance(action, Accept):
            return None
        answer = SubmitSmResp(message_id=submission.message_id)
        sequence = request.sequence + action.sequence_off
        for _ in range(action.answers - 1 + bool(action.sequence_off)):
            peer.link.write(encode(answer, sequence=sequence))
        return None if action.sequence_off else answer

    def _limit(self, peer: _Peer, at: float) -> Action | None:
        if self.window is not None and peer.in_work > self.window:
            return THROTTLE
        if self.rate is None:
            return None
        while peer.stamps and peer.stamps[0] <= at - 1:
            peer.stamps.popleft()
        if len(peer.stamps) >= self.rate:
            return THROTTLE
        peer.stamps.append(at)
        return None

    def _next_id(self, action: Action) -> str:
        if isinstance(action, Accept) and action.message_id is not None:
            return action.message_id
        self._ids += 1
        return f"{self._ids:010}"

    # --- receipts ---

    async def _report_later(self, submission: Submission, reports: Reports) -> None:
        if reports.delay_seconds:
            await asyncio.sleep(reports.delay_seconds)
        if submission.message_id not in self._states:
            return  # forgotten
        try:
            await self.report(submission, reports)
            if reports.when is When.TWICE:
                await self.report(submission, reports)
            elif reports.when is When.REORDERED:
                await self.report(submission, replace(reports, state=MessageState.ENROUTE))
        except LookupError:
            return  # nobody is bound to hear it: a centre would keep it, this one was not told to

    def _receipt(self, request: SubmitSm, message_id: str, reports: Reports, state: MessageState) -> DeliverSm:
        spelt = spell(message_id, reports.form)
        octets, tlvs = b"", []
        if reports.carry is not Carry.TLVS:
            octets = receipt.text(spelt, state, submit_date=DATE, done_date=DATE, error=reports.error)
        if reports.carry is not Carry.TEXT:
            tlvs = [tlv(Tag.RECEIPTED_MESSAGE_ID, spelt), tlv(Tag.MESSAGE_STATE, state)]
        if (reference := request.tlv(Tag.USER_MESSAGE_REFERENCE)) is not None:
            tlvs.append(Tlv(Tag.USER_MESSAGE_REFERENCE, reference))
        return DeliverSm(
            source_addr_ton=request.dest_addr_ton,
            source_addr_npi=request.dest_addr_npi,
            source_addr=request.destination_addr,
            dest_addr_ton=request.source_addr_ton,
            dest_addr_npi=request.source_addr_npi,
            destination_addr=request.source_addr,
            esm_class=EsmClass.RECEIPT,
            short_message=octets,
            tlvs=tuple(tlvs),
        )

    # --- tasks ---

    def _later(self, work: Coroutine[Any, Any, object]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tell(self) -> None:
        async with self._heard:
            self._heard.notify_all()


def spell(message_id: str, form: Form) -> str:
    """The id as a receipt spells it. An id that is no number stays as it is."""
    try:
        match form:
            case Form.AS_IS:
                return message_id
            case Form.UPPER:
                return message_id.upper()
            case Form.DECIMAL:
                return str(int(message_id, 16))
            case Form.HEX:
                return f"{int(message_id):x}"
            case Form.WITHOUT_ZEROS:
                return message_id.lstrip("0") or message_id
    except ValueError:
        return message_id
