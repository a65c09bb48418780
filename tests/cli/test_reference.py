"""The reference of the command line is the command line."""

from pathlib import Path
from typing import Any

import pytest
import typer

from stopwire.cli.main import app
from stopwire.cli.output import Exit
from stopwire.cli.reference import _walk, reference
from tests.cli.conftest import Run

COMMANDS = dict(_walk("stopwire", typer.main.get_command(app)))
FILE = Path(__file__).parents[2] / "docs" / "reference" / "cli.md"


def test_the_reference_is_fresh() -> None:
    assert reference(app) == FILE.read_text(encoding="utf-8"), (
        "docs/reference/cli.md is stale: python -m stopwire.cli.reference > docs/reference/cli.md"
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_says_what_it_is(name: str) -> None:
    command: Any = COMMANDS[name]
    assert command.help
    assert [] == [p.name for p in command.params if not getattr(p, "help", None) and p.name not in ("service",)]


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "stopwire up"])
def test_every_command_but_up_answers_in_json(name: str) -> None:
    assert "--json" in {option for parameter in COMMANDS[name].params for option in parameter.opts}


def test_help_ends_with_the_exit_codes(run: Run) -> None:
    told = " ".join(run("--help").out.split())
    for code in Exit:
        assert f"{code.value}: {code.meaning}" in told


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str, run: Run) -> None:
    assert 0 == run(*name.split()[1:], "--help").code
