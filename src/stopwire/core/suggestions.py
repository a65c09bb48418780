"""What looked like an opt-out although it was no keyword: a suggestion for a person, with its reasons.

A score proposes, it never decides: nothing here blocks or lifts. Deterministic, linear, without context beyond
the one message; every suggestion lists the evidence it stands on.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from stopwire.core import natural
from stopwire.core.keywords import index
from stopwire.core.packs import Packs, PackWord
from stopwire.core.phrases import Phrases
from stopwire.core.policy import (
    DEFAULT_HELP_WORDS,
    DEFAULT_START_WORDS,
    DEFAULT_STOP_WORDS,
    Keyword,
    OptOutPolicy,
    standard_policy,
)
from stopwire.core.spelling import key, one_slip_apart

Reason = Literal["near_keyword", "removed_word", "other_language", "phrase", "wrong_number", "soft"]
Strength = Literal["strong", "weak"]

# Ten concatenated segments. What stands behind that is not read: a person who wants out says so earlier.
_READ_MAX = 1600

# Slips of the finger are forgiven in whole words of this length; END and its like have too many neighbours.
_SLIP_CHARS_MIN = 4
# Ordinary words one slip away from a default STOP word, so never a typo of it.
_ORDINARY_WORDS = """
    atop shop shops slop slope soap step steps stoop store stork storm story stow stows strop stump stomp top tops
    stock cancer cancels chancel quilt quiet quint quirt quits quite quid quip suit unit built guilt evoke provoke
    revoked revokes invoke stops stopped estop stopper
"""
_ORDINARY = frozenset(_ORDINARY_WORDS.split())

_DEFAULT_WORDS: Mapping[str, Keyword] = {
    key(word): keyword
    for keyword, words in (
        (Keyword.STOP, DEFAULT_STOP_WORDS),
        (Keyword.START, DEFAULT_START_WORDS),
        (Keyword.HELP, DEFAULT_HELP_WORDS),
    )
    for word in words
}

# Answers people give all day: no suggestion, whichever list a word was removed from or belongs to.
_ANSWERS = frozenset("yes no ok okay si oui ja da sim tak evet ya oo ano igen nai".split()) | {"да", "так", "ναι", "نعم", "כן"}

# Letters of one language that are initials, answers or abbreviations elsewhere: only where they are at home.
_SHORT_AT_HOME = {"zh": ("CN",), "vi": ("VN",)}

# Words that mean a STOP when they stand for themselves; CANCEL, END and QUIT may be about anything.
_PLAIN_STOPS = frozenset({"stop", "stopall", "unsubscribe", "optout"})

_SIGNS = {"🛑": 0.7, "🚫": 0.7, "✋": 0.4, "👎": 0.3, "🔕": 0.5, "⛔": 0.5}

_NEGATED = re.compile(r"\b(?:dont|do not|never|not|didnt|cant|cannot|wont|no|nunca|non|nicht|pas)\b(?: \w+){0,2} ?$")
_STOP_NOUN_BEFORE = re.compile(
    r"\b(?:bus|next|last|first|final|pit|non|full|tram|train|metro|truck|rest|one|two|three|a|an|the|this|that|my|your|our|"
    r"each|every|which|what|same|door|to|will|can|could|it|we|they|he|she|you|i) $"
)
_STOP_ORDINARY_AFTER = re.compile(
    r" (?:by|at|in|over|off|on|for|sign|signs|light|lights|here|there|when|if|before|after|and|or|to(?! all)|until|watch|loss|order|"
    r"work|working|was|is|near|right|taking|worrying|payment|medicine|driving)\b"
)
_OBJECT_OF_OTHER_VERBS = re.compile(
    r" (?:(?:my|the) (?:subscription|texts?|alerts|messages?)|this|these|those|it|all|everything|me|"
    r"texts?|texting|messages?|sms|alerts|subscription|service|program|now)\b"
)
_GLUED_NUMBER = re.compile(r"(\w+?)\d{1,4}")

# Displeasure without a request: what it is called, and how it sounds.
_SOFT_PATTERNS = {
    "not interested": r"\b(?:not|no longer|never) interested\b|\bno me interesa\b|\bkein interesse\b|\bpas interessee?\b",
    "declines": r"^(?:no thanks|no thank you|no gracias|nein danke|non merci|no grazie|nao obrigad[oa])$",
    "has enough": r"^(?:enough|thats enough|no more|no more please|i want out|ya basta|ca suffit|es reicht|"
    r"i(?: a)?m done with (?:this|these|you))$",
    "sends the sender away": r"\b(?:go away|get lost|fuck off|f off|piss off|screw you|dejen?me en paz|quit it|"
    r"knock it off|lassen sie mich in ruhe)\b",
    "complains of spam": r"\b(?:spam|spammers?|spamming|harass(?:ing|ment)|unsolicited)\b|\bthis is a scam\b",
    "threatens": r"\b(?:lawyer|attorney|lawsuit|sue you|report you|reporting you|fcc|tcpa|do not call (?:list|registry)|dnc)\b",
    "asks where the number is from": r"\b(?:who gave you|where did you get|how did you get) (?:my|this) (?:number|contact|info)\b",
    "asked before": r"\b(?:already|asked|told)\b.*\b(?:to stop|unsubscribed?|opted out|remove me)\b",
    "still hears from you": r"\b(?:you|u|yall|you guys|you people) (?:keep|kept|still) (?:texting|messaging|sending)(?: me| us| these)\b",
}
# Somebody else answers: names cannot be listed, so words that are none are.
_NOT_THAT_PERSON = (
    r"^(?:(?:sorry|hi|hello|no) )*this (?:is not|isnt|aint) (?!good|right|working|ok|okay|fair|fun|funny|correct|true|helpful|cool|it$|me$|"
    r"urgent|easy|acceptable|possible|new|what|how|enough|over|done|helping|necessary|spam|a$|the$|my$|your$)[^\W\d]{2,}$"
)
_UNSUBSCRIBE = r"\b(?:unsubscrib(?:e|ed|ing)|unsub|opt(?:ing|ed)? (?:me )?out|optout|desuscribir\w*|desinscrire|abbestell\w*)\b"
_SOFT = Phrases(
    [
        (_NOT_THAT_PERSON, "not that person"),
        (_UNSUBSCRIBE, "speaks of it"),
        *((pattern, what) for what, pattern in _SOFT_PATTERNS.items()),
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """An inbound message that may have meant `proposes`. `wrong_number` proposes STOP: nobody there consented."""

    proposes: Keyword
    reason: Reason
    strength: Strength
    confidence: float
    evidence: tuple[str, ...]


def score(body: str, *, policy: OptOutPolicy | None, country: str | None, packs: Packs) -> Suggestion | None:
    """What `body`, which was not a match, may have meant, or None for an ordinary message. Never raises.

    `policy` is None where the default words apply; `country` is the recipient's, ISO 3166 alpha-2.
    """
    text = body[:_READ_MAX]
    text_key = key(text)
    in_force = index(policy or _STANDARD).table(country)
    if in_force.keyword_of(text_key) in (Keyword.START, Keyword.HELP):
        return None
    spoken = natural.spoken(packs, _spoken(packs))
    clauses = natural.clauses(text)
    whole = " ".join(clauses)
    return (
        _sign(text, whole)
        or _whole_word(text_key, in_force.keyword_of, country=country, packs=packs)
        or _near_keyword(text, text_key, in_force.keyword_of, known=spoken)
        or _phrase(clauses, known=spoken)
        or _typo(whole, in_force.keyword_of)
        or _first_clause(clauses, in_force.keyword_of)
        or _with_words_around(whole, in_force.keyword_of)
        or _soft(clauses)
    )


def _sign(text: str, whole: str) -> Suggestion | None:
    if whole:
        return None
    known = [sign for sign in _SIGNS if sign in text]
    if not known:
        return None
    confidence = max(_SIGNS[sign] for sign in known)
    return _suggest(Keyword.STOP, "near_keyword", "weak", confidence, *(f"sign {sign}" for sign in known))


def _whole_word(
    word_key: str, keyword_of: Callable[[str], Keyword | None], *, country: str | None, packs: Packs
) -> Suggestion | None:
    """The message is one known word that is not in force: removed, or of a language that is not spoken here."""
    if not word_key or word_key in _ANSWERS:
        return None
    if keyword_of(word_key) is Keyword.STOP:
        # Asked for a sender that takes no keywords at all, like a short code without a policy.
        return _suggest(Keyword.STOP, "near_keyword", "strong", 0.99, f"the word {word_key}")
    if keyword := _DEFAULT_WORDS.get(word_key):
        return _suggest(keyword, "removed_word", "strong", 0.95, f"default word {word_key.upper()}, not in force")
    candidates = [
        (language, word)
        for language, word in packs.known_words.get(word_key, ())
        if _at_home(language, word_key, country) and not (word.weak and word.keyword is not Keyword.STOP)
    ]
    if not candidates:
        return None
    # A STOP word of any language outweighs the START word it may be in another.
    language, word = min(candidates, key=lambda entry: (entry[1].keyword is not Keyword.STOP, entry[1].weak))
    return _of_pack(language, word, near=any(language == "en" for language, _ in candidates))


def _at_home(language: str, word_key: str, country: str | None) -> bool:
    if len(word_key) > 2 or not word_key.isascii():
        return True
    return country in _SHORT_AT_HOME.get(language, ())


def _of_pack(language: str, word: PackWord, *, near: bool) -> Suggestion:
    reason: Reason = "near_keyword" if near else "other_language"
    evidence = (f"word {word.text} of language {language}", "documented" if word.confirmed else "common usage")
    if word.weak:
        return _suggest(word.keyword, reason, "weak", 0.6 if word.confirmed else 0.5, *evidence, "weak word")
    return _suggest(word.keyword, reason, "strong", 0.85 if word.confirmed else 0.75, *evidence)


def _near_keyword(
    text: str, text_key: str, keyword_of: Callable[[str], Keyword | None], *, known: natural.Spoken
) -> Suggestion | None:
    """What natural matching would act on: a keyword with courtesy, repeated, spaced or stretched."""

    def near(word_key: str) -> Keyword | None:
        # A removed word with courtesy is still worth a look; YES and its like never are.
        return None if word_key in _ANSWERS else keyword_of(word_key) or _DEFAULT_WORDS.get(word_key)

    found = natural.around_a_word(text, text_key, keyword_of=near, known=known)
    if found is None or found.keyword is None:
        return None
    return _suggest(found.keyword, "near_keyword", "strong", 0.9, f"rule {found.rule}", f"said {found.said!r}")


def _phrase(clauses: list[str], *, known: natural.Spoken) -> Suggestion | None:
    phrases = list(natural.said(clauses, rules=known.rules))
    for wanted in (Keyword.STOP, None, Keyword.START, Keyword.HELP):
        for found in phrases:
            if found.keyword is wanted:
                evidence = (f"rule {found.rule}", f"said {found.said!r}")
                if wanted is None:
                    return _suggest(Keyword.STOP, "wrong_number", "strong", 0.85, *evidence)
                return _suggest(wanted, "phrase", "strong", 0.85, *evidence)
    return None


def _typo(whole: str, keyword_of: Callable[[str], Keyword | None]) -> Suggestion | None:
    """One slip of the finger in a message of one word, where the result is no ordinary word."""
    if len(whole) < _SLIP_CHARS_MIN or " " in whole or whole in _ORDINARY or not whole.isalpha():
        return None
    for word_key, keyword in _DEFAULT_WORDS.items():
        told_apart = word_key == "unstop" or keyword is Keyword.STOP
        if told_apart and len(word_key) >= _SLIP_CHARS_MIN and keyword_of(word_key) and one_slip_apart(whole, word_key):
            return _suggest(keyword, "near_keyword", "weak", 0.6, f"one slip from {word_key.upper()}")
    return None


def _first_clause(clauses: list[str], keyword_of: Callable[[str], Keyword | None]) -> Suggestion | None:
    """The message opens with a word that has no other everyday use, and goes on after a full stop or a line break."""
    if len(clauses) > 1 and clauses[0] in _PLAIN_STOPS and keyword_of(clauses[0]) is Keyword.STOP:
        return _suggest(Keyword.STOP, "near_keyword", "weak", 0.6, f"opens with {clauses[0].upper()}")
    return None


def _with_words_around(whole: str, keyword_of: Callable[[str], Keyword | None]) -> Suggestion | None:
    """A STOP word that opens or closes a short message, or carries a number, and means no place and no other thing."""
    glued = _GLUED_NUMBER.fullmatch(whole)
    if glued and keyword_of(glued[1]) is Keyword.STOP:
        return _suggest(Keyword.STOP, "near_keyword", "weak", 0.5, f"{glued[1].upper()} with a number")
    tokens = whole.split(" ")
    if not 2 <= len(tokens) <= 5:
        return None
    first, last = tokens[0], tokens[-1]
    if first == "stop" and not _STOP_ORDINARY_AFTER.match(whole[len(first) :]):
        return _suggest(Keyword.STOP, "near_keyword", "weak", 0.5, "begins with STOP")
    if last == "stop" and not _STOP_NOUN_BEFORE.search(whole[: -len(last)]) and not _NEGATED.search(whole[: -len(last)]):
        return _suggest(Keyword.STOP, "near_keyword", "weak", 0.4, "ends with STOP")
    if keyword_of(first) is Keyword.STOP and _OBJECT_OF_OTHER_VERBS.match(whole[len(first) :]):
        return _suggest(Keyword.STOP, "near_keyword", "weak", 0.5, f"begins with {first.upper()}")
    return None


def _soft(clauses: list[str]) -> Suggestion | None:
    """No request, but displeasure; or words about unsubscribing that phrases left alone."""
    for clause in clauses:
        for found, what in _SOFT.found(clause):
            if what == "not that person":
                return _suggest(Keyword.STOP, "wrong_number", "weak", 0.5, f"said {found[0]!r}")
            if what != "speaks of it":
                return _suggest(Keyword.STOP, "soft", "weak", 0.3, f"{what}: {found[0]!r}")
            if not _NEGATED.search(clause[: found.start()]) and not _OTHER_THING.search(clause[found.end() :]):
                return _suggest(Keyword.STOP, "phrase", "weak", 0.4, f"speaks of {found[0]!r}")
    return None


# "opt out of the dental plan" is about the plan.
_OTHER_THING = re.compile(r"^ (?:of|from) (?:the |this |your |my )?(?!texts?|messages?|sms|lists?|alerts?|these|this|you\b)\w+")


def _suggest(keyword: Keyword, reason: Reason, strength: Strength, confidence: float, *evidence: str) -> Suggestion:
    return Suggestion(proposes=keyword, reason=reason, strength=strength, confidence=confidence, evidence=evidence)


@lru_cache(maxsize=8)
def _spoken(packs: Packs) -> tuple[str, ...]:
    """Every language: a suggestion costs a look, so it need not be of the recipient's country."""
    return tuple(sorted(packs.by_language, key=lambda language: (language != "en", language)))


_STANDARD = standard_policy()
