"""A stranger's text made visible: hidden characters get a mark with their name, letters of another script a hint.

Nothing is changed and nothing is HTML here: pieces of text, which the template escapes.
"""

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass

_NAMES = {
    "\u200b": "ZWSP", "\u00a0": "NBSP", "\u00ad": "SHY", "\u202e": "RLO", "\u202d": "LRO", "\u202a": "LRE", "\u202b": "RLE", "\u202c": "PDF",
    "\u2066": "LRI", "\u2067": "RLI", "\u2068": "FSI", "\u2069": "PDI", "\u200e": "LRM", "\u200f": "RLM", "\u200c": "ZWNJ", "\u200d": "ZWJ",
    "\ufe0f": "VS16", "\ufe0e": "VS15", "\ufeff": "BOM", "\u2060": "WJ", "\n": "↵", "\r": "CR", "\t": "TAB", "\u2028": "LS", "\u2029": "PS",
    "\u061c": "ALM", "\u202f": "NNBSP", "\u3000": "IDSP",
}  # fmt: skip
_CHARS_MAX = 5000  # of one text in a page; the raw text is a click away
_WORD = re.compile(r"\w+")
_SCRIPTS = ("LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC")  # whose letters look alike


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A run of text. With `mark` it is one hidden character, with `script` a letter that belongs elsewhere."""

    text: str
    mark: str = ""
    script: str = ""
    title: str = ""


def pieces(body: str) -> list[Piece]:
    """`body` as runs, at most 5,000 characters of it."""
    strangers = _strangers(body)
    found: list[Piece] = []
    run = ""
    for place, char in enumerate(body[:_CHARS_MAX]):
        mark = _mark(char)
        if not mark and place not in strangers:
            run += char
            continue
        if run:
            found.append(Piece(text=run))
            run = ""
        name = f"U+{ord(char):04X} {unicodedata.name(char, 'CONTROL')}"
        found.append(Piece(text=char, mark=mark, script=strangers.get(place, ""), title=name))
    if len(body) > _CHARS_MAX:
        run += "…"
    return [*found, Piece(text=run)] if run else found


def _mark(char: str) -> str:
    if char in _NAMES:
        return _NAMES[char]
    code = ord(char)
    if code < 0x20:
        return chr(0x2400 + code)  # its control picture
    if code == 0x7F:
        return "␡"
    kind = unicodedata.category(char)
    if kind in ("Cf", "Cc", "Cs", "Co", "Zl", "Zp") or (kind == "Zs" and char != " ") or 0xFE00 <= code <= 0xFE0F:
        return f"U+{code:04X}"
    return ""


def _strangers(body: str) -> dict[int, str]:
    """Places of letters whose script is not that of most letters of their word."""
    if body.isascii():
        return {}
    found: dict[int, str] = {}
    for word in _WORD.finditer(body[:_CHARS_MAX]):
        scripts = {word.start() + i: _script(char) for i, char in enumerate(word[0]) if char.isalpha()}
        kinds = Counter(scripts.values())
        if len(kinds) < 2 or not all(kind in _SCRIPTS for kind in kinds):
            continue
        home = kinds.most_common(1)[0][0]
        found |= {place: script.title() for place, script in scripts.items() if script != home}
    return found


def _script(char: str) -> str:
    return unicodedata.name(char, "?").partition(" ")[0]
