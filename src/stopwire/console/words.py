"""Languages of the console: catalogues compiled when they are first needed, and how a visitor's choice is read.

A catalogue is all `*.po` files of `locale/LANGUAGE`. English is the language of the templates and has none.
"""

import gettext
import io
from functools import cache
from pathlib import Path
from typing import Any

from babel import Locale
from babel.messages import mofile, pofile
from babel.messages.catalog import Catalog

LOCALE = Path(__file__).parent / "locale"
LANGUAGES = {"en": "English", "es": "Español"}
PSEUDO = "en-XA"  # every sentence longer and accented: what is not translatable shows
HIDDEN = (PSEUDO, "ar")  # understood in the cookie, offered to nobody: layouts are tested with them
_ACCENTS = str.maketrans("aeiouyAEIOUYcnsz", "áéíóúýÁÉÍÓÚÝçñšž")


class _Pseudo(gettext.NullTranslations):
    def gettext(self, message: str) -> str:
        return _stretched(message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return _stretched(msgid1 if n == 1 else msgid2)

    def pgettext(self, context: str, message: str) -> str:
        return _stretched(message)


def _stretched(message: str) -> str:
    """`message` with accents, in brackets, some 40 % longer; names of values stay as they are."""
    parts = message.split("%(")
    told = parts[0].translate(_ACCENTS) + "".join(
        "%(" + name + ")" + rest[:1] + rest[1:].translate(_ACCENTS) for name, _, rest in (part.partition(")") for part in parts[1:])
    )
    return f"[{told}{'·' * (len(message) * 2 // 5)}]"


@cache
def translations(language: str) -> gettext.NullTranslations:
    """The sentences of `language`."""
    if language == PSEUDO:
        return _Pseudo()
    whole = Catalog(locale=language if language in LANGUAGES else "en")
    for path in sorted((LOCALE / language).glob("*.po")):
        with path.open("rb") as file:
            for message in pofile.read_po(file, locale=language):
                if message.id:
                    whole.add(message.id, message.string, context=message.context, flags=message.flags)
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
    return Locale.parse("en" if language == PSEUDO else language)


def direction(language: str) -> str:
    return locale_of(language).text_direction


def install(environment: Any, language: str) -> None:
    """Give a template environment the sentences of `language`."""
    environment.install_gettext_translations(translations(language), newstyle=True)
