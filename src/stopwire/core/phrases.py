"""Patterns over clauses of plain tokens, searched only where a word of theirs can begin.

Nearly every message says nothing of what the phrases of a dozen languages look for, and each search costs. So of every
pattern is worked out, once, with which letters one of its words must begin: in a clause whose words all begin otherwise
it is not searched. What a phrase means is decided elsewhere.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from re import _parser  # type: ignore[attr-defined]  # it has no public name; its tree is what a pattern does, to the last branch
from typing import Any, Generic, TypeVar

T = TypeVar("T")

_LETTERS = 3  # enough to tell most words apart, few enough that many patterns share one

_Beginnings = frozenset[str] | None  # None: nothing is known
_Items = list[tuple[Any, Any]]  # a part of the parser's tree: operations with their arguments


class Phrases(Generic[T]):
    """Things, each with the pattern that it is found by."""

    __slots__ = ("_anywhere", "_by_beginning", "_each")

    def __init__(self, each: Iterable[tuple[str, T]]) -> None:
        self._each = [(re.compile(pattern), thing) for pattern, thing in each]
        self._anywhere: set[int] = set()
        self._by_beginning: dict[str, list[int]] = {}
        for place, (pattern, _) in enumerate(self._each):
            known = beginnings(pattern.pattern)
            if known is None:
                self._anywhere.add(place)
            for beginning in known or ():
                self._by_beginning.setdefault(beginning, []).append(place)

    def found(self, clause: str) -> Iterator[tuple[re.Match[str], T]]:
        """What the pattern of a thing finds in `clause`, and the thing: plain tokens with single spaces; in the order given."""
        places = self._anywhere.copy()
        for token in clause.split(" "):
            places.update(self._by_beginning.get(token[:_LETTERS], ()))
        for place in sorted(places):
            pattern, thing = self._each[place]
            if found := pattern.search(clause):
                yield found, thing


@cache
def beginnings(pattern: str) -> _Beginnings:
    """First letters of which some word of every match of `pattern` has one; None where no such list can be told."""
    found = _of_some_word(list(_parser.parse(pattern)), at_start=False)
    return found or None


def _of_some_word(items: _Items, *, at_start: bool) -> _Beginnings:
    """The best list that holds for one of the words that `items` pass through."""
    best: _Beginnings = None
    for n, (operation, argument) in enumerate(items):
        rest = items[n + 1 :]
        if at_start:
            best = _better(best, _from(items[n:], ""))
        match operation.name:
            case "BRANCH":
                best = _better(best, _union([_of_some_word([*each, *rest], at_start=at_start) for each in argument[1]]))
                return best  # the rest was part of each branch
            case "SUBPATTERN":
                return _better(best, _of_some_word([*argument[-1], *rest], at_start=at_start))
        at_start = _ends_a_word(operation, argument) or (at_start and operation.name.startswith("ASSERT"))
    return best


def _ends_a_word(operation: Any, argument: Any) -> bool:
    """Whether what comes next begins a word, if it is one."""
    if operation.name == "AT":
        return bool(argument.name in ("AT_BOUNDARY", "AT_BEGINNING"))
    return bool(operation.name == "LITERAL" and argument == ord(" "))


def _from(items: _Items, word: str) -> _Beginnings:
    """How the word may go on that has begun with `word`; None where that is anything."""
    if len(word) == _LETTERS:
        return frozenset([word])
    if not items:
        return None
    (operation, argument), rest = items[0], items[1:]
    match operation.name:
        case "LITERAL" if chr(argument) == " ":
            return frozenset([word]) if word else None
        case "LITERAL":
            return _from(rest, word + chr(argument))
        case "IN" if all(kind.name == "LITERAL" for kind, _ in argument):
            return _union([_from([each, *rest], word) for each in argument])
        case "BRANCH":
            return _union([_from([*each, *rest], word) for each in argument[1]])
        case "SUBPATTERN":
            return _from([*argument[-1], *rest], word)
        case "MAX_REPEAT" | "MIN_REPEAT":
            # What comes again without a letter changes nothing, so that more times than there are letters need no look.
            least, most, repeated = min(argument[0], _LETTERS), min(argument[1], _LETTERS), argument[2]
            again = [(operation, (max(least - 1, 0), most - 1, repeated))] if most > 1 else []
            once = _from([*repeated, *again, *rest], word)
            return once if least else _union([once, _from(rest, word)])
        case "ASSERT" | "ASSERT_NOT":
            return _from(rest, word)
        case "AT" if not word:
            return _from(rest, word)
        case "AT":
            return frozenset([word])
    return None


def _union(each: Sequence[_Beginnings]) -> _Beginnings:
    known = [one for one in each if one is not None]
    return frozenset().union(*known) if len(known) == len(each) else None


def _better(one: _Beginnings, other: _Beginnings) -> _Beginnings:
    """The list that fewer messages meet: long beginnings before short ones, then few before many."""
    if one is None or other is None:
        return one if other is None else other
    return min(one, other, key=lambda each: (-min(map(len, each)), len(each)))
