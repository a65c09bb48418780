"""Messaging services over the official SDK."""

from datetime import datetime
from typing import Any

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.rest.messaging.v1.service import ServiceInstance

from tests.gateway import Gateway

PROPERTIES = {
    "sid", "account_sid", "url", "date_created", "date_updated", "friendly_name", "inbound_request_url",
    "inbound_method", "fallback_url", "fallback_method", "status_callback", "sticky_sender", "mms_converter",
    "smart_encoding", "area_code_geomatch", "scan_message_content", "fallback_to_long_code", "synchronous_validation",
    "validity_period", "usecase", "use_inbound_webhook_on_number", "us_app_to_person_registered", "links",
}  # fmt: skip


def a_service(gateway: Gateway, **settings: Any) -> ServiceInstance:
    return gateway.client().messaging.v1.services.create(**{"friendly_name": "Mine", **settings})


def a_number(gateway: Gateway) -> str:
    return str(gateway.client().incoming_phone_numbers.create(area_code="312").sid)


def refusal(act: Any, *args: Any, **kwargs: Any) -> tuple[int, int]:
    with pytest.raises(TwilioRestException) as raised:
        act(*args, **kwargs)
    return raised.value.status, raised.value.code


def test_a_new_service_has_twilios_defaults(gateway: Gateway) -> None:
    made = a_service(gateway)
    body = gateway.http.get(f"/v1/Services/{made.sid}").json()
    assert PROPERTIES == set(body)
    url = f"{gateway.url}/v1/Services/{made.sid}"
    expected = {
        "friendly_name": "Mine",
        "account_sid": gateway.account_sid,
        "inbound_request_url": None,
        "inbound_method": "POST",
        "fallback_url": None,
        "fallback_method": "POST",
        "status_callback": None,
        "sticky_sender": True,
        "mms_converter": True,
        "smart_encoding": False,
        "area_code_geomatch": False,
        "scan_message_content": "inherit",
        "fallback_to_long_code": False,
        "synchronous_validation": False,
        "validity_period": 36000,
        "usecase": "undeclared",
        "use_inbound_webhook_on_number": True,
        "us_app_to_person_registered": False,
        "url": url,
    }
    assert expected == {name: body[name] for name in expected}
    assert f"{url}/PhoneNumbers" == body["links"]["phone_numbers"]
    assert 8 == len(body["links"])
    assert isinstance(made.date_created, datetime)


def test_every_setting_can_be_given_and_changed(gateway: Gateway) -> None:
    given: dict[str, Any] = {
        "friendly_name": "All",
        "inbound_request_url": "https://example.com/in",
        "inbound_method": "GET",
        "fallback_url": "https://example.com/fallback",
        "fallback_method": "GET",
        "status_callback": "https://example.com/status",
        "sticky_sender": False,
        "mms_converter": False,
        "smart_encoding": True,
        "area_code_geomatch": True,
        "scan_message_content": "disable",
        "fallback_to_long_code": True,
        "synchronous_validation": True,
        "validity_period": 60,
        "usecase": "poll",
    }
    made = a_service(gateway, **given)
    assert given == {name: getattr(made, name) for name in given}
    assert made.use_inbound_webhook_on_number is False
    changed = made.update(friendly_name="Renamed", sticky_sender=True, status_callback="", inbound_request_url="")
    expected = given | {
        "friendly_name": "Renamed",
        "sticky_sender": True,
        "status_callback": None,
        "inbound_request_url": None,
    }
    assert expected == {name: getattr(changed, name) for name in expected}
    assert expected == {name: getattr(made.fetch(), name) for name in expected}


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        pytest.param({"FriendlyName": "n" * 65}, (400, 20002), id="name"),
        pytest.param({"FriendlyName": "x", "InboundRequestUrl": "nonsense"}, (400, 21402), id="URL"),
        pytest.param({"FriendlyName": "x", "StatusCallback": "nonsense"}, (400, 21609), id="callback"),
        pytest.param({"FriendlyName": "x", "InboundMethod": "PUT"}, (400, 21403), id="method"),
        pytest.param({"FriendlyName": "x", "ValidityPeriod": "0"}, (400, 20001), id="validity"),
        pytest.param({"FriendlyName": "x", "ValidityPeriod": "1e3"}, (400, 20001), id="no number"),
        pytest.param({"FriendlyName": "x", "StickySender": "maybe"}, (400, 20422), id="flag"),
        pytest.param({"FriendlyName": "x", "Usecase": "spam"}, (400, 21713), id="use case"),
        pytest.param({}, (400, 20001), id="nothing"),
    ],
)
def test_what_a_service_cannot_be(gateway: Gateway, settings: dict[str, str], expected: tuple[int, int]) -> None:
    answer = gateway.http.post("/v1/Services", data=settings)
    assert expected == (answer.status_code, answer.json()["code"])


def test_booleans_are_read_in_any_case(gateway: Gateway) -> None:
    answer = gateway.http.post("/v1/Services", data={"FriendlyName": "x", "StickySender": "False"})
    assert answer.json()["sticky_sender"] is False


def test_a_deleted_service_is_gone(gateway: Gateway) -> None:
    made = a_service(gateway)
    assert made.delete()
    assert (404, 20404) == refusal(made.fetch)
    assert (404, 20404) == refusal(made.delete)
    assert 404 == gateway.http.get(f"/v1/Services/{made.sid}/PhoneNumbers").status_code
    assert (404, 20404) == refusal(made.phone_numbers.create, phone_number_sid="PN" + "0" * 32)


def test_a_phone_number_is_in_one_service(gateway: Gateway) -> None:
    first, second, number = a_service(gateway), a_service(gateway), a_number(gateway)
    member = first.phone_numbers.create(phone_number_sid=number)
    assert (number, first.sid, "US") == (member.sid, member.service_sid, member.country_code)
    assert ["SMS", "MMS"] == member.capabilities
    assert isinstance(member.date_created, datetime)
    assert [number] == [each.sid for each in first.phone_numbers.list()]
    assert number == first.phone_numbers(number).fetch().sid
    assert (409, 21710) == refusal(first.phone_numbers.create, phone_number_sid=number)
    assert (409, 21712) == refusal(second.phone_numbers.create, phone_number_sid=number)
    assert (404, 20404) == refusal(second.phone_numbers(number).fetch)
    assert first.phone_numbers(number).delete()
    assert (404, 20404) == refusal(first.phone_numbers(number).delete)
    assert [] == first.phone_numbers.list()
    assert number == gateway.client().incoming_phone_numbers(number).fetch().sid
    assert number == second.phone_numbers.create(phone_number_sid=number).sid


def test_a_number_of_nobody_cannot_join(gateway: Gateway) -> None:
    service = a_service(gateway)
    assert (404, 20404) == refusal(service.phone_numbers.create, phone_number_sid="PN" + "0" * 32)
    assert (400, 20422) == refusal(service.phone_numbers.create, phone_number_sid="nonsense")
    short_code = gateway.sender("72345")
    assert (404, 20404) == refusal(service.phone_numbers.create, phone_number_sid=short_code)


def test_short_codes(gateway: Gateway) -> None:
    service, sid = a_service(gateway), gateway.sender("72345")
    member = service.short_codes.create(short_code_sid=sid)
    assert ("72345", "US", service.sid) == (member.short_code, member.country_code, member.service_sid)
    assert ["72345"] == [each.short_code for each in service.short_codes.list()]
    assert "72345" == service.short_codes(sid).fetch().short_code
    assert service.short_codes(sid).delete()


def test_alpha_senders(gateway: Gateway) -> None:
    service, other = a_service(gateway), a_service(gateway)
    member = service.alpha_senders.create(alpha_sender="My Shop")
    assert ("My Shop", ["SMS"], "AI") == (member.alpha_sender, member.capabilities, str(member.sid)[:2])
    assert (409, 21710) == refusal(service.alpha_senders.create, alpha_sender="My Shop")
    assert (409, 21712) == refusal(other.alpha_senders.create, alpha_sender="My Shop")
    assert "My Shop" == service.alpha_senders(str(member.sid)).fetch().alpha_sender
    assert service.alpha_senders(str(member.sid)).delete()
    assert "My Shop" == other.alpha_senders.create(alpha_sender="My Shop").alpha_sender


@pytest.mark.parametrize(
    ("name", "code"),
    [
        pytest.param("", 21708, id="none"),
        pytest.param("123456", 21709, id="digits only"),
        pytest.param("Twelve chars", 21709, id="12 characters"),
        pytest.param("Bad!", 21709, id="punctuation"),
        pytest.param("+14155550100", 21709, id="a number"),
    ],
)
def test_a_name_that_cannot_sign(gateway: Gateway, name: str, code: int) -> None:
    assert (400, code) == refusal(a_service(gateway).alpha_senders.create, alpha_sender=name)


def test_channel_senders(gateway: Gateway) -> None:
    client, sid = gateway.client(), gateway.sender("whatsapp:+14155550190")
    demo = client.messaging.v1.services(gateway.service)
    member = demo.channel_senders(sid).fetch()
    assert ("whatsapp:+14155550190", "WhatsApp", "US") == (member.sender, member.sender_type, member.country_code)
    assert gateway.service == member.messaging_service_sid
    assert [sid] == [each.sid for each in demo.channel_senders.list()]
    other = a_service(gateway)
    assert (409, 21712) == refusal(other.channel_senders.create, sid=sid)
    assert demo.channel_senders(sid).delete()
    assert sid == other.channel_senders.create(sid=sid).sid


def test_use_cases(gateway: Gateway) -> None:
    found = gateway.client().messaging.v1.usecases.fetch().usecases
    assert found is not None
    assert "marketing" in {each["usecase"] for each in found}


def test_campaigns_are_not_here(gateway: Gateway) -> None:
    answer = gateway.http.get(f"/v1/Services/{gateway.service}/Compliance/Usa2p")
    assert (404, 20404) == (answer.status_code, answer.json()["code"])
