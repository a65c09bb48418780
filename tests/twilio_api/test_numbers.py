"""Phone numbers, short codes and the inventory over the official SDK."""

from datetime import datetime
from typing import Any

import pytest
from twilio.base.exceptions import TwilioRestException

from tests.gateway import Gateway


def refusal(act: Any, *args: Any, **kwargs: Any) -> tuple[int, int]:
    with pytest.raises(TwilioRestException) as raised:
        act(*args, **kwargs)
    return raised.value.status, raised.value.code


def test_a_number_is_bought_set_and_released(gateway: Gateway) -> None:
    numbers = gateway.client().incoming_phone_numbers
    bought = numbers.create(phone_number="(404) 555-0123", sms_url="https://example.com/in", voice_url="https://example.com/v")
    assert ("+14045550123", "(404) 555-0123") == (bought.phone_number, bought.friendly_name)
    assert ("https://example.com/in", "POST", "", "https://example.com/v") == (
        bought.sms_url,
        bought.sms_method,
        bought.sms_fallback_url,
        bought.voice_url,
    )
    assert {"voice": False, "sms": True, "mms": True, "fax": False} == bought.capabilities
    assert ("local", "in-use", "hosted", "none") == (bought.type, bought.status, bought.origin, bought.address_requirements)
    assert isinstance(bought.date_created, datetime)
    assert isinstance(bought.date_updated, datetime)
    sid = str(bought.sid)
    changed = numbers(sid).update(friendly_name="Desk", sms_method="GET", sms_fallback_url="https://example.com/f")
    assert ("Desk", "GET", "https://example.com/f", "https://example.com/in") == (
        changed.friendly_name,
        changed.sms_method,
        changed.sms_fallback_url,
        changed.sms_url,
    )
    cleared = numbers(sid).update(sms_url="", sms_fallback_url="")
    assert ("", "") == (cleared.sms_url, cleared.sms_fallback_url)
    assert numbers(sid).delete()
    assert (404, 20404) == refusal(numbers(sid).fetch)
    assert (404, 20404) == refusal(numbers(sid).delete)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param({"phone_number": "+14155550100"}, (400, 21422), id="taken"),
        pytest.param({"phone_number": "12"}, (400, 21421), id="no number"),
        pytest.param({"area_code": "533"}, (400, 21452), id="no such area"),
        pytest.param({}, (400, 20001), id="nothing asked"),
        pytest.param({"area_code": "415", "sms_url": "nonsense"}, (400, 21402), id="no URL"),
        pytest.param({"area_code": "415", "sms_url": "http://192.168.0.1/"}, (400, 21402), id="a private URL"),
        pytest.param({"area_code": "415", "sms_method": "PUT"}, (400, 21403), id="no method"),
        pytest.param({"area_code": "415", "sms_fallback_url": "https://example.com"}, (400, 21406), id="fallback alone"),
        pytest.param({"area_code": "415", "friendly_name": "n" * 65}, (400, 20002), id="name"),
    ],
)
def test_what_cannot_be_bought(gateway: Gateway, given: dict[str, str], expected: tuple[int, int]) -> None:
    assert expected == refusal(gateway.client().incoming_phone_numbers.create, **given)


def test_another_account_cannot_buy_what_one_has(gateway: Gateway) -> None:
    other = gateway.client(*gateway.account())
    assert (400, 21422) == refusal(other.incoming_phone_numbers.create, phone_number="+14155550100")
    assert [] == other.incoming_phone_numbers.list()


def test_numbers_are_listed_by_filter_and_type(gateway: Gateway) -> None:
    numbers = gateway.client().incoming_phone_numbers
    assert ["+525555550100"] == [each.phone_number for each in numbers.list(phone_number="52555")]
    assert ["+16045550100"] == [each.phone_number for each in numbers.list(phone_number="+1604*550100")]
    assert ["+18885550100"] == [each.phone_number for each in numbers.toll_free.list()]
    assert "+525555550100" in [each.phone_number for each in numbers.local.list()]
    assert [] == numbers.mobile.list()
    assert [] == numbers.list(friendly_name="nobody")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param({"phone_number": "+15005550000"}, (400, 21422), id="unavailable"),
        pytest.param({"phone_number": "+15005550001"}, (400, 21421), id="invalid"),
        pytest.param({"phone_number": "+14155550188"}, (400, 21421), id="anything else"),
        pytest.param({"area_code": "533"}, (400, 21452), id="area code without numbers"),
        pytest.param({"phone_number": "+15005550006"}, None, id="valid"),
        pytest.param({"area_code": "500"}, None, id="valid area code"),
    ],
)
def test_magic_numbers_answer_test_credentials(
    gateway: Gateway, given: dict[str, str], expected: tuple[int, int] | None
) -> None:
    account = gateway.run(gateway.world.store.directory(gateway.account_sid)).account
    test = gateway.client(account.test_sid, account.test_token)
    if expected:
        assert expected == refusal(test.incoming_phone_numbers.create, **given)
    else:
        made = test.incoming_phone_numbers.create(**given)
        assert ("+15005550006", account.test_sid) == (made.phone_number, made.account_sid)
        kept = gateway.client().incoming_phone_numbers.list(phone_number="+15005550006")
        assert [] == kept


def test_short_codes(gateway: Gateway) -> None:
    codes = gateway.client().api.account.short_codes
    (code,) = codes.list()
    assert ("72345", "72345", "") == (code.short_code, code.friendly_name, code.sms_url)
    changed = codes(str(code.sid)).update(friendly_name="Alerts", sms_url="https://example.com/in", sms_method="GET")
    assert ("Alerts", "https://example.com/in", "GET") == (changed.friendly_name, changed.sms_url, changed.sms_method)
    assert "Alerts" == codes(str(code.sid)).fetch().friendly_name
    assert [code.sid] == [each.sid for each in codes.list(short_code="72345")]
    assert [] == codes.list(friendly_name="nobody")
    assert (404, 20404) == refusal(codes(gateway.sender("+14155550100")).fetch)


def test_available_numbers_can_be_bought(gateway: Gateway) -> None:
    client = gateway.client()
    offered = client.available_phone_numbers("US").toll_free.list(limit=2)
    assert 2 == len(offered)
    assert {"voice": False, "sms": True, "mms": True} == offered[0].capabilities
    bought = client.incoming_phone_numbers.create(phone_number=offered[0].phone_number)
    assert "toll-free" == bought.type
    again = client.available_phone_numbers("US").toll_free.list(limit=2)
    assert offered[0].phone_number not in [each.phone_number for each in again]


def test_available_numbers_are_filtered(gateway: Gateway) -> None:
    us = gateway.client().available_phone_numbers("US")
    found = us.local.list(area_code=212, contains="0142")
    assert ["+12125550142"] == [each.phone_number for each in found]
    assert ("US", "(212) 555-0142", False) == (found[0].iso_country, found[0].friendly_name, found[0].beta)
    assert [] == us.local.list(voice_enabled=True)
    assert 20 == len(us.local.list(sms_enabled=True, page_size=20))
    assert [] == us.local.list(mms_enabled=False)


@pytest.mark.parametrize("country", ["GB", "DE", "FR", "ES", "AU", "MX"])
def test_mobile_numbers_of_other_countries(gateway: Gateway, country: str) -> None:
    client = gateway.client()
    number = client.available_phone_numbers(country).mobile.list(limit=1)[0].phone_number
    bought = client.incoming_phone_numbers.create(phone_number=number)
    assert "mobile" == bought.type


def test_countries(gateway: Gateway) -> None:
    available = gateway.client().available_phone_numbers
    assert {"US", "CA", "GB", "MX"} <= {each.country_code for each in available.list()}
    us = available("US").fetch()
    assert ("US", "United States") == (us.country_code, us.country)
    assert {"local", "toll_free"} == set(us.subresource_uris or {})
    assert (404, 20404) == refusal(available("ZZ").fetch)
    nowhere = f"/2010-04-01/Accounts/{gateway.account_sid}/AvailablePhoneNumbers/ES/TollFree.json"
    assert 404 == gateway.http.get(nowhere).status_code
