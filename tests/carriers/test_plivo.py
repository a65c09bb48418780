"""Plivo as a carrier, in rows. The signatures were made by Plivo's own package, 4.63.0, and stand here as bytes."""

from functools import partial
from typing import Any

import pytest

from stopwire.carriers.http import Event, MediaLink, WithMedia, basic
from stopwire.carriers.plivo import Plivo
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
    accepted,
    answer,
    connected,
    events,
    form_push,
    json_of,
    part,
    push,
    rejected,
    report,
    text,
)

told = partial(report, sender=OURS, recipient=ANN)  # what it says beside the id

TOKEN, NONCE = "MTIzNDU2", "05429567804466091622"
STOP = {"From": "14155550199", "To": "14155550100", "Text": "STOP", "Type": "sms", "MessageUUID": "up-1"}
V3 = "j+zQOexVFLrnH0TCQpPgkJZpuKWpLf+2+MoXoU/6vKY="  # of STOP to /events
V3_QUERY = "8EGb/5fdpPS4ghdnh0FxTmKDBITXx5wbxGt729QIGac="  # of OTHER to /events?b=2&a=1
V3_GET = "DWtfkJBna/1pz6MMBDM/vY+ro1ZiRcqrFUjTFDDkaVY="  # GET of /events?b=2&a=1
V2 = "3Szn3+NEwRf3h0CVlK10u5Usgs4j3doWgoAgwazGjJg="  # of anything to /events
OTHER = {"From": "14155550199", "Text": "Grüße = & ."}


def plivo(token: str = TOKEN) -> Plivo:
    return connected(Plivo, {"auth_id": "MAXX"}, {"auth_token": token})


@pytest.mark.parametrize(
    ("changes", "more"),
    [
        pytest.param({}, {"type": "sms"}, id="a text"),
        pytest.param(
            {"media": ("https://example.com/a.png",)}, {"type": "mms", "media_urls": ["https://example.com/a.png"]}, id="a picture"
        ),
    ],
)
def test_a_part_becomes_json(changes: dict[str, Any], more: dict[str, Any]) -> None:
    request = plivo().request(part(**changes))
    assert "https://api.plivo.com/v1/Account/MAXX/Message/" == request.url
    assert basic("MAXX", TOKEN)["Authorization"] == request.headers["Authorization"]
    expected = {"src": OURS, "dst": ANN, "text": "Hi", "url": f"{PUBLIC}/carriers/{SID}/status/AT1", "method": "POST"}
    assert expected | more == json_of(request)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param(answer(202, {"message_uuid": ["up-2"], "api_id": "x"}), accepted("up-2"), id="taken"),
        pytest.param(answer(400, {"error": "src is not valid"}), rejected(Cause.OTHER, "400 src is not valid"), id="refused"),
    ],
)
def test_an_answer_is_named(said: HttpAnswer, expected: Outcome) -> None:
    assert expected == plivo().outcome(part(), said)


def status(word: str, **more: str) -> dict[str, str]:
    return {"From": "14155550100", "To": "14155550199", "Status": word, "MessageUUID": "up-2"} | more


@pytest.mark.parametrize(
    ("heard", "expected"),
    [
        pytest.param(STOP, [text("STOP", "up-1")], id="a STOP"),
        pytest.param(
            STOP | {"Type": "mms", "Media0": "https://media.plivo.com/1", "MediaCount": "1"},
            [WithMedia(received=text("STOP", "up-1"), links=(MediaLink(url="https://media.plivo.com/1"),))],
            id="with a picture",
        ),
        pytest.param(status("delivered"), [told("up-2", Status.DELIVERED)], id="delivered"),
        pytest.param(status("queued"), [], id="queued says nothing new"),
        pytest.param(
            status("sent", MessageUUID="up-2b", ParentMessageUUID="up-2", PartInfo="2 of 2"), [told("up-2", Status.SENT)], id="a piece"
        ),
        pytest.param(status("undelivered", ErrorCode="30"), [told("up-2", Status.UNDELIVERED, 30007)], id="filtered"),
        pytest.param(status("failed", ErrorCode="200"), [told("up-2", Status.UNDELIVERED, 21610)], id="opted out, told late"),
        pytest.param(status("rejected"), [told("up-2", Status.UNDELIVERED, 30008)], id="without a reason"),
    ],
)
def test_a_push_is_read(heard: dict[str, str], expected: list[Event]) -> None:
    assert expected == events(plivo(), form_push(heard))


def v3(signature: str, heard: HttpPush) -> HttpPush:
    headers = {"x-plivo-signature-v3": signature, "x-plivo-signature-v3-nonce": NONCE}
    return HttpPush(method=heard.method, target=heard.target, headers=headers, body=heard.body)


def v2(signature: str, heard: HttpPush, nonce: str = NONCE, name: str = "x-plivo-signature-v2") -> HttpPush:
    headers = {name: signature, "x-plivo-signature-v2-nonce": nonce}
    return HttpPush(method=heard.method, target=heard.target, headers=headers, body=heard.body)


@pytest.mark.parametrize(
    "heard",
    [
        pytest.param(v3(V3, form_push(STOP)), id="V3"),
        pytest.param(v3(f"AAAA,{V3}", form_push(STOP)), id="V3, one of two tokens"),
        pytest.param(v3(V3_QUERY, form_push(OTHER, "events?b=2&a=1")), id="V3 with a query"),
        pytest.param(v3(V3_GET, push(b"", "events?b=2&a=1", method="GET")), id="V3 of a GET"),
        pytest.param(v2(V2, form_push(STOP)), id="V2"),
        pytest.param(v2(V2, form_push(STOP, "events?x=1")), id="V2 leaves the query out"),
        pytest.param(v2(V2, form_push(STOP), name="x-plivo-signature-ma-v2"), id="V2 of the main account"),
    ],
)
def test_plivos_signatures_are_genuine(heard: HttpPush) -> None:
    assert None is plivo().refusal(heard, at=NOW)


@pytest.mark.parametrize(
    ("carrier", "heard"),
    [
        pytest.param(plivo(), form_push(STOP), id="no signature"),
        pytest.param(plivo(), v3("AAAA", form_push(STOP)), id="another's signature"),
        pytest.param(plivo(), v3(V3, form_push(STOP | {"Text": "START"})), id="V3 of other words"),
        pytest.param(plivo(), v2(V2, form_push(STOP, "status")), id="V2 of another URL"),
        pytest.param(plivo(), v2(V2, form_push(STOP), nonce="1"), id="V2 of another nonce"),
        pytest.param(plivo(), v2(V2, form_push(STOP), nonce=""), id="V2 without a nonce"),
        pytest.param(plivo(""), v2(V2, form_push(STOP)), id="no token here"),
    ],
)
def test_whatever_else_is_refused(carrier: Plivo, heard: HttpPush) -> None:
    assert carrier.refusal(heard, at=NOW)


def test_a_nonce_of_v2_vouches_for_one_push_and_its_repeats() -> None:
    """V2 does not sign the body: a signature that was copied must not carry other words."""
    carrier = plivo()
    assert None is carrier.refusal(v2(V2, form_push(STOP)), at=NOW)
    assert None is carrier.refusal(v2(V2, form_push(STOP)), at=NOW)
    assert carrier.refusal(v2(V2, form_push(STOP | {"Text": "START"})), at=NOW)


def test_the_provider_hears_an_empty_response() -> None:
    assert "<Response></Response>" == plivo().reply(form_push(STOP)).body
