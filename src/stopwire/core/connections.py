"""A connection: one configured account with a carrier, as a value. Secrets are not in it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

SIMULATOR = "simulator"  # the built-in connection, there for every account
OF_SEGMENTS = frozenset({"smpp"})  # types that report on each segment of a long text; the others report on the whole
TELL_NETWORK_BLOCKS = frozenset({SIMULATOR, "smpp", "twilio"})  # types whose 30004 is theirs or the operator's own word


class OptOutBy(StrEnum):
    """Who answers a keyword. The provider, where it does so by itself: then we record, and stay silent."""

    US = "us"  # the provider leaves keywords to us, or was told to: `secondary`
    CARRIER = "carrier"  # the provider replies itself: `primary`


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """`name` is the customer's word for it, `sid` ours. `settings` are those of its type, without secrets."""

    sid: str
    account: str
    name: str
    type: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    opt_out_by: OptOutBy = OptOutBy.US
    paused: bool = False
    origin: str = "api"  # api | file: who last wrote its settings
    version: int = 1  # rises with each change, so that a live connection is opened anew
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """A connection with its secrets as they are kept: sealed, each for itself."""

    connection: Connection
    secrets: Mapping[str, str] = field(default_factory=dict)


def seal_purpose(sid: str, name: str) -> str:
    """What one secret of a connection is sealed for, so that it opens in no other place."""
    return f"{sid}:{name}"


class LinkStatus(StrEnum):
    UP = "up"
    CONNECTING = "connecting"
    DOWN = "down"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkEvent:
    """One line of a connection's log: bound, unbound, throttled, refused …"""

    at: datetime
    event: str
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkState:
    """How a connection is, for a person: one sentence, and figures."""

    status: LinkStatus
    says: str
    since: datetime | None = None
    figures: Mapping[str, float] = field(default_factory=dict)  # sent, failed, waiting, window, per_second …
