"""Twilio's magic numbers, each with its code."""

import pytest

from stopwire.core import magic

VALID = "+15005550006"


@pytest.mark.parametrize(
    ("from_", "code", "status"),
    [
        ("+15005550001", 21212, 400),
        ("+15005550007", 21606, 400),
        ("+15005550008", 21611, 429),
        (VALID, None, None),
        ("+14155550100", 21606, 400),
        ("MG" + "0" * 32, 21606, 400),
    ],
)
def test_a_sender_has_its_answer(from_: str, code: int | None, status: int | None) -> None:
    refused = magic.of_from(from_)
    assert (code, status) == ((refused.code, refused.status) if refused else (None, None))


@pytest.mark.parametrize(
    ("to", "code"),
    [
        ("+15005550001", 21211),
        ("+15005550002", 21612),
        ("+15005550003", 21408),
        ("+15005550004", 21610),
        ("+15005550009", 21614),
        ("+14155550101", None),
        (VALID, None),
    ],
)
def test_a_recipient_has_its_answer(to: str, code: int | None) -> None:
    refused = magic.of_to(to)
    assert code == (refused.code if refused else None)


@pytest.mark.parametrize(
    ("number", "area_code", "code"),
    [
        ("+15005550000", "", 21422),
        ("+15005550001", "", 21421),
        (VALID, "", None),
        ("", "533", 21452),
        ("", "500", None),
    ],
)
def test_a_purchase_has_its_answer(number: str, area_code: str, code: int | None) -> None:
    refused = magic.of_purchase(number=number, area_code=area_code)
    assert code == (refused.code if refused else None)
