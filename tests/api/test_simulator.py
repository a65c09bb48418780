"""Handsets over the native API."""

import base64

import pytest

from tests.gateway import Gateway

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
