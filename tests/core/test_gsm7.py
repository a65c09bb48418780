"""The GSM 7-bit alphabet, both ways."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stopwire.core import gsm7

ALPHABET = gsm7.BASIC.replace("\x1b", "") + "".join(gsm7.EXTENSION)
SEPTETS = st.binary(max_size=200).map(lambda data: bytes(b & 0x7F for b in data))


def test_the_alphabet_has_128_places() -> None:
    assert (128, 128, 0x1B) == (len(gsm7.BASIC), len(set(gsm7.BASIC)), gsm7.BASIC.index("\x1b"))


@pytest.mark.parametrize(
    ("char", "septets"),
    [
        ("@", b"\x00"),
        ("$", b"\x02"),
        ("Ç", b"\x09"),
        ("Δ", b"\x10"),
        ("É", b"\x1f"),
        ("¤", b"\x24"),
        ("A", b"A"),
        ("¡", b"\x40"),
        ("§", b"\x5f"),
        ("¿", b"\x60"),
        ("à", b"\x7f"),
        ("€", b"\x1b\x65"),
        ("[", b"\x1b\x3c"),
        ("\f", b"\x1b\x0a"),
        ("|", b"\x1b\x40"),
    ],
)
def test_a_character_has_its_place_in_the_table(char: str, septets: bytes) -> None:
    assert septets == gsm7.encode(char)
    assert char == gsm7.decode(septets)


@pytest.mark.parametrize("char", ["`", "ç", "\t", "\x1b", "á", "’", "漢", "🙂", "\u00a0"])
def test_a_character_outside_the_table_is_named(char: str) -> None:
    assert not gsm7.fits(f"ok {char}")
    assert (char,) == gsm7.misfits(f"ok {char}{char}")
    with pytest.raises(ValueError, match=f"U\\+{ord(char):04X}"):
        gsm7.encode(char)


@pytest.mark.parametrize(
    ("septets", "text"),
    [
        pytest.param(b"\x1bA", "A", id="undefined extension shows the default character"),
        pytest.param(b"\x1b\x1bA", " A", id="escape of an escape is a space"),
        pytest.param(b"A\x1b", "A ", id="escape at the end is a space"),
        pytest.param(b"\xe9A", "\ufffdA", id="eighth bit set"),
        pytest.param(b"\x1b\xe9", "\ufffd", id="eighth bit after an escape"),
    ],
)
def test_strange_septets_still_read(septets: bytes, text: str) -> None:
    assert text == gsm7.decode(septets)


def test_packing_matches_the_known_example() -> None:
    assert bytes.fromhex("E8329BFD4697D9EC37") == gsm7.pack(b"hellohello")
    assert b"hellohello" == gsm7.unpack(bytes.fromhex("E8329BFD4697D9EC37"), 10)


@given(st.text(alphabet=ALPHABET))
def test_what_fits_survives_the_journey(text: str) -> None:
    assert gsm7.fits(text)
    assert text == gsm7.decode(gsm7.encode(text))


@given(SEPTETS, st.integers(min_value=0, max_value=6))
def test_packed_septets_unpack(septets: bytes, fill_bits: int) -> None:
    packed = gsm7.pack(septets, fill_bits=fill_bits)
    assert septets == gsm7.unpack(packed, len(septets), fill_bits=fill_bits)
    assert (7 * len(septets) + fill_bits + 7) // 8 == len(packed)


@given(st.binary(), st.integers(min_value=0, max_value=300))
def test_no_octets_break_the_reader(octets: bytes, count: int) -> None:
    assert len(gsm7.decode(gsm7.unpack(octets, count))) <= count
    gsm7.decode(octets)
