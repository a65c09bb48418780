"""Countries that an account may write to: who is on a list, how a list changes, and what is none."""

import pytest

from stopwire.core.catalogue import COUNTRIES
from stopwire.core.countries import Permitted, permits, permitted, problem, switched

AMERICA: Permitted = ("CA", "US")


@pytest.mark.parametrize(
    ("countries", "recipient", "expected"),
    [
        pytest.param(None, "+447700900101", True, id="no list is all countries"),
        pytest.param(AMERICA, "+14155550101", True, id="on the list"),
        pytest.param(AMERICA, "+16045550101", True, id="of two countries of one calling code"),
        pytest.param(("US",), "+16045550101", False, id="of the other country of the same calling code"),
        pytest.param(AMERICA, "+447700900101", False, id="not on the list"),
        pytest.param(AMERICA, "+870773111632", False, id="of no country: a satellite costs most"),
        pytest.param(AMERICA, "whatsapp:+447700900101", True, id="WhatsApp knows no borders"),
        pytest.param((), "+14155550101", False, id="nobody is on an empty list"),
    ],
)
def test_a_number_may_be_written_to_where_its_country_is_on_the_list(
    countries: Permitted | None, recipient: str, expected: bool
) -> None:
    assert expected is permits(countries, recipient)


def test_a_list_is_kept_in_capitals_sorted_each_once() -> None:
    assert AMERICA == permitted(["us", "CA", "US"])


def test_a_list_of_all_countries_is_none() -> None:
    assert permitted(COUNTRIES) is None is permitted(None)


def test_a_country_is_switched_on_and_off() -> None:
    assert ("CA", "MX", "US") == switched(AMERICA, "MX", on=True)
    assert ("US",) == switched(AMERICA, "CA", on=False) == switched(("US",), "CA", on=False)
    without = switched(None, "GB", on=False)
    assert without is not None
    assert (len(COUNTRIES) - 1, True) == (len(without), "GB" not in without)
    assert switched(without, "GB", on=True) is None


@pytest.mark.parametrize(
    ("value", "says"),
    [
        pytest.param(None, None, id="all"),
        pytest.param(["US", "ca"], None, id="two"),
        pytest.param([], "no list of countries", id="an empty list would permit nobody"),
        pytest.param("US", "no list of countries", id="a text"),
        pytest.param(["US", "XX", 7], "XX, 7 is no country", id="no countries"),
    ],
)
def test_what_is_no_list_is_told(value: object, says: str | None) -> None:
    found = problem(value)
    assert (says is None, True) == (found is None, found is None or str(says) in found.message)
