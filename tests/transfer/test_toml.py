"""Settings as TOML."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stopwire.core.policy import from_data, standard_policy, to_data
from stopwire.transfer import toml
from stopwire.transfer.broken import Broken

texts = st.text(st.characters(exclude_categories=["Cs"]))
leaves = texts | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.lists(texts)
documents = st.recursive(st.dictionaries(texts, leaves), lambda inner: st.dictionaries(texts, leaves | inner), max_leaves=20)


@given(documents)
def test_what_was_written_is_read_again(data: dict[str, object]) -> None:
    assert data == toml.read(toml.write(data).encode())


def test_a_policy_survives_its_file() -> None:
    policy, problems = from_data(toml.read(toml.write(to_data(standard_policy())).encode()))
    assert (standard_policy(), []) == (policy, problems)


@pytest.mark.parametrize("text", [b"= =", b"\xff", b"a = " + b"[" * 10_000, b"a = 1\na = 2"])
def test_what_is_no_toml_is_told_in_a_sentence(text: bytes) -> None:
    with pytest.raises(Broken) as caught:
        toml.read(text)
    assert str(caught.value).endswith(".")
