"""The SMPP door: takes connections, judges binds, walks the flow of each request, and keeps every peer within bounds.

It holds no store and no rule of sending: what a submit becomes is decided by the same flow as for HTTP.
"""

import asyncio
import ssl
from collections import Counter, OrderedDict
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from stopwire import metrics
from stopwire.basket import Baskets
from stopwire.core.alphabets import decode
from stopwire.core.bound import REGISTERED, SubmittedPart
from stopwire.core.orders import Order
from stopwire.core.senders import AccountSettings, Directory
from stopwire.flows import bind, cancel, send, submit
from stopwire.link import Bind, Limits, Link, listen
from stopwire.log import get_logger
from stopwire.ports.clock import Clock
from stopwire.ports.faults import StoreFault
from stopwire.ports.house import House
from stopwire.ports.store import Messages, Services
from stopwire.smpp.fields import INTERFACE_VERSION, Status, Tag, meaning
from stopwire.smpp.pdu import (
    BindReceiver,
    BindReceiverResp,
    BindTransceiver,
    BindTransceiverResp,
    BindTransmitter,
    BindTransmitterResp,
    CancelSm,
    DataSm,
    DataSmResp,
    Pdu,
    QuerySm,
    QuerySmResp,
    ReplaceSm,
    SubmitMulti,
    SubmitSm,
    SubmitSmResp,
    response_to,
    tlv,
)
from stopwire.smpp.session import Role, Timers
from stopwire.smpp_server import translate
from stopwire.smpp_server.peers import Seat, Switchboard
from stopwire.smpp_server.translate import Decline, Submission

log = get_logger(__name__)
NAME = "Stopwire"  # system_id of our answers to a bind
LOOK_SECONDS = 5.0  # how long a suspended account, or a deleted key, may stay bound
LEAVE_SECONDS = 5.0  # for an unbind in order, when the gateway stops
FAILURES_SECONDS = 60.0
FAILURES_MAX = 10  # wrong binds of one address in that time; more are refused unread
ADDRESSES_MAX = 10_000  # whose failures are remembered
_ANSWERS = {BindReceiver: BindReceiverResp, BindTransmitter: BindTransmitterResp, BindTransceiver: BindTransceiverResp}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What peers may take up. The link has bounds of its own."""

    links_max: int = 1000  # connections, bound or not
    links_of_address_max: int = 100
    binds_of_account_max: int = 16
    limits: Limits = field(default_factory=lambda: Limits(window=10, asked_max=100, asked_octets_max=256 << 10, write_octets_max=64 << 10))
    timers: Timers = field(default_factory=lambda: Timers(response_seconds=15, enquire_link_seconds=30, bind_seconds=10))


class SmppServer:
    def __init__(self, house: House, switchboard: Switchboard, clock: Clock, *, bounds: Bounds | None = None) -> None:
        self.house, self.switchboard, self.clock = house, switchboard, clock
        self.bounds = bounds or Bounds()
        self.binds: Counter[str] = Counter()  # by account
        self.baskets = Baskets(house)
        self._customers: set[Customer] = set()
        self._addresses: Counter[str] = Counter()
        self._failures: OrderedDict[str, list[float]] = OrderedDict()  # monotonic seconds
        self._turned_away: Counter[str] = Counter()  # connections too many since the log was last told, by address
        self._listener: asyncio.Server | None = None
        self._looking: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self, host: str, port: int, *, tls: ssl.SSLContext | None = None) -> int:
        """Wait for customers. The port that is taken, which is another than `port` where that is 0."""
        self._listener = await listen(host, port, make=self._make, tls=tls)
        self._looking = asyncio.get_running_loop().create_task(self._look(), name="smpp_server")
        taken: int = self._listener.sockets[0].getsockname()[1]
        return taken

    async def close(self) -> None:
        """Take no more customers, let those who are bound go in order."""
        if self._listener is not None:
            self._listener.close()
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)
        await asyncio.gather(*(customer.link.unbind(within_seconds=LEAVE_SECONDS) for customer in list(self._customers)))
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # ── who is there ─────────────────────────────────────────────────────────────────────────────────────

    def _make(self) -> Link:
        customer = Customer(self)
        customer.link = Link(
            Role.SMSC,
            on_pdu=customer.asked,
            on_open=customer.opened,
            limits=self.bounds.limits,
            timers=self.bounds.timers,
            clock=self.clock.monotonic,
        )
        return customer.link

    def enter(self, customer: "Customer") -> bool:
        """Count a new connection; False where it is one too many."""
        bounds = self.bounds
        crowded = len(self._customers) >= bounds.links_max
        if crowded or self._addresses[customer.address] >= bounds.links_of_address_max:
            if not self._turned_away:  # the first of a flood at once, the sum of the others when `_look` comes round
                log.warning("smpp.turned_away", remote=customer.address, most=bounds.links_max if crowded else bounds.links_of_address_max)
            self._turned_away[customer.address if len(self._turned_away) < ADDRESSES_MAX else "others"] += 1
            return False
        self._customers.add(customer)
        self._addresses[customer.address] += 1
        self.spawn(self._leave(customer))
        return True

    async def _leave(self, customer: "Customer") -> None:
        """Wait for the end of a connection, and forget it."""
        await customer.link.wait_closed()
        self._customers.discard(customer)
        self._addresses[customer.address] -= 1
        if not self._addresses[customer.address]:
            del self._addresses[customer.address]
        if customer.seat is not None:
            self.switchboard.remove(customer.seat)
        if customer.account:
            self.binds[customer.account] -= 1
            if not self.binds[customer.account]:
                del self.binds[customer.account]
            log.info("smpp.left", remote=customer.link.peer, account=customer.account, reason=customer.link.reason)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (fault := task.exception()):
            log.error("smpp.task_failed", exc_info=fault)

    async def _look(self) -> None:
        """Show those out who may no longer be here, and learn what the others have chosen meanwhile."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            self._tell_turned_away()
            for customer in [each for each in self._customers if each.account]:
                try:
                    settings: AccountSettings | None = await self.house(bind.stands, account=customer.account, key=customer.key)
                except StoreFault:
                    continue
                if settings is None:
                    customer.link.close("The account or its key is no longer active.")
                else:
                    customer.settings = settings

    def _tell_turned_away(self) -> None:
        """Connections beyond the bounds, in one line however many they were."""
        if self._turned_away:
            (address, most), *_ = self._turned_away.most_common(1)
            connections, addresses = self._turned_away.total(), len(self._turned_away)
            log.warning("smpp.turned_away", connections=connections, addresses=addresses, remote=address, of_it=most)
            self._turned_away.clear()

    # ── who fails to bind ────────────────────────────────────────────────────────────────────────────────

    def barred(self, address: str) -> bool:
        """Whether this address has failed so often that it is not even asked for its password."""
        since = self.clock.monotonic() - FAILURES_SECONDS
        recent = [at for at in self._failures.get(address, []) if at > since]
        if recent:
            self._failures[address] = recent
        else:
            self._failures.pop(address, None)
        return len(recent) >= FAILURES_MAX

    def failed(self, address: str) -> None:
        self._failures.setdefault(address, []).append(self.clock.monotonic())
        self._failures.move_to_end(address)
        while len(self._failures) > ADDRESSES_MAX:
            self._failures.popitem(last=False)


class Customer:
    """One connection of a customer's application, from its first octet to its end."""

    link: Link

    def __init__(self, server: SmppServer) -> None:
        self._server, self._house = server, server.house
        self.address = ""  # without its port
        self.account = ""  # once bound
        self.key: str | None = None
        self.seat: Seat | None = None
        self.settings = AccountSettings()

    def opened(self, link: Link) -> None:
        self.address = link.peer.rpartition(":")[0]
        if not self._server.enter(self):
            link.close("Too many connections.")

    async def asked(self, pdu: Pdu) -> Pdu:
        """The response to a request. Whether the session is bound for it has been judged by the link."""
        answer = await self._answered(pdu)
        metrics.smpp_answered(pdu.command.name, meaning(answer.status).name)
        if self.seat is not None and isinstance(pdu, SubmitSm | DataSm | SubmitMulti):
            taken = answer.status == Status.ESME_ROK
            self.seat.taken += taken
            self.seat.declined += not taken
        return answer

    async def _answered(self, pdu: Pdu) -> Pdu:
        try:
            match pdu:
                case BindReceiver() | BindTransmitter() | BindTransceiver():
                    return await self._bind(pdu)
                case SubmitSm() | DataSm():
                    return await self._submit(pdu)
                case QuerySm():
                    return await self._query(pdu)
                case CancelSm():
                    return await self._cancel(pdu)
                case SubmitMulti():
                    return self._declined(pdu, Status.ESME_RSUBMITFAIL, "Submit to one recipient at a time.")
                case ReplaceSm():
                    return self._declined(pdu, Status.ESME_RREPLACEFAIL, "Messages are not replaced here.")
                case _:
                    return self._declined(pdu, Status.ESME_RINVCMDID, "This command is not known here.")
        except StoreFault as fault:
            return translate.declined(pdu, translate.decline_for(fault), explain=self._explains)

    # ── bind ─────────────────────────────────────────────────────────────────────────────────────────────

    async def _bind(self, pdu: Bind) -> Pdu:
        server = self._server
        if server.barred(self.address):
            log.warning("smpp.barred", remote=self.link.peer)
            return response_to(pdu, Status.ESME_RBINDFAIL)
        who = await self._house(bind.bind, system_id=pdu.system_id, password=pdu.password)
        if who.failure is not None:
            server.failed(self.address)
            log.warning("smpp.bind_refused", remote=self.link.peer, failure=who.failure)
            # One answer for both, so that nobody learns which names exist.
            wrong = who.failure in ("system_id", "password")
            return response_to(pdu, Status.ESME_RINVPASWD if wrong else Status.ESME_RBINDFAIL)
        if server.binds[who.account] >= server.bounds.binds_of_account_max:
            log.warning("smpp.too_many_binds", remote=self.link.peer, account=who.account)
            return response_to(pdu, Status.ESME_RBINDFAIL)
        server.binds[who.account] += 1
        self.account, self.key = who.account, who.key
        settings: AccountSettings | None = await self._house(bind.stands, account=who.account, key=who.key)
        self.settings = self.settings if settings is None else settings
        how = pdu.command.name.lower().removeprefix("bind_")
        self.seat = server.switchboard.add(self.link, account=self.account, key=self.key, system_id=pdu.system_id, how=how)
        log.info("smpp.bound", remote=self.link.peer, account=who.account, as_=pdu.command.name)
        if not isinstance(pdu, BindTransmitter):
            server.spawn(self._receiving())  # begins when the bind has been answered
        return _ANSWERS[type(pdu)](
            sequence=pdu.sequence, system_id=NAME, tlvs=(tlv(Tag.SC_INTERFACE_VERSION, INTERFACE_VERSION),)
        )

    async def _receiving(self) -> None:
        try:
            waiting = await self._house(bind.receiving, account=self.account)
        except StoreFault:
            return  # what waits is tried by its schedule
        if waiting:
            log.info("smpp.hurried", account=self.account, deliveries=waiting)

    # ── submit ───────────────────────────────────────────────────────────────────────────────────────────

    async def _submit(self, pdu: SubmitSm | DataSm) -> Pdu:
        asked = translate.submission(pdu, now=self._server.clock.now())
        if isinstance(asked, Decline):
            return self._declined(pdu, asked.status, asked.says)
        sid = ""
        if asked.place is None:
            outcome = await self._send(asked, decode(asked.octets, asked.alphabet), registered=asked.registered)
        else:
            part = self._part(asked)
            gathered = await self._house(submit.gather, part=part)
            if gathered.body is None:
                return self._accepted(pdu, gathered.message)
            # The key makes it harmless that the last part comes again, its answer having been lost.
            sid = gathered.message
            outcome = await self._send(asked, gathered.body, registered=gathered.registered, sid=sid, key=f"smpp:{sid}")
            await self._house(submit.gathered, part=part, taken=not isinstance(outcome, Decline))
        if isinstance(outcome, Decline):
            return self._declined(pdu, outcome.status, outcome.says)
        return self._accepted(pdu, outcome)

    def _part(self, asked: Submission) -> SubmittedPart:
        place = asked.place
        assert place is not None
        return SubmittedPart(
            account=self.account,
            sender=asked.sender,
            recipient=asked.recipient,
            reference=f"{place.width}:{place.reference}",
            total=place.total,
            part=place.part,
            octets=asked.octets,
            alphabet=asked.alphabet.value,
            registered=asked.registered,
        )

    async def _send(
        self, asked: Submission, body: str, *, registered: int, sid: str = "", key: str | None = None
    ) -> str | Decline:
        """Order a message: its SID once it is on disk, or why it is declined."""
        service = asked.service
        if not service and (not asked.sender or asked.send_at):
            service = await self._service(asked.sender)
        order = Order(
            to=asked.recipient,
            from_=asked.sender,
            service=service,
            body=body,
            validity_period=None if asked.validity_seconds is None else str(asked.validity_seconds),
            schedule_type="fixed" if asked.send_at else None,
            send_at=_iso(asked.send_at),
            options={REGISTERED: registered} if registered else {},
            sid=sid,
        )
        if key is None:
            receipt = await self._server.baskets.send(self.account, order)
        else:
            sent = await self._house(send.send, account=self.account, orders=[order], key=key)
            if sent.conflict:  # the same text, asked for anew with another schedule: what was taken first stands
                return sid
            receipt = sent.receipts[0]
        if receipt.refused is not None:
            return translate.decline_of(receipt.refused)
        assert receipt.message is not None
        return receipt.message.sid

    async def _service(self, sender: str) -> str:
        """The service a sender speaks for; without a sender, the account's service where it has only one."""
        directory: Directory = await self._house.read(self.account, Services.directory)
        if sender:
            found = directory.sender_at(sender)
            return (found.service or "") if found else ""
        return next(iter(directory.services)) if len(directory.services) == 1 else ""

    def _accepted(self, pdu: SubmitSm | DataSm, sid: str) -> Pdu:
        if isinstance(pdu, DataSm):
            return DataSmResp(sequence=pdu.sequence, message_id=sid)
        return SubmitSmResp(sequence=pdu.sequence, message_id=sid)

    # ── afterwards ───────────────────────────────────────────────────────────────────────────────────────

    async def _query(self, pdu: QuerySm) -> Pdu:
        message = await self._house.read(self.account, Messages.get, pdu.message_id)
        if message is None:
            return self._declined(pdu, Status.ESME_RINVMSGID, "The account has no such message.")
        return QuerySmResp(
            sequence=pdu.sequence,
            message_id=pdu.message_id,
            final_date=translate.final_date(message),
            message_state=int(translate.state_of(message)[0]),
            error_code=0xFF if message.error_code else 0,  # one octet has no room for ours: the receipt tells it
        )

    async def _cancel(self, pdu: CancelSm) -> Pdu:
        if not pdu.message_id:
            return self._declined(pdu, Status.ESME_RCANCELFAIL, "Name the message to be cancelled.")
        changed = await self._house(cancel.cancel, account=self.account, sid=pdu.message_id)
        if changed.refused is not None:
            return self._declined(pdu, Status.ESME_RCANCELFAIL, f"{changed.refused.code} {changed.refused.message}")
        if changed.message is None:
            return self._declined(pdu, Status.ESME_RINVMSGID, "The account has no such message.")
        return response_to(pdu)

    @property
    def _explains(self) -> bool:
        return self.settings.smpp_tlvs == "vendor"

    def _declined(self, pdu: Pdu, status: Status, says: str) -> Pdu:
        log.info("smpp.declined", account=self.account, command=pdu.command.name, status=status.name, code=says.partition(" ")[0])
        return translate.declined(pdu, Decline(status=status, says=says), explain=self._explains)


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
