"""Languages of the console: catalogues compiled when they are first needed, and how a visitor's choice is read.

A catalogue is all `*.po` files of `locale/LANGUAGE`. English is the language of the templates and has none.
"""

import gettext
import io
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from babel import Locale
from babel.messages import mofile, pofile
from babel.messages.catalog import Catalog

LOCALE = Path(__file__).parent / "locale"
LANGUAGES = {"en": "English", "es": "Español"}
PSEUDO = "en-XA"  # every sentence longer and accented: what is not translatable shows
MIRRORED = "ar-XB"  # every sentence in Arabic letters, without a meaning: what does not turn from right to left shows
HIDDEN = (PSEUDO, MIRRORED)  # understood in the cookie, offered to nobody: layouts are tested with them
_TAGS = {PSEUDO: "en", MIRRORED: "ar"}  # the languages that they pretend to be
_ACCENTS = str.maketrans("aeiouyAEIOUYcnsz", "áéíóúýÁÉÍÓÚÝçñšž")
_VALUE = re.compile(r"%\(\w+\)[sd]")
_ARABIC = str.maketrans("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", "ابجدهفغحيجكلمنوبقرستوووخيز" * 2)


class _Pseudo(gettext.NullTranslations):
    def __init__(self, told: Callable[[str], str]) -> None:
        super().__init__()
        self._told = told

    def gettext(self, message: str) -> str:
        return self._told(message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self._told(msgid1 if n == 1 else msgid2)

    def pgettext(self, context: str, message: str) -> str:
        return self._told(message)


def _stretched(message: str) -> str:
    """`message` with accents, in brackets, some 40 % longer."""
    return f"[{_translated(message, _ACCENTS)}{'····· ' * (len(message) * 2 // 30)}{'·' * (len(message) * 2 // 5 % 6)}]"


def _mirrored(message: str) -> str:
    return _isolated(_translated(message, _ARABIC))


def _isolated(message: str) -> str:
    """`message` with each value fenced off, so that a number or an id within it keeps its own direction (UAX #9, FSI and PDI)."""
    return _VALUE.sub("\u2068\\g<0>\u2069", message)


def _translated(message: str, letters: dict[int, int]) -> str:
    """`message` letter by letter; names of values stay as they are."""
    parts = message.split("%(")
    return parts[0].translate(letters) + "".join(
        "%(" + name + ")" + rest[:1] + rest[1:].translate(letters) for name, _, rest in (part.partition(")") for part in parts[1:])
    )


@cache
def translations(language: str) -> gettext.NullTranslations:
    """The sentences of `language`."""
    if language in HIDDEN:
        return _Pseudo(_stretched if language == PSEUDO else _mirrored)
    whole = Catalog(locale=language if language in LANGUAGES else "en")
    fence = _isolated if direction(language) == "rtl" else str
    for path in sorted((LOCALE / language).glob("*.po")):
        with path.open("rb") as file:
            for message in pofile.read_po(file, locale=language):
                if message.id:
                    said = message.string
                    told = fence(said) if isinstance(said, str) else tuple(fence(each) for each in said or ())
                    whole.add(message.id, told, context=message.context, flags=message.flags)
    compiled = io.BytesIO()
    mofile.write_mo(compiled, whole)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def chosen(cookie: str, accepted: str) -> str:
    """The language of a visitor: what they chose, else the first that their browser asks for and we have."""
    if cookie in LANGUAGES or cookie in HIDDEN:
        return cookie
    for part in accepted[:200].split(","):
        primary = part.partition(";")[0].strip().lower().partition("-")[0]
        if primary in LANGUAGES:
            return primary
    return "en"


@cache
def locale_of(language: str) -> Locale:
    return Locale.parse(tag(language))


def tag(language: str) -> str:
    """What a page says that it is written in (BCP 47)."""
    return _TAGS.get(language, language)


def direction(language: str) -> str:
    return locale_of(language).text_direction


def install(environment: Any, language: str) -> None:
    """Give a template environment the sentences of `language`."""
    environment.install_gettext_translations(translations(language), newstyle=True)
