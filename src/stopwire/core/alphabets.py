"""The alphabets of a text on the air: octets ↔ text, and the parts of a long text joined before they are read.

A part may end within a character: half a surrogate pair, an escape without what it escapes. Which alphabet a carrier
means by its codes is known by the carrier.
"""

from collections.abc import Sequence
from enum import StrEnum

from stopwire.core import gsm7

_CONTROLS = frozenset(range(0x20)) - set(b"\t\n\f\r")  # of ASCII, but for those that a text may have


class Alphabet(StrEnum):
    GSM7 = "gsm7"  # septets, one an octet
    LATIN1 = "latin1"
    UCS2 = "ucs2"  # UTF-16, big end first: what handsets mean by UCS-2
    OCTETS = "octets"  # no text: shown as Latin-1, kept raw


def decode(octets: bytes, alphabet: Alphabet) -> str:
    """The text of `octets`. Never raises: what is not in the alphabet becomes U+FFFD."""
    match alphabet:
        case Alphabet.GSM7:
            return gsm7.decode(octets)
        case Alphabet.UCS2:
            return octets.decode("utf-16-be", "replace")
        case Alphabet.LATIN1 | Alphabet.OCTETS:
            return octets.decode("latin-1")


def of_ia5(octets: bytes) -> Alphabet:
    """What is written under the name of IA5, which is ASCII. Some stacks write GSM 7-bit under it, which shows in its octets.

    GSM 7-bit has @, $, _, letters and the escape where ASCII has controls that are in no text.
    """
    return Alphabet.GSM7 if _CONTROLS.intersection(octets) and max(octets) < 0x80 else Alphabet.LATIN1


def encode(text: str, alphabet: Alphabet) -> bytes:
    """The octets of `text`. Raises ValueError where a character is not in the alphabet."""
    match alphabet:
        case Alphabet.GSM7:
            return gsm7.encode(text)
        case Alphabet.UCS2:
            return text.encode("utf-16-be", "surrogatepass")
        case Alphabet.LATIN1 | Alphabet.OCTETS:
            return text.encode("latin-1")


def join(parts: Sequence[tuple[str, bytes | None, str | None]]) -> str:
    """The text of parts in their order, each (text, octets, alphabet): octets of one alphabet are joined before they are read."""
    alphabets = {alphabet for _, octets, alphabet in parts if octets is not None and alphabet}
    if len(alphabets) == 1 and all(octets is not None for _, octets, _ in parts):
        return decode(b"".join(octets or b"" for _, octets, _ in parts), Alphabet(alphabets.pop()))
    return "".join(text for text, _, _ in parts)
