"""Telnyx as a carrier, in rows. One signature was taken by Telnyx's own package, 4.189.0, and stands here as bytes."""

import base64
from functools import partial
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from stopwire.carriers.http import Event, MediaLink, WithMedia
from stopwire.carriers.telnyx import Telnyx
from stopwire.core.message import Status
from stopwire.core.outcomes import Cause, Outcome
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
)  # fmt: skip

told = partial(report, sender=OURS, recipient=ANN)  # what it says beside the id

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
PUBLIC_KEY = base64.b64encode(KEY.public_key().public_bytes_raw()).decode()
BLOCKED = {"code": "40300", "title": "Blocked due to STOP message", "detail": "an existing block rule"}


def telnyx(**settings: Any) -> Telnyx:
    return connected(Telnyx, {"public_key": PUBLIC_KEY, **settings}, {"api_key": "KEY1"})


def inbound(**changes: Any) -> dict[str, Any]:
    payload = {
        "id": "up-1",
        "from": {"phone_number": ANN, "carrier": "T-Mobile USA"},
        "to": [{"phone_number": OURS, "status": "webhook_delivered"}],
        "text": "STOP",
        "media": [],
        "received_at": "2026-03-01T12:00:00.000+00:00",
        "type": "SMS",
    }
    return {"data": {"event_type": "message.received", "id": "ev", "payload": payload | changes}}


def receipt(status: str, event: str = "message.finalized", errors: list[dict[str, str]] | None = None) -> dict[str, Any]:
    payload = {"id": "up-2", "from": {"phone_number": OURS}, "to": [{"phone_number": ANN, "status": status}], "errors": errors or []}
    return {"data": {"event_type": event, "occurred_at": "2026-03-01T12:00:00+00:00", "payload": payload}}


@pytest.mark.parametrize(
    ("changes", "more"),
    [
        pytest.param({}, {}, id="a text"),
        pytest.param({"media": ("https://example.com/a.png",)}, {"media_urls": ["https://example.com/a.png"]}, id="a picture"),
    ],
)
def test_a_part_becomes_json(changes: dict[str, Any], more: dict[str, Any]) -> None:
    request = telnyx().request(part(**changes))
    assert ("https://api.telnyx.com/v2/messages", "Bearer KEY1") == (request.url, request.headers["Authorization"])
    expected = {"from": OURS, "to": ANN, "text": "Hi", "webhook_url": f"{PUBLIC}/carriers/{SID}/events/AT1", "use_profile_webhooks": False}
    assert expected | more == json_of(request)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param(answer(200, {"data": {"id": "up-2"}}), accepted("up-2"), id="taken"),
        pytest.param(
            answer(403, {"errors": [BLOCKED]}),
            rejected(Cause.OPTED_OUT, "40300 Blocked due to STOP message: an existing block rule"),
            id="the person opted out there",
        ),
        pytest.param(answer(422, {"errors": [{"code": 40310}]}), rejected(Cause.UNKNOWN_HANDSET, "40310 : "), id="no number"),
        pytest.param(answer(400, {"errors": [{"code": "10015", "title": "Bad"}]}), rejected(Cause.OTHER, "10015 Bad: "), id="another code"),
    ],
)
def test_an_answer_is_named(said: HttpAnswer, expected: Outcome) -> None:
    assert expected == telnyx().outcome(part(), said)


@pytest.mark.parametrize(
    ("heard", "expected"),
    [
        pytest.param(inbound(), [text("STOP", "up-1", sent_at=NOW)], id="a STOP"),
        pytest.param(inbound(autoresponse_type="OPT_OUT"), [text("STOP", "up-1", sent_at=NOW, answered=True)], id="answered by Telnyx"),
        pytest.param(inbound(text=None), [text("", "up-1", sent_at=NOW)], id="nothing said"),
        pytest.param(
            inbound(media=[{"url": "https://media.example.com/1", "content_type": "image/png"}]),
            [WithMedia(received=text("STOP", "up-1", sent_at=NOW), links=(MediaLink(url="https://media.example.com/1", content_type="image/png"),))],
            id="with a picture",
        ),
        pytest.param(receipt("sent", "message.sent"), [told("up-2", Status.SENT, at=NOW)], id="sent"),
        pytest.param(receipt("delivered"), [told("up-2", Status.DELIVERED, at=NOW)], id="delivered"),
        pytest.param(receipt("delivery_unconfirmed"), [], id="nobody knows"),
        pytest.param(receipt("delivery_failed", errors=[{"code": "40002"}]), [told("up-2", Status.UNDELIVERED, 30007, NOW)], id="filtered"),
        pytest.param(receipt("sending_failed", errors=[BLOCKED]), [told("up-2", Status.UNDELIVERED, 21610, NOW)], id="opted out, told late"),
        pytest.param({"data": {"event_type": "10dlc.campaign", "payload": {}}}, [], id="no message"),
    ],
)
def test_a_push_is_read(heard: Any, expected: list[Event]) -> None:
    assert expected == events(telnyx(), json_push(heard))


def signed(body: bytes, stamp: str = STAMP) -> HttpPush:
    signature = base64.b64encode(KEY.sign(stamp.encode() + b"|" + body)).decode()
    return push(body, telnyx_timestamp=stamp, telnyx_signature_ed25519=signature)


def test_telnyxs_signature_is_genuine() -> None:
    assert None is telnyx().refusal(signed(b'{"data": {}}'), at=NOW)


def test_what_telnyxs_own_package_takes_is_taken() -> None:
    signature = "j496AMF7zuUixtPnMB9SgVyJ3Kxyk8zSbzDgTR5qCwtjPt7zbhUjNgXI/CO1R6Se5VA3DPDcVKe9OgFLK5lqCQ=="
    headers = {"telnyx_timestamp": "1772366400", "telnyx_signature_ed25519": signature}
    carrier = telnyx(public_key="gyClGXfYw4yopJJ8Zw31gh5El2GUXhXp77JqFQnSMOo=")
    assert None is carrier.refusal(push(b'{"data": {"event_type": "message.received"}}', **headers), at=NOW)
    assert carrier.refusal(push(b'{"data": {"event_type": "message.received"}} ', **headers), at=NOW)


OLD = str(int(STAMP) - 301)


@pytest.mark.parametrize(
    ("carrier", "heard"),
    [
        pytest.param(telnyx(), push(b"{}"), id="no signature"),
        pytest.param(telnyx(), push(b"{}", telnyx_timestamp=STAMP, telnyx_signature_ed25519="AAAA"), id="another's signature"),
        pytest.param(telnyx(), push(b"{} ", **signed(b"{}").headers), id="one byte more"),
        pytest.param(telnyx(), signed(b"{}", OLD), id="five minutes old"),
        pytest.param(telnyx(), push(b"{}", **{**signed(b"{}", OLD).headers, "telnyx-timestamp": STAMP}), id="an old signature with a new stamp"),
        pytest.param(telnyx(public_key=""), signed(b"{}"), id="no key here"),
    ],
)
def test_whatever_else_is_refused(carrier: Telnyx, heard: HttpPush) -> None:
    assert carrier.refusal(heard, at=NOW)


def test_a_key_that_is_none_is_refused_when_the_connection_is_made() -> None:
    assert ["settings.public_key"] == [problem.path for problem in Telnyx.problems({"public_key": "KEY1"})]
    assert ["settings.public_key"] == [problem.path for problem in Telnyx.problems({"public_key": 12})]
    assert [] == Telnyx.problems({"public_key": PUBLIC_KEY})
