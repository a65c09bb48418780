"""The official SDK for Node against a running gateway: what an application in JavaScript does, and what it sees."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.gateway import Gateway, eventually
from tests.webhook_server import Reply, WebhookServer

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("npm") is None and os.environ.get("CI") != "true", reason="there is no npm here to fetch the SDK with"
    ),
]
FOLDER = Path(__file__).parent / "node"
ALONE = "+14155550122"  # in no service
COMMON = "+14155550100"  # in the service


def node(gateway: Gateway, step: str, **values: Any) -> Any:
    """What `step` of customer.mjs saw."""
    assert (FOLDER / "node_modules" / "twilio").is_dir(), "The SDK is not here: run `make node` first"
    given = {"step": step, "url": gateway.url, "account": gateway.account_sid, "token": gateway.auth_token, **values}
    run = subprocess.run(
        ["node", FOLDER / "customer.mjs"], input=json.dumps(given), capture_output=True, text=True, timeout=60, check=False
    )
    assert 0 == run.returncode, run.stderr
    return json.loads(run.stdout)


@pytest.fixture(scope="module")
def web() -> Iterator[WebhookServer]:
    server = WebhookServer()
    yield server
    server.close()


def test_a_message_is_sent_fetched_and_received(gateway: Gateway) -> None:
    handset = gateway.phone("+14155550301")
    sent = node(gateway, "send", order={"from": ALONE, "to": handset.address, "body": "Hello from Node – ünïcødé 🚀"})
    assert {
        "accountSid": gateway.account_sid,
        "from": ALONE,
        "to": handset.address,
        "body": "Hello from Node – ünïcødé 🚀",
        "status": "queued",
        "direction": "outbound-api",
        "numSegments": "1",
        "service": None,
        "createdIsDate": True,
    } == {name: value for name, value in sent.items() if name != "sid"}
    assert sent["body"] == handset.wait(1)[0]["body"]
    eventually(lambda: node(gateway, "fetch", sid=sent["sid"])["status"] == "delivered")


def test_a_message_through_a_service_gets_its_sender_later(gateway: Gateway) -> None:
    order = {"messagingServiceSid": gateway.service, "to": "+14155550302", "body": "Hi"}
    sent = node(gateway, "send", order=order)
    assert ("accepted", None, gateway.service) == (sent["status"], sent["from"], sent["service"])


def test_a_list_is_walked_over_its_pages_and_back(gateway: Gateway) -> None:
    to = "+14155550303"
    client = gateway.client()
    newest_first = [client.messages.create(from_=ALONE, to=to, body=f"Message {n}").sid for n in range(5)][::-1]
    seen = node(gateway, "list", to=to, pageSize=2)
    assert newest_first == seen["whole"]
    assert (newest_first[:2], newest_first[2:4], newest_first[:2]) == (seen["first"], seen["second"], seen["back"])
    assert newest_first[:1] == seen["limited"]


def test_a_send_after_stop_fails_with_21610(gateway: Gateway) -> None:
    handset = gateway.phone("+14155550304")
    handset.text("STOP", to=ALONE)
    handset.wait(1)
    seen = node(gateway, "refused", order={"from": ALONE, "to": handset.address, "body": "Still there?"})
    assert {
        "name": "RestException",
        "status": 400,
        "code": 21610,
        "message": "Attempt to send to unsubscribed recipient",
        "more": "https://www.twilio.com/docs/errors/21610",
    } == seen
    handset.text("START", to=ALONE)
    handset.wait(2)
    assert "Welcome back" == node(gateway, "send", order={"from": ALONE, "to": handset.address, "body": "Welcome back"})["body"]


def test_a_wrong_order_fails_with_its_code(gateway: Gateway) -> None:
    assert 21211 == node(gateway, "refused", order={"from": ALONE, "to": "nobody", "body": "x"})["code"]
    assert 21602 == node(gateway, "refused", order={"from": ALONE, "to": "+14155550305"})["code"]


def test_a_message_is_redacted(gateway: Gateway) -> None:
    sid = settled(gateway, "+14155550306")
    redacted = node(gateway, "redact", sid=sid)
    assert ("", "delivered") == (redacted["body"], redacted["status"])


def test_a_scheduled_message_is_cancelled(gateway: Gateway) -> None:
    order = {"messagingServiceSid": gateway.service, "to": "+14155550307", "body": "Later"}
    assert {"before": "scheduled", "after": "canceled"} == node(gateway, "cancel", order=order)


def test_a_message_is_deleted(gateway: Gateway) -> None:
    seen = node(gateway, "remove", sid=settled(gateway, "+14155550308"))
    assert (True, 404, 20404) == (seen["removed"], seen["then"]["status"], seen["then"]["code"])


def test_feedback_is_taken(gateway: Gateway) -> None:
    assert "confirmed" == node(gateway, "feedback", sid=settled(gateway, "+14155550309"))


def test_a_service_and_its_numbers_are_made_changed_and_removed(gateway: Gateway) -> None:
    number = gateway.sender(ALONE)
    seen = node(gateway, "service", number=number)
    assert {"sid": seen["made"]["sid"], "name": "From Node", "url": "https://example.com/in", "sticky": False} == seen["made"]
    assert (ALONE, [number]) == (seen["member"], seen["members"])
    assert {"name": "Renamed", "url": None} == seen["renamed"]
    assert [seen["made"]["sid"], gateway.service] == seen["listed"]
    assert (True, 0, True, 404) == (seen["removedMember"], seen["left"], seen["removed"], seen["then"]["status"])


def test_a_number_is_found_bought_changed_and_released(gateway: Gateway) -> None:
    seen = node(gateway, "numbers")
    assert seen["free"] == seen["bought"]
    assert seen["free"].startswith("+1415")
    assert {"voice": False, "sms": True, "mms": True, "fax": False} == seen["capabilities"]
    assert ["https://example.com/sms", "GET"] == seen["updated"]
    assert [seen["sid"]] == seen["found"]
    assert (7, True, 404) == (seen["all"], seen["released"], seen["then"]["status"])


def test_short_codes_are_listed(gateway: Gateway) -> None:
    assert ["72345"] == node(gateway, "shortCodes")


def test_consents_in_bulk_block_and_unblock(gateway: Gateway) -> None:
    person = "+14155550310"
    item = {"contact_id": person, "sender_id": ALONE, "source": "website", "date_of_consent": "2026-01-01T00:00:00Z"}

    def wish(status: str, number: int) -> list[int]:
        items = [{**item, "status": status, "correlation_id": f"{number:032d}"}]
        return [each["error_code"] for each in node(gateway, "consents", items=items)]

    order = {"from": ALONE, "to": person, "body": "Hello"}
    assert [0] == wish("opt-out", 1)
    assert 21610 == node(gateway, "refused", order=order)["code"]
    assert [0] == wish("opt-in", 2)
    assert person == node(gateway, "send", order=order)["to"]


def test_a_number_is_looked_up(gateway: Gateway) -> None:
    assert {"number": ALONE, "valid": True, "country": "US"} == node(gateway, "lookup", number=ALONE)


def test_a_key_signs_in_until_it_is_removed(gateway: Gateway) -> None:
    order = {"from": ALONE, "to": "+14155550311", "body": "By key"}
    seen = node(gateway, "keys", order=order)
    assert (order["to"], 401, 20003) == (seen["sent"], seen["then"]["status"], seen["then"]["code"])


def test_a_wrong_token_is_told_so(gateway: Gateway) -> None:
    seen = node(gateway, "wrongToken")
    assert (401, 20003) == (seen["status"], seen["code"])


def test_the_sdk_validates_our_signature_and_no_other(gateway: Gateway, web: WebhookServer) -> None:
    gateway.client().incoming_phone_numbers(gateway.sender(ALONE)).update(sms_url=web.url("/node?shop=1&x=a%20b"))
    sid = gateway.phone("+14155550312").text("Is this signed? +&= ü", to=ALONE)["message_sid"]
    asked = web.one("/node", MessageSid=sid)
    signature = asked.headers["x-twilio-signature"]
    seen = node(gateway, "validate", signature=signature, asked=asked.url, params=dict(asked.params))
    assert {"ours": True, "anotherToken": False, "anotherUrl": False, "anotherBody": False} == seen


def test_a_reply_written_with_the_sdk_reaches_the_person(gateway: Gateway, web: WebhookServer) -> None:
    words = 'Märchen & <Sagen> "für" alle 📚'
    web.on("/reply", Reply(body=node(gateway, "reply", words=words).encode()))
    gateway.client().incoming_phone_numbers(gateway.sender(ALONE)).update(sms_url=web.url("/reply"))
    handset = gateway.phone("+14155550313")
    handset.text("What do you have?", to=ALONE)
    assert words == handset.wait(1)[0]["body"]


def settled(gateway: Gateway, to: str) -> str:
    """SID of a message that has been delivered."""
    sent = gateway.client().messages.create(from_=ALONE, to=to, body="A secret")
    eventually(lambda: gateway.client().messages(sent.sid).fetch().status == "delivered")
    return str(sent.sid)


UNCHANGED = """
import twilio from "twilio";
const client = twilio(process.env.TWILIO_ACCOUNT_SID, process.env.TWILIO_AUTH_TOKEN);
const sent = await client.messages.create({ from: "+14155550122", to: "+14155550399", body: "unchanged" });
const services = await client.messaging.v1.services.list({ pageSize: 1, limit: 2 });
console.log(JSON.stringify({ sid: sent.sid, services: services.length }));
"""


def test_an_application_runs_unchanged_under_exec(gateway: Gateway) -> None:
    client = gateway.client()
    for number in range(2):
        client.messaging.v1.services.create(friendly_name=f"Unchanged {number}")
    access = ["--url", gateway.url, "--account", gateway.account_sid, "--token", gateway.auth_token]
    command = [sys.executable, "-m", "stopwire", "exec", *access, "--", "node", "--input-type=module", "-e", UNCHANGED]
    run = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, timeout=60, check=False)
    assert 0 == run.returncode, run.stderr
    seen = json.loads(run.stdout)
    assert (2, "unchanged") == (seen["services"], client.messages(seen["sid"]).fetch().body)
