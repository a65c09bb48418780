"""How a command answers: tables for people, one JSON document for programs, and the exit codes of both.

Strangers' text is shown here and never obeyed: no markup and no control character of it reaches the terminal.
"""

import json
import sys
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import IntEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

PIPE_WIDTH = 240  # nothing is cut where no person looks
STATE_STYLES = {
    **dict.fromkeys(("delivered", "ok", "done", "taken", "confirmed", "active"), "green"),
    **dict.fromkeys(("failed", "undelivered", "wrong", "expired", "blocked", "fail"), "red"),
    **dict.fromkeys(("warn", "pending", "sending", "queued", "scheduled", "open", "running"), "yellow"),
}


class Exit(IntEnum):
    """The exit codes of every command."""

    OK = 0
    NO = 1
    USAGE = 2
    UNREACHABLE = 3
    NOT_AUTHORISED = 4
    CONFIG = 5

    @property
    def meaning(self) -> str:
        return _MEANINGS[self]


_MEANINGS = {
    Exit.OK: "Done, or the answer is yes.",
    Exit.NO: "Refused, or the answer is no: a blocked recipient, a ledger that does not verify, a check that failed.",
    Exit.USAGE: "The command line is wrong: an option, an argument, a file that is not there.",
    Exit.UNREACHABLE: "No gateway was found, or it does not answer.",
    Exit.NOT_AUTHORISED: "The gateway does not accept the credentials.",
    Exit.CONFIG: "The settings cannot be used.",
}


class Failed(Exception):
    """A command cannot do what was asked. `told` is what `--json` adds to the sentence."""

    def __init__(self, sentence: str, exit: Exit, **told: Any) -> None:
        self.sentence = sentence
        self.exit = exit
        self.told = told
        super().__init__(sentence)


class Output:
    """Where a command's answer goes."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json

    def answer(self, data: Any, human: Callable[[], None]) -> None:
        """The answer of a command: `data` as JSON, or what `human` prints."""
        if self.as_json:
            print_json(data)
        else:
            human()

    def line(self, text: str, style: str | None = None) -> None:
        """A line for people; under --json nothing."""
        if not self.as_json:
            from rich.text import Text

            console().print(Text(clean(text), style=style or ""), soft_wrap=True)

    def note(self, text: str) -> None:
        """A line beside the answer, on standard error."""
        error_line(text, "yellow")

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[Any]], *, empty: str) -> None:
        """Rows for people, or the sentence `empty`."""
        listed = [tuple(map(shown, row)) for row in rows]
        if not listed:
            self.line(empty, "dim")
            return
        from rich import box
        from rich.table import Table
        from rich.text import Text

        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
        for column in columns:
            table.add_column(column, overflow="fold", no_wrap=column in ("sid", "id", "to", "from", "recipient", "at"))
        for row in listed:
            table.add_row(*(Text(cell, style=STATE_STYLES.get(cell, "")) for cell in row))
        console().print(table)

    def facts(self, pairs: Mapping[str, Any]) -> None:
        """One thing, a fact a line."""
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, show_header=False, pad_edge=False)
        table.add_column(style="dim", no_wrap=True)
        table.add_column(overflow="fold")
        for name, value in pairs.items():
            cell = shown(value)
            table.add_row(Text(clean(name.replace("_", " "))), Text(cell, style=STATE_STYLES.get(cell, "")))
        console().print(table)


def console(*, stderr: bool = False) -> "Console":
    """A console of this moment's streams; wide where no terminal is behind it."""
    from rich.console import Console

    made = Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    if not made.is_terminal:
        made = Console(stderr=stderr, highlight=False, markup=False, emoji=False, width=PIPE_WIDTH)
    return made


def error_line(text: str, style: str = "red") -> None:
    from rich.text import Text

    console(stderr=True).print(Text(clean(text), style=style), soft_wrap=True)


def print_json(data: Any, *, indent: int | None = 2) -> None:
    """`data` as JSON on standard output, in whatever letters that can take."""
    text = json.dumps(data, ensure_ascii=False, indent=indent, default=str)
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:  # a terminal without UTF-8, or half a surrogate pair
        text = json.dumps(data, indent=indent, default=str)
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def shown(value: Any) -> str:
    """A value as a person reads it."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case str():
            return clean(value)
        case list() | tuple():
            return ", ".join(map(shown, value))
        case dict():
            return clean(", ".join(f"{name}={shown(item)}" for name, item in value.items()))
        case _:
            return clean(str(value))


def clean(text: str) -> str:
    """`text` without anything a terminal obeys: control characters become their pictures, direction marks go."""
    return "".join(_harmless(character) for character in text)


def _harmless(character: str) -> str:
    match unicodedata.category(character):
        case "Cc" if character == "\n":
            return character
        case "Cc":
            return chr(0x2400 + ord(character)) if ord(character) < 0x20 else "\ufffd"
        case "Cs":
            return "\ufffd"
        case "Cf" if unicodedata.bidirectional(character) in _DIRECTIONS:
            return ""
        case _:
            return character


_DIRECTIONS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
