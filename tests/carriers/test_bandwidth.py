"""Bandwidth as a carrier, in rows."""

from functools import partial
from typing import Any

import pytest

from stopwire.carriers.bandwidth import Bandwidth
from stopwire.carriers.http import Event, MediaLink, WithMedia, basic
from stopwire.core.message import Status
from stopwire.core.outcomes import Cause, Outcome
from stopwire.ports.http import HttpAnswer
from stopwire.ports.push import HttpPush
from tests.carriers.rows import (
    ANN,
    NOW,
    OURS,
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

SETTINGS = {"account_id": "9900000", "application_id": "app-1", "username": "api", "callback_user": "bw"}
SECRETS = {"password": "word", "callback_password": "callback"}
RIGHT = basic("bw", "callback")["Authorization"]
AT = "2026-03-01T12:00:00Z"
MESSAGE = {"id": "up-1", "owner": OURS, "from": ANN, "to": [OURS], "direction": "in", "time": AT, "text": "STOP", "media": []}
SENT = {"id": "up-2", "owner": OURS, "from": OURS, "to": [ANN], "direction": "out", "text": ""}


def bandwidth(**secrets: str) -> Bandwidth:
    return connected(Bandwidth, SETTINGS, SECRETS | secrets)


@pytest.mark.parametrize(
    ("changes", "more"),
    [
        pytest.param({}, {}, id="a text"),
        pytest.param({"media": ("https://example.com/a.png",)}, {"media": ["https://example.com/a.png"]}, id="a picture"),
    ],
)
def test_a_part_becomes_json(changes: dict[str, Any], more: dict[str, Any]) -> None:
    request = bandwidth().request(part(**changes))
    assert "https://messaging.bandwidth.com/api/v2/users/9900000/messages" == request.url
    assert basic("api", "word")["Authorization"] == request.headers["Authorization"]
    expected = {"applicationId": "app-1", "from": OURS, "to": [ANN], "text": "Hi", "tag": "AT1"}
    assert expected | more == json_of(request)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param(answer(202, {"id": "up-2", "owner": OURS}), accepted("up-2"), id="taken"),
        pytest.param(
            answer(400, {"type": "request-validation", "description": "bad to"}),
            rejected(Cause.OTHER, "request-validation bad to"),
            id="refused",
        ),
    ],
)
def test_an_answer_is_named(said: HttpAnswer, expected: Outcome) -> None:
    assert expected == bandwidth().outcome(part(), said)


def failed(code: int) -> list[dict[str, Any]]:
    return [{"type": "message-failed", "time": AT, "errorCode": code, "description": "d", "to": ANN, "message": SENT}]


@pytest.mark.parametrize(
    ("heard", "expected"),
    [
        pytest.param(
            [{"type": "message-received", "to": OURS, "message": MESSAGE}], [text("STOP", "up-1", sent_at=NOW)], id="a STOP"
        ),
        pytest.param(
            [{"type": "message-received", "to": OURS, "message": MESSAGE | {"media": ["https://messaging.bandwidth.com/m/1"]}}],
            [
                WithMedia(
                    received=text("STOP", "up-1", sent_at=NOW),
                    links=(MediaLink(url="https://messaging.bandwidth.com/m/1", headers=basic("api", "word")),),
                )
            ],
            id="with a picture",
        ),
        pytest.param(
            [{"type": "message-delivered", "time": AT, "to": ANN, "message": SENT}], [told("up-2", Status.DELIVERED, at=NOW)], id="delivered"
        ),
        pytest.param([{"type": "message-sending", "message": SENT}], [], id="sending says nothing new"),
        pytest.param(failed(4720), [told("up-2", Status.UNDELIVERED, 30005, NOW)], id="no number"),
        pytest.param(failed(4470), [told("up-2", Status.UNDELIVERED, 30007, NOW)], id="4470 is spam, no opt-out"),
        pytest.param(failed(4775), [told("up-2", Status.UNDELIVERED, 21610, NOW)], id="opted out, told late"),
        pytest.param(failed(9999), [told("up-2", Status.UNDELIVERED, 30008, NOW)], id="another code"),
        pytest.param(
            [{"type": "message-received", "to": OURS, "message": MESSAGE}, *failed(4775)],
            [text("STOP", "up-1", sent_at=NOW), told("up-2", Status.UNDELIVERED, 21610, NOW)],
            id="several at once",
        ),
    ],
)
def test_a_push_is_read(heard: Any, expected: list[Event]) -> None:
    assert expected == events(bandwidth(), json_push(heard))


def test_the_callback_credentials_are_genuine() -> None:
    assert None is bandwidth().refusal(push(b"[]", authorization=RIGHT), at=NOW)


@pytest.mark.parametrize(
    ("carrier", "heard"),
    [
        pytest.param(bandwidth(), push(b"[]"), id="no credentials"),
        pytest.param(bandwidth(), push(b"[]", authorization=basic("bw", "other")["Authorization"]), id="another password"),
        pytest.param(bandwidth(), push(b"[]", authorization="Bearer x"), id="another scheme"),
        pytest.param(bandwidth(), push(b"[]", authorization="Basic %%%"), id="no base64"),
        pytest.param(bandwidth(callback_password=""), push(b"[]", authorization=basic("bw", "")["Authorization"]), id="no password here"),
    ],
)
def test_whatever_else_is_refused(carrier: Bandwidth, heard: HttpPush) -> None:
    assert carrier.refusal(heard, at=NOW)
