"""Language packs as values: the words, replies and phrases of one language, each word with its mark and source.

Only the shape and what is asked of it. The texts themselves are data, read by the `packs` package.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from stopwire.core.policy import Keyword, WordList, WordSet
from stopwire.core.spelling import key

_SUPPORT_SENTENCE = re.compile(r" [^.]*\{support\}\.")


class Mark(StrEnum):
    """How well a word is known: documented by a provider, regulator or list; or in common use, unconfirmed."""

    SOURCED = "S"
    COMMON = "M"


@dataclass(frozen=True, slots=True, kw_only=True)
class PackWord:
    """One word of a pack. Weak words are never part of a word set: they may only suggest."""

    text: str
    keyword: Keyword
    mark: Mark
    source: str
    weak: bool = False

    @property
    def confirmed(self) -> bool:
        return self.mark is Mark.SOURCED

    @property
    def spaced(self) -> bool:
        """Two words and more act in natural mode only."""
        return " " in self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class Replies:
    """Reply texts with placeholders {brand} {programme} {support} {freq} {start} {stop} {help}."""

    frequency: str
    stop: str
    start: str
    help: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrase:
    """One rule of the phrase tier: a pattern over a clause of plain tokens, and what silences it.

    `keyword` is None for a wrong number. `yes` and `no` are the author's own examples; a test holds the rule to them.
    """

    id: str
    keyword: Keyword | None
    family: str
    pattern: str
    unless: str
    yes: tuple[str, ...]
    no: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """What Stopwire knows of one language. `replies` is None where no texts exist.

    Phrases act in natural matching only where `phrases_act` says that they are good enough; elsewhere they suggest.
    """

    language: str
    name: str
    native_name: str
    catalogue_key: str | None
    words: tuple[PackWord, ...]
    version: int = 1
    script: str = "Latn"
    right_to_left: bool = False
    replies: Replies | None = None
    hazards: str = ""
    courtesy: tuple[str, ...] = ()
    phrases: tuple[Phrase, ...] = ()
    phrases_act: bool = False

    def of(self, keyword: Keyword) -> tuple[PackWord, ...]:
        return tuple(word for word in self.words if word.keyword is keyword)

    def core(self, keyword: Keyword) -> tuple[PackWord, ...]:
        """The words a preset may enable: single and not weak."""
        return tuple(word for word in self.of(keyword) if not word.weak and not word.spaced)

    def shown(self, keyword: Keyword) -> str:
        """The word a reply may advertise: the first documented core word, else the word that always works."""
        return next((word.text for word in self.core(keyword) if word.confirmed), keyword.value)


@dataclass(frozen=True, kw_only=True, eq=False)  # no slots, own identity: what is derived is kept beside the packs
class Packs:
    """All language packs, by language. There is one such value in a process."""

    by_language: Mapping[str, Pack] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Pack]:
        return iter(self.by_language.values())

    def get(self, language: str) -> Pack | None:
        """The pack of `language`; `pt-BR` falls back to `pt`."""
        return self.by_language.get(language) or self.by_language.get(language.split("-")[0])

    def word_set(
        self, language: str, *, brand: str, programme: str = "", support: str = "", frequency: str = ""
    ) -> WordSet:
        """The core words and filled replies of `language`, ready for a policy. KeyError if there is no pack.

        Without texts in that language the English ones are used; a keyword without words is left out. Without
        `programme` the brand speaks for itself; without `support` the sentence about it is left out.
        """
        pack = self.get(language)
        if pack is None:
            raise KeyError(f"There is no language pack {language!r}; there are {', '.join(sorted(self.by_language))}.")
        replies = pack.replies or self.by_language["en"].replies
        assert replies is not None, "the English pack has replies"
        values = {
            "brand": brand,
            "programme": programme or brand,
            "support": support,
            "freq": frequency or replies.frequency,
            **{keyword.value.lower(): pack.shown(keyword) for keyword in Keyword},
        }
        texts = {Keyword.STOP: replies.stop, Keyword.START: replies.start, Keyword.HELP: replies.help}
        lists = {
            keyword.value.lower(): WordList(
                keywords=tuple(word.text for word in pack.core(keyword)),
                reply=fill(_shortened(text, programme=programme, support=support), values),
            )
            for keyword, text in texts.items()
            if pack.core(keyword)
        }
        return WordSet(**lists)

    @cached_property
    def known_words(self) -> Mapping[str, tuple[tuple[str, PackWord], ...]]:
        """Every word of every pack by its key, with the languages it belongs to."""
        known: dict[str, list[tuple[str, PackWord]]] = {}
        for pack in self:
            for word in pack.words:
                known.setdefault(key(word.text), []).append((pack.language, word))
        return {word_key: tuple(entries) for word_key, entries in known.items()}


def collect(packs: Iterable[Pack]) -> Packs:
    """`packs` as one value."""
    return Packs(by_language={pack.language: pack for pack in packs})


def _shortened(text: str, *, programme: str, support: str) -> str:
    if not programme:
        text = text.replace("{brand} {programme}", "{brand}")
    return text if support else _SUPPORT_SENTENCE.sub("", text)


def fill(text: str, values: Mapping[str, str]) -> str:
    """`text` with each `{name}` of `values` put in; what is put in is never looked at again."""
    parts: list[str] = []
    rest = text
    while rest:
        before, brace, after = rest.partition("{")
        name, closing, rest_after = after.partition("}")
        parts.append(before)
        if brace and closing and name in values:
            parts.append(values[name])
            rest = rest_after
        else:
            parts.append(brace)
            rest = after
    return "".join(parts)
