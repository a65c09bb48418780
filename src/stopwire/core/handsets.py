"""Magic handsets: numbers that rehearse what goes wrong with real phones and carriers.

Values only: the simulator obeys them, the console offers them.
"""

from dataclasses import dataclass

from stopwire.core.message import Status
from stopwire.core.outcomes import Cause, OutcomeKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Temper:
    """How a handset behaves. `defers` counts temporary refusals before it takes a part."""

    says: str
    defers: int = 0
    outcome: OutcomeKind = OutcomeKind.ACCEPTED
    cause: Cause = Cause.OTHER
    report: Status | None = Status.DELIVERED
    error_code: int | None = None
    texts_back: str | None = None


ORDINARY = Temper(says="takes every message and reports it as delivered")

HANDSETS = {
    "+19995550001": Temper(says="its carrier is busy: the first two tries are deferred, the third is taken", defers=2),
    "+19995550002": Temper(
        says="does not exist: the carrier rejects it for good (30005)",
        outcome=OutcomeKind.REJECTED,
        cause=Cause.UNKNOWN_HANDSET,
    ),
    "+19995550003": Temper(says="never reports: the message stays sent", report=None),
    "+19995550004": Temper(says="texts STOP back to whoever writes to it", texts_back="STOP"),
    "+19995550005": Temper(says="is switched off: undelivered (30003)", report=Status.UNDELIVERED, error_code=30003),
    "+19995550006": Temper(
        says="has opted out at its carrier: rejected as such (21610), and learned as a block",
        outcome=OutcomeKind.REJECTED,
        cause=Cause.OPTED_OUT,
    ),
    "+19995550007": Temper(says="its carrier never answers: the outcome stays unknown", outcome=OutcomeKind.UNKNOWN),
    "+19995550008": Temper(says="is filtered by its carrier: undelivered (30007)", report=Status.UNDELIVERED, error_code=30007),
}


def temper_of(handset: str) -> Temper:
    return HANDSETS.get(handset.removeprefix("whatsapp:"), ORDINARY)
