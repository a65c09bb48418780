"""Messages, batches, refusals and explanations over the native API."""

from typing import Any

import pytest

from tests.gateway import Gateway, eventually

US, SECOND, ALONE, TOLL_FREE, SHORT = "+14155550100", "+14155550111", "+14155550122", "+18885550100", "72345"


def batch(gateway: Gateway, **body: Any) -> list[dict[str, Any]]:
    answer = gateway.http.post("/api/v1/messages", json=body)
    assert 200 == answer.status_code, answer.text
    return list(answer.json()["items"])


def explain(gateway: Gateway, id: str) -> dict[str, Any]:
    answer = gateway.http.get(f"/api/v1/messages/{id}/explain")
    assert 200 == answer.status_code, answer.text
    return dict(answer.json())


def delivered(gateway: Gateway, sid: str) -> dict[str, Any]:
    return eventually(lambda: ((m := gateway.http.get(f"/api/v1/messages/{sid}").json())["status"] == "delivered" and m) or None)


def test_a_batch_answers_in_the_order_asked(gateway: Gateway) -> None:
    gateway.phone("+14155553002").text("STOP", to=ALONE)
    to = ["+14155553001", "+14155553002", "banana", "+14155553003"]
    found = batch(gateway, **{"from": ALONE}, body="hello", recipients=[{"to": each} for each in to])
    assert to == [each["to"] for each in found]
    assert [None, 21610, 21211, None] == [each["error"] and each["error"]["code"] for each in found]
    assert [True, False, False, True] == [bool(each["sid"]) for each in found]


def test_a_template_is_filled_once(gateway: Gateway) -> None:
    recipients = [
        {"to": "+14155553010", "variables": {"name": "{{code}}", "code": 7}},
        {"to": "+14155553011", "variables": {"code": 7}},
    ]
    first, second = batch(gateway, **{"from": ALONE}, template="Hi {{ name }}, {{code}}", recipients=recipients)
    assert "Hi {{code}}, 7" == gateway.http.get(f"/api/v1/messages/{first['sid']}").json()["body"]
    assert "name" in second["error"]["message"]
    assert second["sid"] is None


def test_a_key_makes_a_batch_once(gateway: Gateway) -> None:
    body = {"from": ALONE, "body": "once", "recipients": [{"to": "+14155553020"}]}
    headers = {"Idempotency-Key": "tests-batch"}
    first = gateway.http.post("/api/v1/messages", json=body, headers=headers).json()
    assert first == gateway.http.post("/api/v1/messages", json=body, headers=headers).json()
    other = gateway.http.post("/api/v1/messages", json=body | {"body": "twice"}, headers=headers)
    assert (409, "application/problem+json") == (other.status_code, other.headers["content-type"])


def test_a_long_batch_goes_out_whole_and_once(gateway: Gateway) -> None:
    recipients = [{"to": f"+1415556{number:04}"} for number in range(1200)]
    body = {"from": SECOND, "body": "many", "recipients": recipients}
    headers = {"Idempotency-Key": "tests-long-batch"}
    first = gateway.http.post("/api/v1/messages", json=body, headers=headers).json()["items"]
    again = gateway.http.post("/api/v1/messages", json=body, headers=headers).json()["items"]
    assert first == again
    assert 1200 == len({each["sid"] for each in first})


def test_a_batch_has_its_limit(gateway: Gateway) -> None:
    answer = gateway.http.post("/api/v1/messages", json={"from": US, "body": "x", "recipients": [{"to": "1"}] * 10_001})
    assert 413 == answer.status_code


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"from": US, "recipients": []}, id="nothing to say"),
        pytest.param({"from": US, "body": "x", "template": "y", "recipients": []}, id="two things to say"),
        pytest.param({"body": "x", "recipients": []}, id="nobody who says it"),
        pytest.param({"from": US, "body": 1, "recipients": []}, id="a number for a text"),
        pytest.param([], id="a list"),
    ],
)
def test_a_batch_that_is_none_is_refused(gateway: Gateway, body: Any) -> None:
    assert 422 == gateway.http.post("/api/v1/messages", json=body).status_code


def test_messages_are_listed_the_newest_first(gateway: Gateway) -> None:
    gateway.phone("+14155553030").text("hello", to=ALONE)
    (sent,) = batch(gateway, **{"from": ALONE}, body="hi", recipients=[{"to": "+14155553030"}])
    found = gateway.http.get("/api/v1/messages", params={"recipient": "+14155553030"}).json()["items"]
    assert [sent["sid"], "inbound"] == [found[0]["sid"], found[1]["direction"]]
    assert ("+14155553030", ALONE) == (found[1]["from"], found[1]["to"])
    outbound = gateway.http.get("/api/v1/messages", params={"to": "+14155553030"}).json()["items"]
    assert [sent["sid"]] == [each["sid"] for each in outbound]


def test_a_refusal_is_explained_by_the_event_that_blocks(gateway: Gateway) -> None:
    phone = gateway.phone("+14155553040")
    stop = phone.text("Stop.", to=US)
    (item,) = batch(gateway, service=gateway.service, body="x", recipients=[{"to": phone.address}])
    told = explain(gateway, item["refusal"])
    (event,) = gateway.http.get("/api/v1/consent-events", params={"message": stop["message_sid"]}).json()["items"]
    assert "refused" == told["verdict"]
    assert [event["id"]] == [each["id"] for each in told["evidence"]]
    assert any("the word STOP" in sentence for sentence in told["why"])
    blocked = {each["scope"]: each["blocked"] for each in told["checked"]}
    assert {gateway.service: True, gateway.account_sid: False} == blocked
    assert told["next"]
    listed = gateway.http.get("/api/v1/refusals", params={"recipient": phone.address, "code": 21610}).json()["items"]
    assert [(item["refusal"], event["id"])] == [(each["id"], each["because"]["event"]) for each in listed]


def test_a_refusal_stays_explained_after_the_block_was_lifted(gateway: Gateway) -> None:
    phone = gateway.phone("+14155553041")
    phone.text("STOP", to=ALONE)
    (item,) = batch(gateway, **{"from": ALONE}, body="x", recipients=[{"to": phone.address}])
    phone.text("START", to=ALONE)
    told = explain(gateway, item["refusal"])
    assert {True} == {each["blocked"] for each in told["checked"] if each["scope"] == gateway.sender(ALONE)}


def test_a_delivered_message_is_explained_by_its_attempt(gateway: Gateway) -> None:
    (item,) = batch(gateway, **{"from": ALONE}, body="x", recipients=[{"to": "+14155553042"}])
    delivered(gateway, item["sid"])
    told = explain(gateway, item["sid"])
    assert "delivered" == told["verdict"]
    assert ["attempt"] == [each["kind"] for each in told["evidence"]]
    assert not any(each["blocked"] for each in told["checked"])


@pytest.mark.parametrize(
    ("texts", "to", "verdict", "word"),
    [
        pytest.param(["STOP"], ALONE, "blocked", "STOP", id="a stop"),
        pytest.param(["STOP", "quit"], ALONE, "already_blocked", "QUIT", id="a second stop"),
        pytest.param(["STOP", "START"], ALONE, "lifted", "START", id="a start"),
        pytest.param(["help"], ALONE, "helped", "HELP", id="a help"),
        pytest.param(["hello"], ALONE, "passed_on", None, id="an ordinary text"),
        pytest.param(["STOP"], SHORT, "passed_on", None, id="a stop to a short code"),
        pytest.param(["STOP"], TOLL_FREE, "blocked", "STOP", id="a stop to a toll-free number"),
    ],
)
def test_an_inbound_text_is_explained(
    gateway: Gateway, request: pytest.FixtureRequest, texts: list[str], to: str, verdict: str, word: str | None
) -> None:
    phone = gateway.phone(f"+1415555{3100 + sum(map(ord, request.node.name)) % 800}")
    sids = [phone.text(text, to=to)["message_sid"] for text in texts]
    told = explain(gateway, sids[-1])
    assert verdict == told["verdict"], told
    assert word is None or any(f"the word {word}" in sentence for sentence in told["why"])
    assert (word is not None) == any(each["kind"] == "consent_event" for each in told["evidence"])


@pytest.mark.parametrize("id", ["SM" + "0" * 32, "RF" + "0" * 32, "x"])
def test_what_is_not_there_is_not_explained(gateway: Gateway, id: str) -> None:
    assert 404 == gateway.http.get(f"/api/v1/messages/{id}/explain").status_code


def test_messages_of_another_account_are_not_found(gateway: Gateway) -> None:
    sid = gateway.phone("+14155553050").text("hello", to=ALONE)["message_sid"]
    stranger = gateway.account()
    for path in (f"/api/v1/messages/{sid}", f"/api/v1/messages/{sid}/explain"):
        assert 404 == gateway.http.get(path, auth=stranger).status_code
