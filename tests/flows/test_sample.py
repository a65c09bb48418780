"""An invented event calls the application like a real one, and leaves nothing behind but the delivery."""

from collections.abc import Iterator
from typing import Any

import pytest

from stopwire.console.webhook_events import EVENTS, PARAMS, schema_of
from stopwire.flows.sample import PERSON
from tests.gateway import Gateway, eventually
from tests.webhook_server import WebhookServer, twiml

ALONE, IN_SERVICE = "+14155550122", "+14155550100"


@pytest.fixture
def server() -> Iterator[WebhookServer]:
    opened = WebhookServer()
    yield opened
    opened.close()


def sample(gateway: Gateway, kind: str, url: str = "", sender: str = ALONE, status: int = 201) -> dict[str, Any]:
    answer = gateway.http.post("/api/v1/webhook-deliveries/test", json={"sender": sender, "kind": kind, "url": url})
    assert status == answer.status_code, answer.text
    return dict(answer.json())


def settled(gateway: Gateway, id: str) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        found = dict(gateway.http.get(f"/api/v1/webhook-deliveries/{id}").json())
        return found if found["state"] not in ("pending", "sending") else None

    return eventually(look)


@pytest.mark.parametrize(
    ("kind", "event", "expected"),
    [
        pytest.param("text", "inbound", {"From": PERSON, "To": ALONE, "SmsStatus": "received"}, id="a text"),
        pytest.param("stop", "inbound", {"Body": "STOP", "From": PERSON}, id="a STOP"),
        pytest.param("delivered", "status", {"MessageStatus": "delivered", "To": PERSON, "From": ALONE}, id="delivered"),
        pytest.param("undelivered", "status", {"MessageStatus": "undelivered", "ErrorCode": "30005"}, id="not delivered"),
    ],
)
def test_the_application_is_called_as_by_a_real_event(
    gateway: Gateway, server: WebhookServer, kind: str, event: str, expected: dict[str, str]
) -> None:
    made = sample(gateway, kind, server.url("/hook"))
    assert "delivered" == settled(gateway, made["id"])["state"]
    (asked,) = server.asked
    assert asked.signed_with(gateway.auth_token)
    assert expected == {name: asked.params[name] for name in expected}
    schema = schema_of(event)
    assert not set(schema["required"]) - set(asked.params)
    assert not set(asked.params) - set(schema["properties"])


def test_nothing_is_recorded_and_the_answer_is_not_carried_out(gateway: Gateway, server: WebhookServer) -> None:
    server.on("/hook", twiml("<Message>Hello</Message>"))
    made = sample(gateway, "stop", server.url("/hook"))
    assert "delivered" == settled(gateway, made["id"])["state"]
    for path in ("/api/v1/messages", "/api/v1/blocks", "/api/v1/consent-events"):
        assert [] == gateway.http.get(path, params={"recipient": PERSON}).json()["items"], path


@pytest.mark.parametrize(
    ("kind", "url", "said"),
    [
        pytest.param("text", "", "calls nobody", id="no webhook is set"),
        pytest.param("help", "", "HELP is answered here", id="HELP is not forwarded by default"),
        pytest.param("text", "http://10.0.0.1/x", "10.0.0.1", id="an address that may not be called"),
    ],
)
def test_what_cannot_be_sent_says_why(gateway: Gateway, kind: str, url: str, said: str) -> None:
    assert said in sample(gateway, kind, url, status=422)["detail"]


def test_a_sender_of_another_account_is_unknown(gateway: Gateway) -> None:
    sample(gateway, "text", sender="PN" + "0" * 32, status=404)


@pytest.mark.parametrize("event", EVENTS)
def test_each_parameter_stands_once(event: str) -> None:
    names = [each.name for each in PARAMS if each.event == event]
    assert sorted(set(names)) == sorted(names)
