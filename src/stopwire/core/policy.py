"""The opt-out policy of a messaging service: its shape, its checks, its differences.

A policy says which words stop, start and help, in which language and country, and what is answered.
Nothing here recognises a message (that is `keywords`) and nothing here knows where a policy is kept.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

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
    message: str


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
