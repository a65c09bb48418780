"""How we speak: words that the glossary does not know, blame, noise. Of the console, explanations, errors and the command line."""

import ast
import re
from pathlib import Path

import pytest

from stopwire import cli
from stopwire.core.errors import CATALOGUE
from tests.console.test_words import retold, sentences

# What we never say, and what instead. Twilio's own titles are Twilio's words, and are not looked at.
NEVER = {
    r"black ?list\w*": "block list",
    r"white ?list\w*": "allowed, safe numbers",
    r"\bsubscribers?\b": "person, recipient",
    r"\binvalid input\b": "what is wrong, and how to mend it",
    r"\boops\b": "what happened",
    r"\w!(?:\s|$)": "a full stop",
    r"\bplease\b": "the thing itself",
    r"\bsuccessfully\b": "nothing: it is done",
    r"\bno data\b": "what will stand here",
    r"\bsorry\b": "what happened",
}
CODE = re.compile(r"`[^`]*`|%\(\w+\)[sd]|“[^”]*”|‘[^’]*’|\"[^\"]*\"")  # quoted words are other people's


def console() -> list[str]:
    said = {**sentences(), **retold()}
    return [text for each in said for text in ([each] if isinstance(each, str) else each)]


def errors() -> list[str]:
    return [text for entry in CATALOGUE.values() for text in (entry.cause, entry.cure)]


def command_line() -> list[str]:
    """Every sentence in the source of the commands: helps, questions, answers, errors."""
    trees = [ast.parse(path.read_text()) for path in Path(cli.__file__).parent.glob("*.py")]
    texts = [node.value for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return [text for text in texts if " " in text]


@pytest.mark.parametrize("where", [console, errors, command_line], ids=lambda each: each.__name__)
def test_no_sentence_says_what_we_never_say(where: object) -> None:
    texts = where()  # type: ignore[operator]
    assert len(texts) > 100
    found = [
        f"{text!r}: say {instead}" for text in texts for never, instead in NEVER.items() if re.search(never, CODE.sub("", text), re.IGNORECASE)
    ]
    assert [] == found, found
