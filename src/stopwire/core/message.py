"""A message, its status, and the only ways a status may change.

`advance` is the whole rule: a status moves forward in TRANSITIONS or stays. What a carrier said
arrives here as a wish; nothing here knows carriers, storage or time.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from stopwire.core.address import mask_digits_x


class Status(StrEnum):
    """Twilio's message statuses, in the order a message usually walks them."""

    ACCEPTED = "accepted"
    SCHEDULED = "scheduled"
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"
    CANCELED = "canceled"
    READ = "read"
    RECEIVED = "received"


class Direction(StrEnum):
    INBOUND = "inbound"
    API = "outbound-api"
    REPLY = "outbound-reply"


class Purpose(StrEnum):
    """Why a message leaves. Only the keyword engine makes a KEYWORD_REPLY; no caller can ask for one."""

    MESSAGE = "message"
    KEYWORD_REPLY = "keyword_reply"


TRANSITIONS: Mapping[Status, frozenset[Status]] = {
    Status.ACCEPTED: frozenset({Status.QUEUED, Status.SENDING, Status.FAILED}),
    Status.SCHEDULED: frozenset({Status.QUEUED, Status.CANCELED, Status.FAILED}),
    Status.QUEUED: frozenset({Status.SENDING, Status.FAILED}),
    # A receipt may overtake the carrier's answer, so SENDING may jump straight to a receipt's status.
    Status.SENDING: frozenset({Status.QUEUED, Status.SENT, Status.DELIVERED, Status.UNDELIVERED, Status.READ, Status.FAILED}),
    Status.SENT: frozenset({Status.DELIVERED, Status.UNDELIVERED, Status.READ}),
    # A handset that was away may still confirm; nothing else leaves a final status.
    Status.UNDELIVERED: frozenset({Status.DELIVERED, Status.READ}),
    Status.DELIVERED: frozenset({Status.READ}),
    Status.FAILED: frozenset(),
    Status.CANCELED: frozenset(),
    Status.READ: frozenset(),
    Status.RECEIVED: frozenset(),
}

FINAL = frozenset({Status.DELIVERED, Status.UNDELIVERED, Status.FAILED, Status.CANCELED, Status.READ, Status.RECEIVED})
SETTLED = FINAL | {Status.SENT}  # what may be deleted or redacted
REPORTED = frozenset(  # entering one of these calls the status callback
    {Status.QUEUED, Status.SENT, Status.DELIVERED, Status.UNDELIVERED, Status.FAILED, Status.CANCELED, Status.READ}
)


def advance(now: Status, wish: Status) -> Status:
    """The status after `wish` was reported: `wish` where TRANSITIONS allows it, else `now`. Never raises."""
    return wish if wish in TRANSITIONS[now] else now


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One text in one direction. `sender` is ours, `recipient` the person's, in both directions."""

    sid: str
    account: str
    direction: Direction
    purpose: Purpose = Purpose.MESSAGE
    sender: str | None  # None until a messaging service has chosen
    recipient: str
    service: str | None = None
    body: str
    status: Status
    segments: int = 0
    media: int = 0
    error_code: int | None = None
    status_callback: str | None = None
    callback_method: str = "POST"
    send_at: datetime | None = None
    expires_at: datetime | None = None
    created_at: datetime
    updated_at: datetime
    sent_at: datetime | None = None
    options: Mapping[str, Any] = field(default_factory=dict)  # ContentRetention, Tags … as given
    decision: Mapping[str, Any] = field(default_factory=dict)  # what the keyword engine made of an inbound message


EMPTIED = "emptied_at"  # among the options: when the text was erased


def emptied(message: Message, now: datetime) -> Message:
    """`message` without its text, and when that went."""
    return replace(message, body="", updated_at=now, options={**message.options, EMPTIED: now.isoformat(timespec="seconds")})


def emptied_at(message: Message) -> datetime | None:
    """When its text was erased; None where it was not, or by a program that did not note it."""
    noted = message.options.get(EMPTIED)
    return datetime.fromisoformat(noted) if isinstance(noted, str) else None


def retained(message: Message) -> Message:
    """What may be kept of `message` by its ContentRetention and AddressRetention: all of it until it is final."""
    if message.status not in FINAL:
        return message
    if message.options.get("ContentRetention") == "discard" and message.body:
        message = replace(message, body="")
    if message.options.get("AddressRetention") == "obfuscate" and "X" not in message.recipient[-4:]:
        message = replace(message, recipient=mask_digits_x(message.recipient))
    return message


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What handing over needs of a message that waits: the few fields that every send reads."""

    sid: str
    sender: str | None
    recipient: str
    body: str
    status: Status
    purpose: Purpose
    media: int
    told: bool  # a callback or a receipt was asked for

    @property
    def mms(self) -> bool:
        return self.sid.startswith("MM")


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    sid: str
    message: str
    content_type: str
    url: str | None = None  # outbound: where the application keeps it
    bytes_: bytes | None = None  # inbound: what the handset sent
    created_at: datetime
