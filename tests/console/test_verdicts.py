"""The first sentence of an explanation, word for word: one for each reason of a block, each status, each effect of a text."""

from datetime import timedelta
from typing import Any

import pytest
from starlette.requests import Request

from stopwire.console import verdicts
from stopwire.console.verdicts import verdict
from stopwire.core.address import ChannelGroup
from stopwire.core.consent import Act, ConsentEvent, Reason
from stopwire.core.errors import CATALOGUE
from stopwire.core.jobs import Refusal
from stopwire.core.message import Direction, Message, Purpose, Status
from stopwire.flows.story import Story
from tests.core.test_explain import ANN, DIRECTORY, OURS, T0

ASKED = T0 + timedelta(minutes=15)


def told(story: Story, cause: ConsentEvent | None = None) -> str:
    """In English, to somebody whose zone is not known."""
    request = Request({"type": "http", "method": "GET", "path": "/console/messages/x", "query_string": b"", "headers": []})
    request.state.visitor = None
    return verdict(request, story, cause, DIRECTORY)


def refused(code: int) -> Story:
    return Story(refusal=Refusal(id="RF1", account="AC1", at=ASKED, code=code, sender=OURS, service=None, recipient=ANN))


def message(**more: Any) -> Story:
    fields: dict[str, Any] = {
        "sid": "SM1", "account": "AC1", "direction": Direction.API, "sender": OURS, "recipient": ANN, "body": "x",
        "status": Status.DELIVERED, "created_at": ASKED, "updated_at": ASKED,
    }  # fmt: skip
    return Story(message=Message(**{**fields, **more}))


def event(reason: Reason, minutes: int = 10) -> ConsentEvent:
    at = T0 + timedelta(minutes=minutes)
    return ConsentEvent(
        id="CE1", holder="PN1", group=ChannelGroup.TEXT, recipient=ANN, act=Act.OPT_OUT, reason=reason, actor="console:Ana",
        occurred_at=at, recorded_at=at, word="STOP", text="take me off your list", rule="en.remove.list",
    )  # fmt: skip


AT, TO = "1 Jan 2026, 00:10:00", "+14155550100"
REASONS = {
    Reason.KEYWORD: f"Refused: this person replied STOP to {TO} on {AT}, 5 minutes before this send. The block holds for this sender only. [21610]",
    Reason.PHRASE: (
        f"Refused: they wrote “take me off your list” to {TO} on {AT}, and natural matching read it as an opt-out (rule en.remove.list). [21610]"
    ),
    Reason.REVIEW: f"Refused: Ana confirmed on {AT} that “take me off your list” was an opt-out from {TO}. START lifts it. [21610]",
    Reason.CONSENT: f"Refused: your application recorded on {AT} that this person opted out of {TO}. START lifts it. [21610]",
    Reason.OPERATOR: (
        f"Refused: Ana blocked this person for {TO} on {AT}. START does not lift this block; an admin can, with a reason. [21610]"
    ),
    Reason.API: f"Refused: blocked for {TO} through the API on {AT}. START does not lift it. [21610]",
    Reason.IMPORT: f"Refused: blocked for {TO} since {AT} by an imported list. START lifts it. [21610]",
    Reason.CARRIER: (
        f"Refused: on {AT} a carrier rejected a text because this person had opted out there. We keep that as a block of {TO}. [21610]"
    ),
    Reason.WRONG_NUMBER: f"Refused: since {AT} this number counts as a wrong one for {TO}. START does not lift that. [21610]",
    Reason.REASSIGNED: f"Refused: this number changed hands; noted for {TO} on {AT}. START does not lift that. [21610]",
    Reason.COMPLAINT: f"Refused: a complaint was recorded for {TO} on {AT}. START does not lift that. [21610]",
}


@pytest.mark.parametrize("reason", list(Reason))
def test_a_refused_send_names_who_blocked_when_and_how_it_is_lifted(reason: Reason) -> None:
    assert REASONS[reason] == told(refused(21610), event(reason))


STATUSES = {
    Status.ACCEPTED: "Accepted: it waits for a sender and its carrier.",
    Status.SCHEDULED: "Scheduled: it waits for its time.",
    Status.QUEUED: "Queued: it waits for its carrier.",
    Status.SENDING: "On its way: it is being handed to the carrier.",
    Status.SENT: "Sent: the carrier has it and has not said yet whether it arrived.",
    Status.DELIVERED: "Delivered: the carrier reports that it arrived.",
    Status.READ: "Read: the person has opened it.",
    Status.UNDELIVERED: "Not delivered: the carrier reports that it did not arrive.",
    Status.FAILED: "Failed: it ended without being delivered.",
    Status.CANCELED: "Canceled: it was taken back before it left.",
    Status.RECEIVED: "Received.",
}


@pytest.mark.parametrize("status", list(Status))
def test_each_status_is_told(status: Status) -> None:
    assert STATUSES[status] == told(message(status=status))


TEXTS = [
    pytest.param(
        {"effect": "block"}, "Blocked by the person: their text is a STOP, and no sender of this scope may text them until they say START.", id="1"
    ),
    pytest.param({"effect": "repeat"}, "Already blocked: this STOP is noted and changes nothing. A STOP is confirmed once.", id="2"),
    pytest.param(
        {"effect": "lift"}, "Lifted by the person: their text is a START. It restores what they had agreed to; it is no new consent.", id="3"
    ),
    pytest.param(
        {"effect": "lift_refused"}, "START did not lift this block: it was not made by the person's own wish. A person decides in Review.", id="4"
    ),
    pytest.param({"keyword": "START"}, "No reply and no change: they were not blocked here, so START had nothing to lift.", id="5"),
    pytest.param({"keyword": "HELP", "reply": "SM2"}, "HELP, answered by us.", id="6"),
    pytest.param({"keyword": "HELP"}, "HELP, not answered by us.", id="6, silent"),
    pytest.param({"row": 7}, "An ordinary message.", id="7"),
    pytest.param(
        {"suggestion": "SG1"}, "An ordinary message that looks like an opt-out: it blocks nothing by itself, and waits in Review.", id="7, to review"
    ),
]


@pytest.mark.parametrize(("decision", "expected"), TEXTS)
def test_each_thing_that_a_text_can_do_is_told(decision: dict[str, Any], expected: str) -> None:
    assert expected == told(message(direction=Direction.INBOUND, status=Status.RECEIVED, decision=decision))


STOPPED = [
    pytest.param(
        {"status": Status.FAILED, "error_code": 21610, "updated_at": ASKED + timedelta(seconds=2)},
        "Stopped on the way: accepted at 1 Jan 2026 00:15, STOP received at 1 Jan 2026 00:10, before a carrier was reached. Nothing left. [21610]",
        id="on the way",
    ),
    pytest.param(
        {"status": Status.CANCELED, "error_code": 21610, "updated_at": ASKED + timedelta(days=1)},
        "Canceled: it was planned, but they said STOP at 1 Jan 2026 00:10. [21610]",
        id="scheduled",
    ),
    pytest.param(
        {"status": Status.UNDELIVERED, "error_code": 30004},
        "Not delivered: the network keeps a block of its own between this sender and this person, and nobody here can lift it. [30004]",
        id="by the toll-free network",
    ),
    pytest.param(
        {"status": Status.FAILED, "purpose": Purpose.KEYWORD_REPLY},
        "The confirmation did not leave: no carrier took it within five minutes, and later it would be a new text. The change itself holds.",
        id="a confirmation that came too late",
    ),
]


@pytest.mark.parametrize(("fields", "expected"), STOPPED)
def test_each_way_to_be_stopped_is_told(fields: dict[str, Any], expected: str) -> None:
    assert expected == told(message(**fields), event(Reason.KEYWORD))


@pytest.mark.parametrize("code", sorted(CATALOGUE))
def test_each_error_code_is_told_by_its_cause(code: int) -> None:
    assert f"Refused, and nothing was sent. {CATALOGUE[code].cause} [{code}]" == told(refused(code))


def test_nothing_that_can_be_told_is_left_without_a_sentence() -> None:
    assert (set(Reason), set(Status)) == (set(verdicts._BLOCKED), set(verdicts._STATUS))
