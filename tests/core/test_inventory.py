"""The inventory of numbers: each can be a phone number, of the country and type it is offered under."""

from itertools import islice

import pytest

from stopwire.core.address import SenderKind, country_of, kind_of, parse_recipient
from stopwire.core.inventory import RANGES, NumberType, Range, offered, pattern, type_of, types_of

SHELVES = sorted({(each.country, each.type) for each in RANGES})


@pytest.mark.parametrize("shelf", RANGES, ids=lambda shelf: shelf.prefix)
def test_every_number_on_offer_is_a_number_of_its_country(shelf: Range) -> None:
    numbers = list(shelf.numbers())
    for number in (numbers[0], numbers[-1]):
        assert number == parse_recipient(number)
        assert shelf.country == country_of(number)
        assert shelf.type is type_of(number)


@pytest.mark.parametrize(("country", "type_"), SHELVES, ids=str)
def test_the_same_numbers_are_offered_in_the_same_order_each_time(country: str, type_: NumberType) -> None:
    once = list(islice(offered(country, type_), 30))
    assert once == list(islice(offered(country, type_), 30))
    assert len(once) == len(set(once)) == 30


def test_no_number_is_offered_twice() -> None:
    everything = [number for shelf in RANGES for number in shelf.numbers()]
    assert len(everything) == len(set(everything))


def test_an_area_code_narrows_the_offer() -> None:
    assert ["+12125550100", "+12125550101"] == list(islice(offered("US", NumberType.LOCAL, area="212"), 2))
    assert [] == list(offered("US", NumberType.LOCAL, area="533"))


def test_toll_free_numbers_are_toll_free_senders() -> None:
    assert {SenderKind.TOLL_FREE} == {kind_of(number) for number in offered("US", NumberType.TOLL_FREE)}


@pytest.mark.parametrize(
    ("contains", "expected"),
    [
        pytest.param("0199", "+14155550199", id="digits anywhere"),
        pytest.param("415***0107", "+14155550107", id="a star is any digit"),
        pytest.param("(415) 555-0103", "+14155550103", id="dashes and brackets are left out"),
        pytest.param("JKL0105", "+14155550105", id="letters as on a keypad"),
    ],
)
def test_contains_reads_as_twilio_does(contains: str, expected: str) -> None:
    assert expected == next(offered("US", NumberType.LOCAL, contains=contains))


def test_nothing_asked_is_no_pattern() -> None:
    assert pattern("") is None
    assert pattern("()") is None


def test_types_of_a_country() -> None:
    assert (NumberType.LOCAL, NumberType.TOLL_FREE) == types_of("US")
    assert () == types_of("ZZ")
