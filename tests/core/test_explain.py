"""Explanations are told from what was kept, as it was at that moment."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from stopwire.core.address import ChannelGroup, SenderKind
from stopwire.core.consent import Act, ConsentEvent, Reason, SealedEvent
from stopwire.core.explain import Facts, of_inbound, of_outbound, of_refusal
from stopwire.core.jobs import Attempt, Refusal
from stopwire.core.ledger import GENESIS, seal
from stopwire.core.message import Direction, Message, Status
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
        id=id, holder="PN1", group=ChannelGroup.TEXT, recipient=ANN, act=act, reason=reason, actor="recipient", occurred_at=at,
        recorded_at=at, **more,
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
