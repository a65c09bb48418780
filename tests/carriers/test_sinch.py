"""Sinch as a carrier, in rows. One signature is Sinch's own, published in the tests of its SDKs; one its package, 2.3.0, takes."""

from functools import partial
from typing import Any

import pytest

from stopwire.carriers.http import Event, MediaLink, WithMedia, basic, hmac_base64
from stopwire.carriers.sinch import Sinch
from stopwire.core.message import Status
from stopwire.core.outcomes import Cause, Outcome
from stopwire.ports.http import HttpAnswer
from stopwire.ports.push import HttpPush
from tests.carriers.rows import (
    ANN,
    NOW,
    PUBLIC,
    SID,
    STAMP,
    accepted,
    answer,
    connected,
    events,
    json_of,
    json_push,
    part,
    push,
    rejected,
    report,
    text,
)

told = partial(report, recipient=ANN)  # what it says beside the id

SECRET = "foo_secret1234"
INBOUND = {
    "type": "mo_text", "id": "up-1", "from": "14155550199", "to": "14155550100", "body": "STOP",
    "received_at": "2026-03-01T12:00:00.000Z", "operator_id": "35000",
}  # fmt: skip


def sinch(secret: str = SECRET, password: str = "", **settings: Any) -> Sinch:
    secrets = {"api_token": "word", "callback_secret": secret, "callback_password": password}
    return connected(Sinch, {"service_plan_id": "plan", **settings}, secrets)


@pytest.mark.parametrize(
    ("changes", "more"),
    [
        pytest.param({}, {"body": "Hi"}, id="a text"),
        pytest.param({"sender": "72345"}, {"from": "72345", "body": "Hi"}, id="from a short code"),
        pytest.param(
            {"media": ("https://example.com/a.png",)},
            {"type": "mt_media", "body": {"url": "https://example.com/a.png", "message": "Hi"}},
            id="a picture",
        ),
    ],
)
def test_a_part_becomes_json(changes: dict[str, Any], more: dict[str, Any]) -> None:
    request = sinch().request(part(**changes))
    assert ("https://us.sms.api.sinch.com/xms/v1/plan/batches", "Bearer word") == (request.url, request.headers["Authorization"])
    expected = {
        "from": "14155550100", "to": ["14155550199"], "delivery_report": "per_recipient",
        "callback_url": f"{PUBLIC}/carriers/{SID}/events", "client_reference": "AT1",
    }  # fmt: skip
    assert expected | more == json_of(request)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param(answer(201, {"id": "up-2"}), accepted("up-2"), id="taken"),
        pytest.param(
            answer(400, {"code": "syntax_invalid_parameter_format", "text": "to"}),
            rejected(Cause.OTHER, "syntax_invalid_parameter_format to"),
            id="refused",
        ),
    ],
)
def test_an_answer_is_named(said: HttpAnswer, expected: Outcome) -> None:
    assert expected == sinch().outcome(part(), said)


def receipt(status: str, code: int) -> dict[str, Any]:
    return {
        "type": "recipient_delivery_report_sms", "batch_id": "up-2", "recipient": "14155550199", "code": code,
        "status": status, "at": "2026-03-01T12:00:00.000Z",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("heard", "expected"),
    [
        pytest.param(INBOUND, [text("STOP", "up-1", sent_at=NOW)], id="a STOP"),
        pytest.param(
            INBOUND
            | {
                "type": "mo_media",
                "body": {"message": "STOP", "media": [{"url": "https://m.example.com/1", "content_type": "image/png", "status": "Uploaded"}]},
            },
            [
                WithMedia(
                    received=text("STOP", "up-1", sent_at=NOW),
                    links=(MediaLink(url="https://m.example.com/1", content_type="image/png"),),
                )
            ],
            id="with a picture",
        ),
        pytest.param(INBOUND | {"type": "mo_binary", "udh": "00"}, [], id="no text"),
        pytest.param(receipt("Dispatched", 401), [told("up-2", Status.SENT, at=NOW)], id="sent"),
        pytest.param(receipt("Delivered", 0), [told("up-2", Status.DELIVERED, at=NOW)], id="delivered"),
        pytest.param(receipt("Queued", 400), [], id="queued says nothing new"),
        pytest.param(receipt("Unknown", 0), [], id="nobody knows"),
        pytest.param(receipt("Failed", 150), [told("up-2", Status.UNDELIVERED, 30005, NOW)], id="no number"),
        pytest.param(receipt("Deleted", 257), [told("up-2", Status.UNDELIVERED, 30004, NOW)], id="barred by the operator, which is no opt-out"),
        pytest.param(receipt("Aborted", 999), [told("up-2", Status.UNDELIVERED, 30008, NOW)], id="another code"),
    ],
)
def test_a_push_is_read(heard: Any, expected: list[Event]) -> None:
    assert expected == events(sinch(), json_push(heard))


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        pytest.param("61, 257", [told("up-2", Status.UNDELIVERED, 21610, NOW)], id="opted out, told late"),
        pytest.param("61", [told("up-2", Status.UNDELIVERED, 30004, NOW)], id="another code was agreed on"),
    ],
)
def test_what_sinch_told_the_operator_of_a_code_is_believed(codes: str, expected: list[Event]) -> None:
    assert expected == events(sinch(opted_out_codes=codes), json_push(receipt("Deleted", 257)))


def test_the_signature_that_sinch_publishes_is_made() -> None:
    body = (
        '{"app_id":"","accepted_time":"2021-10-18T17:49:13.813615Z","project_id":"e2df3a34-a71b-4448-9db5-a8d2baad28e4",'
        '"contact_create_notification":{"contact":{"id":"01FJA8B466Y0R2GNXD78MD9SM1","channel_identities":[{"channel":"SMS",'
        '"identity":"48123456789","app_id":""}],"display_name":"New Test Contact","email":"new.contact@email.com",'
        '"external_id":"","metadata":"","language":"EN_US"}},"message_metadata":""}'
    )
    signed = f"{body}.01FJA8B4A7BM43YGWSG9GBV067.1634579353".encode()
    assert "6bpJoRmFoXVjfJIVglMoJzYXxnoxRujzR4k2GOXewOE=" == hmac_base64(SECRET, signed)


def signed(body: bytes, *, secret: str = SECRET, stamp: str = STAMP, nonce: str = "n1") -> HttpPush:
    headers = {
        "x-sinch-webhook-signature": hmac_base64(secret, body + f".{nonce}.{stamp}".encode()),
        "x-sinch-webhook-signature-nonce": nonce,
        "x-sinch-webhook-signature-timestamp": stamp,
    }
    return push(body, **headers)


def test_what_sinchs_own_package_takes_is_taken() -> None:
    headers = {
        "x-sinch-webhook-signature": "1nghLXWhCSlckMBz5CsggYpl8tKv9ZSsIX8r6e07Tdk=",
        "x-sinch-webhook-signature-nonce": "n1",
        "x-sinch-webhook-signature-timestamp": "1772366400",
        "x-sinch-webhook-signature-algorithm": "HmacSHA256",
    }
    body = b'{"type": "mo_text", "id": "up-1", "from": "14155550199", "to": "14155550100", "body": "STOP"}'
    assert None is sinch().refusal(push(body, **headers), at=NOW)
    assert sinch("x").refusal(push(body, **headers), at=NOW)


BASIC = {"callback_user": "sinch"}


@pytest.mark.parametrize(
    ("carrier", "heard"),
    [
        pytest.param(sinch(), signed(b"{}"), id="signed"),
        pytest.param(sinch("", "pw", **BASIC), push(b"{}", authorization=basic("sinch", "pw")["Authorization"]), id="Basic"),
    ],
)
def test_sinchs_pushes_are_genuine(carrier: Sinch, heard: HttpPush) -> None:
    assert None is carrier.refusal(heard, at=NOW)


@pytest.mark.parametrize(
    ("carrier", "heard"),
    [
        pytest.param(sinch(), push(b"{}"), id="no signature"),
        pytest.param(sinch(), signed(b"{}", secret="other"), id="another's signature"),
        pytest.param(sinch(), push(b"{ }", **signed(b"{}").headers), id="another body"),
        pytest.param(sinch(), push(b"{}", **(dict(signed(b"{}").headers) | {"x-sinch-webhook-signature-nonce": "n2"})), id="another nonce"),
        pytest.param(sinch(), signed(b"{}", stamp=str(int(STAMP) - 301)), id="five minutes old"),
        pytest.param(sinch(""), push(b"{}", authorization=basic("", "")["Authorization"]), id="no secret here"),
        pytest.param(sinch("", "pw", **BASIC), push(b"{}", authorization=basic("sinch", "x")["Authorization"]), id="another password"),
        pytest.param(sinch(SECRET, "pw", **BASIC), push(b"{}", authorization=basic("sinch", "pw")["Authorization"]), id="Basic where signed"),
    ],
)
def test_whatever_else_is_refused(carrier: Sinch, heard: HttpPush) -> None:
    assert carrier.refusal(heard, at=NOW)
