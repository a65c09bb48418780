"""Explanations are told from what was kept, as it was at that moment."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from stopwire.core.address import ChannelGroup, SenderKind
from stopwire.core.consent import Act, ConsentEvent, Reason, SealedEvent
from stopwire.core.errors import CATALOGUE
from stopwire.core.explain import ANSWERED, Facts, of_inbound, of_outbound, of_refusal
from stopwire.core.jobs import Attempt, Refusal
from stopwire.core.ledger import GENESIS, seal
from stopwire.core.message import Direction, Message, Status
from stopwire.core.outcomes import OutcomeKind
from stopwire.core.senders import Account, AccountSettings, Directory, Sender

T0 = datetime(2026, 1, 1, tzinfo=UTC)
ANN, OURS = "+14155550101", "+14155550100"

ACCOUNT = Account(
    sid="AC1", friendly_name="A", auth_token="t", test_sid="AC2", test_token="t", ledger_key="k", settings=AccountSettings(),
    created_at=T0, updated_at=T0,
)  # fmt: skip
SENDER = Sender(
    sid="PN1", account="AC1", address=OURS, kind=SenderKind.LONG_CODE, country="US", friendly_name="", created_at=T0, updated_at=T0
)
DIRECTORY = Directory(account=ACCOUNT, senders={"PN1": SENDER}, services={})


def event(id: str, act: Act, minutes: int, *, seq: int, reason: Reason = Reason.KEYWORD, **more: Any) -> SealedEvent:
    at = T0 + timedelta(minutes=minutes)
    made = ConsentEvent(
        id=id, holder="PN1", group=ChannelGroup.TEXT, recipient=ANN, act=act, reason=reason, actor=more.pop("actor", "recipient"),
        occurred_at=at, recorded_at=at, **more,
    )  # fmt: skip
    return seal(made, seq=seq, previous_hash=GENESIS, key="k")


def message(minutes: int, **more: Any) -> Message:
    at = T0 + timedelta(minutes=minutes)
    defaults = {
        "sid": "SM1", "account": "AC1", "direction": Direction.API, "sender": OURS, "recipient": ANN, "body": "x", "status": Status.DELIVERED,
        "created_at": at, "updated_at": at,
    }  # fmt: skip
    return Message(**(defaults | more))


STOPPED = [event("CE1", Act.OPT_OUT, 10, seq=1, word="STOP", message="SM9"), event("CE2", Act.OPT_IN, 20, seq=2, message="SM8")]


@pytest.mark.parametrize(
    ("minutes", "blocked"),
    [pytest.param(5, False, id="before"), pytest.param(15, True, id="meanwhile"), pytest.param(25, False, id="after")],
)
def test_a_scope_is_told_as_it_was_at_the_time(minutes: int, blocked: bool) -> None:
    told = of_outbound(message(minutes), Facts(directory=DIRECTORY, events=STOPPED))
    assert {"PN1": blocked, "AC1": False} == {each.scope: each.blocked for each in told.checked}


def test_a_refusal_names_the_word_the_event_and_the_way_out() -> None:
    refusal = Refusal(
        id="RF1", account="AC1", at=T0 + timedelta(minutes=15), code=21610, sender=OURS, service=None, recipient=ANN, because={"event": "CE1"}
    )
    told = of_refusal(refusal, Facts(directory=DIRECTORY, events=STOPPED))
    assert "refused" == told.verdict
    assert ["CE1"] == [proof.id for proof in told.evidence]
    assert any("by the word STOP" in sentence for sentence in told.why)
    assert any("START" in sentence for sentence in told.next)


def test_a_message_stopped_on_its_way_is_explained_by_the_block() -> None:
    stopped = message(5, status=Status.FAILED, error_code=21610, updated_at=T0 + timedelta(minutes=15))
    told = of_outbound(stopped, Facts(directory=DIRECTORY, events=STOPPED))
    assert ("failed", ["CE1"]) == (told.verdict, [proof.id for proof in told.evidence])


def test_a_race_that_was_lost_is_admitted() -> None:
    attempt = Attempt(id="AT1", account="AC1", message="SM1", connection="simulator", state="accepted", at=T0, raced=True)
    told = of_outbound(message(5), Facts(directory=DIRECTORY, attempts=[attempt]))
    assert any("already on its way" in sentence for sentence in told.why)


def test_an_ordinary_text_is_told_to_be_one() -> None:
    decision = {"row": 7, "handling": "default", "keyword": None, "effect": "none", "forward": True}
    told = of_inbound(message(5, direction=Direction.INBOUND, status=Status.RECEIVED, decision=decision), Facts(directory=DIRECTORY))
    assert "passed_on" == told.verdict
    assert any("ordinary" in sentence for sentence in told.why)


@pytest.mark.parametrize("status", list(Status))
def test_every_status_has_its_sentence(status: Status) -> None:
    told = of_outbound(message(5, status=status), Facts(directory=DIRECTORY))
    assert status.value == told.verdict
    assert told.why


# ── golden sentences: one for each thing that can be told ────────────────────────────────────────────────

CLOSED = {
    Reason.KEYWORD: "+1415•••0101 was blocked for sender +14155550100 since 2026-01-01 00:10:00 UTC by the word STOP.",
    Reason.PHRASE: "+1415•••0101 was blocked for sender +14155550100 since 2026-01-01 00:10:00 UTC by the phrase “STOP” (rule en.stop.contact).",
    Reason.REVIEW: "+1415•••0101 was blocked for sender +14155550100 since 2026-01-01 00:10:00 UTC by a text that a person read as an opt-out.",
    Reason.CONSENT: "+1415•••0101 was blocked for sender +14155550100 since 2026-01-01 00:10:00 UTC by a wish that the application recorded.",
    Reason.CARRIER: (
        "+1415•••0101 was blocked for sender +14155550100 since 2026-01-01 00:10:00 UTC "
        "because a carrier says that the person opted out there."
    ),
    Reason.IMPORT: "+1415•••0101 was blocked for sender +14155550100 since 2026-01-01 00:10:00 UTC by an imported list.",
} | {
    reason: f"+1415•••0101 was blocked for sender +14155550100 since 2026-01-01 00:10:00 UTC by console:Ana, reason {told}."
    for reason, told in {
        Reason.OPERATOR: "operator", Reason.API: "api", Reason.WRONG_NUMBER: "wrong number", Reason.REASSIGNED: "reassigned",
        Reason.COMPLAINT: "complaint",
    }.items()
}  # fmt: skip


@pytest.mark.parametrize("reason", list(Reason))
def test_each_reason_of_a_block_has_its_sentence(reason: Reason) -> None:
    actor = "recipient" if reason in (Reason.KEYWORD, Reason.PHRASE) else "console:Ana"
    closed = event("CE1", Act.OPT_OUT, 10, seq=1, reason=reason, actor=actor, word="STOP", rule="en.stop.contact")
    refusal = Refusal(id="RF1", account="AC1", at=T0 + timedelta(minutes=15), code=21610, sender=OURS, service=None, recipient=ANN)
    assert CLOSED[reason] in of_refusal(refusal, Facts(directory=DIRECTORY, events=[closed])).why


ROWS = {
    1: ("STOP", "block", "The person was open in this scope: a STOP blocks, ends what was waiting to be sent, and is confirmed once."),
    2: ("STOP", "repeat", "The person was blocked already: a second STOP is noted and changes nothing."),
    3: ("START", "lift", "The person was blocked by their own wish: a START lifts that and is confirmed once."),
    4: ("START", "lift_refused", "The block was not made by the person's own wish: only an operator may lift it, so START did not."),
    5: ("START", "none", "The person was not blocked: a START has nothing to lift."),
    6: ("HELP", "none", "A HELP is answered and changes no standing."),
    7: (None, "none", "It was an ordinary message."),
    8: ("STOP", "block", "The person was open: a STOP blocks; the toll-free network confirms it itself."),
    9: ("START", "lift", "The person was blocked on a toll-free sender: a START lifts it; the network answers itself."),
    10: (None, "none", "It was an ordinary message: the toll-free network does not know the word YES."),
}


@pytest.mark.parametrize("row", list(ROWS))
def test_each_row_of_the_table_has_its_sentence(row: int) -> None:
    keyword, effect, expected = ROWS[row]
    decision = {"row": row, "handling": "default", "keyword": keyword, "word": keyword, "effect": effect, "forward": True}
    told = of_inbound(message(5, direction=Direction.INBOUND, status=Status.RECEIVED, decision=decision), Facts(directory=DIRECTORY))
    assert expected in told.why


@pytest.mark.parametrize("state", [*OutcomeKind, "written"])
def test_each_outcome_of_a_carrier_has_its_sentence(state: str) -> None:
    attempt = Attempt(id="AT1", account="AC1", message="SM1", connection="acme", state=str(state), at=T0)
    told = of_outbound(message(5), Facts(directory=DIRECTORY, attempts=[attempt]))
    assert ANSWERED[str(state)].of(carrier="acme") in told.why


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("written", "It is being handed to the carrier."),
        ("unknown", "What became of it is open until the carrier reports on it, or its time is over."),
    ],
)
def test_a_message_without_an_answer_is_not_said_to_be_on_its_way(state: str, expected: str) -> None:
    attempt = Attempt(id="AT1", account="AC1", message="SM1", connection="acme", state=state, at=T0)
    told = of_outbound(message(5, status=Status.SENDING), Facts(directory=DIRECTORY, attempts=[attempt]))
    assert expected == told.why[-1]


@pytest.mark.parametrize("code", sorted(CATALOGUE))
def test_each_error_code_is_told_with_its_cause_and_what_to_do(code: int) -> None:
    refusal = Refusal(id="RF1", account="AC1", at=T0, code=code, sender=OURS, service=None, recipient=ANN)
    told = of_refusal(refusal, Facts(directory=DIRECTORY))
    assert f"The request was answered with error {code} and nothing was sent: {CATALOGUE[code].cause}" == told.why[0]
    assert told.next
    assert not [sentence for sentence in (*told.why, *told.next) if "%(" in sentence]
