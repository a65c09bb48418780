"""A sentence in English that remembers what it is made of: a whole template and its named values.

It is a `str`, so whoever wants English just uses it. Whoever speaks another language tells it anew from its parts.
Which languages there are, and how a time or a number is written in one, is not known here.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Self

Value = str | int | datetime  # a value that is a Sentence itself is told in the same language


class Sentence(str):
    """`Sentence("It was handed over %(count)s times.", count=3)`. Templates are whole sentences, never stuck together."""

    __slots__ = ("template", "values")
    template: str
    values: Mapping[str, Value]

    def __new__(cls, template: str, /, **values: Value) -> Self:
        self = super().__new__(cls, template % {name: _english(value) for name, value in values.items()} if values else template)
        self.template, self.values = template, values
        return self

    def of(self, **values: Value) -> "Sentence":
        """The same template with these values: for tables of sentences."""
        return Sentence(self.template, **values)

    def told(self, translated: Callable[[str], str], moment: Callable[[datetime], str]) -> str:
        """This sentence in another language: `translated` gives its templates, `moment` writes its times."""

        def tell(value: Value) -> object:
            if isinstance(value, Sentence):
                return value.told(translated, moment)
            return moment(value) if isinstance(value, datetime) else value

        template = translated(self.template)
        return template % {name: tell(value) for name, value in self.values.items()} if self.values else template


# A text that may be a sentence: whoever makes one writes a `str`, and where it crosses processes it keeps what it is made of.
if TYPE_CHECKING:
    Text = str
else:
    Text = Sentence


def in_a_row(sentences: Iterable[Sentence]) -> Sentence:
    """Several whole sentences, one after the other."""
    parts: dict[str, Value] = {f"s{number}": sentence for number, sentence in enumerate(sentences)}
    return Sentence(" ".join(f"%({name})s" for name in parts), **parts)


def word(code: str) -> Sentence:
    """A state, act or reason by its code: `wrong_number` is “wrong number”, which the catalogues know as a word of its own."""
    return Sentence(code.replace("_", " "))


def _english(value: Value) -> object:
    return value.strftime("%Y-%m-%d %H:%M:%S UTC") if isinstance(value, datetime) else value
