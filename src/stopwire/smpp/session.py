"""One SMPP session, either side of it: who may ask what in which state, numbers, window, timers. Octets in, events out.

No clock and no socket: whoever drives a session tells it the time and writes what it says. What the peer does is never
an exception here, it is an event or an answer; what the driver does wrongly is one.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Final

from stopwire.smpp.fields import RESPONSE, SEQUENCE_MAX, Command, Status
from stopwire.smpp.pdu import (
    EnquireLink,
    EnquireLinkResp,
    Framer,
    GenericNack,
    Pdu,
    PduError,
    Unbind,
    decode,
    encode,
    type_of,
)

LATE_MAX = 1000  # requests of which a late answer is still understood


class Role(Enum):
    """The two sides: an application, and a message centre."""

    ESME = "esme"
    SMSC = "smsc"

    @property
    def peer(self) -> "Role":
        return Role.SMSC if self is Role.ESME else Role.ESME


class State(Enum):
    """§2.2; unbound is bound no more, and closed is the end."""

    OPEN = "open"
    BOUND_TX = "bound_tx"
    BOUND_RX = "bound_rx"
    BOUND_TRX = "bound_trx"
    UNBOUND = "unbound"
    CLOSED = "closed"


BOUND: Final = frozenset({State.BOUND_TX, State.BOUND_RX, State.BOUND_TRX})

_BINDS = frozenset({Command.BIND_TRANSMITTER, Command.BIND_RECEIVER, Command.BIND_TRANSCEIVER})
_EITHER = frozenset({Command.UNBIND, Command.ENQUIRE_LINK})
_TO_SMSC = frozenset(
    {Command.SUBMIT_SM, Command.SUBMIT_MULTI, Command.DATA_SM, Command.QUERY_SM, Command.CANCEL_SM, Command.REPLACE_SM}
)
_TO_ESME = frozenset({Command.DELIVER_SM, Command.DATA_SM, Command.ALERT_NOTIFICATION})
_NOTHING: frozenset[Command] = frozenset()

# Which requests a side may make in which state: §2.3, table 2-1. Responses are matched by number, whatever the state.
MAY_ASK: Final[Mapping[tuple[State, Role], frozenset[Command]]] = MappingProxyType(
    {
        (State.OPEN, Role.ESME): _BINDS | {Command.ENQUIRE_LINK},  # enquire_link: many stacks ask before they bind
        (State.OPEN, Role.SMSC): frozenset({Command.OUTBIND, Command.ENQUIRE_LINK}),
        (State.BOUND_TX, Role.ESME): _EITHER | _TO_SMSC,
        (State.BOUND_TX, Role.SMSC): _EITHER,
        (State.BOUND_RX, Role.ESME): _EITHER,
        (State.BOUND_RX, Role.SMSC): _EITHER | _TO_ESME,
        (State.BOUND_TRX, Role.ESME): _EITHER | _TO_SMSC,
        (State.BOUND_TRX, Role.SMSC): _EITHER | _TO_ESME,
        (State.UNBOUND, Role.ESME): _NOTHING,
        (State.UNBOUND, Role.SMSC): _NOTHING,
        (State.CLOSED, Role.ESME): _NOTHING,
        (State.CLOSED, Role.SMSC): _NOTHING,
    }
)

# Where an answer without an error leads.
_LEADS_TO: Final[Mapping[Command, State]] = MappingProxyType(
    {
        Command.BIND_TRANSMITTER: State.BOUND_TX,
        Command.BIND_RECEIVER: State.BOUND_RX,
        Command.BIND_TRANSCEIVER: State.BOUND_TRX,
        Command.UNBIND: State.UNBOUND,
    }
)

_WITHOUT_ANSWER = frozenset({Command.OUTBIND, Command.ALERT_NOTIFICATION})  # §4.1.7, §4.12
_OUTSIDE_WINDOW = _BINDS | _EITHER  # the window is for messages


class SessionError(Exception):
    """The driver asked for what this session cannot do now: a fault of ours, never of the peer's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timers:
    """§7.2. Seconds."""

    response_seconds: float = 30  # response_timer
    enquire_link_seconds: float | None = 30  # enquire_link_timer, of silence; None: never
    bind_seconds: float = 10  # session_init_timer: from the connection to an answered bind


@dataclass(frozen=True, slots=True)
class Write:
    """Octets for the peer, at once."""

    octets: bytes


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that fits the state: `answer` it, but for alert_notification and outbind, which have no answer."""

    request: Pdu


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer to our request; a generic_nack is one too. `late`: the request had been given up as unanswered."""

    sequence: int
    request: Pdu
    response: Pdu
    late: bool = False


@dataclass(frozen=True, slots=True)
class Unanswered:
    """Our request has had no answer in the time allowed. Whether it arrived, nobody knows."""

    sequence: int
    request: Pdu


@dataclass(frozen=True, slots=True)
class Stray:
    """An answer to nothing that is open: a second one, one of a wrong number or kind. Nothing follows from it."""

    response: Pdu


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A PDU that was answered, where it can be, with the error of its fault. The next one may be whole."""

    error: PduError


@dataclass(frozen=True, slots=True)
class Broken:
    """The session is at its end: close the connection."""

    reason: str


Event = Write | Asked | Answered | Unanswered | Stray | Unreadable | Broken


class Session:
    """A session from the connection to its end. `now` is any clock that never goes back, in seconds."""

    def __init__(self, role: Role, *, now: float, window: int = 10, timers: Timers | None = None) -> None:
        self.role: Final = role
        self.state = State.OPEN
        self.window = window  # messages that may be out at once
        self.timers: Final = timers or Timers()
        self._framer = Framer()
        self._sequence = 0
        self._open: dict[int, tuple[Pdu, float]] = {}  # what we asked and until when we wait, oldest first
        self._in_window = 0
        self._late: OrderedDict[int, Pdu] = OrderedDict()
        self._binding = False  # a bind of the peer's is being judged
        self._unbinding = False  # one side has said unbind
        self._probe: int | None = None  # the number of our open enquire_link
        self._heard = now
        self._open_until = now + self.timers.bind_seconds

    # --- what the driver does ---

    @property
    def room(self) -> int:
        """Messages that the window has room for."""
        return max(0, self.window - self._in_window) if self.state in BOUND and not self._unbinding else 0

    @property
    def outstanding(self) -> int:
        """Requests of ours that wait for their answer."""
        return len(self._open)

    def may_ask(self, command: Command) -> bool:
        """Whether `request` would take this command now, apart from the window."""
        if self._unbinding and command != Command.ENQUIRE_LINK:
            return False
        return command in MAY_ASK[self.state, self.role]

    def request(self, pdu: Pdu, *, now: float) -> tuple[int, bytes]:
        """Number and octets of a request, which is out from now on.

        Raises SessionError where the state forbids it or the window is full, PduError where it cannot be written; then
        nothing has changed.
        """
        command = pdu.command
        if not self.may_ask(command):
            raise SessionError(f"{command.name} is not for the {self.role.value} in a session that is {self._described}.")
        counts = command not in _OUTSIDE_WINDOW
        if counts and self._in_window >= self.window:
            raise SessionError(f"The window of {self.window} is full: wait for an answer before {command.name}.")
        sequence = self._free_number()
        octets = encode(pdu, sequence=sequence)
        self._sequence = sequence
        if command in _WITHOUT_ANSWER:
            return sequence, octets
        self._open[sequence] = (pdu, now + self.timers.response_seconds)
        self._in_window += counts
        if command is Command.UNBIND:
            self._unbinding = True
        elif command is Command.ENQUIRE_LINK:
            self._probe = sequence
        return sequence, octets

    def answer(self, request: Pdu, response: Pdu) -> bytes:
        """Octets of the response to a request that came as `Asked`. Raises SessionError for a response of another kind."""
        if response.command not in (request.command | RESPONSE, Command.GENERIC_NACK):
            raise SessionError(f"{response.command.name} does not answer {request.command.name}.")
        octets = encode(response, sequence=request.sequence)
        if request.command in _BINDS:
            self._binding = False
        if response.command != Command.GENERIC_NACK and response.status == Status.ESME_ROK:
            self._follow(request.command)
        return octets

    def receive(self, data: bytes, *, now: float) -> list[Event]:
        """What the octets from the peer mean, in their order. Never raises."""
        events: list[Event] = []
        if self.state is State.CLOSED:
            return events
        try:
            while frames := self._framer.feed(data):
                data = b""
                self._heard = now
                for frame in frames:
                    self._take(frame, events)
        except PduError as error:
            # §3.2: with the length lost, where the next PDU begins is lost too.
            events += [Unreadable(error), Write(encode(GenericNack(status=error.status))), Broken(error.sentence)]
            self.state = State.CLOSED
        return events

    def deadline(self) -> float | None:
        """When `tick` has something to do next; None: never, unless something else happens first."""
        if self.state is State.CLOSED:
            return None
        times = []
        if self._open:
            times.append(next(iter(self._open.values()))[1])
        if self.state is State.OPEN:
            times.append(self._open_until)
        elif self._may_probe and self.timers.enquire_link_seconds is not None:
            times.append(self._heard + self.timers.enquire_link_seconds)
        return min(times, default=None)

    def tick(self, *, now: float) -> list[Event]:
        """What has come to its time."""
        events: list[Event] = []
        if self.state is State.CLOSED:
            return events
        while self._open:
            sequence, (request, until) = next(iter(self._open.items()))
            if until > now:
                break
            self._forget(sequence, request)
            self._late[sequence] = request
            if len(self._late) > LATE_MAX:
                self._late.popitem(last=False)
            events.append(Unanswered(sequence, request))
            if isinstance(request, EnquireLink | Unbind) or request.command in _BINDS:
                return [*events, self._broken(f"No answer to {request.command.name} in {self.timers.response_seconds:g} s.")]
        if self.state is State.OPEN and now >= self._open_until:
            return [*events, self._broken(f"No bind in {self.timers.bind_seconds:g} s.")]
        silence = self.timers.enquire_link_seconds
        silent = silence is not None and now >= self._heard + silence
        if self._may_probe and (silent or events):  # a message without an answer puts the link itself in doubt
            events.append(Write(self.request(EnquireLink(), now=now)[1]))
        return events

    def close(self) -> None:
        """The connection is gone."""
        self.state = State.CLOSED

    # --- what the peer does ---

    def _take(self, frame: bytes, events: list[Event]) -> None:
        try:
            pdu = decode(frame)
        except PduError as error:
            events.append(Unreadable(error))
            if not error.command & RESPONSE:  # a nack for an answer would be answered, and so on
                events.append(self._declined(error.command, error.sequence, error.status))
            return
        if pdu.command & RESPONSE:
            events.append(self._match(pdu))
        elif pdu.command is Command.ENQUIRE_LINK:
            events.append(Write(encode(EnquireLinkResp(sequence=pdu.sequence))))
        elif status := self._objection(pdu):
            events.append(self._declined(pdu.command, pdu.sequence, status))
        else:
            self._binding = pdu.command in _BINDS
            self._unbinding = self._unbinding or pdu.command is Command.UNBIND
            events.append(Asked(pdu))

    def _objection(self, pdu: Pdu) -> Status | None:
        """Why a request is declined here, before anybody looks at what it asks for."""
        bind = pdu.command in _BINDS
        if bind and (self.state in BOUND or self._binding):
            return Status.ESME_RALYBND
        if pdu.command not in MAY_ASK[self.state, self.role.peer]:
            return Status.ESME_RINVBNDSTS
        if pdu.broken_tlvs and self.role is Role.SMSC:
            # We ask customers to write properly; what a carrier tells us is taken as far as it can be read.
            return Status.ESME_RINVOPTPARSTREAM
        return None

    def _match(self, response: Pdu) -> Event:
        sequence = response.sequence
        found = self._open.get(sequence)
        request = found[0] if found else self._late.get(sequence)
        if request is None or response.command not in (request.command | RESPONSE, Command.GENERIC_NACK):
            return Stray(response)
        if found is None:
            del self._late[sequence]
            return Answered(sequence, request, response, late=True)
        self._forget(sequence, request)
        if response.command != Command.GENERIC_NACK and response.status == Status.ESME_ROK:
            self._follow(request.command)
        return Answered(sequence, request, response)

    # --- the steps they share ---

    def _follow(self, command: Command) -> None:
        if self.state is not State.CLOSED:
            self.state = _LEADS_TO.get(command, self.state)

    def _forget(self, sequence: int, request: Pdu) -> None:
        del self._open[sequence]
        self._in_window -= request.command not in _OUTSIDE_WINDOW
        if sequence == self._probe:
            self._probe = None

    def _free_number(self) -> int:
        # §5.1.4: from 1 to 0x7FFFFFFF, and round again; a number that still waits for its answer is passed over.
        sequence = self._sequence
        while True:
            sequence = sequence % SEQUENCE_MAX + 1
            if sequence not in self._open:
                self._late.pop(sequence, None)
                return sequence

    def _declined(self, command: int, sequence: int, status: int) -> Write:
        # §4.3: a generic_nack for what is not known, or has no response of its own.
        kind = type_of.get(command | RESPONSE, GenericNack)
        return Write(encode(kind(sequence=sequence, status=status)))

    def _broken(self, reason: str) -> Broken:
        self.state = State.CLOSED
        return Broken(reason)

    @property
    def _may_probe(self) -> bool:
        return self._probe is None and self.state in BOUND

    @property
    def _described(self) -> str:
        return "unbinding" if self._unbinding else self.state.value
