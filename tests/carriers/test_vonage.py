"""Vonage as a carrier, in rows. Tokens are made by PyJWT; one was taken by Vonage's own package, vonage-jwt 1.1.5."""

import hashlib
from functools import partial
from typing import Any

import jwt
import pytest

from stopwire.carriers.http import Event, MediaLink, WithMedia, basic
from stopwire.carriers.vonage import Vonage
from stopwire.core.message import Status
from stopwire.core.outcomes import Cause, Outcome, OutcomeKind
from stopwire.ports.http import HttpAnswer
from stopwire.ports.push import HttpPush
from tests.carriers.rows import (
    ANN,
    NOW,
    OURS,
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

told = partial(report, sender=OURS, recipient=ANN)  # what it says beside the id

SECRET = "s" * 32
INBOUND = {
    "channel": "sms", "message_uuid": "up-1", "to": "14155550100", "from": "14155550199",
    "timestamp": "2026-03-01T12:00:00Z", "message_type": "text", "text": "STOP",
}  # fmt: skip
COMMON = {"client_ref": "AT1", "webhook_url": f"{PUBLIC}/carriers/{SID}/status", "webhook_version": "v1"}


def vonage(secret: str = SECRET) -> Vonage:
    return connected(Vonage, {"api_key": "abcd1234"}, {"api_secret": "word", "signature_secret": secret})


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param(
            {}, {"from": "14155550100", "to": "14155550199", "channel": "sms", "message_type": "text", "text": "Hi"}, id="a text"
        ),
        pytest.param(
            {"media": ("https://example.com/a.png",)},
            {
                "from": "14155550100", "to": "14155550199", "channel": "mms", "message_type": "image",
                "image": {"url": "https://example.com/a.png", "caption": "Hi"},
            },
            id="a picture",
        ),
        pytest.param(
            {"sender": "whatsapp:+14155550190", "recipient": f"whatsapp:{ANN}"},
            {"from": "14155550190", "to": "14155550199", "channel": "whatsapp", "message_type": "text", "text": "Hi"},
            id="WhatsApp",
        ),
        pytest.param(
            {"sender": "Acme"},
            {"from": "Acme", "to": "14155550199", "channel": "sms", "message_type": "text", "text": "Hi"},
            id="from a name",
        ),
    ],
)  # fmt: skip
def test_a_part_becomes_json(changes: dict[str, Any], expected: dict[str, Any]) -> None:
    request = vonage().request(part(**changes))
    assert "https://api.nexmo.com/v1/messages" == request.url
    assert basic("abcd1234", "word")["Authorization"] == request.headers["Authorization"]
    assert expected | COMMON == json_of(request)


def test_two_pictures_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="one picture"):
        vonage().request(part(media=("https://example.com/a.png", "https://example.com/b.png")))


def problem(code: int, detail: str = "d") -> dict[str, Any]:
    return {"type": f"https://developer.vonage.com/api-errors/messages#{code}", "title": code, "detail": detail}


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param(answer(202, {"message_uuid": "up-2"}), accepted("up-2"), id="taken"),
        pytest.param(answer(422, problem(1240)), rejected(Cause.OPTED_OUT, "1240 d"), id="the person opted out there"),
        pytest.param(answer(422, problem(1170)), rejected(Cause.UNKNOWN_HANDSET, "1170 d"), id="no number"),
        pytest.param(
            answer(400, {"title": "Bad Request", "detail": "d"}), rejected(Cause.OTHER, "Bad Request d"), id="without a number"
        ),
        pytest.param(
            answer(400, problem(1000)),
            Outcome(attempt="AT1", kind=OutcomeKind.DEFERRED, cause=Cause.THROTTLED, detail="1000 d"),
            id="too fast",
        ),
    ],
)
def test_an_answer_is_named(said: HttpAnswer, expected: Outcome) -> None:
    assert expected == vonage().outcome(part(), said)


def status(word: str, **more: Any) -> dict[str, Any]:
    return {"message_uuid": "up-2", "to": "14155550199", "from": "14155550100", "status": word, "timestamp": "2026-03-01T12:00:00Z"} | more


@pytest.mark.parametrize(
    ("heard", "expected"),
    [
        pytest.param(INBOUND, [text("STOP", "up-1", sent_at=NOW)], id="a STOP"),
        pytest.param(
            INBOUND | {"channel": "whatsapp", "to": "14155550190"},
            [text("STOP", "up-1", sent_at=NOW, sender="whatsapp:+14155550190", recipient=f"whatsapp:{ANN}")],
            id="WhatsApp",
        ),
        pytest.param(
            {k: v for k, v in INBOUND.items() if k != "text"}
            | {"channel": "mms", "image": {"url": "https://api.nexmo.com/m/1", "caption": "STOP"}},
            [WithMedia(received=text("STOP", "up-1", sent_at=NOW), links=(MediaLink(url="https://api.nexmo.com/m/1"),))],
            id="a picture whose caption is a STOP",
        ),
        pytest.param(status("submitted"), [told("up-2", Status.SENT, at=NOW)], id="sent"),
        pytest.param(status("delivered"), [told("up-2", Status.DELIVERED, at=NOW)], id="delivered"),
        pytest.param(status("something"), [], id="an unknown status"),
        pytest.param(status("rejected", error=problem(1210)), [told("up-2", Status.UNDELIVERED, 30007, NOW)], id="filtered"),
        pytest.param(status("rejected", error=problem(1240)), [told("up-2", Status.UNDELIVERED, 21610, NOW)], id="opted out, told late"),
        pytest.param(
            status("undeliverable", error={"type": "https://developer.vonage.com/api-errors/messages#1240", "title": "Illegal Number"}),
            [told("up-2", Status.UNDELIVERED, 21610, NOW)],
            id="opted out, the number at the end of the type",
        ),
        pytest.param(status("rejected"), [told("up-2", Status.UNDELIVERED, 30008, NOW)], id="without a reason"),
    ],
)
def test_a_push_is_read(heard: Any, expected: list[Event]) -> None:
    assert expected == events(vonage(), json_push(heard))


def signed(body: bytes, *, secret: str = SECRET, algorithm: str = "HS256", **claims: Any) -> HttpPush:
    told = {"iat": int(STAMP), "iss": "Vonage", "jti": "j", "payload_hash": hashlib.sha256(body).hexdigest()} | claims
    return push(body, authorization=f"Bearer {jwt.encode(told, secret, algorithm=algorithm)}")


def test_vonages_signature_is_genuine() -> None:
    assert None is vonage().refusal(signed(b'{"a": 1}'), at=NOW)


def test_what_vonages_own_package_takes_is_taken() -> None:
    token = (
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpYXQiOjE3NzIzNjY0MDAsImlzcyI6IlZvbmFnZSIsImp0aSI6ImoiLCJwYXlsb2FkX2hhc2giOiJmOWQ4"
        "NjAyOGM2ZTBkNjRlMjI1MTg2Zjk2YWNiNjkzMzhiMmM1OTc2NGRmNzkxNjIxMDdmNWM0YmIzNGQxMzEwIn0.QzzQaSentsDoK0FORdnKf6Rj2Z5SQ_r6_lyNDRPvYAo"
    )
    assert None is vonage().refusal(push(b'{"a": 1}', authorization=f"Bearer {token}"), at=NOW)
    assert vonage("x" * 32).refusal(push(b'{"a": 1}', authorization=f"Bearer {token}"), at=NOW)


@pytest.mark.parametrize(
    ("carrier", "heard"),
    [
        pytest.param(vonage(), push(b"{}"), id="no token"),
        pytest.param(vonage(), signed(b"{}", secret="x" * 32), id="another's token"),
        pytest.param(vonage(), push(b"{ }", **signed(b"{}").headers), id="another body"),
        pytest.param(vonage(), signed(b"{}", payload_hash=""), id="no hash of the body"),
        pytest.param(vonage(), signed(b"{}", iat=int(STAMP) - 301), id="five minutes old"),
        pytest.param(vonage(), signed(b"{}", iat=None), id="no time"),
        pytest.param(vonage(), signed(b"{}", secret="s" * 64, algorithm="HS512"), id="another algorithm"),
        pytest.param(vonage(), signed(b"{}", secret="", algorithm="none"), id="no algorithm"),
        pytest.param(vonage(), push(b"{}", authorization="Bearer a.b.c"), id="no token at all"),
        pytest.param(vonage(), push(b"{}", authorization="Basic " + signed(b"{}").headers["authorization"][7:]), id="another scheme"),
        pytest.param(vonage(""), signed(b"{}"), id="no secret here"),
    ],
)
def test_whatever_else_is_refused(carrier: Vonage, heard: HttpPush) -> None:
    assert carrier.refusal(heard, at=NOW)
