"""Webhooks from end to end: what the customer's server is asked, and what becomes of its answers."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from stopwire.core.address import SenderKind
from stopwire.core.senders import Webhook
from stopwire.flows import purge
from stopwire.ports.store import Cut, Tx
from stopwire.ports.world import Clock
from tests import arrange
from tests.gateway import Gateway, Phone, eventually
from tests.webhook_server import Reply, WebhookServer, only, redirect, twiml

NUMBER = "+14155550122"  # in no service
MEMBER = "+14155550100"  # in the service


def listen(gateway: Gateway, url: str, **more: str) -> None:
    """Have the number's inbound messages go to `url`."""
    arrange.sender(gateway, NUMBER, webhook=Webhook(url=url, **more))


def outbound(gateway: Gateway, to: str) -> list[str]:
    """Bodies of the messages to `to`, oldest first."""
    return [str(m.body) for m in reversed(gateway.client().messages.list(to=to))]


@pytest.fixture
def advanced(gateway: Gateway, web: WebhookServer) -> Iterator[str]:
    """The demo's service with Advanced Opt-Out and an inbound URL at /advanced."""
    service = gateway.service
    arrange.policy(gateway, service)
    arrange.service(gateway, service, inbound_request_url=web.url("/advanced"), use_inbound_webhook_on_number=False)
    yield service
    arrange.policy(gateway, service, enabled=False)
    arrange.service(gateway, service, inbound_request_url=None, use_inbound_webhook_on_number=True)


# ── what is asked ────────────────────────────────────────────────────────────────────────────────────


def test_an_inbound_message_is_posted_with_all_parameters_and_signed(gateway: Gateway, web: WebhookServer, person: Phone) -> None:
    listen(gateway, web.url("/inbound?tenant=7"))
    sid = person.text("Hello there", to=NUMBER)["message_sid"]
    asked = web.one("/inbound", MessageSid=sid)
    expected = {
        "ToCountry": "US", "ToState": "", "ToCity": "", "ToZip": "",
        "FromCountry": "US", "FromState": "", "FromCity": "", "FromZip": "",
        "SmsMessageSid": sid, "SmsSid": sid, "MessageSid": sid, "AccountSid": gateway.account_sid,
        "From": person.address, "To": NUMBER, "Body": "Hello there", "NumMedia": "0", "NumSegments": "1",
        "SmsStatus": "received", "ApiVersion": "2010-04-01",
    }  # fmt: skip
    assert expected == dict(asked.params)
    assert asked.signed_with(gateway.auth_token)
    assert not asked.signed_with("0" * 32)
    assert "application/x-www-form-urlencoded; charset=UTF-8" == asked.headers["content-type"]
    assert asked.headers["user-agent"].startswith("Stopwire/")
    assert asked.headers["i-twilio-idempotency-token"]


def test_an_inbound_webhook_by_get_carries_its_parameters_in_the_query(gateway: Gateway, web: WebhookServer, person: Phone) -> None:
    listen(gateway, web.url("/get?a=1"), method="GET")
    sid = person.text("Grüße & más", to=NUMBER)["message_sid"]
    asked = web.one("/get", MessageSid=sid)
    assert ("GET", "Grüße & más", "1") == (asked.method, asked.params["Body"], asked.params["a"])
    assert asked.signed_with(gateway.auth_token)


def test_a_service_and_its_keyword_are_named(gateway: Gateway, web: WebhookServer, person: Phone, advanced: str) -> None:
    person.text("hi", to=MEMBER)
    person.text("Stop.", to=MEMBER)
    person.text("INFO", to=MEMBER)
    person.text("start", to=MEMBER)
    asked = web.wait("/advanced", 4, From=person.address)
    types = {a.params["Body"]: a.params.get("OptOutType") for a in asked}
    assert {"hi": None, "Stop.": "STOP", "INFO": "HELP", "start": "START"} == types
    assert {advanced} == {a.params["MessagingServiceSid"] for a in asked}


def test_pictures_can_be_fetched_by_their_url(gateway: Gateway, web: WebhookServer, person: Phone) -> None:
    listen(gateway, web.url("/media"))
    picture = {"content_type": "image/png", "base64": "iVBORw0KGgo="}
    sid = person.text("look", to=NUMBER, media=[picture])["message_sid"]
    asked = web.one("/media", MessageSid=sid)
    assert ("1", "image/png") == (asked.params["NumMedia"], asked.params["MediaContentType0"])
    fetched = httpx.get(asked.params["MediaUrl0"])
    assert (200, "image/png", b"\x89PNG\r\n\x1a\n") == (fetched.status_code, fetched.headers["content-type"], fetched.content)


def test_a_password_in_the_url_travels_as_a_header_and_is_signed(gateway: Gateway, web: WebhookServer, person: Phone) -> None:
    url = f"http://user:secret@127.0.0.1:{web.port}/password"
    listen(gateway, url)
    person.text("hi", to=NUMBER)
    asked = web.one("/password", From=person.address)
    assert "Basic dXNlcjpzZWNyZXQ=" == asked.headers["authorization"]
    assert asked.signed_with(gateway.auth_token, url=url)


def test_an_application_that_wants_no_inbound_message_gets_none_but_keywords_work(gateway: Gateway, person: Phone) -> None:
    service = arrange.new_service(gateway, "Dropping", use_inbound_webhook_on_number=False)
    arrange.policy(gateway, service)
    arrange.new_sender(gateway, "+14155550133", SenderKind.LONG_CODE, service=service)
    ordinary = person.text("hello", to="+14155550133")
    assert ordinary["message_sid"] is None
    stop = person.text("STOP", to="+14155550133")
    assert stop["message_sid"].startswith("SM")
    assert ["auto_reply"] == [m["kind"] for m in person.wait(1)]
    logged = gateway.client().messages.list(from_=person.address)
    assert ["STOP"] == [m.body for m in logged]


# ── failures, retries, fallback ──────────────────────────────────────────────────────────────────────

BROKEN = [
    pytest.param(Reply(status=500), "", "11200", id="a status that is none of success"),
    pytest.param(Reply(body=b"<Response><Message>"), "", "12100", id="broken TwiML"),
    pytest.param(Reply(body=b"<html/>"), "", "12100", id="another document"),
    pytest.param(Reply(body=b"{}", content_type="application/json"), "", "12300", id="a type that is no TwiML"),
    pytest.param(Reply(body=b"<Response>" + b" " * 65536 + b"</Response>"), "", "11750", id="more than 64 kB"),
    pytest.param(Reply(behave="close"), "", "11205", id="hung up without an answer"),
    pytest.param(Reply(behave="cut"), "", "11205", id="hung up within the answer"),
    pytest.param(Reply(behave="garbage"), "", "11206", id="what comes is not HTTP"),
    pytest.param(Reply(behave="hang"), "#rt=100", "11200", id="silence"),
    pytest.param(Reply(behave="hang"), "#tt=100", "11203", id="silence until the time is up"),
]


@pytest.mark.parametrize(("reply", "fragment", "code"), BROKEN)
def test_a_broken_webhook_is_answered_for_by_the_fallback(
    gateway: Gateway, web: WebhookServer, person: Phone, reply: Reply, fragment: str, code: str
) -> None:
    url = web.on("/broken", reply)
    listen(gateway, url + fragment, fallback_url=web.on("/fallback", twiml("<Message>from the fallback</Message>")))
    person.text("hi", to=NUMBER)
    asked = web.one("/fallback", From=person.address)
    assert (code, url) == (asked.params["ErrorCode"], asked.params["ErrorUrl"])
    assert "hi" == asked.params["Body"]
    assert asked.signed_with(gateway.auth_token)
    assert ["from the fallback"] == [m["body"] for m in person.wait(1)]
    assert 1 == len(web.of("/broken", From=person.address))


def test_a_webhook_that_nobody_listens_to_is_tried_twice_and_then_the_fallback(
    gateway: Gateway, web: WebhookServer, person: Phone
) -> None:
    listen(gateway, "http://127.0.0.1:9/", fallback_url=web.url("/fallback-2"))
    person.text("hi", to=NUMBER)
    assert "11202" == web.one("/fallback-2", From=person.address).params["ErrorCode"]


def test_the_url_says_how_often_to_try_again_and_the_token_stays(gateway: Gateway, web: WebhookServer, person: Phone) -> None:
    url = web.on("/again", Reply(status=503), Reply(status=500), twiml("<Message>at last</Message>"))
    listen(gateway, url + "#rc=2&rp=5xx")
    person.text("one", to=NUMBER)
    assert ["at last"] == [m["body"] for m in person.wait(1)]
    asked = web.of("/again", From=person.address)
    assert [url] * 3 == [a.url for a in asked]
    assert 1 == len({a.headers["i-twilio-idempotency-token"] for a in asked})
    person.text("two", to=NUMBER)
    later = only(web.wait("/again", 1, Body="two", From=person.address))
    assert later.headers["i-twilio-idempotency-token"] != asked[0].headers["i-twilio-idempotency-token"]


def test_overrides_that_cannot_be_read_leave_the_defaults(gateway: Gateway, web: WebhookServer, person: Phone) -> None:
    listen(gateway, web.on("/malformed", Reply(status=500)) + "#rc=99&rp=5xx", fallback_url=web.url("/fallback-3"))
    person.text("hi", to=NUMBER)
    web.one("/fallback-3", From=person.address)
    assert 1 == len(web.of("/malformed", From=person.address))


@pytest.mark.parametrize("reply", [Reply(status=404), Reply(status=500), Reply(behave="close"), Reply(behave="hang")], ids=str)
def test_rp_all_tries_again_after_every_failure(gateway: Gateway, web: WebhookServer, person: Phone, reply: Reply) -> None:
    url = web.on("/all", reply, twiml("<Message>second</Message>"))
    listen(gateway, url + "#rc=1&rp=all&rt=200")
    person.text("hi", to=NUMBER)
    assert ["second"] == [m["body"] for m in person.wait(1)]


def test_a_program_that_began_to_answer_is_not_asked_again(gateway: Gateway, web: WebhookServer, person: Phone) -> None:
    listen(gateway, web.on("/cut", Reply(behave="cut")) + "#rc=3&rp=all", fallback_url=web.url("/fallback-4"))
    person.text("hi", to=NUMBER)
    web.one("/fallback-4", From=person.address)
    assert 1 == len(web.of("/cut", From=person.address))


def test_five_redirects_are_followed_each_signed_for_its_own_url(gateway: Gateway, web: WebhookServer, person: Phone) -> None:
    for hop in range(5):
        web.on(f"/hop-{hop}", redirect(f"/hop-{hop + 1}?n={hop + 1}", 307))
    web.on("/hop-5", twiml("<Message>arrived</Message>"))
    listen(gateway, web.url("/hop-0"))
    person.text("hi", to=NUMBER)
    assert ["arrived"] == [m["body"] for m in person.wait(1)]
    for hop in range(6):
        asked = web.one(f"/hop-{hop}", From=person.address)
        assert ("POST", True) == (asked.method, asked.signed_with(gateway.auth_token))


def test_a_sixth_redirect_is_one_too_many(gateway: Gateway, web: WebhookServer, person: Phone) -> None:
    listen(gateway, web.on("/round", redirect("/round", 308)), fallback_url=web.url("/fallback-5"))
    person.text("hi", to=NUMBER)
    assert "11215" == web.one("/fallback-5", From=person.address).params["ErrorCode"]
    assert 6 == len(web.of("/round", From=person.address))


def test_see_other_turns_a_post_into_a_get(gateway: Gateway, web: WebhookServer, person: Phone) -> None:
    listen(gateway, web.on("/post", redirect("/other", 303)))
    person.text("hi", to=NUMBER)
    asked = web.one("/other", From=person.address)
    assert ("GET", "hi", True) == (asked.method, asked.params["Body"], asked.signed_with(gateway.auth_token))


def test_a_redirect_to_a_place_that_is_no_web_page_is_a_failure(gateway: Gateway, web: WebhookServer, person: Phone) -> None:
    listen(gateway, web.on("/away", redirect("ftp://127.0.0.1/file")), fallback_url=web.url("/fallback-6"))
    person.text("hi", to=NUMBER)
    web.one("/fallback-6", From=person.address)


# ── TwiML ────────────────────────────────────────────────────────────────────────────────────────────

ANSWERS = [
    pytest.param(twiml("<Message>Hello</Message>"), ["Hello"], id="a message"),
    pytest.param(twiml("<Message><Body>Hello</Body></Message>"), ["Hello"], id="a body"),
    pytest.param(twiml("<Sms>Hello</Sms>"), ["Hello"], id="the old verb"),
    pytest.param(twiml("<Message>One</Message><Message>Two</Message>"), ["One", "Two"], id="two messages"),
    pytest.param(Reply(body=b"Hello", content_type="text/plain"), ["Hello"], id="plain text"),
    pytest.param(twiml("<Dance/><Message>Hello</Message>"), ["Hello"], id="a verb that is not of messaging"),
    pytest.param(twiml("".join(f"<Message>{i}</Message>" for i in range(12))), [str(i) for i in range(10)], id="more than ten"),
]


@pytest.mark.parametrize(("reply", "expected"), ANSWERS)
def test_the_answer_is_obeyed(
    gateway: Gateway, web: WebhookServer, person: Phone, reply: Reply, expected: list[str]
) -> None:
    listen(gateway, web.on("/twiml", reply))
    person.text("hi", to=NUMBER)
    got = person.wait(len(expected))
    assert sorted(expected) == sorted(m["body"] for m in got)
    assert {"outbound-reply"} == {m.direction for m in gateway.client().messages.list(to=person.address)}


@pytest.mark.parametrize(
    "reply", [twiml(""), Reply(), Reply(status=204, content_type=None), Reply(content_type=None)],
    ids=["an empty response", "no body", "204", "no type"],
)  # fmt: skip
def test_nothing_is_a_good_answer(gateway: Gateway, web: WebhookServer, person: Phone, reply: Reply) -> None:
    listen(gateway, web.on("/nothing", reply), fallback_url=web.url("/fallback-7"))
    sid = person.text("hi", to=NUMBER)["message_sid"]
    web.one("/nothing", From=person.address)
    eventually(lambda: "delivered" == delivery_state(gateway, sid))
    assert [] == web.of("/fallback-7", From=person.address)
    assert [] == person.inbox


def delivery_state(gateway: Gateway, message: str) -> str:
    found = gateway.run(gateway.world.store.read(lambda tx: tx.webhooks.page(Cut(), message=message), account=gateway.account_sid))
    return found[0].state


def test_a_reply_with_media_is_a_multimedia_message(gateway: Gateway, web: WebhookServer, person: Phone) -> None:
    listen(gateway, web.on("/mms", twiml("<Message><Body>See</Body><Media>https://example.com/cat.png</Media></Message>")))
    person.text("hi", to=NUMBER)
    person.wait(1)
    message = gateway.client().messages.list(to=person.address)[0]
    assert ("MM", "1", "See") == (message.sid[:2], message.num_media, message.body)


def test_a_redirect_verb_goes_on_with_the_original_parameters(gateway: Gateway, web: WebhookServer, person: Phone) -> None:
    web.on("/second", twiml("<Message>two</Message>"))
    listen(gateway, web.on("/first", twiml("<Message>one</Message><Redirect method='GET'>/second</Redirect><Message>no</Message>")))
    person.text("hi", to=NUMBER)
    assert ["one", "two"] == sorted(m["body"] for m in person.wait(2))
    asked = web.one("/second", From=person.address)
    assert ("GET", "hi", True) == (asked.method, asked.params["Body"], asked.signed_with(gateway.auth_token))


def test_documents_that_redirect_for_ever_end_after_ten(gateway: Gateway, web: WebhookServer, person: Phone) -> None:
    listen(gateway, web.on("/ever", twiml("<Redirect>/ever</Redirect>")))
    sid = person.text("hi", to=NUMBER)["message_sid"]
    eventually(lambda: "delivered" == delivery_state(gateway, sid))
    assert 10 == len(web.of("/ever", From=person.address))


def test_a_reply_may_go_to_somebody_else_and_tells_how_it_fared(
    gateway: Gateway, web: WebhookServer, person: Phone
) -> None:
    friend = gateway.phone("+14155551999")
    web.on("/friend", twiml(f"<Message to='{friend.address}' from='{MEMBER}' action='/done?x=1' method='GET'>Hi</Message>"))
    listen(gateway, web.url("/friend"))
    person.text("forward", to=NUMBER)
    (got,) = friend.wait(1)
    assert MEMBER == got["peer"]
    asked = web.wait("/done", 2, To=friend.address)
    assert {"sent", "delivered"} == {a.params["MessageStatus"] for a in asked}
    assert {("GET", True)} == {(a.method, a.signed_with(gateway.auth_token)) for a in asked}


def test_a_reply_after_stop_is_refused_and_its_action_is_told(gateway: Gateway, web: WebhookServer, person: Phone) -> None:
    listen(gateway, web.on("/after-stop", twiml("<Message action='/told'>Sorry to see you go</Message>")))
    person.text("STOP", to=NUMBER)
    asked = web.one("/told", To=person.address)
    assert ("failed", "21610") == (asked.params["MessageStatus"], asked.params["ErrorCode"])
    assert asked.signed_with(gateway.auth_token)
    assert ["auto_reply"] == [m["kind"] for m in person.inbox]
    assert [] == outbound(gateway, person.address)


def test_two_machines_stop_answering_each_other(gateway: Gateway, web: WebhookServer, person: Phone) -> None:
    ten = "".join(f"<Message>{i}</Message>" for i in range(10))
    listen(gateway, web.on("/machine", twiml(ten)))
    person.text("a", to=NUMBER)
    person.wait(10)
    sid = person.text("b", to=NUMBER)["message_sid"]
    eventually(lambda: "delivered" == delivery_state(gateway, sid))
    assert 15 == len(person.wait(15))
    assert 15 == len(outbound(gateway, person.address))


# ── status callbacks ─────────────────────────────────────────────────────────────────────────────────


def test_a_status_callback_tells_each_step(gateway: Gateway, web: WebhookServer, person: Phone) -> None:
    message = gateway.client().messages.create(
        to=person.address, from_=NUMBER, body="hi", status_callback=web.url("/status?of=1")
    )
    asked = web.wait("/status", 2, MessageSid=message.sid)
    assert {"sent", "delivered"} == {a.params["MessageStatus"] for a in asked}
    expected = {
        "SmsSid": message.sid, "MessageSid": message.sid, "AccountSid": gateway.account_sid, "ApiVersion": "2010-04-01",
        "To": person.address, "From": NUMBER, "MessageStatus": "sent", "SmsStatus": "sent",
    }  # fmt: skip
    assert expected == dict(next(a for a in asked if a.params["MessageStatus"] == "sent").params)
    assert all(a.method == "POST" and a.signed_with(gateway.auth_token) for a in asked)


def test_a_message_of_a_service_is_queued_before_it_is_sent(gateway: Gateway, web: WebhookServer, person: Phone) -> None:
    arrange.service(gateway, gateway.service, status_callback=web.url("/of-service"))
    message = gateway.client().messages.create(to=person.address, messaging_service_sid=gateway.service, body="hi")
    asked = web.wait("/of-service", 3, MessageSid=message.sid)
    arrange.service(gateway, gateway.service, status_callback=None)
    assert {"queued", "sent", "delivered"} == {a.params["MessageStatus"] for a in asked}
    assert {gateway.service} == {a.params["MessagingServiceSid"] for a in asked}


def test_a_failed_message_tells_its_code(gateway: Gateway, web: WebhookServer) -> None:
    message = gateway.client().messages.create(
        to="+19995550005", from_=NUMBER, body="hi", status_callback=web.url("/failed")
    )
    asked = web.one("/failed", MessageSid=message.sid, MessageStatus="undelivered")
    assert ("30003", "Unreachable destination handset") == (asked.params["ErrorCode"], asked.params["ErrorMessage"])


def test_a_status_callback_that_fails_is_not_repeated(gateway: Gateway, web: WebhookServer, person: Phone) -> None:
    url = web.on("/status-500", Reply(status=500))
    message = gateway.client().messages.create(to=person.address, from_=NUMBER, body="hi", status_callback=url)
    web.wait("/status-500", 2, MessageSid=message.sid)
    eventually(lambda: "failed" == delivery_state(gateway, message.sid))
    assert 2 == len(web.of("/status-500", MessageSid=message.sid))


# ── private addresses ────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def fenced(gateway: Gateway) -> Iterator[None]:
    """An account that allows no private addresses."""
    arrange.settings(gateway, allow_private_webhooks="none")
    yield
    arrange.settings(gateway, allow_private_webhooks=None)


def test_a_callback_to_a_private_address_is_refused_when_it_is_set(gateway: Gateway, web: WebhookServer, fenced: None) -> None:
    answer = gateway.http.post(
        f"/2010-04-01/Accounts/{gateway.account_sid}/Messages.json",
        data={"To": "+14155551998", "From": NUMBER, "Body": "hi", "StatusCallback": web.url("/private")},
    )
    assert (400, 21609) == (answer.status_code, answer.json()["code"])


def test_a_webhook_to_a_private_address_is_not_called(
    gateway: Gateway, web: WebhookServer, person: Phone, fenced: None
) -> None:
    listen(gateway, web.url("/inside"))
    sid = person.text("hi", to=NUMBER)["message_sid"]
    eventually(lambda: 1 == attempts(gateway, sid))
    assert [] == web.of("/inside")


def attempts(gateway: Gateway, message: str) -> int:
    def query(tx: Tx) -> int:
        (found,) = tx.webhooks.page(Cut(), message=message)
        return len(tx.webhooks.attempts([found.id]).get(found.id, []))

    return gateway.run(gateway.world.store.read(query, account=gateway.account_sid))


# ── a customer whose server hangs ────────────────────────────────────────────────────────────────────


def test_a_server_that_hangs_holds_up_nobody_else(gateway: Gateway, web: WebhookServer, person: Phone) -> None:
    listen(gateway, web.on("/hang", Reply(behave="hang")))
    for text in range(25):
        person.text(str(text), to=NUMBER)
    web.wait("/hang", gateway.settings.webhook_endpoint_parallel, From=person.address)
    listen(gateway, f"http://localhost:{web.port}/elsewhere")
    person.text("hi", to=NUMBER)
    web.one("/elsewhere", From=person.address)
    assert gateway.settings.webhook_endpoint_parallel == len(web.of("/hang"))
    web.on("/hang", twiml(""))
    web.release()
    assert 25 == len(web.wait("/hang", 25))


# ── replay ───────────────────────────────────────────────────────────────────────────────────────────


def delivery_of(gateway: Gateway, message: str) -> dict[str, Any]:
    (found,) = gateway.http.get("/api/v1/webhook-deliveries", params={"message": message}).json()["items"]
    return dict(found)


def test_a_delivery_can_be_replayed_under_the_same_token(gateway: Gateway, web: WebhookServer, person: Phone) -> None:
    listen(gateway, web.on("/replay", Reply(status=500)))
    arrange.settings(gateway, webhook_retries="none")
    sid = person.text("hi", to=NUMBER)["message_sid"]
    eventually(lambda: "failed" == delivery_state(gateway, sid))
    arrange.settings(gateway, webhook_retries="inbound")
    web.on("/replay", twiml("<Message>now</Message>"))
    replayed = gateway.http.post(f"/api/v1/webhook-deliveries/{delivery_of(gateway, sid)['id']}/replay")
    assert 200 == replayed.status_code, replayed.text
    assert ["now"] == [m["body"] for m in person.wait(1)]
    first, again = web.wait("/replay", 2, MessageSid=sid)
    assert first.headers["i-twilio-idempotency-token"] == again.headers["i-twilio-idempotency-token"]
    assert first.params == again.params


def test_a_replay_does_not_send_the_replies_again_even_days_later(
    gateway: Gateway, web: WebhookServer, person: Phone
) -> None:
    listen(gateway, web.on("/twice", twiml("<Message>once</Message>")))
    sid = person.text("hi", to=NUMBER)["message_sid"]
    person.wait(1)
    eventually(lambda: "delivered" == delivery_state(gateway, sid))
    # Days later: what guards against a repeat after a crash has been forgotten.
    gateway.run(purge.purge(replace(gateway.world, clock=Later(gateway.world.clock))))
    assert 200 == gateway.http.post(f"/api/v1/webhook-deliveries/{delivery_of(gateway, sid)['id']}/replay").status_code
    web.wait("/twice", 2, MessageSid=sid)
    eventually(lambda: "delivered" == delivery_state(gateway, sid))
    assert ["once"] == outbound(gateway, person.address)


class Later:
    """The gateway's clock, some days on."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def now(self) -> datetime:
        return self._clock.now() + timedelta(days=3)

    def monotonic(self) -> float:
        return self._clock.monotonic()
