"""Templates of a batch."""

from hypothesis import given
from hypothesis import strategies as st

from stopwire.core.templates import fill, names


def test_each_variable_is_asked_for_once() -> None:
    assert ("name", "code") == names("{{name}} {{ code }} {{name}} {{}} {x} {{1}}")


@given(st.text(), st.text())
def test_what_is_filled_in_is_never_looked_at_again(first: str, second: str) -> None:
    assert f"{first}|{second}" == fill("{{a}}|{{b}}", {"a": first, "b": second})
