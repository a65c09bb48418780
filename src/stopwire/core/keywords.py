"""Recognition: is this message a keyword, and by which list of a policy?

A message acts only if, decoration aside, it is one word of a list. What only looks like a keyword is for
`suggestions`; phrases are for `natural`. Nothing here decides what a keyword does: that is `optout`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from stopwire.core import natural
from stopwire.core.packs import Packs
from stopwire.core.policy import (
    DEFAULT_HELP_REPLY,
    DEFAULT_HELP_WORDS,
    DEFAULT_START_REPLY,
    DEFAULT_START_WORDS,
    DEFAULT_STOP_REPLY,
    DEFAULT_STOP_WORDS,
    CountryOverride,
    Keyword,
    Matching,
    OptOutPolicy,
    WordList,
    WordSet,
)
from stopwire.core.spelling import key, lookalike, normalise, visible_length

__all__ = ["Match", "index", "key", "normalise", "recognise", "recognise_default"]

# 34 characters of a word, each with room for a few combining marks: longer texts are not one word.
_VISIBLE_MAX = 300

# START before STOP, so that UNSTOP and its like are never read as a STOP (semantics, "Recognition").
_LOOKUP_ORDER = (Keyword.START, Keyword.STOP, Keyword.HELP)

# YES is an ordinary message on toll-free senders: the network does not know it (semantics row 10).
_NOT_ON_TOLL_FREE = key("YES")

_INDEXES_KEPT = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """What recognition found: the keyword, the word or rule, the list it stands in and that list's reply.

    `language` is None for Standard, which has none; `country` is that of the override that decided, if one did.
    """

    keyword: Keyword
    word: str
    matched_by: Literal["keyword", "phrase"] = "keyword"
    rule: str | None = None
    language: str | None = None
    country: str | None = None
    reply: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The words one country can see, by key. `lookalikes` serves a second attempt, STOP only."""

    words: Mapping[str, Match]
    lookalikes: Mapping[str, Match]

    def find(self, word_key: str) -> Match | None:
        return self.words.get(word_key) or self.lookalikes.get(lookalike(word_key))

    def keyword_of(self, word_key: str) -> Keyword | None:
        found = self.words.get(word_key)
        return found.keyword if found else None

    def speaking(self, language: str | None, keyword: Keyword) -> Match:
        """A match of `keyword` whose list is in `language`, else the one of its reserved word."""
        for match in self.words.values():
            if language and match.language == language and match.keyword is keyword:
                return match
        return self.words[key(keyword)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """A policy prepared for lookups: a table for each country with an override, one for all others."""

    policy: OptOutPolicy
    elsewhere: Table
    countries: Mapping[str, Table] = field(default_factory=dict)

    def table(self, country: str | None) -> Table:
        return self.countries.get(country, self.elsewhere) if country else self.elsewhere


def recognise(
    body: str, *, policy: OptOutPolicy, country: str | None, packs: Packs | None = None, toll_free: bool = False
) -> Match | None:
    """The keyword `body` is under `policy`, or None for an ordinary message. Never raises.

    `country` is the recipient's, ISO 3166 alpha-2. Whether the policy is enabled is the caller's question.
    Natural matching needs `packs` for courtesy and phrases; a wrong number is no keyword, it becomes a suggestion.
    """
    table = index(policy).table(country)
    found = _find(body, table)
    if found is None and policy.matching is Matching.NATURAL:
        found = _find_phrase(body, table, known=_known(policy, country, packs))
    if found and toll_free and found.keyword is Keyword.START and only_on_phones(body):
        return None
    return found


def recognise_default(body: str, *, toll_free: bool) -> Match | None:
    """The default keyword `body` is: what a sender hears whose service has no Advanced Opt-Out."""
    found = _find(body, _DEFAULT)
    if found and toll_free and only_on_phones(body):
        return None
    return found


def only_on_phones(body: str) -> bool:
    """Whether `body` is the word that means START everywhere but on a toll-free sender."""
    return key(body) == _NOT_ON_TOLL_FREE


def index(policy: OptOutPolicy) -> Index:
    """`policy` prepared for lookups, kept for the policies used last."""
    kept = _indexes.get(id(policy))
    if kept is not None and kept.policy is policy:
        return kept
    made = Index(
        policy=policy,
        elsewhere=_table(policy, country=None),
        countries={country: _table(policy, country=country) for country in policy.countries},
    )
    if len(_indexes) >= _INDEXES_KEPT:
        _indexes.clear()
    _indexes[id(policy)] = made  # holds the policy, so its id is not given to another one meanwhile
    return made


def _find(body: str, table: Table) -> Match | None:
    if len(body) > _VISIBLE_MAX and visible_length(body) > _VISIBLE_MAX:
        return None
    word_key = key(body)
    return table.find(word_key) if word_key else None


def _find_phrase(body: str, table: Table, *, known: natural.Spoken) -> Match | None:
    heard = natural.hear(body, keyword_of=table.keyword_of, known=known)
    if heard is None or heard.keyword is None:
        return None
    listed = table.words[heard.word_key] if heard.word_key else table.speaking(heard.language, heard.keyword)
    return Match(
        keyword=heard.keyword,
        word=listed.word if heard.word_key else heard.said,
        matched_by="phrase",
        rule=heard.rule,
        language=heard.language or listed.language,
        country=listed.country,
        reply=listed.reply,
    )


def _known(policy: OptOutPolicy, country: str | None, packs: Packs | None) -> natural.Spoken:
    return natural.spoken(packs, natural.languages(policy, country)) if packs else natural.NOTHING_KNOWN


def _table(policy: OptOutPolicy, *, country: str | None) -> Table:
    """The first list that has a word decides its type, language and reply."""
    words: dict[str, Match] = {}
    spaces = policy.matching is Matching.NATURAL
    for language, where, word_set in _lists(policy, country):
        for keyword in _LOOKUP_ORDER:
            listed = word_set.of(keyword)
            for word in listed.keywords if listed else ():
                word_key = key(word)
                if not word_key or (" " in word_key and not spaces):
                    continue
                reply = (listed.reply if listed else "") or _standard_reply(policy, keyword)
                words.setdefault(
                    word_key, Match(keyword=keyword, word=word, language=language, country=where, reply=reply)
                )
    for keyword in Keyword:
        words.setdefault(key(keyword.value), _reserved(policy, keyword, country))
    return Table(words=words, lookalikes=_lookalikes(words))


def _lists(policy: OptOutPolicy, country: str | None) -> Iterator[tuple[str | None, str | None, WordSet]]:
    """The lists a country sees, in their order (semantics, "Order of lists"): language, country, words."""
    override = policy.countries.get(country) if country else None
    if override:
        yield from ((language, country, word_set) for language, word_set in override.languages.items())
        if override.replace:
            return
    yield None, None, policy.standard
    yield from ((language, None, word_set) for language, word_set in policy.languages.items())


def _reserved(policy: OptOutPolicy, keyword: Keyword, country: str | None) -> Match:
    """STOP, START and HELP work whatever the lists say; under `replace` with the override's own reply."""
    override = policy.countries.get(country) if country else None
    if override and override.replace:
        language, listed = _first_list(override, keyword)
        if listed and listed.reply:
            return Match(keyword=keyword, word=keyword.value, language=language, country=country, reply=listed.reply)
    return Match(keyword=keyword, word=keyword.value, reply=_standard_reply(policy, keyword))


def _first_list(override: CountryOverride, keyword: Keyword) -> tuple[str | None, WordList | None]:
    for language, word_set in override.languages.items():
        return language, word_set.of(keyword)
    return None, None


def _standard_reply(policy: OptOutPolicy, keyword: Keyword) -> str:
    listed = policy.standard.of(keyword)
    return (listed.reply if listed else "") or _DEFAULT_REPLIES[keyword]


def _lookalikes(words: Mapping[str, Match]) -> dict[str, Match]:
    found: dict[str, Match] = {}
    for word_key, match in words.items():
        if match.keyword is Keyword.STOP:
            found.setdefault(lookalike(word_key), match)
    return found


_DEFAULT_REPLIES = {
    Keyword.STOP: DEFAULT_STOP_REPLY,
    Keyword.START: DEFAULT_START_REPLY,
    Keyword.HELP: DEFAULT_HELP_REPLY,
}
_DEFAULT_WORDS = {
    key(word): Match(keyword=keyword, word=word, language="en", reply=_DEFAULT_REPLIES[keyword])
    for keyword, listed in (
        (Keyword.STOP, DEFAULT_STOP_WORDS),
        (Keyword.START, DEFAULT_START_WORDS),
        (Keyword.HELP, DEFAULT_HELP_WORDS),
    )
    for word in listed
}
_DEFAULT = Table(words=_DEFAULT_WORDS, lookalikes=_lookalikes(_DEFAULT_WORDS))
_indexes: dict[int, Index] = {}
