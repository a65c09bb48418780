"""Sentences in each language: none is missing, none loses a value, and layouts bear longer ones."""

import re
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir, extract_from_file
from babel.messages.pofile import read_po

from stopwire import console
from stopwire.console import words
from stopwire.core import alerts, explain, retention
from stopwire.core.consent import Act, Reason
from stopwire.core.errors import CATALOGUE
from stopwire.core.message import Status

ROOT = Path(console.__file__).parent
METHODS = [("**.html", "jinja2.ext:babel_extract"), ("**.py", "python")]
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "N_": None}
VALUE = re.compile(r"%\((\w+)\)[sd]")


def sentences() -> dict[str | tuple[str, ...], str]:
    options = {"**.html": {"extensions": "jinja2.ext.i18n,jinja2.ext.loopcontrols", "trimmed": "false", "silent": "false"}}
    found = extract_from_dir(ROOT, METHODS, options, KEYWORDS)
    return {tuple(message) if isinstance(message, (list, tuple)) else message: file for file, _, message, *_ in found}


def retold() -> dict[str | tuple[str, ...], str]:
    """What the core says in sentences that the console tells anew: explanations, and the causes and cures of errors."""
    written = {
        message: module.__name__
        for module in (explain, retention, alerts)
        for _, message, *_ in extract_from_file("python", module.__file__, {"Sentence": None})
    }
    looked_up = [text for entry in CATALOGUE.values() for text in (entry.cause, entry.cure)]
    codes = [each.value.replace("_", " ") for kind in (Act, Reason, Status) for each in kind]
    return written | dict.fromkeys(looked_up, "core/errors.py") | dict.fromkeys(codes, "a code of the core")


@pytest.mark.parametrize("language", [code for code in words.LANGUAGES if code != "en"])
def test_every_sentence_is_said_in_every_language(language: str) -> None:
    known = {}
    for path in (words.LOCALE / language).glob("*.po"):
        for message in read_po(path.open("rb"), locale=language, abort_invalid=True):
            if message.id and message.string and not message.fuzzy:
                known[message.id] = message.string
    missing = {str(sentence): file for sentence, file in (sentences() | retold()).items() if sentence not in known}
    assert {} == missing


@pytest.mark.parametrize("language", [code for code in words.LANGUAGES if code != "en"])
def test_no_value_is_lost_in_translation(language: str) -> None:
    for path in (words.LOCALE / language).glob("*.po"):
        for message in read_po(path.open("rb"), locale=language):
            if not message.id:
                continue
            wanted = {name for text in ([message.id] if isinstance(message.id, str) else message.id) for name in VALUE.findall(text)}
            for told in [message.string] if isinstance(message.string, str) else message.string:
                assert wanted - {"num"} <= set(VALUE.findall(told)), f"{path.name}: {told}"


def test_the_words_that_nobody_should_read_are_in_no_template() -> None:
    banned = re.compile(r"\b(blacklist|whitelist|subscriber|invalid input|oops|please|successfully)\b|\w!(?=[\"'<])", re.IGNORECASE)
    found = {str(sentence) for sentence in sentences() if banned.search(" ".join(sentence) if isinstance(sentence, tuple) else str(sentence))}
    assert set() == found


@pytest.mark.parametrize(
    ("cookie", "accepted", "expected"),
    [
        pytest.param("", "", "en", id="nothing said"),
        pytest.param("", "de, es-MX;q=0.8", "es", id="the first that we have"),
        pytest.param("en", "es", "en", id="what was chosen wins"),
        pytest.param("xx", "", "en", id="an unknown choice"),
        pytest.param("../../etc", "es", "es", id="nonsense"),
    ],
)
def test_a_visitor_gets_their_language(cookie: str, accepted: str, expected: str) -> None:
    assert expected == words.chosen(cookie, accepted)


def test_the_pseudo_language_keeps_values_and_is_longer() -> None:
    told = words.translations(words.PSEUDO).gettext("Decide by %(day)s, at noon.")
    assert "%(day)s" in told
    assert len(told) > 1.3 * len("Decide by %(day)s, at noon.")


def test_templates_cannot_mark_a_text_as_safe() -> None:
    for path in ROOT.rglob("*.html"):
        text = path.read_text()
        assert not re.search(r"\|\s*safe\b|autoescape|style=|<script(?![^>]*src=)|\son\w+=", text), path.name


