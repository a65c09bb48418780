"""A stranger's text: hidden characters shown, nothing lost, and the same number of characters whatever it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stopwire.console.text import pieces


@given(st.text(max_size=300))
def test_the_pieces_of_a_text_are_the_text(body: str) -> None:
    assert body == "".join(piece.text for piece in pieces(body))


@pytest.mark.parametrize(
    ("char", "mark"),
    [
        pytest.param("\u200b", "ZWSP", id="zero-width space"),
        pytest.param("\u202e", "RLO", id="right-to-left override"),
        pytest.param("\u00a0", "NBSP", id="no-break space"),
        pytest.param("\ufe0f", "VS16", id="variation selector"),
        pytest.param("\x07", "␇", id="control character"),
        pytest.param("\x7f", "␡", id="delete"),
        pytest.param("\n", "↵", id="line break"),
        pytest.param("\U000e0041", "U+E0041", id="tag letter"),
        pytest.param("\ue000", "U+E000", id="private use"),
    ],
)
def test_a_hidden_character_gets_its_mark(char: str, mark: str) -> None:
    before, hidden, after = pieces(f"a{char}b")
    assert ("a", mark, "b") == (before.text, hidden.mark, after.text)
    assert hidden.title.startswith("U+")


def test_a_letter_of_another_script_is_told() -> None:
    found = [(piece.text, piece.script) for piece in pieces("SТOP now")]
    assert ("Т", "Cyrillic") in found
    assert [""] == [piece.script for piece in pieces("привет")]
    assert [""] == [piece.script for piece in pieces("日本語とkana")]


def test_a_very_long_text_is_cut_and_says_so() -> None:
    assert pieces("x" * 9000)[-1].text.endswith("…")
