"""What a number's own digits tell, and the deactivations that nobody has imported."""

from datetime import UTC, datetime, timedelta

import pytest
from twilio.base.exceptions import TwilioRestException

from tests.gateway import Gateway


@pytest.mark.parametrize(
    ("number", "country", "expected"),
    [
        pytest.param("+14155550101", None, ("+14155550101", "US", "1", "(415) 555-0101", True, []), id="US"),
        pytest.param("4155550101", None, ("+14155550101", "US", "1", "(415) 555-0101", True, []), id="without its plus"),
        pytest.param("02079460958", "GB", ("+442079460958", "GB", "44", "020 7946 0958", True, []), id="as its country writes"),
        pytest.param("+1415555", None, ("+1415555", "US", "1", "415555", False, ["TOO_SHORT"]), id="too short"),
        pytest.param("+1415555010101", None, ("+1415555010101", "US", "1", "415555010101", False, ["TOO_LONG"]), id="too long"),
        pytest.param("+999123456", None, ("+999123456", None, None, None, False, ["INVALID_COUNTRY_CODE"]), id="no country"),
        pytest.param("hello", None, ("hello", None, None, None, False, ["NOT_A_NUMBER"]), id="no number"),
    ],
)
def test_a_number_is_read_offline(gateway: Gateway, number: str, country: str | None, expected: tuple[object, ...]) -> None:
    params = {"country_code": country} if country else {}
    found = gateway.client().lookups.v2.phone_numbers(number).fetch(**params)
    assert expected == (
        found.phone_number,
        found.country_code,
        found.calling_country_code,
        found.national_format,
        found.valid,
        found.validation_errors,
    )
    assert found.line_type_intelligence is None
    assert found.url.startswith(f"{gateway.url}/v2/PhoneNumbers/")


def _day(days: int) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).strftime("%Y-%m-%d")


@pytest.mark.parametrize(
    ("day", "code"),
    [
        pytest.param(_day(-1), 30114, id="yesterday: nothing imported"),
        pytest.param(_day(5), 30114, id="a day to come"),
        pytest.param(_day(-95), 30113, id="too old"),
        pytest.param("31.01.2026", 30115, id="another form"),
        pytest.param("2026-02-30", 30115, id="no such day"),
    ],
)
def test_there_is_no_report_of_deactivations_and_the_date_is_checked(gateway: Gateway, day: str, code: int) -> None:
    with pytest.raises(TwilioRestException) as caught:
        gateway.client().messaging.v1.deactivations().fetch(date=day)
    assert (400, code) == (caught.value.status, caught.value.code)
