"""Test credentials: what Twilio's magic numbers answer. Nothing is sent and nothing is kept."""

from stopwire.core.errors import Refused, refuse

FROM_VALID = "+15005550006"
_FROM = {"+15005550001": 21212, "+15005550007": 21606, "+15005550008": 21611}
_TO = {
    "+15005550001": 21211,
    "+15005550002": 21612,
    "+15005550003": 21408,
    "+15005550004": 21610,
    "+15005550009": 21614,
}
_NUMBERS = {"+15005550000": 21422, "+15005550001": 21421}
_AREA_CODES = {"533": 21452}


def of_from(from_: str) -> Refused | None:
    """The answer to `from_`; None where it is the valid one."""
    return None if from_ == FROM_VALID else refuse(_FROM.get(from_, 21606), sender=from_)


def of_to(to: str) -> Refused | None:
    return refuse(_TO[to], to=to, sender=FROM_VALID) if to in _TO else None


def of_purchase(*, number: str, area_code: str) -> Refused | None:
    """The answer to buying `number`, or a number in `area_code`; None where it succeeds."""
    if number:
        return None if number == FROM_VALID else refuse(_NUMBERS.get(number, 21421))
    return None if area_code == "500" else refuse(_AREA_CODES.get(area_code, 21452))
