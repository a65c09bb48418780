"""Octets and texts: each alphabet, and parts that end within a character."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stopwire.core import gsm7
from stopwire.core.alphabets import Alphabet, decode, encode, join


@pytest.mark.parametrize(
    ("alphabet", "octets", "text"),
    [
        pytest.param(Alphabet.GSM7, b"5 \x1be", "5 €", id="septets"),
        pytest.param(Alphabet.LATIN1, b"Caf\xe9", "Café", id="Latin-1"),
        pytest.param(Alphabet.UCS2, b"\xd8\x3d\xdc\x4d", "👍", id="a pair of surrogates"),
        pytest.param(Alphabet.OCTETS, b"\x00\xff", "\x00ÿ", id="no text"),
    ],
)
def test_octets_are_read_and_written(alphabet: Alphabet, octets: bytes, text: str) -> None:
    assert text == decode(octets, alphabet)
    assert octets == encode(text, alphabet)


@given(st.binary(max_size=40), st.sampled_from(Alphabet))
def test_no_octets_are_too_strange_to_be_read(octets: bytes, alphabet: Alphabet) -> None:
    assert isinstance(decode(octets, alphabet), str)


@given(st.text(max_size=60), st.integers(min_value=1, max_value=9))
def test_a_text_cut_anywhere_is_whole_again(text: str, size: int) -> None:
    alphabet = Alphabet.GSM7 if gsm7.fits(text) else Alphabet.UCS2
    text = text.encode("utf-16-be", "surrogatepass").decode("utf-16-be", "replace")  # without lone surrogates
    octets = encode(text, alphabet)
    pieces = [octets[at : at + size] for at in range(0, len(octets), size)]
    assert text == join([(decode(piece, alphabet), piece, alphabet.value) for piece in pieces])


def test_parts_of_two_alphabets_are_read_one_by_one() -> None:
    assert "Hiдо" == join([("Hi", b"Hi", "gsm7"), ("до", "до".encode("utf-16-be"), "ucs2")])


def test_parts_that_came_as_texts_are_joined_as_texts() -> None:
    assert "STOP" == join([("ST", None, None), ("OP", None, None)])
