"""When two spellings are the same word: normalising a text, and the key under which words are looked up.

Words of a policy and messages of people go through the same functions. Each of them is linear in its input,
whatever a stranger sends. Nothing here knows what a word means.
"""

import re
import unicodedata

# Default_Ignorable_Code_Point of Unicode 16, DerivedCoreProperties.txt: characters that show nothing
# (zero-width, bidi controls, variation selectors, fillers, tags), unassigned ones of those blocks included.
_IGNORABLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]+"
)

# What is cut from both ends: separators, controls, punctuation, symbols, enclosing marks.
# Never Mn or Mc: those belong to the letter before them.
_EDGE_CATEGORIES = frozenset("ZCPS")
_ASCII_EDGE = "".join(chr(code) for code in range(128) if not chr(code).isalnum())

# Normalisation sorts runs of combining marks in quadratic time; nobody writes more than 30 on a letter.
# UAX #15 §13, Stream-Safe Text Format
_MARKS_MAX = 30
_HIDDEN_MARKS = frozenset("\uff9e\uff9f\u0f73\u0f75\u0f81")  # class 0, but they decompose into marks

# Letters that keep their meaning when folded, by script. Applied after the marks of Latin and Greek are gone.
_LETTERS = str.maketrans(
    {"ı": "i", "ł": "l", "ø": "o", "đ": "d", "æ": "ae", "œ": "oe", "ß": "ss", "ə": "e", "ς": "σ"}
)
# Folded while letters are still composed: for Cyrillic ё only (й, і, ї and ґ are letters of their own);
# Arabic hamza and final forms, Persian kaf and yeh, kashida and harakat; Hebrew points.
_COMPOSED = str.maketrans(
    {"ё": "е", "أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ى": "ي", "ة": "ه", "ک": "ك", "ی": "ي", "\u0640": None, "\u0670": None}
    | {chr(code): None for code in range(0x064B, 0x0653)}
    | {chr(code): None for code in (*range(0x0591, 0x05BE), 0x05BF, 0x05C1, 0x05C2, 0x05C4, 0x05C5, 0x05C7)}
)
_LATIN_OR_GREEK = re.compile("[a-z\u00df-\u02af\u0370-\u03ff\u1d00-\u1d7f\u1e00-\u1fff\u2c60-\u2c7f\ua720-\ua7ff\uab30-\uab6f]")

# OPT-OUT is OPTOUT and DESABONNE-MOI one word, but S-T-O-P stays four letters: each piece has at least two.
_JOINED = re.compile(r"(?<=\w\w)['\u2019\u2010\u2011\u2012\u2013-](?=\w\w)")

_SPACES = re.compile(r"\s+")

# Look-alikes of Latin letters: Cyrillic, Greek, Armenian, small capitals. All are case-folded before they meet this table.
_LOOKALIKES = str.maketrans(
    "аԁеһіјӏкмнорԛѕтуԝхвсαβεζηικμνορτυχսօտᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ",
    "adehijlkmhopqstywxbcabeznikmnoptuxuosabcdefghijklmnoprstuvwyz",
)


def normalise(body: str) -> str:
    """`body` without case, width, invisible characters, and the decoration around it; may be empty. Never raises.

    NFKC, drop Default_Ignorable_Code_Point, full case folding, NFKC, trim (semantics, "Recognition").
    """
    if body.isascii():
        return body.strip(_ASCII_EDGE).lower()
    text = _IGNORABLE.sub("", _nfkc(body)).casefold()
    return _trim(_nfkc(text))


def key(text: str) -> str:
    """What `text` is looked up by: normalised, folded by script, inner hyphens gone, white space single.

    ARRÊT and ARRET, HUỶ and HUY, OPT-OUT and OPTOUT share a key. Marks of Indic scripts, Thai, Lao, Khmer,
    Burmese, Japanese and Korean are vowels or make another letter: they stay.
    """
    plain = normalise(text)
    if plain.isalnum() and plain.isascii():
        return plain
    if not plain.isascii():
        plain = _fold(plain)
    return _SPACES.sub(" ", _JOINED.sub("", plain))


def lookalike(folded: str) -> str:
    """`folded` (a key) with letters that look Latin made Latin: Cyrillic ЅТОР becomes stop.

    For a second attempt only, and only towards STOP: СТОП and ΣΤΟΠ are words of their own.
    """
    return folded.translate(_LOOKALIKES)


def visible_length(body: str) -> int:
    """Length of `body` without invisible characters and edge decoration; cheap, to leave long texts alone early."""
    return len(_trim(body if body.isascii() else _IGNORABLE.sub("", body)))


def one_slip_apart(one: str, other: str) -> bool:
    """Whether one letter added, dropped, changed or swapped with its neighbour makes `one` of `other`, or none."""
    if abs(len(one) - len(other)) > 1:
        return False
    start = 0
    while start < min(len(one), len(other)) and one[start] == other[start]:
        start += 1
    one, other = one[start:], other[start:]
    while one and other and one[-1] == other[-1]:
        one, other = one[:-1], other[:-1]
    swapped = len(one) == len(other) == 2 and one == other[::-1]
    return swapped or max(len(one), len(other)) <= 1


def _nfkc(text: str) -> str:
    return unicodedata.normalize("NFKC", _without_mark_piles(text))


def _without_mark_piles(text: str) -> str:
    """`text` with at most `_MARKS_MAX` combining marks in a row."""
    if len(text) <= _MARKS_MAX:
        return text
    kept: list[str] = []
    run = 0
    combining = unicodedata.combining
    for char in text:
        run = run + 1 if combining(char) or char in _HIDDEN_MARKS else 0
        if run <= _MARKS_MAX:
            kept.append(char)
    return text if len(kept) == len(text) else "".join(kept)


def _trim(text: str) -> str:
    start, end = 0, len(text)
    while start < end and _is_edge(text[start]):
        start += 1
    while end > start and _is_edge(text[end - 1]):
        end -= 1
    return text[start:end]


def _is_edge(char: str) -> bool:
    category = unicodedata.category(char)
    return category[0] in _EDGE_CATEGORIES or category == "Me"


def _fold(text: str) -> str:
    kept: list[str] = []
    base_folds = False
    for char in unicodedata.normalize("NFD", text.translate(_COMPOSED)):
        if unicodedata.category(char) == "Mn":
            if not base_folds:
                kept.append(char)
        else:
            base_folds = _LATIN_OR_GREEK.match(char) is not None
            kept.append(char)
    return unicodedata.normalize("NFC", "".join(kept)).translate(_LETTERS)
