"""What a journey may ask of a carrier, and what a carrier may tell us.

The rules of the seam:
 1. `send` answers exactly one Outcome for each Part, in the order given. It MUST NOT raise for what a network does.
 2. A carrier MUST NOT repeat a part by itself, and MUST NOT store or decide about consent.
 3. ACCEPTED means that the carrier has the part; UNKNOWN that it may have it; RELEASED that no byte of it left.
 4. `Inbox.received` returns after the commit; the carrier acknowledges only then. If it raises, the carrier
    MUST answer its network so that the text comes again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from stopwire.core.jobs import HandsetMessage
from stopwire.core.outcomes import DeliveryReport, InboundMedia, Outcome, Part, Received


class Inbox(Protocol):
    """Where a carrier with a live link hands what it hears."""

    async def received(self, heard: Received) -> str | None:
        """Take one inbound text; the SID of its message, None where none is kept."""
        ...

    async def reported(self, reports: Sequence[DeliveryReport]) -> None: ...


class Carrier(Protocol):
    """One connection to an upstream."""

    name: str

    async def start(self, inbox: Inbox) -> None: ...
    async def stop(self) -> None: ...

    def room(self) -> int:
        """How many parts may be handed over now; 0 while the link is down."""
        ...

    async def send(self, parts: Sequence[Part]) -> list[Outcome]: ...

    async def recall(self, parts: Sequence[str]) -> list[Outcome]:
        """What became of attempts whose answer we never saw, where the carrier can tell. Others are left out."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Texted:
    """What a handset's text became: its own id, and the SID of the inbound message where one is kept."""

    id: str
    message_sid: str | None


class Phones(Protocol):
    """The simulator's handsets, for the API, the console, the command line and the test kit."""

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

    async def handsets(self, account: str) -> list[str]: ...
