"""Segments of a text: which encoding it needs, how many segments, where it is cut, and smart encoding.

Only texts are looked at here; what a segment costs and how it is put into a PDU is known elsewhere.
Source: 3GPP TS 23.038 (alphabets) and TS 23.040 §9.2.3.24.1 (concatenation: a header of six octets).
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Final, Literal

from stopwire.core import gsm7

BODY_UNITS_MAX: Final = 1600  # UTF-16 units after smart encoding, as in Twilio's error 21617

GSM7_ALONE: Final = 160  # septets in 140 octets
GSM7_EACH: Final = 153  # the same behind a concatenation header
UCS2_ALONE: Final = 70  # UTF-16 units in 140 octets
UCS2_EACH: Final = 67

_ASTRAL = re.compile("[\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Segments:
    """What a body takes on the air. `units` are septets or UTF-16 units, without padding at the cuts."""

    encoding: Literal["GSM-7", "UCS-2"]
    segments: int
    units: int
    units_left: int  # room in the last segment
    blockers: tuple[str, ...]  # the characters that keep the body from GSM-7, in order of appearance


@lru_cache(maxsize=4096)  # campaigns repeat their bodies
def count(body: str) -> Segments:
    """Encoding and number of segments of `body`, from 1. Never raises. 3GPP TS 23.040 §9.2.3.24.1."""
    if gsm7.fits(body):
        pairs = gsm7.has_pairs(body)
        return _counted(body, "GSM-7", alone=GSM7_ALONE, each=GSM7_EACH, cost=_septets if pairs else None)
    astral = _ASTRAL.search(body) is not None
    return _counted(body, "UCS-2", alone=UCS2_ALONE, each=UCS2_EACH, cost=_utf16_units if astral else None)


def units_utf16(body: str) -> int:
    """Length of `body` in UTF-16 units, the measure of the 1600 limit."""
    return len(body) + len(_ASTRAL.findall(body))


def split(body: str) -> list[str]:
    """`body` cut into the texts of its segments, at least one. No character is ever cut in two."""
    if gsm7.fits(body):
        return _cut(body, alone=GSM7_ALONE, each=GSM7_EACH, cost=_septets)
    return _cut(body, alone=UCS2_ALONE, each=UCS2_EACH, cost=_utf16_units)


def smart(body: str) -> str:
    """`body` with look-alikes of GSM-7 characters replaced by them. Emoji, CJK and real letters stay as they are."""
    if gsm7.fits(body):
        return body
    return _ACCENTED.sub(_composed, body.translate(_LOOK_ALIKES))


def _counted(
    body: str, encoding: Literal["GSM-7", "UCS-2"], *, alone: int, each: int, cost: Callable[[str], int] | None
) -> Segments:
    blockers = gsm7.misfits(body) if encoding == "UCS-2" else ()
    units = len(body) if cost is None else sum(map(cost, body))
    if units <= alone:
        segments, left = 1, alone - units
    elif cost is None:
        segments = -(-units // each)
        left = segments * each - units
    else:
        parts = _cut(body, alone=alone, each=each, cost=cost)
        segments, left = len(parts), each - sum(map(cost, parts[-1]))
    return Segments(encoding=encoding, segments=segments, units=units, units_left=left, blockers=blockers)


def _cut(body: str, *, alone: int, each: int, cost: Callable[[str], int]) -> list[str]:
    if sum(map(cost, body)) <= alone:
        return [body]
    cuts, used = [0], 0
    for position, char in enumerate(body):
        size = cost(char)
        if used + size > each:
            cuts.append(position)
            used = 0
        used += size
    return [body[start:end] for start, end in pairwise([*cuts, len(body)])]


def _septets(char: str) -> int:
    return 2 if char in gsm7.EXTENSION else 1


def _utf16_units(char: str) -> int:
    return 2 if char > "\uffff" else 1


def _composed(match: re.Match[str]) -> str:
    whole = unicodedata.normalize("NFC", match[0])
    return whole if gsm7.fits(whole) else match[0]


# A letter and a combining accent, as some keyboards write "é": one character where GSM-7 has it.
_ACCENTED = re.compile("[A-Za-z][\u0300-\u030a\u0327]")

# What stands in for what. Source: the characters that Twilio's documentation lists for Smart Encoding, by kind.
_STANDS_FOR: Final = {
    "'": "`´ʹʻʼʽˈˊˋ‘’‛′‵❛❜",
    '"': "«»ʺˮ“”„‟″‶❝❞〝〞",
    ",": "‚︐﹐",
    "-": "‐‑‒–—―−⁃•⎼⎽⸺⸻﹘﹣\u00ad",
    "...": "…",
    ".": "․﹒",
    "<": "‹﹤",
    ">": "›﹥",
    "/": "⁄∕⧸÷",
    "\\": "∖⧵⧹﹨",
    "|": "│┃❘❙❚∣⎜⎟⎸⎹⏐",
    "*": "⁎∗⊛⧆✢✣✤✥✱✲✺✻✼✽❃❉❊❋﹡",
    "+": "˖﹢",
    "!": "ǃ︕﹗",
    "?": "︖﹖",
    ":": "ː˸⦂꞉︓﹕",
    ";": "⁏︔﹔",
    "=": "꞊﹦",
    "#": "﹟",
    "%": "﹪",
    "&": "﹠",
    "@": "﹫",
    "$": "﹩",
    "(": "❨❪⟮⦅﹙",
    ")": "❩❫⟯⦆﹚",
    "{": "❴﹛",
    "}": "❵﹜",
    "^": "ˆ",
    "~": "˜˷∼",
    "1/4": "¼",
    "1/2": "½",
    "3/4": "¾",
    " ": "\t\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000",
    "\n": "\u0085\u2028\u2029\x0b",
    # Nothing to see: zero-width space, word joiner, byte order mark. The joiners of emoji stay.
    "": "\u200b\u2060\ufeff",
}
_SMALL_CAPITALS: Final[Mapping[int, str | int]] = str.maketrans("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ", "ABCDEFGHIJKLMNOPRSTUVWYZ")
_CONTROLS: Final[dict[int, str | int]] = {
    code: "" for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\t\n\v\f\r\u0085"
}
_FULL_WIDTH: Final[dict[int, str | int]] = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)}  # "Ａ" → "A"
_LOOK_ALIKES: Final[dict[int, str | int]] = (
    {**_FULL_WIDTH, **_SMALL_CAPITALS, **_CONTROLS}
    | {ord(alike): plain for plain, alikes in _STANDS_FOR.items() for alike in alikes}
    | {0xFF40: "'"}  # the full-width form of a back-tick, which GSM-7 lacks
)
