"""What the simulated network reports of a text, and under which reference. Values only."""

from stopwire.core.connections import SIMULATOR
from stopwire.core.jobs import HandsetMessage
from stopwire.core.message import Status
from stopwire.core.outcomes import DeliveryReport


def reference_of(attempt: str) -> str:
    return f"sim-{attempt}"


def report(status: Status, code: int | None) -> str:
    """How a handset's message keeps what is still to be reported of it."""
    return f"{status.value}:{code or ''}"


def report_of(message: HandsetMessage) -> DeliveryReport:
    status, _, code = (message.report or "").partition(":")
    return DeliveryReport(
        connection=SIMULATOR,
        reference=reference_of(message.attempt or ""),
        status=Status(status),
        error_code=int(code) if code else None,
        at=message.at,
    )
