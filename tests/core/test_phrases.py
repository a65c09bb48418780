"""Patterns that are searched only where a word of theirs can begin: what is left out could not have been found."""

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stopwire import packs
from stopwire.core.phrases import Phrases, beginnings
from stopwire.core.suggestions import _SOFT_PATTERNS

PATTERNS = {phrase.id: phrase.pattern for pack in packs.load() for phrase in pack.phrases} | dict(_SOFT_PATTERNS)
WORDS = st.text("abc", min_size=1, max_size=4)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        pytest.param(r"\b(?:stop|quit) it\b", {"sto", "qui"}, id="the longer of two words"),
        pytest.param(r"\bno (?:quiero|deseo)\b", {"qui", "des"}, id="a later word where the first is short"),
        pytest.param(r"\b(?:texts?|txt)\b", {"tex", "txt"}, id="an ending that may be missing"),
        pytest.param(r"^(?:please )?remove\b", {"ple", "rem"}, id="a word that may be missing"),
        pytest.param(r"\bunsub$|\bopt out$", {"uns", "opt"}, id="each branch"),
        pytest.param(r"\bnao\b|\bnee\b", {"nao", "nee"}, id="branches that share a letter"),
        pytest.param(r"\ber?r[oa]d\b", {"ero", "era", "err"}, id="letters that may stand there"),
        pytest.param(r"\bto\b", {"to"}, id="a word of two letters"),
        pytest.param(r"\b(?:no )+more\b", {"no"}, id="a word that comes again"),
        pytest.param(r"\b(?:a*)*bc\b", {"bc", "abc", "aab", "aaa"}, id="nothing, again and again"),
        pytest.param(r"\b\w+ me\b", {"me"}, id="any word, then one that is known"),
    ],
)
def test_this_is_how_a_word_of_it_begins(pattern: str, expected: set[str]) -> None:
    assert expected == beginnings(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        pytest.param(r"stop", id="it may stand inside a word"),
        pytest.param(r"\bst", id="the word may go on"),
        pytest.param(r"\b\w+\b", id="any word"),
        pytest.param(r"\bstop\b|\d", id="a branch of which nothing is known"),
        pytest.param(r"\b(?:stop)?", id="it may match nothing"),
        pytest.param(r"", id="nothing"),
    ],
)
def test_where_nothing_is_known_everything_is_searched(pattern: str) -> None:
    assert beginnings(pattern) is None


@pytest.mark.parametrize("pattern", PATTERNS.values(), ids=PATTERNS)
def test_of_each_pattern_of_ours_something_is_known(pattern: str) -> None:
    assert beginnings(pattern)


@pytest.mark.parametrize("pattern", PATTERNS.values(), ids=PATTERNS)
@settings(max_examples=10, suppress_health_check=[HealthCheck.filter_too_much])  # the patterns are many
@given(st.data())
def test_what_a_pattern_of_ours_finds_is_found_by_its_beginnings_too(pattern: str, data: st.DataObject) -> None:
    said = data.draw(st.from_regex(pattern, alphabet="abcdefghijklmnopqrstuvwxyz "))
    clause = " ".join(said.split())
    _same(pattern, clause)


def _patterns() -> st.SearchStrategy[str]:
    """Patterns over a small alphabet: words, boundaries, what may be missing or come again, alternatives."""
    pieces = WORDS | st.sampled_from([r"\b", "^", "$", " ", r"\w", r"\w+", "[ab]", "a?", "(?: b)*", "(?!a)"])
    return st.recursive(
        pieces,
        lambda inner: st.lists(inner, min_size=1, max_size=4).map("".join)
        | st.lists(inner, min_size=1, max_size=3).map(lambda each: f"(?:{'|'.join(each)})")
        | st.tuples(inner, st.sampled_from(["?", "*", "+", "{2}"])).map(lambda pair: f"(?:{pair[0]}){pair[1]}"),
        max_leaves=8,
    )


@given(_patterns(), st.lists(WORDS, min_size=1, max_size=6))
def test_whatever_the_pattern_nothing_is_missed(pattern: str, words: list[str]) -> None:
    _same(pattern, " ".join(words))


def _same(pattern: str, clause: str) -> None:
    expected = re.search(pattern, clause)
    found = [match[0] for match, _ in Phrases([(pattern, "")]).found(clause)]
    if expected is None or expected[0]:
        assert ([] if expected is None else [expected[0]]) == found


def test_they_are_found_in_the_order_given_whatever_the_words_come_in() -> None:
    phrases = Phrases([(r"\bstop\b", 1), (r"\w+ing\b", 2), (r"\bnow\b", 3), (r"\blater\b", 4)])
    assert [("stop", 1), ("texting", 2), ("now", 3)] == [(match[0], thing) for match, thing in phrases.found("now stop texting")]
