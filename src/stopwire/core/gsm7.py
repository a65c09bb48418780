"""The GSM 7-bit default alphabet (3GPP TS 23.038 §6.2.1): text ↔ septets ↔ packed octets.

A septet string is `bytes` with one value below 0x80 per byte, as SMPP carries it. How many segments a text
needs is decided in `segments`; the national language tables of §6.2.1.2 are not used by anything here.
"""

import re
from typing import Final

ESCAPE: Final = 0x1B  # the next septet is read in the extension table

# Row by row as in the table of §6.2.1; the escape stands at its place so that index = septet.
BASIC: Final = (
    "@£$¥èéùìòÇ\nØø\rÅå"
    "Δ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ"
    " !\"#¤%&'()*+,-./"
    "0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNO"
    "PQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmno"
    "pqrstuvwxyzäöñüà"
)
EXTENSION: Final = {
    "\f": 0x0A,
    "^": 0x14,
    "{": 0x28,
    "}": 0x29,
    "\\": 0x2F,
    "[": 0x3C,
    "~": 0x3D,
    "]": 0x3E,
    "|": 0x40,
    "€": 0x65,
}

_SEPTETS: Final = {char: bytes((septet,)) for septet, char in enumerate(BASIC) if septet != ESCAPE} | {
    char: bytes((ESCAPE, septet)) for char, septet in EXTENSION.items()
}
_EXTENDED: Final = {septet: char for char, septet in EXTENSION.items()}
_FITS = re.compile("[" + "".join(map(re.escape, _SEPTETS)) + "]*")
_MISFIT = re.compile("[^" + "".join(map(re.escape, _SEPTETS)) + "]")
_PAIR = re.compile("[" + "".join(map(re.escape, EXTENSION)) + "]")


def fits(text: str) -> bool:
    """Whether every character of `text` is in the alphabet or its extension."""
    return _FITS.fullmatch(text) is not None


def misfits(text: str) -> tuple[str, ...]:
    """The characters that are not in the alphabet, each once, in order of appearance."""
    return tuple(dict.fromkeys(_MISFIT.findall(text)))


def has_pairs(text: str) -> bool:
    """Whether a character of `text` takes two septets."""
    return _PAIR.search(text) is not None


def encode(text: str) -> bytes:
    """The septets of `text`. ValueError names the first character outside the alphabet."""
    try:
        return b"".join([_SEPTETS[char] for char in text])
    except KeyError as missing:
        char: str = missing.args[0]
        raise ValueError(
            f"U+{ord(char):04X} is not in the GSM 7-bit alphabet: send the text as UCS-2, or replace the character"
        ) from None


def decode(septets: bytes) -> str:
    """The text of `septets`. Never raises: a value above 0x7F becomes U+FFFD.

    An extension that nobody defined shows the character of the default table, and an escape before another
    escape, or at the end, a space (§6.2.1.1).
    """
    chars: list[str] = []
    rest = iter(septets)
    for septet in rest:
        if septet != ESCAPE:
            chars.append(BASIC[septet] if septet < 0x80 else "\ufffd")
            continue
        extended = next(rest, ESCAPE)
        if extended == ESCAPE:
            chars.append(" ")
        elif extended in _EXTENDED:
            chars.append(_EXTENDED[extended])
        else:
            chars.append(BASIC[extended] if extended < 0x80 else "\ufffd")
    return "".join(chars)


def pack(septets: bytes, *, fill_bits: int = 0) -> bytes:
    """Septets packed into octets (§6.1.2.1.1), after `fill_bits` zero bits that align them behind a UDH."""
    bits = 0
    for position, septet in enumerate(septets):
        bits |= septet << (7 * position + fill_bits)
    return bits.to_bytes((7 * len(septets) + fill_bits + 7) // 8, "little")


def unpack(octets: bytes, count: int, *, fill_bits: int = 0) -> bytes:
    """The first `count` septets packed in `octets`; fewer when the octets do not hold as many."""
    held = max(0, (8 * len(octets) - fill_bits) // 7)
    bits = int.from_bytes(octets, "little") >> fill_bits
    return bytes((bits >> (7 * position)) & 0x7F for position in range(min(count, held)))
