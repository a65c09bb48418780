"""Parameters as Twilio's clients write them: a form or a query, read once, asked by name.

Nothing is decided here but whether a parameter can be read at all.
"""

import json
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from stopwire.core.errors import Refused, refuse
from stopwire.twilio_api.answers import Declined

PARAMETERS_MAX: Final = 1000
BODY_BYTES_MAX: Final = 1_048_576  # 25 bulk items or 10 long media URLs are a tenth of it
Item = dict[str, Any]  # a JSON object that stands in a parameter
FORM_TYPE: Final = "application/x-www-form-urlencoded"


def unreadable(sentence: str) -> Refused:
    """400 / 20001 with a sentence of our own."""
    return Refused(code=20001, message=sentence, status=400)


def invalid(name: str, sentence: str = "") -> Refused:
    """400 / 20422 for a parameter whose value is not one of those allowed."""
    return Refused(code=20422, message=f"Invalid Parameter {name}. {sentence}".strip(), status=400)


class Fields:
    """The parameters of one request. Names are case-sensitive; of a repeated one the last counts, or `all`."""

    __slots__ = ("_last", "pairs")

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self.pairs = pairs
        self._last = dict(pairs)

    def __contains__(self, name: str) -> bool:
        return name in self._last

    def get(self, name: str) -> str | None:
        """The value, None where the parameter is absent. An empty one is `""`: it clears a field."""
        return self._last.get(name)

    def text(self, name: str, default: str = "") -> str:
        return self._last.get(name, default)

    def required(self, name: str) -> str:
        """The value; declines with 20001 where it is absent or empty."""
        value = self._last.get(name)
        if not value:
            raise Declined(refuse(20001, name=name))
        return value

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of a repeated parameter, in the order written."""
        return tuple(value for key, value in self.pairs if key == name)

    def objects(self, name: str, most: int) -> list[Item]:
        """A repeated parameter whose values are JSON objects; declines none, more than `most`, and what is no object."""
        texts = self.all(name)
        if not texts:
            raise Declined(refuse(20001, name=name))
        if len(texts) > most:
            raise Declined(unreadable(f"{name} are limited to less than or equal to {most}"))
        return [_object(name, text) for text in texts]

    def flag(self, name: str) -> bool | None:
        """`true` or `false` in any case; None where absent or empty; declines anything else."""
        value = self._last.get(name, "").lower()
        if value == "":
            return None
        if value not in ("true", "false"):
            raise Declined(invalid(name, "Use true or false."))
        return value == "true"

    def whole(self, name: str, least: int, most: int) -> int | None:
        """A whole number within its range, None where absent or empty; declines with 20001."""
        value = self._last.get(name, "")
        if value == "":
            return None
        if not (value.isascii() and value.isdigit() and len(value) < 12 and least <= int(value) <= most):
            raise Declined(unreadable(f"Parameter {name} is out of range: give a whole number from {least} to {most}."))
        return int(value)

    def choice(self, name: str, allowed: tuple[str, ...]) -> str | None:
        """One of `allowed`, in any case; None where absent or empty; declines anything else."""
        value = self._last.get(name, "")
        if value == "":
            return None
        for each in allowed:
            if each.lower() == value.lower():
                return each
        raise Declined(invalid(name, f"Use one of {', '.join(allowed)}."))

    def without(self, *names: str) -> str:
        """All parameters but `names`, encoded as a query again."""
        return urlencode([(key, value) for key, value in self.pairs if key not in names])


NOTHING: Final = Fields([])


def _object(name: str, text: str) -> Item:
    try:
        read = json.loads(text)
    except (ValueError, RecursionError):
        read = None
    if not isinstance(read, dict):
        raise Declined(invalid(name, "Each is a JSON object, written as a string."))
    return read


def read_fields(raw: bytes) -> Fields:
    """The parameters of a form or query. Declines with 20001 what is not UTF-8, too much, or holds a NUL."""
    if not raw:
        return NOTHING
    try:
        pairs = parse_qsl(
            raw.decode("utf-8"), keep_blank_values=True, encoding="utf-8", errors="strict", max_num_fields=PARAMETERS_MAX
        )
    except UnicodeDecodeError:
        raise Declined(unreadable("The parameters are not UTF-8: encode them as UTF-8, then percent-encode them.")) from None
    except ValueError:
        raise Declined(unreadable(f"The request has more than {PARAMETERS_MAX} parameters.")) from None
    for name, value in pairs:
        if "\0" in value or "\0" in name:
            raise Declined(unreadable("A parameter holds a NUL character, which no text has: leave it out."))
    return Fields(pairs)
