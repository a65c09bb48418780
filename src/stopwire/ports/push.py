"""What a journey may ask of a carrier whose provider calls us: is this push genuine, and what does it tell?

A push is a provider's request to us; a webhook is ours to the customer. Nothing here knows a web framework.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, runtime_checkable

from stopwire.core.connections import Connection
from stopwire.core.outcomes import DeliveryReport, Received


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpPush:
    """A provider's request, to the byte. Header names are in lower case; repeated ones joined by a comma."""

    method: str
    target: str  # path and query as they came, from the root of our public URL
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class PushReply:
    """What a provider wants to hear once we have what it told."""

    status: int = 200
    content_type: str = ""
    body: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What a push tells: texts of persons, and reports of what we sent."""

    received: tuple[Received, ...] = ()
    reports: tuple[DeliveryReport, ...] = ()
    reply: PushReply = field(default_factory=PushReply)


@runtime_checkable
class Listener(Protocol):
    """A carrier that is called. Neither method stores or decides; a push that is not genuine is never translated."""

    connection: Connection

    def refusal(self, push: HttpPush, *, at: datetime) -> str | None:
        """Why the push, which came at `at`, is not the provider's, in a sentence that tells no secret. None: it is."""
        ...

    async def hear(self, push: HttpPush) -> Heard:
        """Translate a genuine push. ValueError where it is none of the shapes the provider documents."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedPush:
    """A push that was refused, kept for the day its secret is put right. `sealed`: the push as the vault sealed it."""

    id: str
    account: str
    connection: str
    at: datetime
    version: int  # of the connection whose secrets refused it
    problem: str
    sealed: str
