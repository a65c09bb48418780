"""A person with an opt-out link, and no account: what the page says, and what its button does."""

from typing import Any

import httpx
import pytest

from tests.gateway import Gateway

ALONE = "+14155550122"
REFUSED = (400, 21610)


def link(gateway: Gateway, recipient: str, scope: str) -> str:
    answer = gateway.http.post("/api/v1/opt-out-links", json={"recipient": recipient, "scope": scope})
    assert 201 == answer.status_code, answer.text
    return str(answer.json()["url"])


def sent(gateway: Gateway, to: str, **sender: str) -> tuple[int, Any]:
    path = f"/2010-04-01/Accounts/{gateway.account_sid}/Messages.json"
    answer = gateway.http.post(path, data={"To": to, "Body": "x", **sender})
    return answer.status_code, answer.json().get("code")


def test_opening_the_link_changes_nothing_and_its_button_opts_out(gateway: Gateway) -> None:
    person = "+14155551801"
    url = link(gateway, person, ALONE)
    opened = httpx.get(url)
    assert 200 == opened.status_code
    assert person not in url + opened.text  # a forwarded link gives nobody's number away
    assert (201, None) == sent(gateway, person, From=ALONE)
    assert 200 == httpx.post(url).status_code
    assert REFUSED == sent(gateway, person, From=ALONE)
    (block,) = gateway.http.get("/api/v1/blocks", params={"recipient": person}).json()["items"]
    assert ("consent", "recipient", gateway.sender(ALONE)) == (block["reason"], block["actor"], block["scope"])


def test_a_link_for_a_service_names_it_and_start_comes_back(gateway: Gateway) -> None:
    person = "+14155551802"
    url = link(gateway, person, gateway.service)
    assert "Demo" in httpx.get(url).text
    assert [200, 200] == [httpx.post(url).status_code for _ in range(2)]
    assert REFUSED == sent(gateway, person, MessagingServiceSid=gateway.service)
    gateway.phone(person).text("START", to="+14155550100")
    assert (201, None) == sent(gateway, person, MessagingServiceSid=gateway.service)


def test_a_link_that_was_tampered_with_opens_nothing(gateway: Gateway) -> None:
    url = link(gateway, "+14155551803", ALONE)
    for broken in (url[:-6], url[:-6] + "AAAAAA", f"{gateway.url}/o/x", f"{gateway.url}/o/{'y' * 5000}", f"{gateway.url}/o/v1.é.ü"):
        assert [404, 404] == [httpx.get(broken).status_code, httpx.post(broken).status_code]
    assert [] == gateway.http.get("/api/v1/blocks", params={"recipient": "+14155551803"}).json()["items"]


@pytest.mark.parametrize(
    ("given", "status"),
    [
        pytest.param({"recipient": "banana", "scope": ALONE}, 422, id="no number"),
        pytest.param({"recipient": "+14155551804", "scope": "MG" + "0" * 32}, 404, id="a service that is none"),
        pytest.param({"recipient": "+14155551804"}, 422, id="no scope"),
    ],
)
def test_a_link_that_leads_nowhere_is_not_made(gateway: Gateway, given: dict[str, str], status: int) -> None:
    assert status == gateway.http.post("/api/v1/opt-out-links", json=given).status_code
