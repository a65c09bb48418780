"""Providers at their worst, one table over all of them: no answer after a yes, a no that is none, the same push twice.

Signatures that do not fit stand with each carrier; what no provider would say, in `test_any_input.py`.
"""

import asyncio
import json
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from stopwire.carriers.http import HttpCarrier
from stopwire.core.connections import LinkStatus
from stopwire.core.outcomes import Outcome, OutcomeKind
from stopwire.ports.http import FailureKind, HttpAnswer, HttpFailure
from stopwire.ports.push import HttpPush
from tests.carriers.rows import ANN, OURS, SID, Network, answer, part
from tests.carriers.test_any_input import GENUINE, KINDS, carrier

# A delivery report and a text of each provider, as its documentation shows them; and how they come.
FORMS: dict[str, dict[str, str]] = {
    "plivo": {"MessageUUID": "1", "From": ANN, "To": OURS, "Text": "STOP", "Type": "sms"},
    "twilio": {"MessageSid": "SM1", "From": ANN, "To": OURS, "Body": "STOP", "NumMedia": "0"},
}
PLAIN: dict[str, Any] = GENUINE | {
    "sinch": {"type": "mo_text", "id": "1", "from": ANN, "to": OURS, "body": "STOP"},
    "vonage": {"channel": "sms", "message_uuid": "1", "from": ANN, "to": OURS, "text": "STOP"},
}


def with_network(name: str, *said: HttpAnswer | HttpFailure) -> tuple[HttpCarrier, Network]:
    made, network = carrier(name), Network(*said)
    made.tools = replace(made.tools, http=network)
    return made, network


def sent(made: HttpCarrier, *attempts: str) -> list[Outcome]:
    outcomes: list[Outcome] = []
    asyncio.run(made.send([part(attempt=attempt) for attempt in attempts or ("AT1",)], outcomes.append))
    return outcomes


def text(name: str) -> HttpPush:
    if name in FORMS:
        return HttpPush(method="POST", target=f"/carriers/{SID}/inbound", body=urlencode(FORMS[name]).encode())
    told = [PLAIN[name]] if name == "bandwidth" else PLAIN[name]
    return HttpPush(method="POST", target=f"/carriers/{SID}/inbound", body=json.dumps(told).encode())


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("kind", ["read_timeout", "total_timeout", "closed", "protocol"])
def test_a_provider_that_takes_it_and_never_answers_is_asked_once_and_not_called_down(name: str, kind: FailureKind) -> None:
    made, network = with_network(name, HttpFailure(kind, "no answer", ms=1))
    (outcome,) = sent(made)
    assert (OutcomeKind.UNKNOWN, None, 1) == (outcome.kind, outcome.reference, len(network.requests))
    assert (LinkStatus.UP, True) == (made.state().status, made.room() > 0)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("kind", ["dns", "connect", "connect_timeout", "tls"])
def test_a_provider_that_is_not_there_releases_the_text_and_is_tried_by_one_later(name: str, kind: FailureKind) -> None:
    made, network = with_network(name, *[HttpFailure(kind, "nobody there", ms=1)] * 2)
    assert [OutcomeKind.RELEASED, OutcomeKind.RELEASED] == [each.kind for each in sent(made, "AT1", "AT2")]
    assert (LinkStatus.DOWN, 0, 2) == (made.state().status, made.room(), len(network.requests))


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param(answer(500, b"<h1>Oops</h1>"), OutcomeKind.UNKNOWN, id="it broke: the text may have left"),
        pytest.param(answer(502), OutcomeKind.UNKNOWN, id="a proxy answers in its place"),
        pytest.param(answer(503, b"later", retry_after="30"), OutcomeKind.DEFERRED, id="not now"),
        pytest.param(answer(401, b"\xff\x00"), OutcomeKind.DEFERRED, id="our credentials are wrong"),
        pytest.param(answer(402, {"title": "Low balance"}), OutcomeKind.DEFERRED, id="our account has no credit"),
        pytest.param(answer(400, b"<html>"), OutcomeKind.REJECTED, id="a no in no words of its own"),
        pytest.param(answer(400, b""), OutcomeKind.REJECTED, id="a no without a word"),
    ],
)
def test_what_goes_wrong_means_the_same_for_each(name: str, said: HttpAnswer, expected: OutcomeKind) -> None:
    made, network = with_network(name, said)
    assert ([expected], 1) == ([each.kind for each in sent(made)], len(network.requests))


@pytest.mark.parametrize("name", [kind for kind in KINDS if kind != "generic"])  # its settings say what is a yes
@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b'"yes"', b"null", b'{"ok": tru', b"\xff\xfe"], ids=repr)
def test_a_yes_in_no_words_of_its_own_is_no_yes_and_no_no(name: str, body: bytes) -> None:
    made, _ = with_network(name, answer(202, body))
    (outcome,) = sent(made)
    assert (OutcomeKind.UNKNOWN, None) == (outcome.kind, outcome.reference)


@pytest.mark.parametrize("name", KINDS)
def test_a_text_that_comes_twice_has_the_same_reference_both_times(name: str) -> None:
    first, second = (asyncio.run(carrier(name).hear(text(name))) for _ in range(2))
    assert first.received == second.received
    (one,) = first.received
    assert ("STOP", ANN, OURS) == (one.body, one.recipient, one.sender)
    assert one.reference


@pytest.mark.parametrize("name", KINDS)
def test_a_text_of_which_half_is_missing_is_unreadable_or_no_text(name: str) -> None:
    whole = text(name)
    half = replace(whole, body=whole.body[: len(whole.body) // 2])
    try:
        heard = asyncio.run(carrier(name).hear(half))
    except ValueError:
        return
    assert all(one.body != "STOP" for one in heard.received), "it would be acted upon though it came cut off"


ATTEMPT = f"AT{'0' * 28}beef"
REPORTS: dict[str, Any] = {  # of a text that left, as each provider hands back what we called it
    "bandwidth": [{"type": "message-delivered", "to": ANN, "message": {"id": "up-2", "from": OURS, "tag": ATTEMPT}}],
    "generic": {"id": "up-2", "status": "delivered", "to": ANN},
    "infobip": {"results": [{"messageId": ATTEMPT, "to": ANN, "status": {"groupId": 3, "id": 5}}]},
    "plivo": {"MessageUUID": "up-2", "Status": "delivered", "From": OURS, "To": ANN},
    "sinch": {
        "type": "recipient_delivery_report_sms", "batch_id": "up-2", "recipient": ANN, "status": "Delivered", "code": 0,
        "client_reference": ATTEMPT,
    },
    "telnyx": {
        "data": {
            "event_type": "message.finalized",
            "payload": {"id": "up-2", "from": {"phone_number": OURS}, "to": [{"phone_number": ANN, "status": "delivered"}]},
        }
    },
    "twilio": {"MessageSid": "up-2", "MessageStatus": "delivered", "From": OURS, "To": ANN},
    "vonage": {"channel": "sms", "message_uuid": "up-2", "status": "delivered", "from": OURS, "to": ANN, "client_ref": ATTEMPT},
}  # fmt: skip


@pytest.mark.parametrize("name", KINDS)
def test_a_report_tells_which_text_it_is_of_though_its_answer_never_came(name: str) -> None:
    made = carrier(name)
    made.settings = {**made.settings, **({"report_to": "to"} if name == "generic" else {})}
    told = urlencode(REPORTS[name]) if name in FORMS else json.dumps(REPORTS[name])
    target = urlsplit(made.push_url("status", part(attempt=ATTEMPT))).path
    (one,) = asyncio.run(made.hear(HttpPush(method="POST", target=target, body=told.encode()))).reports
    assert (ANN, 0xBEEF) == (one.recipient, one.hint)


@pytest.mark.parametrize("name", KINDS)
def test_what_is_no_name_of_ours_is_no_hint(name: str) -> None:
    made = carrier(name)
    told = (urlencode(REPORTS[name]) if name in FORMS else json.dumps(REPORTS[name])).replace(ATTEMPT, "order-4711")
    (one,) = asyncio.run(made.hear(HttpPush(method="POST", target=f"/carriers/{SID}/status", body=told.encode()))).reports
    assert None is one.hint
