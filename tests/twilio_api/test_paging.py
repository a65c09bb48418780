"""Pages of lists in both styles, walked by the official SDK and looked at by hand."""

from datetime import UTC, datetime
from typing import Any

import pytest

from stopwire.twilio_api.answers import iso, rfc2822
from tests.gateway import Gateway

SERVICES = 7


@pytest.fixture(scope="module")
def services(gateway: Gateway) -> list[str]:
    """The names of all services, the newest first."""
    names = [f"Service {n}" for n in range(SERVICES)]
    for name in names:
        gateway.client().messaging.v1.services.create(friendly_name=name)
    return [*names[::-1], "Demo"]


def numbers_of(gateway: Gateway) -> str:
    return f"/2010-04-01/Accounts/{gateway.account_sid}/IncomingPhoneNumbers.json"


def get(gateway: Gateway, path: str) -> dict[str, Any]:
    answer = gateway.http.get(path)
    assert 200 == answer.status_code, answer.text
    return dict(answer.json())


@pytest.mark.parametrize("size", [1, 2, 3, 8, 9, 1000])
def test_the_sdk_walks_all_pages_of_v1(gateway: Gateway, services: list[str], size: int) -> None:
    assert services == [each.friendly_name for each in gateway.client().messaging.v1.services.list(page_size=size)]


@pytest.mark.parametrize("size", [1, 2, 5])
def test_the_sdk_walks_all_pages_of_2010(gateway: Gateway, size: int) -> None:
    client = gateway.client()
    everything = [each.phone_number for each in client.incoming_phone_numbers.list()]
    assert len(everything) == 6
    assert everything == [each.phone_number for each in client.incoming_phone_numbers.list(page_size=size)]


def test_the_sdk_walks_back_again(gateway: Gateway, services: list[str]) -> None:
    page = gateway.client().messaging.v1.services.page(page_size=3)
    there = [[each.friendly_name for each in page]]
    while (following := page.next_page()) is not None:
        page = following
        there.append([each.friendly_name for each in page])
    back = [there[-1]]
    while (before := page.previous_page()) is not None:
        page = before
        back.append([each.friendly_name for each in page])
    assert services == [name for names in there for name in names]
    assert there == back[::-1]


def test_a_page_of_v1(gateway: Gateway, services: list[str]) -> None:
    body = get(gateway, "/v1/Services?PageSize=2")
    assert {"meta", "services"} == set(body)
    last = body["services"][-1]["sid"]
    assert {
        "page": 0,
        "page_size": 2,
        "first_page_url": f"{gateway.url}/v1/Services?PageSize=2&Page=0",
        "previous_page_url": None,
        "next_page_url": f"{gateway.url}/v1/Services?PageSize=2&Page=1&PageToken=PA{last}",
        "key": "services",
        "url": f"{gateway.url}/v1/Services?PageSize=2&Page=0",
    } == body["meta"]
    second = get(gateway, body["meta"]["next_page_url"])
    first = second["services"][0]["sid"]
    assert f"{gateway.url}/v1/Services?PageSize=2&Page=0&PageToken=PB{first}" == second["meta"]["previous_page_url"]
    assert body["services"] == get(gateway, second["meta"]["previous_page_url"])["services"]


def test_a_page_of_2010(gateway: Gateway) -> None:
    path = numbers_of(gateway)
    body = get(gateway, f"{path}?PageSize=2&PhoneNumber=%2B1")
    last = body["incoming_phone_numbers"][-1]["sid"]
    body.pop("incoming_phone_numbers")
    assert {
        "end": 1,
        "first_page_uri": f"{path}?PhoneNumber=%2B1&PageSize=2&Page=0",
        "next_page_uri": f"{path}?PhoneNumber=%2B1&PageSize=2&Page=1&PageToken=PA{last}",
        "page": 0,
        "page_size": 2,
        "previous_page_uri": None,
        "start": 0,
        "uri": f"{path}?PhoneNumber=%2B1&PageSize=2&Page=0",
    } == body
    second = get(gateway, body["next_page_uri"])
    assert (2, 3) == (second["start"], second["end"])


def test_an_empty_list(gateway: Gateway) -> None:
    body = get(gateway, f"{numbers_of(gateway)}?FriendlyName=nobody")
    assert [] == body["incoming_phone_numbers"]
    assert (0, 0) == (body["start"], body["end"])
    assert body["next_page_uri"] is None
    assert body["previous_page_uri"] is None


def test_a_page_number_without_a_token_skips(gateway: Gateway, services: list[str]) -> None:
    body = get(gateway, "/v1/Services?PageSize=3&Page=1")
    assert services[3:6] == [each["friendly_name"] for each in body["services"]]


def test_a_page_goes_on_where_its_last_item_was_deleted(gateway: Gateway) -> None:
    client = gateway.client()
    page = client.messaging.v1.services.page(page_size=2)
    gone = list(page)[-1]
    seen = [each.sid for each in client.messaging.v1.services.list()]
    assert gone.delete()
    following = page.next_page()
    assert following is not None
    after = [each.sid for each in following]
    assert set(after) <= set(seen)
    assert len(after) == 2


@pytest.mark.parametrize(
    ("query", "code", "text"),
    [
        pytest.param("PageSize=1001", 20007, "Page size too large", id="over 1000"),
        pytest.param("PageSize=0", 20001, "Invalid PageSize.", id="under 1"),
        pytest.param("PageSize=many", 20001, "Invalid PageSize.", id="no number"),
        pytest.param("PageSize=" + "9" * 5000, 20001, "Invalid PageSize.", id="a novel"),
        pytest.param("Page=-1", 20001, "Invalid PageSize.", id="a page before the first"),
        pytest.param("PageToken=nonsense", 21481, "Invalid PageToken", id="a token that does not decode"),
        pytest.param("PageToken=PASM" + "0" * 32, 21481, "Invalid PageToken", id="another list's token"),
        pytest.param("Page=999999999", 21481, "Invalid PageToken", id="too far without a token"),
    ],
)
def test_a_page_that_cannot_be(gateway: Gateway, query: str, code: int, text: str) -> None:
    for path in ("/v1/Services", numbers_of(gateway)):
        answer = gateway.http.get(f"{path}?{query}")
        assert (400, code, text) == (answer.status_code, answer.json()["code"], answer.json()["message"])


def test_dates_are_written_as_the_sdks_read_them() -> None:
    at = datetime(2023, 8, 24, 5, 1, 45, 678000, tzinfo=UTC)
    assert "Thu, 24 Aug 2023 05:01:45 +0000" == rfc2822(at)
    assert "2023-08-24T05:01:45Z" == iso(at)
    assert rfc2822(None) is None
    assert iso(None) is None
