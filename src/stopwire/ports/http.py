"""What a journey may ask of the world's HTTP servers: one request, one answer or one failure.

Redirects, retries and schedules are the caller's; which addresses may be reached is decided here by name and
obeyed in `net/`. No client library is known on this floor.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, Protocol


class PrivateTargets(StrEnum):
    """Which addresses that are not public may be called."""

    NONE = "none"
    LOOPBACK = "loopback"  # 127.0.0.0/8 and ::1
    ALL = "all"


FailureKind = Literal[
    "late",  # `write_by` passed; nothing left this machine
    "dns",  # the name has no address
    "refused_address",  # we do not call this address; nothing left this machine
    "connect",  # refused, reset, unreachable
    "connect_timeout",
    "tls",  # no handshake, or a certificate that does not hold
    "read_timeout",  # connected, then silent
    "total_timeout",
    "protocol",  # what came is not HTTP
    "closed",  # the connection ended before the answer did
]


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """One request. Timeouts in seconds; `total_timeout` spans everything from the resolver to the last byte."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    connect_timeout: float = 5.0
    read_timeout: float = 15.0  # the longest silence between two bytes
    total_timeout: float = 15.0
    verify_tls: bool = True
    sni: bool = True
    bytes_max: int = 65_536  # of the answer's body, after decompression
    write_by: float = math.inf  # seconds of `time.monotonic`; no byte of the request leaves later


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpAnswer:
    """What the server said, whatever the status. Header names are in lower case; repeated ones joined by a comma."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    ms: int
    truncated: bool = False  # the body was longer than `bytes_max`


NOTHING_LEFT: frozenset[FailureKind] = frozenset({"late", "dns", "refused_address", "connect", "connect_timeout", "tls"})
# A failure of these kinds came before the first byte of the request; after any other the server may have acted.


class HttpFailure(Exception):
    """There is no answer. `answered` tells whether a part of one had arrived, so that the server has surely acted."""

    def __init__(self, kind: FailureKind, text: str, *, ms: int, answered: bool = False) -> None:
        super().__init__(text)
        self.kind: FailureKind = kind
        self.text = text
        self.ms = ms
        self.answered = answered

    def __repr__(self) -> str:
        return f"HttpFailure({self.kind!r}, {self.text!r}, ms={self.ms}, answered={self.answered})"


class Http(Protocol):
    """The one way out of the house."""

    async def call(self, request: HttpRequest, *, private: PrivateTargets) -> HttpAnswer:
        """Make one request and follow nothing. Raises `HttpFailure`; an HTTP error status is an answer."""
        ...

    def refusal(self, url: str, *, private: PrivateTargets) -> str | None:
        """Why this URL may not be called, as far as its text tells; None where it may. Checked again at each call."""
        ...

    async def close(self) -> None:
        """Let go of the connections. Calls under way end as `closed`."""
        ...
