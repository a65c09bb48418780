"""The opt-out policy of a messaging service: its shape, its checks, its differences.

A policy says which words stop, start and help, in which language and country, and what is answered.
Nothing here recognises a message (that is `keywords`) and nothing here knows where a policy is kept.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import combinations
from typing import Literal, cast

from stopwire.core import segments
from stopwire.core.catalogue import COUNTRIES, country_code, language_name, language_tag
from stopwire.core.sentences import Text
from stopwire.core.spelling import key, normalise, one_slip_apart

DEFAULT_STOP_REPLY = (
    "You have successfully been unsubscribed. You will not receive any more messages from this number. "
    "Reply START to resubscribe."
)
DEFAULT_START_REPLY = (
    "You have successfully been re-subscribed to messages from this number. Reply HELP for help. "
    "Reply STOP to unsubscribe. Msg&Data Rates May Apply."
)
DEFAULT_HELP_REPLY = "Reply STOP to unsubscribe. Msg&Data Rates May Apply."

DEFAULT_STOP_WORDS = ("STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT")
DEFAULT_START_WORDS = ("START", "YES", "UNSTOP")
DEFAULT_HELP_WORDS = ("HELP", "INFO")

WORD_CHARS_MAX = 34  # as in Twilio's KeywordItem schema
REPLY_CHARS_MAX = 320  # clause A16

HelpWhenBlocked = Literal["reply", "silent"]
OptedOutSend = Literal["reject", "accept_then_fail"]


class Keyword(StrEnum):
    """What a word means. The values are Twilio's `OptOutType`."""

    STOP = "STOP"
    START = "START"
    HELP = "HELP"


class Matching(StrEnum):
    """How a message is read: a word alone, or a phrase as well."""

    EXACT = "exact"
    NATURAL = "natural"


@dataclass(frozen=True, slots=True, kw_only=True)
class WordList:
    """The words of one keyword and what is answered to them. An empty reply lends Standard's."""

    keywords: tuple[str, ...]
    reply: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WordSet:
    """One language: a list a keyword. A keyword left out is served by Standard's list."""

    stop: WordList | None = None
    start: WordList | None = None
    help: WordList | None = None

    def of(self, keyword: Keyword) -> WordList | None:
        """The list of `keyword`, or None where this language leaves it out."""
        match keyword:
            case Keyword.STOP:
                return self.stop
            case Keyword.START:
                return self.start
            case Keyword.HELP:
                return self.help


@dataclass(frozen=True, slots=True, kw_only=True)
class CountryOverride:
    """A policy's exception for the recipients of one country; adds to Standard unless `replace`."""

    replace: bool = False
    languages: Mapping[str, WordSet] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class OptOutPolicy:
    """The opt-out settings of a messaging service. Keys: languages BCP 47, countries ISO 3166 alpha-2."""

    enabled: bool = False
    matching: Matching = Matching.EXACT
    standard: WordSet
    languages: Mapping[str, WordSet] = field(default_factory=dict)
    countries: Mapping[str, CountryOverride] = field(default_factory=dict)
    help_when_blocked: HelpWhenBlocked | None = None
    opted_out_send: OptedOutSend | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A sentence about one place of a policy, like `countries.MX.languages.es.stop.reply`."""

    path: str
    message: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One difference of two policies: the place, what stood there, what stands there now."""

    path: str
    before: object
    after: object


def standard_policy() -> OptOutPolicy:
    """The policy a new messaging service starts with: the default words and replies, switched off."""
    return OptOutPolicy(
        standard=WordSet(
            stop=WordList(keywords=DEFAULT_STOP_WORDS, reply=DEFAULT_STOP_REPLY),
            start=WordList(keywords=DEFAULT_START_WORDS, reply=DEFAULT_START_REPLY),
            help=WordList(keywords=DEFAULT_HELP_WORDS, reply=DEFAULT_HELP_REPLY),
        )
    )


def from_data(data: object) -> tuple[OptOutPolicy | None, list[Problem]]:
    """A policy from JSON or TOML data, or what is wrong with its shape. Never raises.

    What is left out is as in `standard_policy()`; unknown keys and wrong types are problems. Languages may be
    Twilio's names. `version` is accepted, so that what was read can be written back, and not looked at.
    Whether the policy makes sense is asked of `check`.
    """
    reader = _Reader()
    policy = reader.policy(data)
    return (None, reader.problems) if reader.problems else (policy, [])


def to_data(policy: OptOutPolicy) -> dict[str, object]:
    """`policy` as JSON or TOML data, without what is None. `from_data` gives the same policy back."""
    data: dict[str, object] = {
        "enabled": policy.enabled,
        "matching": policy.matching.value,
        "standard": _word_set_data(policy.standard),
        "languages": {language: _word_set_data(words) for language, words in policy.languages.items()},
        "countries": {
            country: {
                "replace": override.replace,
                "languages": {language: _word_set_data(words) for language, words in override.languages.items()},
            }
            for country, override in policy.countries.items()
        },
    }
    if policy.help_when_blocked is not None:
        data["help_when_blocked"] = policy.help_when_blocked
    if policy.opted_out_send is not None:
        data["opted_out_send"] = policy.opted_out_send
    return data


def differences(old: OptOutPolicy, new: OptOutPolicy) -> list[Change]:
    """What `new` changes in `old`, by place; a place that does not exist is None. A list of words is one place.

    Where languages merely change places, that is a change too: the first one answers under `replace`.
    """
    before, after = dict(_leaves(to_data(old))), dict(_leaves(to_data(new)))
    return [
        Change(path=path, before=before.get(path), after=after.get(path))
        for path in {**before, **after}
        if before.get(path) != after.get(path)
    ]


def _word_set_data(words: WordSet) -> dict[str, object]:
    return {
        keyword.value.lower(): {"keywords": list(listed.keywords), "reply": listed.reply}
        for keyword in Keyword
        if (listed := words.of(keyword))
    }


def _leaves(data: Mapping[str, object], path: str = "") -> Iterator[tuple[str, object]]:
    for name, value in data.items():
        here = f"{path}{name}"
        if not isinstance(value, dict):
            yield here, value
            continue
        if name in ("languages", "countries"):
            if len(value) > 1:
                yield here, list(value)
        elif not value:
            yield here, value
        yield from _leaves(value, f"{here}.")


class _Reader:
    """Reads a policy out of strange data and collects what it stumbles over."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def policy(self, data: object) -> OptOutPolicy:
        start = standard_policy()
        names = ("enabled", "matching", "standard", "languages", "countries", "help_when_blocked", "opted_out_send")
        fields = self.mapping(data, "", allowed=(*names, "version"))
        matching = self.choice(fields.get("matching"), "matching", ("exact", "natural"))
        help_when_blocked = self.choice(fields.get("help_when_blocked"), "help_when_blocked", ("reply", "silent"))
        opted_out_send = self.choice(fields.get("opted_out_send"), "opted_out_send", ("reject", "accept_then_fail"))
        return OptOutPolicy(
            enabled=self.flag(fields.get("enabled"), "enabled"),
            matching=Matching(matching) if matching else start.matching,
            standard=self.words(fields.get("standard"), "standard", standard=start.standard),
            languages=self.languages(fields.get("languages"), "languages"),
            countries=self.countries(fields.get("countries")),
            help_when_blocked=cast(HelpWhenBlocked | None, help_when_blocked),  # one of the choices above
            opted_out_send=cast(OptedOutSend | None, opted_out_send),  # one of the choices above
        )

    def countries(self, data: object) -> dict[str, CountryOverride]:
        found: dict[str, CountryOverride] = {}
        for name, value in self.mapping(data, "countries").items():
            path = f"countries.{name}"
            fields = self.mapping(value, path, allowed=("replace", "languages"))
            country = country_code(name) or name
            if country in found:
                self.say(path, f"{country} is given twice: put its languages into one override.")
            found[country] = CountryOverride(
                replace=self.flag(fields.get("replace"), f"{path}.replace"),
                languages=self.languages(fields.get("languages"), f"{path}.languages"),
            )
        return found

    def languages(self, data: object, path: str) -> dict[str, WordSet]:
        found: dict[str, WordSet] = {}
        for name, value in self.mapping(data, path).items():
            language = language_tag(name) or name
            if language in found:
                self.say(f"{path}.{name}", f"{name} is {language_name(language)}, which is given twice: keep one.")
            found[language] = self.words(value, f"{path}.{name}")
        return found

    def words(self, data: object, path: str, *, standard: WordSet | None = None) -> WordSet:
        fields = self.mapping(data, path, allowed=("stop", "start", "help"))
        lists = {
            keyword: self.listed(
                fields.get(keyword.lower()), f"{path}.{keyword.lower()}", standard.of(keyword) if standard else None
            )
            for keyword in Keyword
        }
        return WordSet(stop=lists[Keyword.STOP], start=lists[Keyword.START], help=lists[Keyword.HELP])

    def listed(self, data: object, path: str, standard: WordList | None) -> WordList | None:
        if data is None:
            return standard
        fields = self.mapping(data, path, allowed=("keywords", "reply"))
        start = standard or WordList(keywords=(), reply="")
        words, reply = fields.get("keywords"), fields.get("reply")
        if words is None:
            words = start.keywords
        elif not isinstance(words, list | tuple) or not all(isinstance(word, str) for word in words):
            self.say(f"{path}.keywords", "Words are a list of texts: write them like [\"STOP\", \"QUIT\"].")
            words = ()
        if reply is None:
            reply = start.reply
        elif not isinstance(reply, str):
            self.say(f"{path}.reply", f"A reply is a text, not {_kind(reply)}: put it in quotes.")
            reply = ""
        return WordList(keywords=tuple(words), reply=reply)

    def mapping(self, data: object, path: str, allowed: tuple[str, ...] | None = None) -> dict[str, object]:
        if data is None:
            return {}
        if not isinstance(data, Mapping):
            self.say(path, f"{path or 'A policy'} is a table of names and values, not {_kind(data)}.")
            return {}
        found: dict[str, object] = {}
        for name, value in data.items():
            if not isinstance(name, str):
                self.say(path, f"A name in {path or 'a policy'} is a text, not {_kind(name)}.")
            elif allowed is not None and name not in allowed:
                here = f"{path}.{name}" if path else name
                self.say(here, f"There is no {name!r} here: {path or 'a policy'} has {', '.join(allowed)}.")
            else:
                found[name] = value
        return found

    def flag(self, value: object, path: str) -> bool:
        if value is None or isinstance(value, bool):
            return bool(value)
        self.say(path, f"{path} is true or false, not {_kind(value)}.")
        return False

    def choice(self, value: object, path: str, allowed: tuple[str, ...]) -> str | None:
        if value is None:
            return None
        if isinstance(value, str) and value in allowed:
            return str(value)
        self.say(path, f"{path} is one of {', '.join(allowed)}: choose one.")
        return None

    def say(self, path: str, message: str) -> None:
        self.problems.append(Problem(path=path, message=message))


def _kind(value: object) -> str:
    kinds = {str: "a text", bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "a table"}
    return "nothing" if value is None else kinds.get(type(value), f"a {type(value).__name__}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """One word list of a policy: its path, what to call it, what it holds. Country None: all countries."""

    path: str
    called: str
    country: str | None
    keyword: Keyword
    listed: WordList


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """One word in one list, with the key it is looked up by."""

    place: _Place
    number: int
    word: str
    key: str

    @property
    def path(self) -> str:
        return f"{self.place.path}.keywords.{self.number}"


def check(policy: OptOutPolicy) -> list[Problem]:
    """What keeps `policy` from being saved; empty if nothing does. Each sentence names the place and the cure."""
    return [
        *_unknown_codes(policy),
        *_missing_reserved(policy),
        *(problem for place in _places(policy) for problem in _reply_errors(place)),
        *(problem for place in _places(policy) for problem in _word_errors(place, policy.matching)),
        *_words_of_two_types(policy),
    ]


def _unknown_codes(policy: OptOutPolicy) -> Iterator[Problem]:
    tables = [("languages", policy.languages)]
    for country, override in policy.countries.items():
        if country not in COUNTRIES:
            message = f"There is no country {country!r}: use its ISO 3166 code of two letters, like MX."
            yield Problem(path=f"countries.{country}", message=message)
        tables.append((f"countries.{country}.languages", override.languages))
    for path, languages in tables:
        for language in languages:
            tag = language_tag(language)
            if tag is None:
                message = f"There is no language {language!r}: use its BCP 47 code, like es or pt-BR."
                yield Problem(path=f"{path}.{language}", message=message)
            elif tag != language:
                yield Problem(path=f"{path}.{language}", message=f"Language {language!r} is written {tag}: use that.")


def _missing_reserved(policy: OptOutPolicy) -> Iterator[Problem]:
    for keyword in Keyword:
        listed = policy.standard.of(keyword)
        if listed is None or key(keyword) not in {key(word) for word in listed.keywords}:
            yield Problem(
                path=f"standard.{keyword.lower()}.keywords",
                message=f"Standard lacks the word {keyword}: STOP, START and HELP always work, so add {keyword} again.",
            )


def _reply_errors(place: _Place) -> Iterator[Problem]:
    length, where = len(place.listed.reply), f"Reply for {place.keyword} in {place.called}"
    if not place.listed.reply.strip():
        message = f"{where} is empty: write up to {REPLY_CHARS_MAX} characters."
        yield Problem(path=f"{place.path}.reply", message=message)
    elif length > REPLY_CHARS_MAX:
        excess = length - REPLY_CHARS_MAX
        message = f"{where} has {length} characters; at most {REPLY_CHARS_MAX} are allowed: shorten it by {excess}."
        yield Problem(path=f"{place.path}.reply", message=message)


def _word_errors(place: _Place, matching: Matching) -> Iterator[Problem]:
    first: dict[str, str] = {}
    for entry in _entries(place):
        plain, where = normalise(entry.word), f"{place.keyword} in {place.called}"
        if not plain:
            message = f"Word {entry.number + 1} for {where} has no letters or digits: write a word or remove it."
        elif len(entry.word) > WORD_CHARS_MAX:
            message = (
                f"Word {entry.word[:WORD_CHARS_MAX]!r}… for {where} has {len(entry.word)} characters; "
                f"at most {WORD_CHARS_MAX} are allowed: shorten it."
            )
        elif matching is Matching.EXACT and any(char.isspace() for char in plain):
            message = (
                f"Word {entry.word!r} for {where} has a space: exact matching knows single words only. "
                "Join it, remove it, or choose natural matching."
            )
        elif plain in first:
            message = f"Word {entry.word!r} for {where} is there twice, before as {first[plain]!r}: remove one."
        else:
            first[plain] = entry.word
            continue
        yield Problem(path=entry.path, message=message)


def _words_of_two_types(policy: OptOutPolicy) -> Iterator[Problem]:
    """One word, two types, within what one country can see. Refused, because the person could mean either."""
    told: set[tuple[str, str]] = set()
    for country in (None, *policy.countries):
        seen: dict[str, _Entry] = {}
        for entry in _visible(policy, country):
            other = seen.setdefault(entry.key, entry)
            if other.place.keyword is entry.place.keyword or (other.path, entry.path) in told or not entry.key:
                continue
            told.add((other.path, entry.path))
            yield Problem(
                path=entry.path,
                message=(
                    f"Word {entry.word!r} stands for {entry.place.keyword} in {entry.place.called} and for "
                    f"{other.place.keyword} in {other.place.called}: remove it in one of them."
                ),
            )
        if country and policy.countries[country].replace:
            yield from _reserved_of_another_type(policy, country)


def _reserved_of_another_type(policy: OptOutPolicy, country: str) -> Iterator[Problem]:
    reserved = {key(keyword): keyword for keyword in Keyword}
    for entry in _visible(policy, country):
        keyword = reserved.get(entry.key)
        if keyword and keyword is not entry.place.keyword:
            message = (
                f"Word {entry.word!r} for {entry.place.keyword} in {entry.place.called} always means {keyword}: remove it."
            )
            yield Problem(path=entry.path, message=message)


def _places(policy: OptOutPolicy) -> Iterator[_Place]:
    yield from _places_of(policy.standard, path="standard", called="Standard", country=None)
    for language, words in policy.languages.items():
        yield from _places_of(words, path=f"languages.{language}", called=language_name(language), country=None)
    for country, override in policy.countries.items():
        for language, words in override.languages.items():
            path, called = f"countries.{country}.languages.{language}", f"{language_name(language)} for {country}"
            yield from _places_of(words, path=path, called=called, country=country)


def _places_of(words: WordSet, *, path: str, called: str, country: str | None) -> Iterator[_Place]:
    for keyword in Keyword:
        if listed := words.of(keyword):
            yield _Place(path=f"{path}.{keyword.lower()}", called=called, country=country, keyword=keyword, listed=listed)


def _entries(place: _Place) -> Iterator[_Entry]:
    for number, word in enumerate(place.listed.keywords):
        yield _Entry(place=place, number=number, word=word, key=key(word))


def _visible(policy: OptOutPolicy, country: str | None) -> list[_Entry]:
    """The words a recipient of `country` can use; `None`: of a country without an override."""
    override = policy.countries.get(country) if country else None
    return [
        entry
        for place in _places(policy)
        if place.country == country or (place.country is None and not (override and override.replace))
        for entry in _entries(place)
    ]


# 47 CFR 64.1200(a)(10): each of these revokes consent per se. STOP cannot be removed.
_PER_SE_WORDS = ("END", "QUIT", "CANCEL", "UNSUBSCRIBE", "REVOKE", "OPTOUT")
_COMMON_ANSWERS = frozenset(
    {"yes", "no", "ok", "okay", "yep", "yeah", "nope", "si", "oui", "ja", "da", "ne", "nie", "nein", "nee", "nej", "non", "sim", "tak"}
)
# Shared by all the world, so carriers block them for the sake of the worst (clause A17).
_SHARED_SHORTENERS = """
    bit.ly tinyurl.com t.co goo.gl ow.ly is.gd v.gd buff.ly rebrand.ly cutt.ly t.ly rb.gy shorturl.at tiny.cc
    bl.ink lnkd.in s.id soo.gd clck.ru adf.ly
"""
_SHORTENERS = frozenset(_SHARED_SHORTENERS.split())
_LINK = re.compile(
    r"(?<![@\w.])(?:https?://|www\.)?((?:[a-z0-9-]{1,63}\.){1,4}[a-z]{2,24})(?=[/:?#\s]|[^\w@.]|\.?$|\.\s)([/?#]\S*)?", re.IGNORECASE
)
# What makes a bare name with a dot a link; behind https:// anything does.
_USUAL_TOP_LEVELS = """
    com net org info biz io co ly me us uk ca mx de fr es it nl eu app dev link shop store site online at gd gl cc id ru
    in au br
"""
_TOP_LEVELS = frozenset(_USUAL_TOP_LEVELS.split())
_CONTACT = re.compile(r"[\w.+-]+@[\w-]+\.\w+|(?:\d[\s().-]*){7,}|https?://|www\.", re.IGNORECASE)
_OFFER = re.compile(
    r"\d\s?%|[$€£]\s?\d|\b(?:sale|offers?|deals?|discounts?|coupons?|promo\w*|vouchers?|buy|shop now|oferta|descuento|rabatt|soldes|promotion)\b",
    re.IGNORECASE,
)
_PLACEHOLDER = re.compile(r"\{+\s*\w+\s*\}+")
_CAPITALS = re.compile(r"\b[^\W\d_]{3,34}\b")

# Comparing each word with each other is quadratic; nobody configures more by hand.
_NEAR_PAIRS_WORDS_MAX = 300


def warnings(policy: OptOutPolicy) -> list[Problem]:
    """What a careful operator would change in `policy` although it may be saved."""
    return [
        *_removed_words(policy),
        *(problem for place in _places(policy) for problem in _word_warnings(place)),
        *(problem for place in _places(policy) for problem in _reply_warnings(place)),
        *_advertised_but_off(policy),
        *_near_words(policy),
        *_exact_in_the_us(policy),
    ]


def _removed_words(policy: OptOutPolicy) -> Iterator[Problem]:
    in_the_us = {entry.key for entry in _visible(policy, "US" if "US" in policy.countries else None)}
    for word in _PER_SE_WORDS:
        if key(word) not in in_the_us:
            yield Problem(
                path="standard.stop.keywords",
                message=f"Without {word}, a person in the US who texts {word} is not stopped, although the law counts it: "
                "it goes to review.",
            )
    if key("UNSTOP") not in in_the_us:
        yield Problem(
            path="standard.start.keywords",
            message="Without UNSTOP, a person who texts it to a toll-free number is let in by the network, but not by you.",
        )


def _word_warnings(place: _Place) -> Iterator[Problem]:
    if not place.listed.keywords:
        message = f"{place.called} has no word for {place.keyword}: its reply is never sent in answer to a word of its own."
        yield Problem(path=f"{place.path}.keywords", message=message)
    for entry in _entries(place):
        usual = place.keyword is Keyword.START and entry.key == "yes"  # a default word
        if (entry.key in _COMMON_ANSWERS and not usual) or entry.key.isdigit() or len(entry.key) == 1:
            message = (
                f"Word {entry.word!r} for {place.keyword} in {place.called} is a common answer: "
                "people who answer a question would set it off."
            )
            yield Problem(path=entry.path, message=message)


def _reply_warnings(place: _Place) -> Iterator[Problem]:
    reply, where = place.listed.reply, f"Reply for {place.keyword} in {place.called}"
    for sentence in (
        _link_warning(reply),
        _offer_warning(reply) if place.keyword is Keyword.STOP else None,
        _contact_warning(reply) if place.keyword is Keyword.HELP else None,
        _placeholder_warning(reply),
        _size_warning(reply),
    ):
        if sentence:
            yield Problem(path=f"{place.path}.reply", message=f"{where} {sentence}")


def _link_warning(reply: str) -> str | None:
    hosts = [match[1].lower() for match in _LINK.finditer(reply) if _is_link(match)]
    for host in hosts:
        if host.removeprefix("www.") in _SHORTENERS:
            return (
                f"has a link through {host}, a shared shortener: carriers often block these, and the person then gets no "
                "answer. Remove it."
            )
    return f"has a link ({hosts[0]}): carriers may drop it. Say it without one." if hosts else None


def _is_link(match: re.Match[str]) -> bool:
    written = match[0].lower()
    return written.startswith(("http", "www.")) or match[1].lower().rpartition(".")[2] in _TOP_LEVELS


def _offer_warning(reply: str) -> str | None:
    found = _OFFER.search(reply)
    return f"reads like an offer ({found[0]!r}): a confirmation may only confirm. Remove it." if found else None


def _contact_warning(reply: str) -> str | None:
    if _CONTACT.search(reply):
        return None
    return "names no contact: add a phone number or an email address."


def _placeholder_warning(reply: str) -> str | None:
    found = _PLACEHOLDER.search(reply)
    return f"holds {found[0]}, which is sent as it stands: replies are not filled in." if found else None


def _size_warning(reply: str) -> str | None:
    counted = segments.count(reply)
    if counted.encoding == "UCS-2":
        culprits = " ".join(counted.blockers[:5])
        return f"needs UCS-2 because of {culprits}: it takes {counted.segments} segment(s), 70 characters fit in one."
    if counted.segments > 1:
        return f"takes {counted.segments} segments: 160 characters fit in one."
    return None


def _advertised_but_off(policy: OptOutPolicy) -> Iterator[Problem]:
    """A reply that names a word nobody may use any more sends the person into the void."""
    known = {key(word): word for word in (*DEFAULT_STOP_WORDS, *DEFAULT_START_WORDS, *DEFAULT_HELP_WORDS)}
    for place in _places(policy):
        known.update((entry.key, entry.word) for entry in _entries(place))
    for place in _places(policy):
        in_force = {entry.key for entry in _visible(policy, place.country)} | {key(keyword) for keyword in Keyword}
        for token in _CAPITALS.findall(place.listed.reply):
            if token.isupper() and (word_key := key(token)) in known and word_key not in in_force:
                message = f"Reply for {place.keyword} in {place.called} names {token}, which is not in force there: name another."
                yield Problem(path=f"{place.path}.reply", message=message)


def _near_words(policy: OptOutPolicy) -> Iterator[Problem]:
    """Words of two types that one slip of a finger turns into each other."""
    told: set[tuple[str, str]] = set()
    for country in (None, *policy.countries):
        entries = [entry for entry in _visible(policy, country) if len(entry.key) > 2][:_NEAR_PAIRS_WORDS_MAX]
        for one, other in combinations(entries, 2):
            if one.place.keyword is other.place.keyword or (one.path, other.path) in told:
                continue
            if one.key != other.key and one_slip_apart(one.key, other.key):
                told.add((one.path, other.path))
                message = (
                    f"Word {other.word!r} for {other.place.keyword} in {other.place.called} is one slip away from "
                    f"{one.word!r} for {one.place.keyword} in {one.place.called}: choose words further apart."
                )
                yield Problem(path=other.path, message=message)


def _exact_in_the_us(policy: OptOutPolicy) -> Iterator[Problem]:
    if policy.matching is Matching.EXACT and "US" in policy.countries:
        yield Problem(
            path="matching",
            message="In the US any reasonable wording withdraws consent; exact matching leaves wording to review. Consider natural.",
        )
