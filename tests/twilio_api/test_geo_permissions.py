"""Geo permissions: read and changed by the official SDK, and what a send to a country that is switched off is told."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from twilio.base.exceptions import TwilioRestException

from tests.gateway import Gateway

ALONE, PERSON, BRITON = "+14155550122", "+14155550741", "+447700900741"
PATH = "/v1/Messaging/GeoPermissions"


@pytest.fixture
def ours(gateway: Gateway) -> Iterator[Gateway]:
    yield gateway
    gateway.http.patch("/api/v1/account", json={"countries": None})


def switch(gateway: Gateway, *items: Any) -> httpx.Response:
    return gateway.http.patch(PATH, data={"Permissions": [json.dumps(each) for each in items]})


def item(country: object, enabled: object = False, **more: Any) -> dict[str, Any]:
    return {"country_code": country, "type": "country", "enabled": enabled, **more}


def refused(gateway: Gateway, to: str, **sender: str) -> int:
    """0, or the code of the refusal."""
    try:
        gateway.client().messages.create(to=to, body="Hello", **(sender or {"from_": ALONE}))
    except TwilioRestException as refusal:
        return int(refusal.code)
    return 0


def test_the_sdk_switches_a_country_off_and_on(ours: Gateway) -> None:
    permissions = ours.client().accounts.v1.messaging_geopermissions
    (gb,) = permissions.fetch(country_code="GB").permissions
    assert {"country_code": "GB", "type": "country", "enabled": True, "prefix": "+44", "message": ""} == gb
    (off,) = permissions.update(permissions=[item("gb")]).permissions
    assert {"country_code": "gb", "type": "country", "enabled": False, "error_code": 0, "error_messages": []} == off
    assert [False, True] == [each["enabled"] for each in permissions.fetch(country_code="GB,US").permissions]
    assert (21408, 0) == (refused(ours, BRITON), refused(ours, PERSON))
    assert 0 == refused(ours, "whatsapp:" + BRITON, from_="whatsapp:+14155550190")
    permissions.update(permissions=[item("GB", True)])
    assert 0 == refused(ours, BRITON)
    assert ours.http.get("/api/v1/account").json()["countries"] is None


def test_all_countries_are_listed_in_order(ours: Gateway) -> None:
    ours.http.patch("/api/v1/account", json={"countries": ["US", "CA"]})
    listed = ours.http.get(PATH).json()["permissions"]
    assert sorted(each["country_code"] for each in listed) == [each["country_code"] for each in listed]
    assert ["CA", "US"] == [each["country_code"] for each in listed if each["enabled"]]


def test_the_refusal_hides_the_number_and_stands_in_the_log(ours: Gateway) -> None:
    ours.http.patch("/api/v1/account", json={"countries": ["US"]})
    path = f"/2010-04-01/Accounts/{ours.account_sid}/Messages.json"
    answer = ours.http.post(path, data={"To": BRITON, "Body": "x", "MessagingServiceSid": ours.service})
    said = "Permission to send an SMS has not been enabled for the region indicated by the 'To' number: +44770090XXXX"
    assert (400, 21408, said) == (answer.status_code, answer.json()["code"], answer.json()["message"])
    newest = ours.http.get("/api/v1/refusals").json()["items"][0]
    assert (21408, BRITON) == (newest["code"], newest["to"])


@pytest.mark.parametrize(
    ("given", "faults"),
    [
        pytest.param(item("XX"), ["INVALID_COUNTRY_CODE"], id="no country"),
        pytest.param(item(7, "no", type="city"), ["INVALID_COUNTRY_CODE", "INVALID_TYPE", "INVALID_ENABLED"], id="all of it"),
    ],
)
def test_an_item_that_is_wrong_fails_alone(ours: Gateway, given: dict[str, Any], faults: list[str]) -> None:
    good, bad = switch(ours, item("FR"), given).json()["permissions"]
    assert (0, 30649, faults) == (good["error_code"], bad["error_code"], bad["error_messages"])
    assert [False] == [each["enabled"] for each in ours.http.get(PATH, params={"CountryCode": "FR"}).json()["permissions"]]


def test_the_last_country_stays(ours: Gateway) -> None:
    ours.http.patch("/api/v1/account", json={"countries": ["US"]})
    (answer,) = switch(ours, item("US")).json()["permissions"]
    assert (30649, ["NO_COUNTRY_LEFT"]) == (answer["error_code"], answer["error_messages"])
    assert 0 == refused(ours, PERSON)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        pytest.param(lambda g: g.http.patch(PATH, data={}), 20001, id="nothing to change"),
        pytest.param(lambda g: g.http.patch(PATH, data={"Permissions": "GB"}), 20422, id="no object"),
        pytest.param(lambda g: g.http.get(PATH, params={"CountryCode": "GB,XX"}), 20422, id="asked for no country"),
        pytest.param(lambda g: g.http.post(PATH, data={}), 20004, id="another method"),
    ],
)
def test_what_cannot_be_read_is_declined(ours: Gateway, answer: Any, code: int) -> None:
    assert code == answer(ours).json()["code"]
