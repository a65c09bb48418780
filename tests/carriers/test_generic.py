"""A provider described by settings, in rows."""

from typing import Any

import pytest

from stopwire.carriers.generic import Generic
from stopwire.carriers.http import Event, basic, hmac_base64, hmac_hex
from stopwire.core.message import Status
from stopwire.core.outcomes import Cause, Outcome
from stopwire.ports.http import HttpAnswer
from stopwire.ports.push import HttpPush
from tests.carriers.rows import (
    NOW,
    PUBLIC,
    SID,
    STAMP,
    accepted,
    answer,
    connected,
    events,
    form_push,
    json_of,
    json_push,
    part,
    push,
    rejected,
    report,
    text,
)

JSON = {"url": "https://sms.example.net/send", "body": '{"to": "{to}", "from": "{from_digits}", "text": "{body}", "ref": "{id}"}'}
FORM = {"url": "https://sms.example.net/send", "body_kind": "form", "body": "to={to_digits}&text={body}&dlr={callback_url}"}


def generic(secrets: dict[str, str] | None = None, **settings: Any) -> Generic:
    return connected(Generic, {**JSON, **settings}, secrets or {})


def test_a_part_becomes_the_json_that_was_described() -> None:
    carrier = generic({"authorization": "Key 1"}, headers="X-Api: v2\nX-Other: a: b")
    request = carrier.request(part(body='Say "hi"\n{to} \\ 好'))
    assert {"to": "+14155550199", "from": "14155550100", "text": 'Say "hi"\n{to} \\ 好', "ref": "AT1"} == json_of(request)
    expected = {"Content-Type": "application/json", "X-Api": "v2", "X-Other": "a: b", "Authorization": "Key 1"}
    assert ("POST", expected) == (request.method, request.headers)


def test_a_part_becomes_the_form_that_was_described() -> None:
    request = generic(**FORM).request(part(body="a&b=c {to}"))
    callback = f"{PUBLIC}/carriers/{SID}/status/AT1".replace(":", "%3A").replace("/", "%2F")
    assert f"to=14155550199&text=a%26b%3Dc+%7Bto%7D&dlr={callback}".encode() == request.body


def test_a_part_becomes_the_query_that_was_described() -> None:
    carrier = generic({"secret": "p&w"}, method="GET", body="", query="user=me&pass={secret}&to={to_digits}&text={body}")
    request = carrier.request(part(body="a&b=c 好 {to}"))
    assert ("GET", None, {}) == (request.method, request.body, request.headers)
    assert "https://sms.example.net/send?user=me&pass=p%26w&to=14155550199&text=a%26b%3Dc+%E5%A5%BD+%7Bto%7D" == request.url


def test_a_part_becomes_the_xml_that_was_described() -> None:
    carrier = generic(body_kind="xml", body='<sms to="{to}"><text>{body}</text></sms>')
    request = carrier.request(part(body='<b>"1" & 2</b>\x01'))
    expected = '<sms to="+14155550199"><text>&lt;b&gt;&quot;1&quot; &amp; 2&lt;/b&gt;</text></sms>'
    assert (expected.encode(), "text/xml; charset=utf-8") == (request.body, request.headers["Content-Type"])


def test_no_value_begins_a_header_of_its_own() -> None:
    carrier = generic({"secret": "key 1"}, headers="X-Key: {secret}\nX-Text: <{body}>\nX-Ref: {id}")
    headers = carrier.request(part(body="a\r\nX-Evil: 1 % 好")).headers
    assert {"X-Key": "key 1", "X-Text": "<a%0D%0AX-Evil: 1 %25 %E5%A5%BD>", "X-Ref": "AT1", "Content-Type": "application/json"} == headers


YES = {"answer_status": "/state", "accepted_values": "ok, queued"}


@pytest.mark.parametrize(
    ("settings", "said", "expected"),
    [
        pytest.param({"answer_id": "1"}, answer(200, b"ID: 4711"), accepted("4711"), id="the second word of a plain text"),
        pytest.param({"answer_id": "id"}, answer(200, b"status=0&id=a%2F7"), accepted("a/7"), id="a field of a form"),
        pytest.param(YES, answer(200, {"state": "queued"}), accepted("AT1"), id="a yes in its own words"),
        pytest.param(YES, answer(200, {"state": "no credit"}), rejected(Cause.OTHER, "no credit"), id="a no with the status of a yes"),
        pytest.param(
            {**YES, "answer_error": "/code", "opted_out_codes": "9"},
            answer(200, {"state": "failed", "code": 9}),
            rejected(Cause.OPTED_OUT, "9"),
            id="an opt-out with the status of a yes",
        ),
        pytest.param(
            {"answer_status": "0", "accepted_values": "0"}, answer(202, b"0: Accepted for delivery"), accepted("AT1"), id="as Kannel says it"
        ),
        pytest.param({"answer_id": "/data/0/id"}, answer(200, {"data": [{"id": 7}]}), accepted("7"), id="an id by its place"),
        pytest.param({"answer_id": "id"}, answer(200, {"id": "x"}), accepted("x"), id="an id by its name"),
        pytest.param({"answer_id": "/data/0/id"}, answer(200, {"data": []}), accepted("AT1"), id="no id there: ours serves"),
        pytest.param({}, answer(202, b"OK"), accepted("AT1"), id="no JSON at all"),
        pytest.param(
            {"answer_error": "/error/code", "opted_out_codes": "77, 78"},
            answer(400, {"error": {"code": 78}}),
            rejected(Cause.OPTED_OUT, "78"),
            id="the person opted out there",
        ),
        pytest.param({"answer_error": "/error/code"}, answer(400, {"error": {"code": 5}}), rejected(Cause.OTHER, "5"), id="refused"),
        pytest.param({}, answer(422, b"no"), rejected(Cause.OTHER, "422"), id="refused in plain words"),
    ],
)
def test_an_answer_is_named(settings: dict[str, Any], said: HttpAnswer, expected: Outcome) -> None:
    assert expected == generic(**settings).outcome(part(), said)


INBOUND = {"from": "14155550199", "to": "+14155550100", "text": "STOP", "id": "up-1"}
NESTED = {"inbound_from": "/message/source", "inbound_to": "/message/target/0", "inbound_body": "/message/a~1b", "inbound_at": "/at"}


@pytest.mark.parametrize(
    ("settings", "heard", "expected"),
    [
        pytest.param({}, json_push(INBOUND, "inbound"), [text("STOP", "up-1")], id="JSON"),
        pytest.param({}, form_push(INBOUND, "inbound"), [text("STOP", "up-1")], id="a form"),
        pytest.param(
            NESTED,
            json_push(
                {"message": {"source": 14155550199, "target": ["14155550100"], "a/b": "STOP"}, "id": 5, "at": "2026-03-01T12:00:00Z"},
                "inbound?x=1",
            ),
            [text("STOP", "5", sent_at=NOW)],
            id="by their places",
        ),
        pytest.param({}, form_push({"from": "14155550199", "to": "72345"}, "inbound"), [text("", None, sender="72345")], id="no id, no words"),
        pytest.param({}, json_push({"id": "up-2", "status": "delivered"}, "status"), [report("up-2", Status.DELIVERED)], id="delivered"),
        pytest.param({}, json_push({"id": "up-2", "status": "thinking"}, "status"), [], id="an unknown status"),
        pytest.param(
            {"report_error": "/why", "opted_out_codes": "9"},
            json_push({"id": "up-2", "status": "failed", "why": 9}, "status"),
            [report("up-2", Status.UNDELIVERED, 21610)],
            id="opted out, told late",
        ),
        pytest.param(
            {"report_status": "state", "failed_values": "-1"},
            form_push({"id": "up-2", "state": "-1"}, "status"),
            [report("up-2", Status.UNDELIVERED, 30008)],
            id="their own words",
        ),
    ],
)
def test_a_push_is_read(settings: dict[str, Any], heard: HttpPush, expected: list[Event]) -> None:
    assert expected == events(generic(**settings), heard)


def test_a_yes_that_cannot_be_found_is_no_answer() -> None:
    with pytest.raises(ValueError):  # the engine makes it an unknown: it may have the part
        generic(**YES).outcome(part(), answer(200, {"status": "ok"}))


@pytest.mark.parametrize(
    "heard",
    [
        pytest.param(json_push(INBOUND, "elsewhere"), id="to another path"),
        pytest.param(json_push({"text": "STOP"}, "inbound"), id="without numbers"),
        pytest.param(json_push([], "inbound"), id="a list"),
        pytest.param(json_push({"status": "delivered"}, "status"), id="a report of nothing"),
    ],
)
def test_a_push_that_was_not_described_is_no_text(heard: HttpPush) -> None:
    with pytest.raises(ValueError):
        events(generic(), heard)


BODY = b'{"a": 1}'
KEY = {"push_secret": "key"}
TIMED = {"timestamp_header": "X-Time"}


@pytest.mark.parametrize(
    ("carrier", "heard"),
    [
        pytest.param(generic(KEY), push(BODY, x_signature=hmac_hex("key", BODY)), id="hex"),
        pytest.param(generic(KEY), push(BODY, x_signature="sha256=" + hmac_hex("key", BODY)), id="sha256= before it"),
        pytest.param(
            generic(KEY, signature_encoding="base64", signature_header="X-Sig"),
            push(BODY, x_sig=hmac_base64("key", BODY)),
            id="base64 in another header",
        ),
        pytest.param(
            generic(KEY, **TIMED), push(BODY, x_time=STAMP, x_signature=hmac_hex("key", STAMP.encode() + b"." + BODY)), id="with its time"
        ),
        pytest.param(
            generic({"push_password": "pw"}, push_user="them"), push(BODY, authorization=basic("them", "pw")["Authorization"]), id="Basic"
        ),
        pytest.param(generic(KEY), push(b"", "inbound?a=1", "GET", x_signature=hmac_hex("key", b"a=1")), id="a query"),
        pytest.param(generic({"push_token": "t0ken"}), push(b"", "inbound?a=1&token=t0ken", "GET"), id="a token in the query"),
        pytest.param(generic({"push_token": "t0ken"}), push(BODY, "inbound?token=t0ken"), id="a token in the query beside a body"),
        pytest.param(generic({"push_token": "t0ken"}), push(b'{"token": "t0ken"}'), id="a token in the body"),
        pytest.param(generic(insecure_pushes="true"), push(BODY), id="nothing proves it, and that is wanted"),
        pytest.param(generic(insecure_pushes=True), push(BODY), id="the same, from a file"),
    ],
)
def test_what_the_settings_believe_is_genuine(carrier: Generic, heard: HttpPush) -> None:
    assert None is carrier.refusal(heard, at=NOW)


OLD = str(int(STAMP) - 301)


@pytest.mark.parametrize(
    ("carrier", "heard"),
    [
        pytest.param(generic(), push(BODY), id="nothing proves it"),
        pytest.param(generic(insecure_pushes="false"), push(BODY), id="nothing proves it, in so many words"),
        pytest.param(generic(KEY), push(BODY), id="no signature"),
        pytest.param(generic(KEY), push(b"", "inbound?a=2", "GET", x_signature=hmac_hex("key", b"a=1")), id="another query"),
        pytest.param(generic(KEY), push(b"", "inbound?a=1", "GET", x_signature=hmac_hex("key", b"")), id="a signature over nothing"),
        pytest.param(generic({"push_token": "t0ken"}), push(BODY), id="no token"),
        pytest.param(generic({"push_token": "t0ken"}), push(b'{"token": ["t0ken"]}'), id="a token of another kind"),
        pytest.param(generic({"push_token": "t0ken"}), push(BODY, "inbound?token=t0ke"), id="another token"),
        pytest.param(generic(KEY), push(BODY + b" ", x_signature=hmac_hex("key", BODY)), id="another body"),
        pytest.param(generic(KEY, insecure_pushes=True), push(BODY), id="a secret wins over insecure_pushes"),
        pytest.param(generic(KEY, **TIMED), push(BODY, x_time=OLD, x_signature=hmac_hex("key", OLD.encode() + b"." + BODY)), id="old"),
        pytest.param(generic(KEY, **TIMED), push(BODY, x_signature=hmac_hex("key", b"." + BODY)), id="without its time"),
        pytest.param(generic({}, push_user="them"), push(BODY, authorization=basic("them", "")["Authorization"]), id="no password here"),
    ],
)
def test_whatever_else_is_refused(carrier: Generic, heard: HttpPush) -> None:
    assert carrier.refusal(heard, at=NOW)


@pytest.mark.parametrize(
    ("settings", "paths"),
    [
        pytest.param(JSON, [], id="JSON"),
        pytest.param(FORM, [], id="a form"),
        pytest.param({**JSON, "body": '{"to": "{to}"}'}, ["settings.body"], id="no text"),
        pytest.param({**JSON, "body": '{"to": {to}, "text": {body}'}, ["settings.body"], id="no JSON"),
        pytest.param({**FORM, "body_kind": "yaml"}, ["settings.body_kind"], id="another kind"),
        pytest.param({"url": JSON["url"], "method": "GET", "query": "to={to}&text={body}"}, [], id="a query"),
        pytest.param({"url": JSON["url"], "method": "GET"}, ["settings.query"] * 2, id="a query without anything"),
        pytest.param({**JSON, "method": "GET"}, ["settings.body"], id="a GET with a body"),
        pytest.param({**JSON, "method": "PATCH"}, ["settings.method"], id="another method"),
        pytest.param({**JSON, "query": "a=1", "url": JSON["url"] + "?b=2"}, ["settings.query"], id="two queries"),
        pytest.param({**JSON, "accepted_values": "ok"}, ["settings.answer_status"], id="a yes that stands nowhere"),
        pytest.param({**JSON, "signature_encoding": "hexadecimal"}, ["settings.signature_encoding"], id="another encoding"),
        pytest.param({**JSON, "headers": "no header"}, ["settings.headers"], id="no header"),
        pytest.param({**JSON, "url": "sms.example.net"}, ["settings.url"], id="no URL"),
    ],
)
def test_what_is_wrong_with_the_settings_is_named(settings: dict[str, Any], paths: list[str]) -> None:
    assert paths == [problem.path for problem in Generic.problems(settings)]


def test_the_provider_hears_what_was_described() -> None:
    assert "ACK" == generic(reply="ACK").reply(push(b"")).body


def test_a_text_without_an_id_is_no_repeat_of_another() -> None:
    """Without an id the four-second rule holds, not a name made of the words: STOP, START, STOP are three texts."""
    heard = events(generic(), form_push({"from": "14155550199", "to": "14155550100", "text": "STOP"}, "inbound"))
    assert [text("STOP", None)] == heard


def test_codes_and_places_that_came_as_numbers_are_read_as_text() -> None:
    """A file or a program writes 77 where the console writes "77"."""
    carrier = connected(Generic, {**JSON, "answer_status": 0, "accepted_values": 0, "answer_error": 1, "opted_out_codes": 77}, {})
    assert accepted("AT1") == carrier.outcome(part(), answer(200, b"0: sent"))
    assert rejected(Cause.OPTED_OUT, "77") == carrier.outcome(part(), answer(200, b"9 77"))


@pytest.mark.parametrize("value", [["77"], {"to": "{to}"}], ids=["a list", "an object"])
@pytest.mark.parametrize("name", ["body", "headers", "body_kind", "method", "opted_out_codes"])
def test_a_setting_that_is_no_text_is_named(name: str, value: Any) -> None:
    assert [f"settings.{name}"] == [problem.path for problem in Generic.problems({**JSON, name: value})]
