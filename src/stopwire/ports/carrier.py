"""What a journey may ask of a carrier, and what a carrier may tell us.

The rules of the seam:
 1. `send` calls `answered` exactly once for each Part, as the answers come, and returns when all have come. Parts to
    one recipient leave in the order given. It MUST NOT raise for what a network does. An UNKNOWN may be followed
    once, later, by the answer that came after all.
 2. A carrier MUST NOT repeat a part by itself, and MUST NOT store or decide about consent.
 3. ACCEPTED means that the carrier has the part; UNKNOWN that it may have it; RELEASED that no byte of it left.
 4. No byte of a part leaves after its `write_by`: it is answered RELEASED instead. The comparison and the write stand
    in one step of the event loop. Of a part in several segments this holds for the first; the others follow it as the
    window allows, until `halt`.
 5. After `halt` no further segment of the named attempts leaves; a part cut short so is answered HALTED, and one of
    which nothing has left RELEASED.
 6. `Inbox.received` returns after the commit; the carrier acknowledges only then. If it raises, the carrier
    MUST answer its network so that the text comes again.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from stopwire.core.chaos import Chaos, Reception
from stopwire.core.connections import LinkEvent, LinkState, Sealed
from stopwire.core.jobs import HandsetMessage
from stopwire.core.outcomes import DeliveryReport, InboundMedia, Outcome, Part, Received
from stopwire.core.policy import Problem
from stopwire.ports.clock import Clock, Ids
from stopwire.ports.http import Http, PrivateTargets


class Inbox(Protocol):
    """Where a carrier with a live link hands what it hears."""

    async def received(self, heard: Received) -> str | None:
        """Take one inbound text; the SID of its message, None where none is kept."""
        ...

    async def reported(self, reports: Sequence[DeliveryReport]) -> None: ...

    def ready(self) -> None:
        """There is room again: whoever hands over parts should look. Called from the event loop, costs nothing."""
        ...


class Carrier(Protocol):
    """One connection to an upstream."""

    async def start(self, inbox: Inbox) -> None: ...
    async def stop(self) -> None: ...

    def room(self) -> int:
        """How many parts may be handed over now; 0 while the link is down."""
        ...

    async def send(self, parts: Sequence[Part], answered: Callable[[Outcome], None]) -> None: ...

    def halt(self, attempts: Sequence[str]) -> None: ...

    async def recall(self, parts: Sequence[str]) -> list[Outcome]:
        """What became of attempts whose answer we never saw, where the carrier can tell. Others are left out."""
        ...

    def state(self) -> LinkState: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One setting of a kind of carrier."""

    name: str
    says: str
    required: bool = False
    secret: bool = False
    default: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CarrierType:
    """A kind of carrier, and what a connection of it needs."""

    name: str
    says: str
    fields: tuple[Field, ...] = ()
    called: str = ""  # how the URL ends that its provider is to call with texts; empty where nobody calls


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What a carrier is given to work with."""

    http: Http
    clock: Clock
    ids: Ids
    private: PrivateTargets  # which addresses that are not public may be called
    public_url: str  # base of the URLs that a provider calls, without a slash at its end
    tell: Callable[[str, str], None]  # (event, sentence): one line in the connection's log


class CarrierClass(Protocol):
    """How a kind of carrier is made: a class with these is all that a file of `carriers/` has to hold."""

    TYPE: CarrierType

    def __call__(self, sealed: Sealed, secrets: Mapping[str, str], tools: Tools) -> Carrier:
        """`secrets` are opened, by field name; `sealed.connection.settings` are the others."""
        ...

    def problems(self, settings: Mapping[str, Any]) -> list[Problem]:
        """What is wrong with the settings of a connection to be, secrets among them; known, present and non-empty fields only."""
        ...


class Carriers(Protocol):
    """All connections of this process, by the SID of each."""

    def get(self, connection: str) -> Carrier | None: ...
    def names(self) -> list[str]: ...

    def up(self) -> frozenset[str]:
        """Connections that take messages now."""
        ...

    def usable(self) -> frozenset[str]:
        """Connections that are not known to be down: up, just being opened, or due to be tried again. Costs next to nothing."""
        ...

    def full(self) -> frozenset[str]:
        """SIDs of senders for whom no more may wait, as they were last counted."""
        ...

    def fill(self, senders: Collection[str]) -> None:
        """These are the senders for whom no more may wait now."""
        ...

    def halt(self, attempts: Sequence[str]) -> None:
        """Let no further segment of these attempts leave, whichever connection has them."""
        ...

    def types(self) -> list[CarrierType]: ...

    def problems(self, type_: str, settings: Mapping[str, Any]) -> list[Problem]:
        """What is wrong with the settings of a connection to be, secrets included."""
        ...

    async def test(self, sealed: Sealed) -> LinkState:
        """Try a connection without using it."""
        ...

    def plug(self, sealed: Sealed) -> Carrier:
        """Make the carrier of a connection; it is not started. Raises what keeps its secrets from being opened."""
        ...

    def make(self, sealed: Sealed) -> Carrier:
        """The carrier of a connection beside the board, to read what was pushed to it while it is paused."""
        ...

    def unplug(self, connection: str) -> None: ...

    def log(self, connection: str) -> list[LinkEvent]:
        """The last lines of a connection's log, the oldest first. Kept in memory only."""
        ...

    def note(self, sealed: Sealed, event: str, says: str) -> None:
        """Add a line to a connection's log, which its carrier could not know."""
        ...


class Fate(StrEnum):
    """What the network did with a handset's text."""

    ARRIVED = "arrived"
    ON_ITS_WAY = "on_its_way"  # late, or waiting for a message centre that is down
    LOST = "lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Texted:
    """What a handset's text became: its own id, its fate, and the SID of the inbound message where one is kept by now."""

    id: str
    message_sid: str | None
    fate: Fate = Fate.ARRIVED


class Phones(Protocol):
    """The simulator's handsets and the network between them and us, for the API, the console, the command line and the test kit.

    Reception is kept in the store. Chaos is of one account, stands in memory, and is over when the process ends.
    """

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
    ) -> Texted: ...

    async def conversation(self, account: str, handset: str, after: str | None, limit: int) -> list[HandsetMessage]: ...

    def reception(self, account: str, handset: str) -> Reception:
        """How the handset is reached, as it was set: without the chaos around it."""
        ...

    async def set_reception(self, account: str, handset: str, reception: Reception) -> None:
        """Returns when it is kept and acts. What waited for a handset that is on now arrives at once."""
        ...

    def link(self, account: str) -> LinkState:
        """How the simulator's connection is for this account: chaos is of one account, the simulator is everybody's."""
        ...

    def chaos(self, account: str) -> Chaos: ...
    async def set_chaos(self, account: str, chaos: Chaos) -> None:
        """Returns when it acts. Where the carrier was silent and is so no longer, its answers come now, late."""
        ...

    def look(self) -> None:
        """Carry what is due by now: for whoever moved the clock."""
        ...
