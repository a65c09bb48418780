"""The clauses B01 to B14 of the mission, "SMS STOP filtering": each from outside, over a running gateway."""

import re
from pathlib import Path

import pytest

from tests.gateway import eventually
from tests.mission.town import REFUSED, Town, replies

ROOT = Path(__file__).parents[2]
STOP_REPLY = (
    "You have successfully been unsubscribed. You will not receive any more messages from this number. "
    "Reply START to resubscribe."
)
START_REPLY = (
    "You have successfully been re-subscribed to messages from this number. Reply HELP for help. "
    "Reply STOP to unsubscribe. Msg&Data Rates May Apply."
)
HELP_REPLY = "Reply STOP to unsubscribe. Msg&Data Rates May Apply."
STOP_WORDS = ("STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT")


@pytest.mark.parametrize("word", STOP_WORDS)
def test_b01_english_words_stop_on_long_codes_and_toll_free_numbers_by_default(town: Town, word: str) -> None:
    for sender in (town.number(), town.number(toll_free=True)):
        person = town.person()
        person.text(word.lower(), to=sender)
        assert REFUSED == town.refusal(person, sender)


@pytest.mark.parametrize("word", ["START", "YES", "UNSTOP"])
def test_b01_english_words_start_on_long_codes_by_default(town: Town, word: str) -> None:
    person, sender = town.person(), town.number()
    assert STOP_REPLY == town.reply(person, "STOP", to=sender)
    assert START_REPLY == town.reply(person, word, to=sender)
    assert town.refusal(person, sender) is None


@pytest.mark.parametrize("word", ["HELP", "INFO"])
def test_b01_english_words_help_on_long_codes_and_toll_free_numbers_by_default(town: Town, word: str) -> None:
    person = town.person()
    assert HELP_REPLY == town.reply(person, word, to=town.number())
    assert HELP_REPLY == town.reply(person, word, to=town.number(toll_free=True))


def test_b02_a_stop_makes_the_block_before_the_webhook_is_called(town: Town) -> None:
    person, sender = town.person(), town.number(webhook=town.web.url("/b02"))
    sid = person.text("STOP", to=sender)["message_sid"]
    asked = town.web.one("/b02", MessageSid=sid)
    assert "STOP" == asked.params["Body"]
    (event,) = town.http.get("/api/v1/consent-events", params={"recipient": person.address}).json()["items"]
    (delivery,) = town.http.get("/api/v1/webhook-deliveries", params={"message": sid}).json()["items"]
    assert event["recorded_at"] <= delivery["attempts"][0]["at"]


def test_b03_a_later_send_is_refused_with_400_and_21610(town: Town) -> None:
    person, sender = town.person(), town.number()
    town.send(person, sender)
    person.text("STOP", to=sender)
    answer = town.http.post(
        f"/2010-04-01/Accounts/{town.sid}/Messages.json", data={"To": person.address, "From": sender, "Body": "again"}
    )
    assert 400 == answer.status_code
    expected = {
        "code": 21610,
        "message": "Attempt to send to unsubscribed recipient",
        "more_info": "https://www.twilio.com/docs/errors/21610",
        "status": 400,
    }
    assert expected == answer.json()
    assert [STOP_REPLY] == eventually(lambda: replies(person))
    assert ["Hello", STOP_REPLY] == [m["body"] for m in person.inbox]


@pytest.mark.parametrize("word", ["START", "YES", "UNSTOP"])
def test_b04_start_lifts_the_block_and_reaches_log_and_webhook(town: Town, word: str) -> None:
    person, sender = town.person(), town.number(webhook=town.web.url("/b04"))
    person.text("STOP", to=sender)
    assert REFUSED == town.refusal(person, sender)
    sid = person.text(word, to=sender)["message_sid"]
    assert "delivered" == town.send(person, sender).status
    assert word == town.client.messages(sid).fetch().body
    assert word == town.web.one("/b04", MessageSid=sid).params["Body"]


@pytest.mark.parametrize("text", ["STOP PLEASE", "PLEASE CANCEL", "stop all", "Stop. Thank you", "unstoppable", "STOP 123"])
def test_b05_a_word_among_others_does_not_stop(town: Town, text: str) -> None:
    person, sender = town.person(), town.number()
    assert town.reply(person, text, to=sender) is None
    assert town.refusal(person, sender) is None


@pytest.mark.parametrize("text", ["Stop", " STOP. ", '"stop"', "STOP!!!", "ＳＴＯＰ", "stop 🙏", "s\u200btop"])
def test_b05_a_word_alone_stops_however_it_is_dressed(town: Town, text: str) -> None:
    person, sender = town.person(), town.number()
    person.text(text, to=sender)
    assert REFUSED == town.refusal(person, sender)


def test_b06_the_block_works_and_is_logged_without_a_webhook(town: Town) -> None:
    person, sender = town.person(), town.number()
    sid = person.text("STOP", to=sender)["message_sid"]
    assert REFUSED == town.refusal(person, sender)
    logged = town.client.messages(sid).fetch()
    assert ("inbound", "STOP", person.address, sender) == (logged.direction, logged.body, logged.from_, logged.to)
    (event,) = town.http.get("/api/v1/consent-events", params={"recipient": person.address}).json()["items"]
    assert ("opt_out", "STOP") == (event["act"], event["word"].upper())


def test_b07_without_a_service_a_stop_holds_for_its_sender_alone(town: Town) -> None:
    person, sender, another = town.person(), town.number(), town.number()
    person.text("STOP", to=sender)
    assert REFUSED == town.refusal(person, sender)
    assert town.refusal(person, another) is None


def test_b08_the_application_is_told_so_that_it_can_block_its_other_numbers(town: Town) -> None:
    person, sender, another = town.person(), town.number(webhook=town.web.url("/b08")), town.number()
    sid = person.text("STOP", to=sender)["message_sid"]
    told = town.web.one("/b08", MessageSid=sid).params
    assert (person.address, sender, "STOP") == (told["From"], told["To"], told["Body"])
    block = {"recipient": told["From"], "scope": another, "reason": "consent", "note": "said STOP elsewhere"}
    assert 201 == town.http.post("/api/v1/blocks", json=block).status_code
    assert REFUSED == town.refusal(person, another)


def test_b08_a_stop_can_hold_for_the_whole_account(other_town: Town) -> None:
    town = other_town
    assert 200 == town.http.patch("/api/v1/account", json={"opt_out_scope": "account"}).status_code
    person, sender, another = town.person(), town.number(), town.number()
    person.text("STOP", to=sender)
    assert REFUSED == town.refusal(person, another)
    person.text("START", to=another)
    assert town.refusal(person, sender) is None


def test_b09_toll_free_numbers_know_start_and_unstop_but_not_yes(town: Town) -> None:
    sender = town.number(toll_free=True)
    for word, lifts in (("START", True), ("UNSTOP", True), ("YES", False)):
        person = town.person()
        person.text("STOP", to=sender)
        person.text(word, to=sender)
        assert (None if lifts else REFUSED) == town.refusal(person, sender)


@pytest.mark.parametrize("word", ["HELP", "INFO"])
def test_b10_help_is_answered_and_by_default_not_forwarded(town: Town, word: str) -> None:
    person, sender = town.person(), town.number(webhook=town.web.url("/b10"))
    assert HELP_REPLY == town.reply(person, word, to=sender)
    later = person.text("hello", to=sender)["message_sid"]
    town.web.one("/b10", MessageSid=later)
    assert ["hello"] == [a.params["Body"] for a in town.web.of("/b10", From=person.address)]


def test_b11_without_advanced_opt_out_the_replies_are_the_default_ones(town: Town) -> None:
    words = {"stop": {"keywords": ["STOP", "NOMORE"], "reply": "Mine"}}
    service = town.service()
    town.policy(service, enabled=False, standard=words)
    person, sender = town.person(), town.number(service=service)
    assert town.reply(person, "NOMORE", to=sender) is None
    assert STOP_REPLY == town.reply(person, "STOP", to=sender)
    assert START_REPLY == town.reply(person, "START", to=sender)
    assert HELP_REPLY == town.reply(person, "HELP", to=sender)


def test_b12_in_a_service_stop_and_start_hold_for_the_whole_pool(town: Town) -> None:
    service = town.service()
    pool = [town.number(service=service) for _ in range(3)]
    person = town.person()
    person.text("STOP", to=pool[0])
    assert [REFUSED] * 4 == [town.refusal(person, sender) for sender in (service, *pool)]
    person.text("START", to=pool[2])
    assert [None] * 4 == [town.refusal(person, sender) for sender in (service, *pool)]


def test_b13_a_short_code_outside_advanced_opt_out_handles_no_keyword(town: Town) -> None:
    code = str(town.client.short_codes.list()[0].short_code)
    person = town.person()
    for word in ("STOP", "START", "HELP"):
        assert town.reply(person, word, to=code) is None
    assert town.refusal(person, code) is None


def test_b13_a_short_code_in_a_service_without_advanced_opt_out_handles_none_either(town: Town) -> None:
    service = town.service()
    code, person = town.join_short_code(service), town.person()
    assert town.reply(person, "STOP", to=code) is None
    assert town.refusal(person, code) is None


@pytest.mark.parametrize("page", ["README.md", "docs/mission.md"])
def test_b14_the_documentation_says_that_the_operator_stays_responsible_for_the_law(page: str) -> None:
    text = " ".join((ROOT / page).read_text().split())
    assert re.search(r"You remain responsible for the law that applies to your messages", text)
