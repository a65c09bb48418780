"""The simulator from outside: magic handsets, the toll-free network, media and other countries."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from twilio.base.exceptions import TwilioRestException

from stopwire.core.address import SenderKind
from tests import arrange
from tests.gateway import Gateway, Phone, eventually

NUMBER = "+14155550122"
TOLL_FREE = "+18885550100"


def send(gateway: Gateway, to: str, sender: str = NUMBER, **more: Any) -> Any:
    return gateway.client().messages.create(**{"to": to, "from_": sender, "body": "Hello", **more})


def becomes(gateway: Gateway, sid: str, *status: str) -> Any:
    """The message, once it has one of these statuses."""

    def ask() -> Any:
        message = gateway.client().messages(sid).fetch()
        return message if message.status in status else None

    return eventually(ask)


MAGIC = [
    # handset, status it ends in, error code, messages that reach it
    pytest.param("+19995550001", "delivered", None, 1, id="busy, then takes it"),
    pytest.param("+19995550002", "failed", 30005, 0, id="does not exist"),
    pytest.param("+19995550005", "undelivered", 30003, 0, id="switched off"),
    pytest.param("+19995550006", "failed", 21610, 0, id="opted out at its carrier"),
    pytest.param("+19995550008", "undelivered", 30007, 0, id="filtered"),
    pytest.param("+19995550009", "delivered", None, 1, id="an ordinary one"),
]


@pytest.mark.parametrize(("handset", "status", "code", "received"), MAGIC)
def test_a_magic_handset_rehearses_what_goes_wrong(
    gateway: Gateway, handset: str, status: str, code: int | None, received: int
) -> None:
    message = becomes(gateway, send(gateway, handset).sid, "delivered", "undelivered", "failed")
    assert (status, code) == (message.status, message.error_code)
    assert received == len(gateway.phone(handset).inbox)


def test_a_handset_that_never_reports_leaves_the_message_sent(gateway: Gateway) -> None:
    sent = becomes(gateway, send(gateway, "+19995550003").sid, "sent")
    becomes(gateway, send(gateway, "+19995550009").sid, "delivered")  # later, and reported already
    assert "sent" == gateway.client().messages(sent.sid).fetch().status


def test_a_carrier_that_never_answers_leaves_the_message_sending(gateway: Gateway) -> None:
    sent = becomes(gateway, send(gateway, "+19995550007").sid, "sending")
    becomes(gateway, send(gateway, "+19995550009").sid, "delivered")
    assert "sending" == gateway.client().messages(sent.sid).fetch().status


def test_a_carriers_opt_out_is_learned_and_learned_again_after_a_start(gateway: Gateway) -> None:
    """The person's START counts; but that carrier refuses the confirmation as well, which is one more thing to learn."""
    sender, person = gateway.sender("+16045550100"), gateway.phone("+19995550006")
    sent = send(gateway, person.address, "+16045550100")
    assert 21610 == becomes(gateway, sent.sid, "failed").error_code
    with pytest.raises(TwilioRestException) as refused:
        send(gateway, person.address, "+16045550100")
    assert 21610 == refused.value.code
    person.text("START", to="+16045550100")

    def acts() -> list[tuple[str, str]] | None:
        events = gateway.http.get("/api/v1/consent-events", params={"recipient": person.address}).json()["items"]
        found = [(event["act"], event["reason"]) for event in reversed(events) if event["scope"] == sender]
        return found if len(found) == 3 else None

    assert [("block", "carrier"), ("opt_in", "carrier"), ("block", "carrier")] == eventually(acts)


def test_a_handset_that_texts_stop_back_is_blocked_and_told_once(gateway: Gateway) -> None:
    person = gateway.phone("+19995550004")
    send(gateway, person.address)
    person.wait(1, kind="auto_reply")
    with pytest.raises(TwilioRestException) as refused:
        send(gateway, person.address)
    assert 21610 == refused.value.code
    eventually(lambda: 2 <= len([m for m in person.messages() if m["direction"] == "out"]))  # STOP to the confirmation, too
    assert ["message", "auto_reply"] == [m["kind"] for m in person.inbox]


def test_a_magic_handset_is_the_same_on_whatsapp(gateway: Gateway) -> None:
    sent = send(gateway, "whatsapp:+19995550002", "whatsapp:+14155550190")
    assert 30005 == becomes(gateway, sent.sid, "failed").error_code


@pytest.mark.parametrize(
    ("text", "begins"),
    [
        pytest.param("stop", 'NETWORK MSG: You replied with the word "stop" which blocks', id="stop"),
        pytest.param(" Stop! ", 'NETWORK MSG: You replied with the word "stop" which blocks', id="however it is dressed"),
        pytest.param("START", 'NETWORK MSG: You have replied "start" and will begin', id="start"),
        pytest.param("Unstop", 'NETWORK MSG: You have replied "unstop" and will begin', id="unstop"),
    ],
)
def test_the_toll_free_network_answers_itself(gateway: Gateway, person: Phone, text: str, begins: str) -> None:
    person.text(text, to=TOLL_FREE)
    (network,) = [m for m in person.inbox if m["kind"] == "network"]
    assert begins == network["body"][: len(begins)]
    assert TOLL_FREE == network["peer"]


@pytest.mark.parametrize("text", ["hello", "YES", "HELP", "CANCEL", "stop please"])
def test_the_toll_free_network_lets_every_other_word_pass(gateway: Gateway, person: Phone, text: str) -> None:
    person.text(text, to=TOLL_FREE)
    assert [] == [m for m in person.inbox if m["kind"] == "network"]


def test_the_toll_free_network_blocks_a_pair_and_no_other(gateway: Gateway, people: Callable[[], Phone]) -> None:
    arrange.new_sender(gateway, "+18885550133", SenderKind.TOLL_FREE, default_opt_out=False)  # we handle nothing here
    one, other = people(), people()
    one.text("STOP", to="+18885550133")
    blocked = becomes(gateway, send(gateway, one.address, "+18885550133").sid, "undelivered")
    assert 30004 == blocked.error_code
    becomes(gateway, send(gateway, other.address, "+18885550133").sid, "delivered")
    becomes(gateway, send(gateway, one.address, TOLL_FREE).sid, "delivered")
    assert [TOLL_FREE] == [m["peer"] for m in one.inbox if m["kind"] == "message"]


def test_a_sender_with_a_limit_sends_no_faster(gateway: Gateway, people: Callable[[], Phone]) -> None:
    """What is over the limit waits for its place, each once; nothing is lost."""
    arrange.new_sender(gateway, "+14155550301", SenderKind.LONG_CODE, mps=20)
    phones = [people() for _ in range(11)]
    began = time.monotonic()
    sent = [send(gateway, phone.address, "+14155550301").sid for phone in phones]
    for sid in sent:
        becomes(gateway, sid, "delivered")
    assert 0.5 <= time.monotonic() - began
    assert [1] * len(phones) == [len(phone.inbox) for phone in phones]


def test_a_conversation_is_in_order_and_names_its_messages(gateway: Gateway, person: Phone) -> None:
    becomes(gateway, (sent := send(gateway, person.address)).sid, "delivered")
    answered = person.text("Thanks", to=NUMBER)
    out = [(m["direction"], m["body"], m["kind"], m["peer"]) for m in person.messages()]
    assert [("in", "Hello", "message", NUMBER), ("out", "Thanks", "message", NUMBER)] == out
    assert sent.sid != answered["message_sid"]


def test_two_accounts_do_not_see_each_others_handsets(gateway: Gateway, person: Phone) -> None:
    person.text("secret", to=NUMBER)
    path = f"/api/v1/simulator/phones/%2B{person.address[1:]}/messages"
    assert [] == gateway.http.get(path, auth=gateway.account()).json()["items"]
