"""The world as a journey sees it: the store, the carriers, the network, the clock, and chance.

A flow takes a `World` first and plain values after it; so a door can call it here or through the hatch.
"""

from collections.abc import Mapping, Sequence
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

    def is_current(self, sealed: str) -> bool:
        """Whether today's key sealed this."""
        ...

    async def renew(self) -> str:
        """Seal with a new key from now on; what the others sealed still opens. Its name, once it is on the disk."""
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
class ApiRequest:
    """One request of a customer's program and how it ended. Neither its query, its body nor a whole number is in it."""

    account: str
    door: str  # `twilio_api` or `api`
    method: str
    path: str
    status: int
    ms: int
    code: int | None = None  # of the error dictionary
    error: str = ""  # what the answer said
    key: str | None = None  # the API key that was used; None: the auth token
    test: bool = False  # by test credentials
    known: bool = True  # whether who asked had signed in
    request_id: str = ""
    id: int = 0  # grows; given where it is kept
    at: datetime | None = None  # when it was answered; given where it is kept


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFilter:
    """Which requests of an account: None asks for all."""

    failed: bool | None = None
    status: int | None = None
    code: int | None = None
    method: str | None = None
    key: str | None = None
    path: str | None = None  # a part of it


class RequestLog(Protocol):
    """The newest requests of programs, in memory: what was refused, and some of what was not."""

    def keep(self, requests: Sequence[tuple[ApiRequest, float]], keys: Mapping[str, float]) -> None:
        """Requests with how many seconds ago each was answered; keys with how many seconds ago each was used."""
        ...

    def page(self, account: str, wanted: RequestFilter, *, limit: int, after: int | None, before: int | None) -> list[ApiRequest]:
        """The newest first: those older than `after`, or the nearest that are newer than `before`."""
        ...

    def used(self, keys: Sequence[str]) -> dict[str, datetime]:
        """When keys were last used, of those that were since the start."""
        ...

    @property
    def since(self) -> datetime: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """How the gateway was at one moment. Waiting: writes for their commit, texts for a carrier, webhooks for their application."""

    at: datetime
    database_bytes: int
    log_bytes: int
    free_bytes: int
    writes_waiting: int
    texts_waiting: int
    webhooks_waiting: int


class Pulse(Protocol):
    """How the gateway has been since it started, in memory: a beat a minute for a day, the pace of connections for an hour."""

    def beat(self, beat: Beat) -> None: ...
    def beats(self) -> list[Beat]:
        """The oldest first."""
        ...

    def answered(self, connection: str) -> None:
        """A carrier has answered one part that was handed over by this connection."""
        ...

    def pace(self, connection: str) -> list[tuple[datetime, int]]:
        """How many parts were answered in each second that had any, the oldest first."""
        ...

    @property
    def since(self) -> datetime: ...
    @property
    def drift_seconds(self) -> float:
        """How far the clock has been set, forwards or back, since the start."""
        ...


class Credentials(Protocol):
    """What programs on this machine sign in with, as it is written down for them."""

    def keep(self, told: Mapping[str, str]) -> None:
        """Write it anew, whole or not at all. Raises OSError."""
        ...

    def renew(self, account: str, token: str) -> None:
        """`account` signs in with `token` from now on; of another account nothing is written down. Never raises OSError."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """Settings of the gateway that a journey needs."""

    public_url: str  # base of absolute links in webhooks, without a slash at its end
    private_webhooks: PrivateTargets
    stop_wait_seconds: float = 2.0
    write_deadline_seconds: float = 1.0
    sender_queue_max: int = 0
    demo: bool = False
    version: str = "0"


class Outside(Protocol):
    """As much of the world as it takes to call a customer's server: no store, no carrier."""

    @property
    def http(self) -> Http: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def choices(self) -> Choices: ...


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
    requests: RequestLog
    pulse: Pulse
    peers: Peers
    credentials: Credentials
    choices: Choices
