"""The block list over the native API."""

import pytest

from tests.gateway import Gateway

US, OTHER, ALONE = "+14155550100", "+14155550111", "+14155550122"


def add(gateway: Gateway, recipient: str, scope: str, **more: str) -> dict[str, str]:
    answer = gateway.http.post("/api/v1/blocks", json={"recipient": recipient, "scope": scope, **more})
    assert 201 == answer.status_code, answer.text
    return dict(answer.json())


def test_a_block_refuses_a_send(gateway: Gateway) -> None:
    made = add(gateway, "+14155551001", ALONE, note="by letter")
    assert ("api", gateway.sender(ALONE), "by letter") == (made["reason"], made["scope"], made["note"])
    answer = gateway.http.post(
        f"/2010-04-01/Accounts/{gateway.account_sid}/Messages.json", data={"From": ALONE, "To": "+14155551001", "Body": "x"}
    )
    assert (400, 21610) == (answer.status_code, answer.json()["code"])


def test_a_second_block_answers_the_first(gateway: Gateway) -> None:
    first = add(gateway, "+14155551002", gateway.service, reason="complaint")
    assert first == add(gateway, "+14155551002", gateway.service, reason="api")


def test_a_lifted_block_is_answered_and_gone(gateway: Gateway) -> None:
    made = add(gateway, "+14155551003", gateway.service)
    body = {"recipient": "+14155551003", "scope": gateway.service, "note": "asked by phone"}
    lifted = gateway.http.request("DELETE", "/api/v1/blocks", json=body)
    assert (200, made) == (lifted.status_code, lifted.json())
    assert [] == gateway.http.get("/api/v1/blocks", params={"recipient": "+14155551003"}).json()["items"]
    again = gateway.http.request("DELETE", "/api/v1/blocks", json=body)
    assert 404 == again.status_code


def test_the_list_is_cut_and_continued(gateway: Gateway) -> None:
    made = [add(gateway, f"+1415555110{n}", ALONE, reason="wrong_number")["id"] for n in range(5)]
    found, cursor = [], None
    while True:
        params = {"scope": ALONE, "reason": "wrong_number", "limit": 2} | ({"cursor": cursor} if cursor else {})
        page = gateway.http.get("/api/v1/blocks", params=params).json()
        found += [each["id"] for each in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert made == found


def test_a_plus_that_became_a_space_is_still_a_plus(gateway: Gateway) -> None:
    add(gateway, "+14155551004", ALONE)
    answer = gateway.http.get("/api/v1/blocks?recipient=+14155551004")
    assert ["+14155551004"] == [each["recipient"] for each in answer.json()["items"]]


def test_the_list_can_be_asked_in_bulk(gateway: Gateway) -> None:
    block = add(gateway, "+14155551005", gateway.service)
    items = [
        {"from": US, "to": "+14155551005"},
        {"service": gateway.service, "to": "+14155551005"},
        {"from": ALONE, "to": "+14155551005"},
        {"from": US, "to": "nobody"},
        {"from": "+19995550199", "to": "+14155551005"},
        {"to": "+14155551005"},
    ]
    found = gateway.http.post("/api/v1/blocks/check", json={"items": items}).json()["items"]
    assert [True, True, False, False, False, False] == [each["blocked"] for each in found]
    assert block == found[0]["because"]
    assert [False, False, False, True, True, True] == [each["error"] is not None for each in found]


def test_too_many_questions_are_too_many(gateway: Gateway) -> None:
    answer = gateway.http.post("/api/v1/blocks/check", json={"items": [{"from": US, "to": US}] * 10_001})
    assert 413 == answer.status_code


@pytest.mark.parametrize(
    ("given", "status", "path"),
    [
        pytest.param({"scope": US}, 422, "recipient", id="no recipient"),
        pytest.param({"recipient": "banana", "scope": US}, 422, "recipient", id="no number"),
        pytest.param({"recipient": "+14155551006", "scope": "MG" + "0" * 32}, 404, "scope", id="a service that is none"),
        pytest.param({"recipient": "+14155551006", "scope": "!"}, 422, "scope", id="no scope at all"),
        pytest.param({"recipient": "+14155551006", "scope": US, "reason": "keyword"}, 422, "reason", id="a reason that only texts make"),
    ],
)
def test_what_cannot_be_blocked_is_told(gateway: Gateway, given: dict[str, str], status: int, path: str) -> None:
    answer = gateway.http.post("/api/v1/blocks", json=given)
    assert (status, path) == (answer.status_code, answer.json()["errors"][0]["path"])


@pytest.mark.parametrize("limit", ["0", "10001", "x", "9" * 400])
def test_a_limit_has_limits(gateway: Gateway, limit: str) -> None:
    assert 422 == gateway.http.get("/api/v1/blocks", params={"limit": limit}).status_code


def test_blocks_of_another_account_are_not_seen(gateway: Gateway) -> None:
    add(gateway, "+14155551007", ALONE)
    sid, token = gateway.account()
    assert [] == gateway.http.get("/api/v1/blocks", auth=(sid, token)).json()["items"]
    answer = gateway.http.post("/api/v1/blocks", json={"recipient": "+14155551007", "scope": gateway.service}, auth=(sid, token))
    assert 404 == answer.status_code


def test_without_credentials_nothing_is_answered(gateway: Gateway) -> None:
    answer = gateway.http.get("/api/v1/blocks", auth=("nobody", "nothing"))
    assert (401, "application/problem+json") == (answer.status_code, answer.headers["content-type"])
    assert answer.headers["www-authenticate"].startswith("Basic")
