"""What waits: a message on its way to a carrier, an attempt, a webhook on its way to the customer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from stopwire.core.message import Purpose, Waiting


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A message that waits for its carrier. `state`: queued → written; unknown where no answer came."""

    seq: int = 0
    message: str
    account: str
    connection: str
    sender: str | None  # SID; None: the service chooses when the time comes
    service: str | None
    recipient: str
    purpose: Purpose
    due_at: datetime
    expires_at: datetime | None = None
    state: str = "queued"
    attempt: str | None = None
    tries: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A job whose turn has come, with what handing over needs of its message; None: that was deleted while it waited.

    `blocked`: some block of its recipient stands, in whatever scope.
    """

    job: Job
    message: Waiting | None
    blocked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try to hand a message to a carrier. `state`: written → accepted | rejected | deferred | unknown | released.

    `form` is the carrier's id in canonical form, where the carrier gave one for the whole message.
    """

    id: str
    account: str
    message: str
    connection: str
    state: str
    at: datetime
    answered_at: datetime | None = None
    reference: str | None = None
    form: str | None = None
    detail: str | None = None
    raced: bool = False  # still under way when a STOP for it was acknowledged


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One event on its way to the customer. `state`: pending → sending → delivered | failed | expired."""

    id: str
    account: str
    event: str  # inbound | status
    message: str
    url: str
    method: str
    fallback_url: str = ""
    fallback_method: str = "POST"
    params: Mapping[str, str]
    token: str
    state: str = "pending"
    rounds: int = 0
    due_at: datetime
    created_at: datetime
    answered: bool = False
    lane: str = ""  # deliveries of one lane are told one after another, each when the one before is settled


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryAttempt:
    """One request of a delivery, with what came back."""

    delivery: str
    at: datetime
    ms: int
    request: Mapping[str, Any]  # {url, method, headers, params}; written without params: those of the delivery
    response: Mapping[str, Any] | None = None  # {status, headers, body}
    error: str | None = None
    code: int | None = None  # 11200 …


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A send that we declined, as it stands in the log."""

    id: str
    account: str
    at: datetime
    code: int
    sender: str | None
    service: str | None
    recipient: str | None
    because: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """A suggestion as it waits for a person. `state`: open | confirmed | dismissed | expired."""

    id: str
    account: str
    state: str = "open"
    recipient: str
    sender: str
    scope: str
    message: str | None
    body: str
    proposes: str
    reason: str
    confidence: float
    evidence: tuple[str, ...] = ()
    created_at: datetime
    due_at: datetime
    decided_by: str | None = None
    decided_at: datetime | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HandsetMessage:
    """What a simulated phone sent (`out`) or received (`in`), or what the network holds back from it (`held`).

    `kind`: message | auto_reply | network. `report`: what the network still has to report of it, as status:code.
    """

    id: str
    account: str
    handset: str
    direction: str
    peer: str
    body: str
    at: datetime
    kind: str = "message"
    media: tuple[str, ...] = field(default=())
    attempt: str | None = None
    message: str | None = None
    report: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Transit:
    """A text that the simulated network still has: late, or waiting for its handset or the message centre.

    `direction` is the handset's. `onward`: how a text of a handset reaches us (parts, their order, repeats, media).
    """

    id: str
    account: str
    handset: str
    direction: str
    peer: str
    body: str
    at: datetime
    kind: str
    media: tuple[str, ...]
    attempt: str | None = None
    message: str | None = None
    due_at: datetime
    expires_at: datetime | None = None  # then the message centre gives up
    onward: Mapping[str, Any] = field(default_factory=dict)
