"""A round with a customer's server: what the request says. What it is answered, and what follows, is in the journeys."""

from urllib.parse import urlencode

from hypothesis import given
from hypothesis import strategies as st

from stopwire.flows.tell import _form

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(st.dictionaries(TEXTS, TEXTS, max_size=6))
def test_a_form_is_written_as_the_standard_library_writes_it(params: dict[str, str]) -> None:
    assert urlencode(params) == _form(params)
