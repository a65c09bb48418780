"""Whatever a provider, or somebody who claims to be one, says: a carrier answers, or says that it cannot read it."""

import asyncio
import json
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stopwire.carriers import load
from stopwire.carriers.http import HttpCarrier
from stopwire.core.outcomes import DeliveryReport, Outcome, OutcomeKind, Received
from stopwire.ports.http import HttpAnswer
from stopwire.ports.push import HttpPush
from tests.carriers.rows import ANN, NOW, OURS, SID, Network, connected, part

KINDS = ("bandwidth", "generic", "infobip", "plivo", "sinch", "telnyx", "twilio", "vonage")
WORDS = (
    "type id message to from text body data payload event_type status code errors error title results messages groupId name "
    "media url channel message_uuid MessageSid From To Body NumMedia MediaUrl0 MessageStatus ErrorCode Status MessageUUID sid "
    "message-received message.received message.finalized mo_text mo_media recipient_delivery_report_sms delivered failed "
    "phone_number owner batch_id messageId requestError serviceException STOP 21610 40300 257 14 1240 4775 200"
).split()
leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(WORDS)
names = st.sampled_from(WORDS) | st.text(max_size=4)
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=6), max_leaves=20
)
forms = st.dictionaries(names, st.text(max_size=8) | st.sampled_from(WORDS), max_size=10)
bodies = (
    values.map(lambda value: json.dumps(value).encode())
    | forms.map(lambda form: urlencode(form, errors="replace").encode())
    | st.binary(max_size=60)
)
headers = st.dictionaries(
    st.sampled_from(
        "authorization telnyx-timestamp telnyx-signature-ed25519 x-twilio-signature x-plivo-signature-v3 x-plivo-signature-v3-nonce "
        "x-plivo-signature-v2 x-plivo-signature-v2-nonce x-sinch-webhook-signature x-sinch-webhook-signature-timestamp x-signature".split()
    ),
    st.text(max_size=20) | st.sampled_from(["Bearer a.b.c", "Basic OnB3", "Bearer e30.e30.", "nan", "inf"]),
    max_size=6,
)
paths = st.sampled_from(["inbound", "status", "events", "events?a=1&a=2&%ff", ""])


def carrier(name: str) -> HttpCarrier:
    made: Any = load(name)
    told = {field.name: "x" for field in made.TYPE.fields if field.required and not field.secret}
    told |= {"url": "https://p.example.com", "body": '{"to": "{to}", "text": "{body}"}'} if name == "generic" else {}
    told |= {"base_url": "https://p.example.com"}
    secrets = {field.name: "secret-word" for field in made.TYPE.fields if field.secret}
    return connected(made, told, secrets, network=Silent())


class Silent(Network):
    async def call(self, *_: Any, **__: Any) -> HttpAnswer:
        return HttpAnswer(status=404, headers={}, body=b"", ms=1)


@pytest.mark.parametrize("name", KINDS)
@given(body=bodies, told=headers, path=paths, method=st.sampled_from(["GET", "POST"]))
@settings(max_examples=50, deadline=None)
def test_no_stranger_is_believed_and_none_breaks_a_carrier(name: str, body: bytes, told: dict[str, str], path: str, method: str) -> None:
    push = HttpPush(method=method, target=f"/carriers/{SID}/{path}", headers=told, body=body)
    assert carrier(name).refusal(push, at=NOW)


@pytest.mark.parametrize("name", KINDS)
@given(body=bodies, path=paths, method=st.sampled_from(["GET", "POST"]))
@settings(max_examples=50, deadline=None)
def test_a_genuine_push_is_read_or_called_unreadable(name: str, body: bytes, path: str, method: str) -> None:
    push = HttpPush(method=method, target=f"/carriers/{SID}/{path}", body=body)
    try:
        heard = asyncio.run(carrier(name).hear(push))
    except ValueError:
        return
    assert all(isinstance(one, Received) and isinstance(one.body, str) for one in heard.received)
    assert all(isinstance(one, DeliveryReport) and isinstance(one.reference, str) for one in heard.reports)


GENUINE = {
    "bandwidth": {"type": "message-received", "to": OURS, "message": {"id": "1", "from": ANN, "text": "STOP", "media": [], "time": "x"}},
    "generic": {"from": ANN, "to": OURS, "text": "STOP", "id": "1"},
    "infobip": {"results": [{"messageId": "1", "from": ANN, "to": OURS, "text": "STOP", "receivedAt": "x"}]},
    "sinch": {"type": "mo_media", "id": "1", "from": ANN, "to": OURS, "body": {"message": "STOP", "media": [{"url": "https://x"}]}},
    "telnyx": {
        "data": {
            "event_type": "message.received",
            "payload": {"id": "1", "from": {"phone_number": ANN}, "to": [{"phone_number": OURS}], "text": "STOP", "media": []},
        }
    },
    "vonage": {"channel": "mms", "message_uuid": "1", "from": ANN, "to": OURS, "image": {"url": "https://x", "caption": "STOP"}},
}


def with_one_leaf(value: Any, leaf: Any, at: int) -> tuple[Any, int]:
    """`value` with its leaf number `at` replaced; how many leaves it has."""
    if isinstance(value, dict | list):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        made, count = {}, 0
        for key, inner in pairs:
            made[key], more = with_one_leaf(inner, leaf, at - count)
            count += more
        return (made if isinstance(value, dict) else list(made.values())), count
    return (leaf if at == 0 else value), 1


@pytest.mark.parametrize("name", GENUINE)
@given(leaf=values, at=st.integers(0, 8))
@settings(max_examples=100, deadline=None)
def test_a_push_with_one_wrong_place_is_read_or_called_unreadable(name: str, leaf: Any, at: int) -> None:
    changed, _ = with_one_leaf(GENUINE[name], leaf, at)
    body = json.dumps([changed] if name == "bandwidth" else changed).encode()
    push = HttpPush(method="POST", target=f"/carriers/{SID}/inbound", body=body)
    try:
        heard = asyncio.run(carrier(name).hear(push))
    except ValueError:
        return
    told = [word for one in heard.received for word in (one.sender, one.recipient, one.body)]
    assert all(isinstance(word, str) for word in told)
    assert all(one.reference is None or isinstance(one.reference, str) for one in heard.received)


@pytest.mark.parametrize("name", KINDS)
@given(body=bodies, status=st.sampled_from([200, 201, 202, 204, 301, 400, 401, 403, 404, 422, 429, 500, 503]))
@settings(max_examples=50, deadline=None)
def test_every_answer_becomes_one_outcome(name: str, body: bytes, status: int) -> None:
    outcomes: list[Outcome] = []
    made = carrier(name)
    network = Network(HttpAnswer(status=status, headers={}, body=body, ms=1))
    made.tools = type(made.tools)(**{**_fields(made.tools), "http": network})
    asyncio.run(made.send([part()], outcomes.append))
    (outcome,) = outcomes
    if outcome.kind is OutcomeKind.ACCEPTED:
        assert isinstance(outcome.reference, str)
        assert status < 300


def _fields(tools: Any) -> dict[str, Any]:
    return {name: getattr(tools, name) for name in tools.__dataclass_fields__}
