"""The world as a journey sees it: the store, the carriers, the network, the clock, and chance.

A flow takes a `World` first and plain values after it; so a door can call it here or through the hatch.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from stopwire.core.packs import Packs
from stopwire.ports.carrier import Carriers, Phones
from stopwire.ports.clock import Clock as Clock
from stopwire.ports.clock import Ids as Ids
from stopwire.ports.http import Http, PrivateTargets
from stopwire.ports.peers import Peers
from stopwire.ports.store import Store


class Vault(Protocol):
    def digest(self, secret: str) -> str: ...
    def matches(self, secret: str, digested: str) -> bool: ...
    async def hash_password(self, password: str) -> str: ...
    async def verify_password(self, hashed: str | None, password: str) -> bool:
        """Whether it is the password that was hashed. None: nobody's, which takes as long."""
        ...

    def seal(self, text: str, *, purpose: str = "") -> str:
        """`text` sealed; it opens only for the same purpose, such as its owner's SID and its name."""
        ...

    def open_sealed(self, sealed: str, *, purpose: str = "") -> str:
        """What was sealed, or SealFault."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TailEvent:
    """One line of the live tail. `id` grows."""

    id: int
    account: str
    at: datetime
    event: str
    facts: Mapping[str, Any]


class Tail(Protocol):
    """The live tail: the last few thousand events of this process."""

    async def wait(self, account: str, after: int, *, seconds: float, limit: int) -> list[TailEvent]:
        """Events of `account` after id `after`; waits up to `seconds` for the first."""
        ...

    def newest(self) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """Settings of the gateway that a journey needs."""

    public_url: str  # base of absolute links in webhooks, without a slash at its end
    private_webhooks: PrivateTargets
    stop_wait_seconds: float = 2.0
    write_deadline_seconds: float = 1.0
    demo: bool = False
    version: str = "0"


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    store: Store
    http: Http
    carriers: Carriers
    phones: Phones
    packs: Packs
    clock: Clock
    ids: Ids
    vault: Vault
    tail: Tail
    peers: Peers
    choices: Choices
