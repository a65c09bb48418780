"""Deciding a suggestion is a change of consent like any other."""

from datetime import UTC, datetime, timedelta

import pytest

from stopwire.flows import review
from stopwire.flows.review import Finding
from stopwire.testing.kit import Sms
from tests.gateway import Gateway

US = "+14155550100"


def suggested(gateway: Gateway, person: str, body: str = "please stop texting me") -> str:
    gateway.phone(person).text(body, to=US)
    (waiting,) = gateway.http.get("/api/v1/suggestions", params={"recipient": person, "state": "open"}).json()["items"]
    return str(waiting["id"])


def confirm(gateway: Gateway, id: str) -> review.Reviewed:
    return gateway.run(review.confirm(gateway.world, account=gateway.account_sid, id=id, actor="operator:eve"))


def test_a_confirmed_stop_ends_what_was_waiting(gateway: Gateway) -> None:
    client = gateway.client()
    later = datetime.now(UTC) + timedelta(hours=1)
    waiting = client.messages.create(
        to="+14155557301", messaging_service_sid=gateway.service, body="x", schedule_type="fixed", send_at=later
    )
    confirm(gateway, suggested(gateway, "+14155557301"))
    ended = client.messages(waiting.sid).fetch()
    assert ("canceled", 21610) == (ended.status, ended.error_code)


def test_the_event_names_the_text_and_who_read_it(gateway: Gateway) -> None:
    confirm(gateway, suggested(gateway, "+14155557302"))
    (event,) = gateway.http.get("/api/v1/consent-events", params={"recipient": "+14155557302"}).json()["items"]
    told = tuple(event[name] for name in ("act", "reason", "actor", "text", "scope"))
    assert ("block", "review", "operator:eve", "please stop texting me", gateway.service) == told


def test_a_wrong_number_is_blocked_as_one(gateway: Gateway) -> None:
    confirm(gateway, suggested(gateway, "+14155557303", "wrong number"))
    (block,) = gateway.http.get("/api/v1/blocks", params={"recipient": "+14155557303"}).json()["items"]
    assert "wrong_number" == block["reason"]


def test_who_was_blocked_meanwhile_stays_blocked_by_the_first(gateway: Gateway) -> None:
    id = suggested(gateway, "+14155557304")
    gateway.phone("+14155557304").text("STOP", to=US)
    assert confirm(gateway, id).changed
    (block,) = gateway.http.get("/api/v1/blocks", params={"recipient": "+14155557304"}).json()["items"]
    assert "keyword" == block["reason"]


def test_a_decision_is_taken_once(gateway: Gateway) -> None:
    id = suggested(gateway, "+14155557305")
    assert [True, False] == [confirm(gateway, id).changed, confirm(gateway, id).changed]


def test_what_is_not_there_is_not_decided(gateway: Gateway) -> None:
    assert review.Reviewed() == confirm(gateway, "SG" + "0" * 32)


def find(gateway: Gateway, id: str, finding: Finding) -> review.Reviewed:
    return gateway.run(review.find(gateway.world, account=gateway.account_sid, id=id, finding=finding, actor="console:Eve"))


def undo(gateway: Gateway, id: str, actor: str = "console:Eve") -> review.Reviewed:
    return gateway.run(review.undo(gateway.world, account=gateway.account_sid, id=id, actor=actor))


def acts(gateway: Gateway, person: str) -> list[tuple[str, str | None]]:
    items = gateway.http.get("/api/v1/consent-events", params={"recipient": person}).json()["items"]
    return [(each["act"], each["reason"]) for each in reversed(items)]


@pytest.mark.parametrize(
    ("person", "finding", "state", "expected"),
    [
        pytest.param("+14155557311", Finding.OPT_OUT, "confirmed", [("block", "review")], id="an opt-out"),
        pytest.param("+14155557312", Finding.WRONG_NUMBER, "confirmed", [("block", "wrong_number")], id="a wrong number, whatever was proposed"),
        pytest.param("+14155557313", Finding.HELP, "confirmed", [], id="a question"),
        pytest.param("+14155557314", Finding.WANTS_TEXTS, "confirmed", [], id="they want texts, and were not blocked"),
        pytest.param("+14155557315", Finding.NOTHING, "dismissed", [], id="nothing"),
    ],
)
def test_a_person_may_find_something_else_than_was_proposed(
    gateway: Gateway, person: str, finding: Finding, state: str, expected: list[tuple[str, str]]
) -> None:
    found = find(gateway, suggested(gateway, person), finding)
    assert found.review is not None
    assert (state, expected) == (found.review.state, acts(gateway, person))


def test_a_decision_is_taken_back_by_who_made_it_with_the_block(gateway: Gateway) -> None:
    id = suggested(gateway, "+14155557316")
    find(gateway, id, Finding.OPT_OUT)
    assert not undo(gateway, id, actor="console:Adam").changed
    taken_back = undo(gateway, id)
    assert taken_back.review is not None
    assert (True, "open", None) == (taken_back.changed, taken_back.review.state, taken_back.review.decided_by)
    assert [("block", "review"), ("lift", "review")] == acts(gateway, "+14155557316")
    assert find(gateway, id, Finding.NOTHING).changed


def test_taking_back_leaves_a_block_that_was_there_before(gateway: Gateway) -> None:
    id = suggested(gateway, "+14155557317")
    gateway.phone("+14155557317").text("STOP", to=US)
    find(gateway, id, Finding.OPT_OUT)
    assert undo(gateway, id).changed
    (block,) = gateway.http.get("/api/v1/blocks", params={"recipient": "+14155557317"}).json()["items"]
    assert "keyword" == block["reason"]


# ── its confirmation ─────────────────────────────────────────────────────────────────────────────────────

ANN = "+14155550101"
STOPPED = "You have successfully been unsubscribed. You will not receive any more messages from this number. Reply START to resubscribe."


def waiting(sms: Sms, body: str = "please stop texting me") -> str:
    sms.phone(ANN).text(body, to=sms.sender)
    (found,) = sms.api.suggestions(state="open")
    return str(found["id"])


def decide(sms: Sms, id: str, finding: Finding = Finding.OPT_OUT) -> review.Reviewed:
    world = sms._world
    return sms._in.call(review.find(world, account=sms.sid, id=id, finding=finding, actor="console:Eve"))


def take_back(sms: Sms, id: str) -> review.Reviewed:
    return sms._in.call(review.undo(sms._world, account=sms.sid, id=id, actor="console:Eve"))


def test_a_block_holds_at_once_and_its_confirmation_waits_out_the_undo(sms: Sms) -> None:
    decide(sms, waiting(sms))
    ann = sms.phone(ANN)
    assert sms.blocked(ANN, sms.service)
    sms.clock.advance(seconds=9)
    sms.settle()
    assert ann.quiet()
    sms.clock.advance(seconds=1)
    arrived = ann.wait()
    assert ("auto_reply", STOPPED) == (arrived.kind, arrived.body)


def test_the_explanation_of_the_text_tells_of_the_confirmation(sms: Sms) -> None:
    id = waiting(sms)
    reply = decide(sms, id).reply
    (text,) = sms.client.messages.list(from_=ANN)
    assert f"the confirmation {reply} was queued then; it is queued." in sms.explain(text)


def test_an_undo_takes_the_confirmation_back_with_the_block(sms: Sms) -> None:
    id = waiting(sms)
    decide(sms, id)
    assert take_back(sms, id).changed
    sms.clock.advance(minutes=1)
    sms.settle()
    assert sms.phone(ANN).quiet()
    assert not sms.blocked(ANN, sms.service)
    decide(sms, id)
    sms.clock.advance(seconds=10)
    assert STOPPED == sms.phone(ANN).wait().body


def test_what_the_person_was_told_is_not_taken_back(sms: Sms) -> None:
    id = waiting(sms)
    decide(sms, id)
    sms.clock.advance(seconds=10)
    sms.phone(ANN).wait()
    taken_back = take_back(sms, id)
    assert (False, True) == (taken_back.changed, taken_back.told)
    assert sms.blocked(ANN, sms.service)


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        pytest.param(289, True, id="eleven seconds before the end"),
        pytest.param(290, False, id="it could not wait out the undo within its five minutes"),
        pytest.param(3600, False, id="an hour later"),
    ],
)
def test_a_confirmation_leaves_within_five_minutes_of_the_text_or_never(sms: Sms, seconds: int, told: bool) -> None:
    id = waiting(sms)
    sms.clock.advance(seconds=seconds)
    assert told is (decide(sms, id).reply is not None)
    assert sms.blocked(ANN, sms.service)


@pytest.mark.parametrize("finding", [Finding.WRONG_NUMBER, Finding.HELP, Finding.NOTHING])
def test_nothing_but_an_opt_out_is_confirmed(sms: Sms, finding: Finding) -> None:
    assert decide(sms, waiting(sms), finding).reply is None


def test_who_is_blocked_already_is_told_nothing_more(sms: Sms) -> None:
    id = waiting(sms)
    ann = sms.phone(ANN)
    ann.text("stop", to=sms.sender)
    ann.wait()
    assert decide(sms, id).reply is None


def test_the_confirmation_is_the_policys_own(sms: Sms) -> None:
    policy = sms.service.policy
    policy["standard"]["stop"]["reply"] = "Promo: you will hear no more of us."
    sms.service.opt_out(enabled=True, standard=policy["standard"])
    assert decide(sms, waiting(sms)).reply is not None
    sms.clock.advance(seconds=10)
    assert "Promo: you will hear no more of us." == sms.phone(ANN).wait().body


def test_a_lift_within_the_ten_seconds_takes_the_confirmation_back(sms: Sms) -> None:
    decide(sms, waiting(sms))
    sms.api.lift(ANN, scope=sms.service.sid)
    sms.clock.advance(minutes=1)
    sms.settle()
    assert sms.phone(ANN).quiet()


def test_a_start_within_the_ten_seconds_has_the_last_word(sms: Sms) -> None:
    decide(sms, waiting(sms))
    ann = sms.phone(ANN)
    ann.text("START", to=sms.sender)
    assert "re-subscribed" in ann.wait().body
    sms.clock.advance(minutes=1)
    sms.settle()
    assert ann.quiet()


def test_a_page_can_ask_until_when_an_opt_out_is_confirmed(sms: Sms) -> None:
    world = sms._world
    id = waiting(sms)
    found = sms._in.call(world.store.read(lambda tx: tx.suggestions.get(id), account=sms.sid))
    assert found is not None

    def ask() -> datetime | None:
        return sms._in.call(review.confirmed_until(world, account=sms.sid, review=found))

    assert found.created_at + timedelta(seconds=290) == ask()
    sms.clock.advance(seconds=290)
    assert ask() is None
