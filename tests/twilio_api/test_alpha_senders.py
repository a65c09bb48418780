"""Names by country: added, listed and taken away by the official SDK, and which one a text leaves under."""

from collections.abc import Callable
from typing import Any

import pytest
from twilio.base.exceptions import TwilioRestException

from tests.gateway import Gateway, eventually

BRITON, GERMAN, FRENCH = "+447700900751", "+4915112345751", "+33612345751"


@pytest.fixture
def service(gateway: Gateway) -> Any:
    return gateway.client().messaging.v1.services.create(friendly_name="Names")


@pytest.fixture
def name() -> str:
    name.count += 1  # type: ignore[attr-defined]  # a name is in one service at a time
    return f"Shop {name.count}"  # type: ignore[attr-defined]


name.count = 0  # type: ignore[attr-defined]


def refused(work: Callable[..., Any], **given: Any) -> tuple[int, int]:
    with pytest.raises(TwilioRestException) as refusal:
        work(**given)
    return int(refusal.value.status), int(refusal.value.code)


def spoke(gateway: Gateway, service: Any, to: str) -> str | None:
    """Under which name a text through the service leaves."""
    sid = gateway.client().messages.create(to=to, messaging_service_sid=service.sid, body="Hello").sid
    return str(eventually(lambda: gateway.client().messages(sid).fetch().from_))


def told(gateway: Gateway, name: str) -> Any:
    """What our own API says of where a name is used."""
    (found,) = [each for each in gateway.http.get("/api/v1/senders").json()["items"] if each["address"] == name]
    return found["destinations"]


def test_the_name_of_a_country_speaks_there_and_the_default_elsewhere(gateway: Gateway, service: Any) -> None:
    names = service.destination_alpha_senders
    names.create(alpha_sender="Everywhere")
    names.create(alpha_sender="Britain", iso_country_code="gb")
    names.create(alpha_sender="Germany", iso_country_code="DE")
    assert ["Britain", "Germany", "Everywhere"] == [spoke(gateway, service, to) for to in (BRITON, GERMAN, FRENCH)]


def test_where_no_name_is_used_nothing_is_sent(gateway: Gateway, service: Any, name: str) -> None:
    service.destination_alpha_senders.create(alpha_sender=name, iso_country_code="GB")
    sent = gateway.client().messages.create(to=FRENCH, messaging_service_sid=service.sid, body="Hello")
    assert ("failed", 21703) == ((seen := gateway.client().messages(sent.sid).fetch()).status, seen.error_code)


def test_one_name_is_used_in_several_countries_each_with_its_sid(gateway: Gateway, service: Any, name: str) -> None:
    names = service.destination_alpha_senders
    first = names.create(alpha_sender=name, iso_country_code="GB")
    second = names.create(alpha_sender=name, iso_country_code="DE")
    default = service.alpha_senders.create(alpha_sender=name)
    assert 3 == len({first.sid, second.sid, default.sid})
    listed = [(each.sid, each.alpha_sender, each.iso_country_code) for each in names.list()]
    assert [(default.sid, name, ""), (second.sid, name, "DE"), (first.sid, name, "GB")] == listed
    assert [second.sid] == [each.sid for each in names.list(iso_country_code="de")]
    assert [default.sid] == [each.sid for each in service.alpha_senders.list()]
    assert told(gateway, name) is None
    service.alpha_senders(default.sid).delete()
    assert ["DE", "GB"] == told(gateway, name)
    assert ["AI", "GB"] == [str(first.sid)[:2], names(first.sid).fetch().iso_country_code]
    assert (404, 20404) == refused(service.alpha_senders(first.sid).fetch)


def test_a_name_is_taken_out_of_one_country_and_goes_with_the_last(gateway: Gateway, service: Any, name: str) -> None:
    names = service.destination_alpha_senders
    first = names.create(alpha_sender=name, iso_country_code="GB")
    second = names.create(alpha_sender=name, iso_country_code="DE")
    assert names(first.sid).delete()
    assert ["DE"] == [each.iso_country_code for each in names.list()]
    assert (404, 20404) == refused(names(first.sid).delete)
    assert names(second.sid).delete()
    assert [] == names.list()
    addresses = [each["address"] for each in gateway.http.get("/api/v1/senders").json()["items"]]
    assert name not in addresses


def test_a_block_of_a_name_holds_wherever_it_is_used(gateway: Gateway, service: Any, name: str) -> None:
    names = service.destination_alpha_senders
    for country in ("DE", "GB"):
        names.create(alpha_sender=name, iso_country_code=country)
    made = gateway.http.post("/api/v1/blocks", json={"recipient": BRITON, "scope": name, "reason": "operator"})
    assert 201 == made.status_code, made.text
    assert (400, 21610) == refused(gateway.client().messages.create, to=BRITON, from_=name, body="Hello")
    assert (400, 21610) == refused(gateway.client().messages.create, to=BRITON, messaging_service_sid=service.sid, body="Hello")


def test_what_cannot_be_is_refused(gateway: Gateway, service: Any, name: str) -> None:
    names = service.destination_alpha_senders
    other = gateway.client().messaging.v1.services.create(friendly_name="Others")
    names.create(alpha_sender=name, iso_country_code="GB")
    assert (409, 21710) == refused(names.create, alpha_sender=name, iso_country_code="GB")
    assert (409, 21712) == refused(other.destination_alpha_senders.create, alpha_sender=name, iso_country_code="DE")
    assert (400, 20422) == refused(names.create, alpha_sender=name, iso_country_code="Britain")
    assert (400, 20422) == refused(names.create, alpha_sender=name, iso_country_code="US")
    assert (400, 21709) == refused(names.create, alpha_sender="+14155550100", iso_country_code="GB")
    assert (400, 21708) == refused(names.create, alpha_sender="", iso_country_code="GB")


ELSEWHERE = [
    pytest.param(lambda c, mg: c.messaging.v1.services(mg).us_app_to_person("QE" + "1" * 32).fetch(), "Register there", id="a campaign"),
    pytest.param(lambda c, mg: c.messaging.v1.services(mg).us_app_to_person_usecases.fetch(), "Register there", id="use cases"),
    pytest.param(lambda c, mg: c.messaging.v1.services(mg).us_app_to_person("QE0").delete(), "Campaign Registry", id="to delete one"),
    pytest.param(lambda c, mg: c.messaging.v1.brand_registrations("BN" + "1" * 32).fetch(), "Brands are registered", id="a brand"),
    pytest.param(
        lambda c, mg: c.messaging.v1.tollfree_verifications("HH" + "1" * 32).fetch(), "Submit the verification there", id="toll-free"
    ),
]


@pytest.mark.parametrize(("ask", "says"), ELSEWHERE)
def test_what_is_registered_elsewhere_is_told_where(gateway: Gateway, ask: Callable[..., Any], says: str) -> None:
    with pytest.raises(TwilioRestException) as refusal:
        ask(gateway.client(), gateway.service)
    assert (404, 20404, True) == (refusal.value.status, refusal.value.code, says in refusal.value.msg)
