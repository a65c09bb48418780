"""Infobip as a carrier, in rows."""

from functools import partial
from typing import Any

import pytest

from stopwire.carriers.http import Event, basic
from stopwire.carriers.infobip import Infobip
from stopwire.core.message import Status
from stopwire.core.outcomes import Cause, Outcome
from stopwire.ports.http import HttpAnswer
from stopwire.ports.push import HttpPush
from tests.carriers.rows import (
    ANN,
    NOW,
    PUBLIC,
    SID,
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

reported = partial(report, recipient=ANN)  # what it says beside the id

SETTINGS = {"base_url": "https://abc.api.infobip.com", "callback_user": "ib"}
SECRETS = {"api_key": "key", "callback_password": "pw"}
AT = "2026-03-01T12:00:00.000+0000"


def infobip(**secrets: str) -> Infobip:
    return connected(Infobip, SETTINGS, SECRETS | secrets)


def test_a_part_becomes_json() -> None:
    request = infobip().request(part())
    assert ("https://abc.api.infobip.com/sms/2/text/advanced", "App key") == (request.url, request.headers["Authorization"])
    message = {
        "destinations": [{"to": "14155550199", "messageId": "AT1"}],
        "from": "14155550100",
        "text": "Hi",
        "notifyUrl": f"{PUBLIC}/carriers/{SID}/status",
        "notifyContentType": "application/json",
    }
    assert {"messages": [message]} == json_of(request)


def test_a_picture_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="no pictures"):
        infobip().request(part(media=("https://example.com/a.png",)))


def told(group: int, id: int, name: str = "NAME") -> dict[str, Any]:
    return {"messages": [{"messageId": "AT1", "to": "14155550199", "status": {"groupId": group, "id": id, "name": name}}]}


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param(answer(200, told(1, 26)), accepted("AT1"), id="taken"),
        pytest.param(answer(200, told(5, 23)), accepted("AT1"), id="a proxy repeated it: the first was taken"),
        pytest.param(
            answer(200, told(5, 14, "REJECTED_DESTINATION_BLOCKLISTED")),
            rejected(Cause.OPTED_OUT, "14 REJECTED_DESTINATION_BLOCKLISTED"),
            id="the person opted out there",
        ),
        pytest.param(answer(200, told(5, 10)), rejected(Cause.BLOCKED, "10 NAME"), id="a country's register is no opt-out"),
        pytest.param(answer(200, told(5, 52)), rejected(Cause.UNKNOWN_HANDSET, "52 NAME"), id="no number"),
        pytest.param(
            answer(400, {"requestError": {"serviceException": {"messageId": "BAD_REQUEST", "text": "Bad Request"}}}),
            rejected(Cause.OTHER, "BAD_REQUEST Bad Request"),
            id="refused",
        ),
    ],
)
def test_an_answer_is_named(said: HttpAnswer, expected: Outcome) -> None:
    assert expected == infobip().outcome(part(), said)


def receipt(group: int, id: int) -> dict[str, Any]:
    return {"results": [{"messageId": "AT1", "to": "14155550199", "doneAt": AT, "status": {"groupId": group, "id": id}, "error": {"id": 0}}]}


INBOUND = {"messageId": "up-1", "from": "14155550199", "to": "14155550100", "text": "STOP", "cleanText": "", "keyword": "STOP", "receivedAt": AT}


@pytest.mark.parametrize(
    ("heard", "expected"),
    [
        pytest.param({"results": [INBOUND], "messageCount": 1}, [text("STOP", "up-1", sent_at=NOW)], id="a STOP"),
        pytest.param(receipt(1, 7), [], id="pending says nothing new"),
        pytest.param(receipt(3, 5), [reported("AT1", Status.DELIVERED, at=NOW)], id="delivered"),
        pytest.param(receipt(3, 2), [reported("AT1", Status.SENT, at=NOW)], id="only to the operator"),
        pytest.param(receipt(2, 9), [reported("AT1", Status.UNDELIVERED, 30003, NOW)], id="undelivered"),
        pytest.param(receipt(5, 14), [reported("AT1", Status.UNDELIVERED, 21610, NOW)], id="opted out, told late"),
        pytest.param(receipt(5, 999), [reported("AT1", Status.UNDELIVERED, 30008, NOW)], id="another code"),
    ],
)
def test_a_push_is_read(heard: Any, expected: list[Event]) -> None:
    assert expected == events(infobip(), json_push(heard))


def test_the_callback_credentials_are_genuine() -> None:
    assert None is infobip().refusal(push(b"{}", authorization=basic("ib", "pw")["Authorization"]), at=NOW)


@pytest.mark.parametrize(
    ("carrier", "heard"),
    [
        pytest.param(infobip(), push(b"{}"), id="no credentials"),
        pytest.param(infobip(), push(b"{}", authorization=basic("ib", "x")["Authorization"]), id="another password"),
        pytest.param(infobip(callback_password=""), push(b"{}", authorization=basic("ib", "")["Authorization"]), id="no password here"),
    ],
)
def test_whatever_else_is_refused(carrier: Infobip, heard: HttpPush) -> None:
    assert carrier.refusal(heard, at=NOW)
