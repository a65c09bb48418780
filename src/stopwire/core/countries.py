"""Which countries an account may write to: a list of its own, or all of them. Twilio calls it geo permissions.

A guard against mistakes, and against whoever pumps texts to numbers that cost. It has nothing to do with consent.
"""

from collections.abc import Collection, Iterable

from stopwire.core.address import ChannelGroup, country_of, group_of
from stopwire.core.catalogue import COUNTRIES
from stopwire.core.policy import Problem
from stopwire.core.sentences import Sentence

Permitted = tuple[str, ...]  # ISO 3166 alpha-2, sorted


def permits(countries: Collection[str] | None, recipient: str) -> bool:
    """Whether a list lets `recipient` be written to; None is all. WhatsApp knows no borders, as at Twilio.

    A number of no country (a satellite, a global service) is on no list.
    """
    return countries is None or group_of(recipient) is ChannelGroup.WHATSAPP or country_of(recipient) in countries


def permitted(codes: Iterable[str] | None) -> Permitted | None:
    """The list as it is kept; None where all countries are on it."""
    found = COUNTRIES if codes is None else {code.upper() for code in codes}
    return None if found >= COUNTRIES else tuple(sorted(found))


def switched(countries: Permitted | None, country: str, *, on: bool) -> Permitted | None:
    """The list with one country switched on or off."""
    now = frozenset(COUNTRIES if countries is None else countries)
    return permitted(now | {country} if on else now - {country})


def problem(value: object) -> Problem | None:
    """Why `value` cannot be the list of an account; None where it can."""
    if value is None:
        return None
    if not isinstance(value, list | tuple) or not value:
        return _problem(Sentence("This is no list of countries: give their ISO codes, such as US and CA, or none of them for all countries."))
    unknown = [str(each)[:20] for each in value if not isinstance(each, str) or each.upper() not in COUNTRIES]
    if unknown:
        says = Sentence("%(codes)s is no country: write ISO 3166 codes of two letters, such as US and CA.", codes=", ".join(unknown[:5]))
        return _problem(says)
    return None


def _problem(message: Sentence) -> Problem:
    return Problem(path="countries", message=message)
