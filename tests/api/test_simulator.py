"""Handsets over the native API."""

import base64
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any
from urllib.parse import quote

import pytest

from tests.gateway import Gateway, eventually

US, SHORT, WHATSAPP = "+14155550100", "72345", "whatsapp:+14155550190"


def test_a_text_of_a_handset_is_committed_when_it_is_answered(gateway: Gateway) -> None:
    phone = gateway.phone("+14155550901")
    sent = phone.text("hello", to=US)
    assert sent["message_sid"].startswith("SM")
    assert [("out", US, "hello", "message")] == [(m["direction"], m["peer"], m["body"], m["kind"]) for m in phone.messages()]


def test_the_confirmation_of_a_stop_reaches_the_handset(gateway: Gateway) -> None:
    phone = gateway.phone("+14155550902")
    phone.text("STOP", to=US)
    (reply,) = phone.wait(1)
    assert ("auto_reply", US) == (reply["kind"], reply["peer"])
    assert "unsubscribed" in reply["body"]


def test_a_conversation_goes_on_after_the_last_message_that_is_known(gateway: Gateway) -> None:
    phone = gateway.phone("+14155550903")
    for body in ("one", "two", "three"):
        phone.text(body, to=US)
    path = "/api/v1/simulator/phones/%2B14155550903/messages"
    first = gateway.http.get(path, params={"limit": 2}).json()
    rest = gateway.http.get(path, params={"after": first["next"]}).json()
    assert ["one", "two", "three"] == [m["body"] for m in first["items"] + rest["items"]]
    assert rest["next"] is None


def test_a_whatsapp_handset_writes_to_a_whatsapp_sender(gateway: Gateway) -> None:
    phone = gateway.phone("whatsapp:+14155550904")
    assert phone.text("hi", to=WHATSAPP)["message_sid"]


def test_a_handset_of_another_channel_is_told_so(gateway: Gateway) -> None:
    answer = gateway.http.post("/api/v1/simulator/phones/%2B14155550905/messages", json={"to": WHATSAPP, "body": "hi"})
    assert (422, "to") == (answer.status_code, answer.json()["errors"][0]["path"])


def test_a_sender_of_somebody_else_is_not_found(gateway: Gateway) -> None:
    sid, token = gateway.account()
    path = "/api/v1/simulator/phones/%2B14155550906/messages"
    answer = gateway.http.post(path, json={"to": US, "body": "STOP"}, auth=(sid, token))
    assert (404, "application/problem+json") == (answer.status_code, answer.headers["content-type"])


def test_parts_are_joined_in_any_order(gateway: Gateway) -> None:
    phone = gateway.phone("+14155550907")
    sent = phone.text("abcdef" * 20, to=US, parts=3, part_order=[3, 1, 2])
    assert "abcdef" * 20 == gateway.client().messages(sent["message_sid"]).fetch().body


def test_a_text_that_a_network_brings_twice_is_one_message(gateway: Gateway) -> None:
    phone = gateway.phone("+14155550908")
    phone.text("only once", to=US, repeat=3)
    found = gateway.client().messages.list(from_="+14155550908")
    assert 1 == len(found)


def test_media_come_along(gateway: Gateway) -> None:
    phone = gateway.phone("+14155550909")
    picture = base64.b64encode(b"\x89PNG").decode()
    sent = phone.text("look", to=US, media=[{"content_type": "image/png", "base64": picture}])
    assert "1" == gateway.client().messages(sent["message_sid"]).fetch().num_media


@pytest.mark.parametrize(
    ("given", "path"),
    [
        pytest.param({"body": "x"}, "to", id="without a receiver"),
        pytest.param({"to": US}, "body", id="without a text"),
        pytest.param({"to": US, "body": "x", "parts": 0}, "parts", id="no parts"),
        pytest.param({"to": US, "body": "x", "parts": 2, "part_order": [3]}, "part_order", id="a part that is none"),
        pytest.param({"to": US, "body": "x", "repeat": "2"}, "repeat", id="a text for a number"),
        pytest.param({"to": US, "body": "x", "partz": 2}, "partz", id="an unknown field"),
        pytest.param({"to": US, "body": "x", "media": [{"content_type": "image/png", "base64": "!"}]}, "media.0.base64", id="no base64"),
        pytest.param({"to": US, "body": "a\x00b"}, "body", id="a NUL"),
    ],
)
def test_a_wrong_field_is_named(gateway: Gateway, given: dict[str, object], path: str) -> None:
    answer = gateway.http.post("/api/v1/simulator/phones/%2B14155550910/messages", json=given)
    assert 422 == answer.status_code, answer.text
    assert path == answer.json()["errors"][0]["path"]


def test_a_handset_that_is_no_number_is_refused(gateway: Gateway) -> None:
    answer = gateway.http.post("/api/v1/simulator/phones/banana/messages", json={"to": US, "body": "x"})
    assert (422, "address") == (answer.status_code, answer.json()["errors"][0]["path"])


def test_the_handsets_that_were_used_are_listed(gateway: Gateway) -> None:
    gateway.phone("+14155550911").text("here", to=US)
    found = gateway.http.get("/api/v1/simulator/phones").json()["items"]
    assert "+14155550911" in [each["address"] for each in found]


# ── the network between a handset and us ─────────────────────────────────────────────────────────────


def set_phone(gateway: Gateway, address: str, **change: Any) -> dict[str, Any]:
    answer = gateway.http.patch(f"/api/v1/simulator/phones/{quote(address, safe='')}", json=change)
    assert 200 == answer.status_code, answer.text
    return dict(answer.json())


@pytest.fixture
def chaos(gateway: Gateway) -> Iterator[Callable[..., dict[str, Any]]]:
    def put(**values: Any) -> dict[str, Any]:
        answer = gateway.http.put("/api/v1/simulator/chaos", json=values)
        assert 200 == answer.status_code, answer.text
        return dict(answer.json())

    yield put
    gateway.http.delete("/api/v1/simulator/chaos")


def status_of(gateway: Gateway, sid: str) -> tuple[str, int | None]:
    found = gateway.client().messages(sid).fetch()
    return str(found.status), found.error_code


def becomes(gateway: Gateway, sid: str, status: str) -> tuple[str, int | None]:
    """The message's status and error code, once it has this status."""

    def reached() -> tuple[str, int | None] | None:
        found = status_of(gateway, sid)
        return found if found[0] == status else None

    return eventually(reached)


def test_a_handset_that_is_off_gets_its_texts_and_reports_when_it_is_on(gateway: Gateway) -> None:
    phone = gateway.phone("+14155550930")
    off = set_phone(gateway, phone.address, on=False)
    assert (False, 0) == (off["on"], off["waiting"])
    sid = gateway.client().messages.create(to=phone.address, from_=US, body="Sale").sid
    assert ("sent", None) == becomes(gateway, sid, "sent")
    assert [] == phone.inbox
    eventually(lambda: gateway.http.get(f"/api/v1/simulator/phones/{quote(phone.address, safe='')}").json()["waiting"] == 1)
    refused = gateway.http.post(f"/api/v1/simulator/phones/{quote(phone.address, safe='')}/messages", json={"to": US, "body": "STOP"})
    assert (409, "This handset is switched off: switch it on, then it can text.") == (refused.status_code, refused.json()["detail"])
    assert set_phone(gateway, phone.address, on=True)["on"]
    assert ["Sale"] == [m["body"] for m in phone.wait(1)]
    assert ("delivered", None) == becomes(gateway, sid, "delivered")


def test_a_lost_text_ends_undelivered(gateway: Gateway) -> None:
    phone = gateway.phone("+14155550931")
    set_phone(gateway, phone.address, loss=1)
    sid = gateway.client().messages.create(to=phone.address, from_=US, body="Sale").sid
    assert ("undelivered", 30008) == becomes(gateway, sid, "undelivered")
    sent = phone.text("STOP", to=US)
    assert ("lost", None) == (sent["fate"], sent["message_sid"])
    assert ["STOP"] == [m["body"] for m in phone.messages()]


def test_a_stop_that_comes_twice_is_one_event(gateway: Gateway) -> None:
    phone = gateway.phone("+14155550932")
    set_phone(gateway, phone.address, duplicates=1)
    phone.text("STOP", to=US)
    assert 1 == len(phone.wait(1))
    events = gateway.http.get("/api/v1/consent-events", params={"recipient": phone.address}).json()["items"]
    assert ["opt_out"] == [event["act"] for event in events]


def test_a_handset_tells_how_it_is_reached_and_what_is_usual_is_not_listed(gateway: Gateway) -> None:
    usual = {"on": True, "delay_seconds": 0, "loss": 0, "duplicates": 0, "waiting": 0}
    address = "+14155550933"
    path = f"/api/v1/simulator/phones/{quote(address, safe='')}"
    assert {"address": address, **usual} == gateway.http.get(path).json()
    odd = {"delay_seconds": 2.5, "loss": 0.25}
    assert {"address": address, **usual, **odd} == set_phone(gateway, address, **odd)
    listed = {each["address"]: each for each in gateway.http.get("/api/v1/simulator/phones").json()["items"]}
    assert {"address": address, **usual, **odd} == listed[address]
    set_phone(gateway, address, delay_seconds=0, loss=0)
    assert address not in {each["address"] for each in gateway.http.get("/api/v1/simulator/phones").json()["items"]}


WRONG = [
    pytest.param("phones/%2B14155550934", {"loss": 2}, id="more than all"),
    pytest.param("phones/%2B14155550934", {"delay_seconds": -1}, id="early"),
    pytest.param("phones/%2B14155550934", {"color": "red"}, id="unknown"),
    pytest.param("phones/nobody", {"on": False}, id="no number"),
]


@pytest.mark.parametrize(("path", "change"), WRONG)
def test_what_no_network_does_is_refused(gateway: Gateway, path: str, change: dict[str, Any]) -> None:
    assert 422 == gateway.http.patch(f"/api/v1/simulator/{path}", json=change).status_code


def test_a_dead_message_centre_keeps_texts_until_it_lives(gateway: Gateway, chaos: Callable[..., dict[str, Any]]) -> None:
    phone = gateway.phone("+14155550935")
    assert chaos(down=True)["on"]
    sid = gateway.client().messages.create(to=phone.address, from_=US, body="Sale").sid
    assert "on_its_way" == phone.text("hello", to=US)["fate"]
    assert status_of(gateway, sid)[0] in ("queued", "sending")
    assert not gateway.http.delete("/api/v1/simulator/chaos").json()["on"]
    assert ("delivered", None) == becomes(gateway, sid, "delivered")
    assert 1 == len(eventually(lambda: gateway.client().messages.list(from_=phone.address)))


@pytest.mark.parametrize(
    ("values", "status", "says"),
    [
        pytest.param({"down": True}, "down", "the message centre is dead", id="dead"),
        pytest.param({"silent": True}, "down", "says nothing", id="silent"),
        pytest.param({"per_second": 7}, "up", "at most 7 messages a second", id="throttled"),
        pytest.param({"loss": 0.5}, "up", "no text leaves this machine", id="nothing that a carrier knows of"),
    ],
)
def test_the_simulators_connection_is_as_chaos_has_it(
    gateway: Gateway, chaos: Callable[..., dict[str, Any]], values: dict[str, Any], status: str, says: str
) -> None:
    def seen(auth: tuple[str, str]) -> dict[str, Any]:
        return dict(gateway.http.get("/api/v1/carriers/simulator", auth=auth).json())

    ours, stranger = (gateway.account_sid, gateway.auth_token), gateway.account()
    before = gateway.world.clock.now()
    chaos(**values)
    link = seen(ours)["link"]
    assert (status, True) == (link["status"], says in link["says"])
    assert datetime.fromisoformat(link["since"]) >= before.replace(microsecond=0)
    assert (status == "up", "up") == (seen(ours)["up"], seen(stranger)["link"]["status"])
    assert (status == "up") == gateway.http.post("/api/v1/carriers/simulator/test").json()["ok"]
    chaos()
    assert "up" == seen(ours)["link"]["status"]


def test_a_silent_carriers_answers_come_late_and_count(gateway: Gateway, chaos: Callable[..., dict[str, Any]]) -> None:
    phone = gateway.phone("+14155550936")
    chaos(silent=True)
    sid = gateway.client().messages.create(to=phone.address, from_=US, body="Sale").sid
    assert ["Sale"] == [m["body"] for m in phone.wait(1)]
    eventually(lambda: "silent" in gateway.http.get(f"/api/v1/messages/{sid}/explain").text)
    assert "sending" == status_of(gateway, sid)[0]
    chaos()
    assert ("delivered", None) == becomes(gateway, sid, "delivered")
    assert 1 == len(phone.inbox)


def test_where_the_policy_is_to_retry_a_silent_carrier_gets_the_text_twice(gateway: Gateway, chaos: Callable[..., dict[str, Any]]) -> None:
    phone = gateway.phone("+14155550938")
    gateway.http.patch("/api/v1/account", json={"ambiguous": "retry"})
    try:
        chaos(silent=True)
        sid = gateway.client().messages.create(to=phone.address, from_=US, body="Sale").sid
        assert ["Sale", "Sale"] == [m["body"] for m in phone.wait(2)]
    finally:
        gateway.http.patch("/api/v1/account", json={"ambiguous": "hold"})
    chaos()
    assert ("delivered", None) == becomes(gateway, sid, "delivered")


def test_a_throttled_message_is_tried_again_until_there_is_room(gateway: Gateway, chaos: Callable[..., dict[str, Any]]) -> None:
    phone = gateway.phone("+14155550939")
    chaos(per_second=1)
    sids = [gateway.client().messages.create(to=phone.address, from_=US, body=f"Sale {n}").sid for n in range(2)]
    assert 2 == len(phone.wait(2))
    assert [("delivered", None)] * 2 == [becomes(gateway, sid, "delivered") for sid in sids]


def test_parts_in_the_wrong_order_become_one_text(gateway: Gateway, chaos: Callable[..., dict[str, Any]]) -> None:
    chaos(shuffled=True)
    body = " ".join(f"word{n}" for n in range(60))
    sent = gateway.phone("+14155550937").text(body, to=US)
    assert body == gateway.client().messages(sent["message_sid"]).fetch().body


def test_chaos_says_what_it_is_and_touches_no_other_account(gateway: Gateway, chaos: Callable[..., dict[str, Any]]) -> None:
    calm = {"delay_seconds": 0, "loss": 0, "duplicates": 0, "lost_reports": 0, "shuffled": False, "down": False, "per_second": 0}
    assert {"on": True, **calm, "silent": False, "per_second": 5} == chaos(per_second=5)
    assert {"on": True, **calm, "silent": False, "loss": 0.5} == chaos(loss=0.5)  # the whole is set anew
    stranger = gateway.account()
    assert {"on": False, **calm, "silent": False} == gateway.http.get("/api/v1/simulator/chaos", auth=stranger).json()
