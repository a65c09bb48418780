"""Natural matching: keywords with courtesy around them, spaced and stretched letters, phrases with guards.

Deterministic and explainable: each finding names its rule. Words and phrases come from a policy and the language
packs. What stays doubtful is not found here: `suggestions` proposes it to a person.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from stopwire.core.packs import Pack, Packs
from stopwire.core.phrases import Phrases
from stopwire.core.policy import Keyword, OptOutPolicy
from stopwire.core.spelling import key, normalise, visible_length

# Longer texts hold prices, news and stories; a person who wants out writes less (three concatenated segments).
VISIBLE_MAX = 480

_TIER_ONE_TOKENS_MAX = 8
_STOP_SIGNS = frozenset("🛑🚫")
_STRETCHED = re.compile(r"(\w)\1{2,}")
_APOSTROPHES = re.compile(r"(?<=\w)['’ʼ`´](?=\w)")
_HYPHENS = re.compile(r"(?<=\w)[\u2010\u2011-](?=\w)")
_CLAUSE_ENDS = re.compile(r"[.,;:!?…\n。、！？；()]+")
_NO_WORD = re.compile(r"[^\w]+")

# What people write beside English, country by country, as far as a pack has courtesy or phrases for it.
_COUNTRIES_OF = {
    "es": "US MX ES AR BO CL CO CR CU DO EC GT HN NI PA PE PR PY SV UY VE GQ",
    "fr": "FR CA BE CH LU MC SN CI CM HT",
    "pt": "BR PT AO MZ",
    "de": "DE AT CH LI LU BE",
    "it": "IT CH SM VA",
    "nl": "NL BE SR",
    "sv": "SE FI",
    "da": "DK",
    "nb": "NO",
    "pl": "PL",
    "uk": "UA",
    "ru": "RU UA KZ BY IL",
    "tr": "TR CY",
}
_LANGUAGES_OF: dict[str, tuple[str, ...]] = {}
for _language, _countries in _COUNTRIES_OF.items():
    for _country in _countries.split():
        _LANGUAGES_OF[_country] = (*_LANGUAGES_OF.get(_country, ()), _language)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What a message says although it is not one word. `word_key` is the keyword found in it, if one was.

    `keyword` is None for a wrong number. `said` is the text that decided.
    """

    keyword: Keyword | None
    rule: str
    said: str
    word_key: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What a phrase of a language pack says, and what silences it."""

    id: str
    keyword: Keyword | None
    language: str
    unless: re.Pattern[str] | None


_NO_RULES: Phrases[Rule] = Phrases(())


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """What the packs of some languages know: courtesy tokens, words of two tokens and more, phrase rules."""

    courtesy: frozenset[str] = frozenset()
    spaced: Mapping[str, tuple[str, Keyword]]
    rules: Phrases[Rule] = _NO_RULES
    acting: Phrases[Rule] = _NO_RULES  # those that are good enough to act by


NOTHING_KNOWN = Spoken(spaced={})


def languages(policy: OptOutPolicy, country: str | None) -> tuple[str, ...]:
    """The languages natural matching reads: those of the policy, of the recipient's country, and English."""
    override = policy.countries.get(country) if country else None
    found = [*(override.languages if override else ()), *policy.languages, *_LANGUAGES_OF.get(country or "", ()), "en"]
    return tuple(dict.fromkeys(found))


@lru_cache(maxsize=256)
def spoken(packs: Packs, languages: tuple[str, ...]) -> Spoken:
    """What `packs` know of `languages`, prepared for reading."""
    chosen = [pack for language in languages if (pack := packs.get(language))]
    return Spoken(
        courtesy=frozenset(token for pack in chosen for word in pack.courtesy for token in _tokens(key(word))),
        spaced={
            " ".join(_tokens(key(word.text))): (pack.language, word.keyword)
            for pack in chosen
            for word in pack.words
            if word.spaced and not word.weak
        },
        rules=_rules(chosen),
        acting=_rules([pack for pack in chosen if pack.phrases_act]),
    )


def _rules(packs: Iterable[Pack]) -> Phrases[Rule]:
    return Phrases(
        (
            phrase.pattern,
            Rule(
                id=phrase.id,
                keyword=phrase.keyword,
                language=pack.language,
                unless=re.compile(phrase.unless) if phrase.unless else None,
            ),
        )
        for pack in packs
        for phrase in pack.phrases
    )


def hear(body: str, *, keyword_of: Callable[[str], Keyword | None], known: Spoken) -> Heard | None:
    """What `body` says, or None. `keyword_of` looks a key up in the words in force. Never raises."""
    if len(body) > VISIBLE_MAX and visible_length(body) > VISIBLE_MAX:
        return None
    if found := around_a_word(body, key(body), keyword_of=keyword_of, known=known):
        return found
    phrases = list(said(clauses(body), rules=known.acting))
    # A wish to stop weighs more than anything said beside it; a wrong number more than a wish to go on.
    for wanted in (Keyword.STOP, None, Keyword.START, Keyword.HELP):
        for phrase in phrases:
            if phrase.keyword is wanted:
                return phrase
    return None


def around_a_word(
    body: str, text: str, *, keyword_of: Callable[[str], Keyword | None], known: Spoken
) -> Heard | None:
    """Tier 1: one keyword, and nothing else but courtesy, itself again, spaces inside it, letters held too long.

    `text` is the key of `body`.
    """
    if not text:
        signs = set(body) - {" ", "\ufe0f"}
        return Heard(keyword=Keyword.STOP, rule="sign.stop", said=body.strip()) if signs and signs <= _STOP_SIGNS else None
    tokens = _tokens(text)
    if not 0 < len(tokens) <= _TIER_ONE_TOKENS_MAX:
        return None
    for rule, rest in _readings(tokens, known.courtesy):
        if found := _keyword_in(rest, rule, keyword_of, known.spaced):
            return found
    return None


def said(heard_clauses: list[str], *, rules: Phrases[Rule]) -> Iterator[Heard]:
    """Tier 2: each phrase rule that holds for a clause, in order of the clauses."""
    for clause in heard_clauses:
        for found, rule in rules.found(clause):
            if not (rule.unless and rule.unless.search(clause)):
                yield Heard(keyword=rule.keyword, rule=rule.id, said=found[0], language=rule.language)


def clauses(body: str) -> list[str]:
    """The clauses of `body` as plain tokens with single spaces: small letters, no accents, apostrophes dropped."""
    parts = _CLAUSE_ENDS.split(_HYPHENS.sub(" ", _APOSTROPHES.sub("", body)))
    return [clause for part in parts if (clause := _clause(part))]


def _clause(part: str) -> str:
    # ASCII without hyphens between letters has no more to fold than its case.
    return " ".join(_NO_WORD.sub(" ", normalise(part)).split() if part.isascii() else _tokens(key(part)))


def _tokens(text: str) -> list[str]:
    return _NO_WORD.sub(" ", _APOSTROPHES.sub("", text)).split()


def _readings(tokens: list[str], courtesy: frozenset[str]) -> Iterator[tuple[str, list[str]]]:
    """The ways to read `tokens` as one word with something around it, the most literal first."""
    yield "keyword.spaced", tokens
    yield "keyword.repeated", _once(tokens)
    polite = [token for token in tokens if token not in courtesy]
    if len(polite) < len(tokens):
        yield "keyword.courtesy", _once(polite)
    short = [_STRETCHED.sub(r"\1", token) for token in polite]
    if short != polite:
        yield "keyword.stretched", _once(short)


def _once(tokens: list[str]) -> list[str]:
    return list(dict.fromkeys(tokens))


def _keyword_in(
    tokens: list[str], rule: str, keyword_of: Callable[[str], Keyword | None], spaced: Mapping[str, tuple[str, Keyword]]
) -> Heard | None:
    joined, apart = "".join(tokens), " ".join(tokens)
    if keyword := keyword_of(joined):
        # YES with courtesy answers a question more often than it opts in.
        if keyword is Keyword.START and joined == "yes":
            return None
        return Heard(keyword=keyword, rule=rule, said=apart, word_key=joined)
    if apart in spaced:
        language, keyword = spaced[apart]
        return Heard(keyword=keyword, rule="keyword.words", said=apart, language=language)
    return None
