"""Cells that a spreadsheet would run."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stopwire.core.csvguard import guard, unguard


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        pytest.param("=1+1", "'=1+1", id="a formula"),
        pytest.param("@SUM(A1)", "'@SUM(A1)", id="an old formula"),
        pytest.param("+14155550101", "+14155550101", id="a number stays"),
        pytest.param("+1+cmd", "'+1+cmd", id="what only begins like one does not"),
        pytest.param("-1", "'-1", id="a minus"),
        pytest.param("\t=1", "'\t=1", id="a tab"),
        pytest.param("'tis", "'tis", id="an apostrophe of one's own"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_a_cell_that_begins_like_a_formula_is_disarmed(cell: str, expected: str) -> None:
    assert expected == guard(cell)


@given(st.text(alphabet=st.sampled_from("'=+-@\t1a")) | st.text())
def test_reading_takes_off_what_writing_put_on(cell: str) -> None:
    assert cell == unguard(guard(cell))
