"""Which segment a receipt speaks of, and what several receipts come to."""

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stopwire.core.message import Status
from stopwire.core.outcomes import DeliveryReport
from stopwire.core.receipts import Segment, canonical, choose, forms_of, whole

NOW = datetime(2026, 3, 1, tzinfo=UTC)
OURS, ANN, BOB = "+14155550100", "+14155550101", "+14155550102"


def segment(reference: str, number: int = 1, **fields: Any) -> Segment:
    plain = {"attempt": "AT1", "account": "AC1", "connection": "CN1", "number": number, "total": 1, "sender": OURS}
    more = {"recipient": ANN, "created_at": NOW, "reference": reference, "form": canonical(reference), **fields}
    return Segment(**{**plain, **more})


def report(reference: str, *, written: str = "as_is", **fields: Any) -> DeliveryReport:
    more = {"sender": OURS, "recipient": ANN, **fields}
    return DeliveryReport(
        connection="CN1", reference=reference, status=Status.DELIVERED, forms=forms_of(reference, written=written), **more
    )


@pytest.mark.parametrize(
    ("answered", "reported"),
    [
        pytest.param("abc", "abc", id="as it is"),
        pytest.param("0E999F21", "0e999f21", id="in other letters"),
        pytest.param("0913121205", "913121205", id="without its zero"),
        pytest.param(" 7f ", "7f", id="with blanks around it"),
        pytest.param("550e8400-e29b-41d4-a716-446655440000", "550E8400E29B41D4A716446655440000", id="without dashes"),
        pytest.param("0e999f21", "244948769", id="hexadecimal, reported in decimal"),
        pytest.param("244948769", "E999F21", id="decimal, reported in hexadecimal"),
    ],
)
def test_an_id_is_known_in_any_form_that_carriers_write(answered: str, reported: str) -> None:
    taken = segment(answered)
    assert taken == choose([taken], report(reported))


@pytest.mark.parametrize("reference", ["-", "--", "0", "-0"])
def test_an_id_of_next_to_nothing_still_has_a_form(reference: str) -> None:
    assert "" not in forms_of(reference)
    assert forms_of(reference)


def test_the_exact_id_goes_before_a_form_of_it() -> None:
    exact, other = segment("123"), segment("7b", attempt="AT2")
    assert exact == choose([other, exact], report("123"))


def test_the_exact_id_of_somebody_else_does_not() -> None:
    somebodys, ours = segment("123", recipient=BOB), segment("7b", attempt="AT2")
    assert ours == choose([somebodys, ours], report("123"))


def test_an_id_that_came_round_again_is_the_newest_ones() -> None:
    old, new = segment("1"), segment("1", attempt="AT2", created_at=NOW + timedelta(days=3))
    assert new == choose([old, new], report("1"))


def test_of_two_that_could_be_meant_none_is() -> None:
    assert choose([segment("0077"), segment("077", attempt="AT2")], report("77")) is None


def test_addresses_tell_two_forms_apart() -> None:
    hers, his = segment("0077"), segment("077", attempt="AT2", recipient=BOB)
    assert his == choose([hers, his], report("77", recipient="14155550102"))


def test_a_carrier_that_rewrites_addresses_is_believed_by_the_exact_id() -> None:
    taken = segment("abc")
    assert taken == choose([taken], report("abc", sender="000", recipient="999"))
    assert choose([taken], report("ABC", sender="000", recipient="999")) is None


def test_a_route_may_say_how_its_receipts_are_written() -> None:
    hexadecimal, decimal = segment("7b"), segment("0123", attempt="AT2")
    assert hexadecimal == choose([decimal, hexadecimal], report("123", written="decimal"))
    assert decimal == choose([decimal, hexadecimal], report("123"))


@given(st.integers(min_value=1, max_value=2**63), st.booleans(), st.booleans())
def test_a_number_is_found_however_it_is_spelt(number: int, in_hex: bool, reported_in_hex: bool) -> None:
    taken = segment(f"{number:010x}" if in_hex else f"{number:010}")
    assert taken == choose([taken], report(f"{number:X}" if reported_in_hex else str(number)))


@pytest.mark.parametrize(
    ("states", "total", "expected"),
    [
        pytest.param([Status.DELIVERED], 1, (Status.DELIVERED, None), id="one, delivered"),
        pytest.param([Status.DELIVERED, None], 2, None, id="one of two"),
        pytest.param([Status.DELIVERED], 2, None, id="one of two, the other without an id"),
        pytest.param([Status.DELIVERED, Status.DELIVERED], 2, (Status.DELIVERED, None), id="both"),
        pytest.param([None, Status.UNDELIVERED], 2, (Status.UNDELIVERED, 30005), id="a bad one decides at once"),
        pytest.param([Status.UNDELIVERED, Status.FAILED], 2, (Status.FAILED, 30005), id="the worst"),
    ],
)
def test_a_message_is_what_the_worst_of_its_segments_is(states: list[Status | None], total: int, expected: Any) -> None:
    segments = [
        segment(str(number), number, status=state, error_code=None if state in (None, Status.DELIVERED) else 30005)
        for number, state in enumerate(states, start=1)
    ]
    assert {expected} == {whole(order, total) for order in permutations(segments)}
