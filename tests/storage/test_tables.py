"""Values that are only kept and shown come back as they were."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import sqlite

from stopwire.storage.tables import Json

_DIALECT = sqlite.dialect()  # type: ignore[no-untyped-call]
WRITTEN, READ = Json().bind_processor(_DIALECT), Json().result_processor(_DIALECT, None)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def kept(value: Any) -> Any:
    text = WRITTEN(value)
    return READ(text if text is None else text.encode().decode())


@given(VALUES)
def test_what_is_kept_comes_back(value: Any) -> None:
    assert value == kept(value)


@pytest.mark.parametrize("text", ["\ud83d", "\udc00 alone", "\0", "é", "🛑"])
def test_so_does_whatever_a_stranger_wrote(text: str) -> None:
    assert {"Body": text} == kept({"Body": text})
