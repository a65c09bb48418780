"""What reaches the terminal: strangers' text is shown and never obeyed."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stopwire.cli.output import Output, clean, print_json


@given(st.text())
def test_no_control_character_reaches_the_terminal(text: str) -> None:
    kept = [character for character in clean(text) if unicodedata.category(character) in ("Cc", "Cs")]
    assert [] == [character for character in kept if character != "\n"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("\x1b[2Jgone", "␛[2Jgone", id="an escape sequence"),
        pytest.param("a\x9bb", "a�b", id="the one-byte form of it"),
        pytest.param("a\u202eb", "ab", id="a direction override"),
        pytest.param("👨‍👩‍👧 שלום", "👨‍👩‍👧 שלום", id="emoji joiners and other scripts stay"),
    ],
)
def test_what_a_terminal_would_obey_becomes_visible_or_goes(text: str, expected: str) -> None:
    assert expected == clean(text)


def test_markup_in_a_text_is_text(capsys: pytest.CaptureFixture[str]) -> None:
    output = Output(as_json=False)
    output.line("[red]STOP[/red]")
    output.table(("text",), [("[bold]x[/bold]",)], empty="")
    printed = capsys.readouterr().out
    assert "[red]STOP[/red]" in printed
    assert "[bold]x[/bold]" in printed


def test_json_survives_half_a_surrogate_pair(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"body": "\ud83d"})
    assert {"body": "\ud83d"} == json.loads(capsys.readouterr().out)


def test_nothing_is_cut_where_no_terminal_is(capsys: pytest.CaptureFixture[str]) -> None:
    Output(as_json=False).table(("sid", "url"), [("SM" + "0" * 32, "https://example.com/" + "a" * 100)], empty="")
    printed = capsys.readouterr().out
    assert "SM" + "0" * 32 in printed
    assert "https://example.com/" + "a" * 100 in printed
