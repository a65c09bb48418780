"""Which message a delivery receipt speaks of, and what several receipts of one message come to.

Carriers write an id one way in the answer and another in the receipt. Ids are compared in a canonical form, and what
is only likely counts only where it is the one likely thing: never a guess.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from stopwire.core.message import Status
from stopwire.core.outcomes import DeliveryReport

REPORTED_WITHIN = timedelta(days=10)  # carriers give up, and report so, within a week at most
_DECIMAL = re.compile(r"[0-9]{1,20}")
_HEX = re.compile(r"[0-9a-f]{1,16}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One segment of an attempt as its carrier took it. `form` is its id in canonical form, `total` counts its siblings."""

    attempt: str
    account: str
    connection: str
    number: int
    total: int
    reference: str
    form: str
    sender: str
    recipient: str
    status: Status | None = None
    error_code: int | None = None
    created_at: datetime
    reported_at: datetime | None = None


def canonical(reference: str) -> str:
    """A carrier's id without what carriers change about it: case, dashes, white space and leading zeros. Never empty."""
    bare = reference.strip().strip("\0").lower().replace("-", "")
    return bare.lstrip("0") or bare[:1] or reference  # of dashes alone nothing would be left to know it by


def to_decimal(form: str) -> str | None:
    """A canonical id read as hexadecimal and written in decimal."""
    return str(int(form, 16)) if _HEX.fullmatch(form) else None


def to_hex(form: str) -> str | None:
    """A canonical id read as decimal and written in hexadecimal."""
    return f"{int(form):x}" if _DECIMAL.fullmatch(form) else None


def forms_of(reference: str, *, written: str = "as_is") -> tuple[str, ...]:
    """The forms in which the answer may have had the id of a receipt, the most likely first.

    `written` tells how receipts of this route write what its answers write the other way: `hex`, `decimal` or `as_is`.
    """
    own = canonical(reference)
    converted = {"hex": to_decimal(own), "decimal": to_hex(own)}
    first = converted.get(written)
    likely = [first, own] if first else [own]
    return tuple(dict.fromkeys(form for form in (*likely, *converted.values()) if form))


def unnamed(hint: int, recipient: str) -> str:
    """The form of a segment whose id nobody told us: by what we wrote on it, and whom it went to. No carrier's id has one."""
    return f"~{hint}/{_bare(recipient)}"


def choose(found: Sequence[Segment], report: DeliveryReport) -> Segment | None:
    """The segment that `report` speaks of: by the exact id, then form by form. None where it is none, or could be two."""
    exact = [segment for segment in found if segment.reference == report.reference]
    if agreeing := _agreeing(exact, report):
        # A carrier that counts in a circle gives an id again after a while: the newest has it now.
        return max(agreeing, key=lambda segment: segment.created_at)
    for form in report.forms:
        agreeing = _agreeing([segment for segment in found if segment.form == form], report)
        if agreeing:
            return agreeing[0] if len(agreeing) == 1 else None
    return exact[0] if len(exact) == 1 else None  # some carriers rewrite the addresses of their receipts


def _agreeing(found: Sequence[Segment], report: DeliveryReport) -> list[Segment]:
    return [segment for segment in found if agrees(segment.sender, segment.recipient, report)]


def agrees(sender: str, recipient: str, report: DeliveryReport) -> bool:
    """Whether the addresses of a receipt are those of what we sent; those it does not give agree with all."""
    return _same(sender, report.sender) and _same(recipient, report.recipient)


def whole(segments: Sequence[Segment], total: int) -> tuple[Status, int | None] | None:
    """What the receipts of a message come to: the worst of its segments, delivered once all are, else nothing yet."""
    for bad in (Status.FAILED, Status.UNDELIVERED):
        for segment in segments:
            if segment.status is bad:
                return bad, segment.error_code
    if len(segments) >= total and all(segment.status is Status.DELIVERED for segment in segments):
        return Status.DELIVERED, None
    return None


def _same(ours: str, theirs: str | None) -> bool:
    if not theirs:
        return True
    return _bare(ours) == _bare(theirs)


def _bare(address: str) -> str:
    return re.sub(r"[^0-9a-z]", "", address.lower()).lstrip("0")
