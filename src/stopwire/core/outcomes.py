"""What a carrier can say of one part, as a closed list of values.

Carriers name; the core decides. `kind` tells which: the engine never guesses from a text.
"""

import math
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from stopwire.core.message import Status


class OutcomeKind(StrEnum):
    ACCEPTED = "accepted"  # the carrier has it
    DEFERRED = "deferred"  # temporary refusal: the same part may be handed over again
    REJECTED = "rejected"  # refused for good
    UNKNOWN = "unknown"  # no answer came: it may have left
    RELEASED = "released"  # certainly never left: written back to the queue
    HALTED = "halted"  # cut short by us: some segments left, the others must not


class Cause(StrEnum):
    """Why a carrier refused, whatever its own code was."""

    OPTED_OUT = "opted_out"
    BLOCKED = "blocked"
    UNREACHABLE = "unreachable"
    UNKNOWN_HANDSET = "unknown_handset"
    LANDLINE = "landline"
    FILTERED = "filtered"
    THROTTLED = "throttled"
    OTHER = "other"


ERROR_CODES = {  # Twilio's code for each cause
    Cause.OPTED_OUT: 21610,
    Cause.BLOCKED: 30004,
    Cause.UNREACHABLE: 30003,
    Cause.UNKNOWN_HANDSET: 30005,
    Cause.LANDLINE: 30006,
    Cause.FILTERED: 30007,
    Cause.THROTTLED: 30017,
    Cause.OTHER: 30008,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What is handed to a carrier at once. `attempt` is ours and unique: a carrier may use it to recognise a repeat."""

    attempt: str
    message: str
    account: str = ""
    connection: str = ""
    told: bool = True  # somebody is told of each status: the message itself is read before it moves on
    sender: str
    recipient: str
    body: str
    media: tuple[str, ...] = ()
    keyword_reply: bool = False
    expires_at: datetime | None = None
    write_by: float = math.inf  # monotonic seconds; no byte leaves later


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    attempt: str
    kind: OutcomeKind
    reference: str | None = None  # the carrier's id, with ACCEPTED
    segments: tuple[str, ...] = ()  # its ids of each segment, where it reports on each; the first is `reference`
    cause: Cause = Cause.OTHER
    detail: str | None = None  # the carrier's own words
    retry_after_seconds: float | None = None
    again: bool | None = None  # with UNKNOWN: whether to try again, where the connection has a policy of its own


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryReport:
    """The carrier's later word on an accepted part.

    `forms`: canonical forms of the id, the most likely first. What follows them helps to tell which part is meant.
    """

    connection: str
    reference: str
    status: Status
    error_code: int | None = None
    at: datetime | None = None
    forms: tuple[str, ...] = ()
    sender: str | None = None  # ours
    recipient: str | None = None
    hint: int | None = None  # 16 bits that we gave the part: see `hint_of`
    text: str | None = None  # how it begins


def hint_of(attempt: str) -> int:
    """16 bits of an attempt, for carriers that hand them back: a hint, never proof."""
    return int(attempt[-4:], 16)


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundMedia:
    content_type: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One inbound text, or one part of one, as a carrier heard it."""

    connection: str
    sender: str  # ours
    recipient: str  # the person's
    body: str
    reference: str | None = None  # the carrier's id, unique for 48 hours
    sent_at: datetime | None = None  # only where the carrier's stamp has a zone and can be trusted
    media: tuple[InboundMedia, ...] = ()
    answered: bool = False  # the carrier says that it has answered this keyword itself
    part_reference: int | None = None
    part: int = 1
    parts: int = 1
    octets: bytes | None = None  # as they came, so that parts are joined before they are read
    alphabet: str | None = None  # of `octets`: see `core/alphabets`
