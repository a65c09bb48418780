"""What the tests of the command line share: a way to call it, without anything of this machine's own gateways."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from stopwire.cli.main import app


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Ran]
_built = cache(get_command)  # for `app`: to build all commands takes longer than most of them run


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """No STOPWIRE_ variable, an empty working directory, an empty home for data folders; answers that home."""
    for name in list(os.environ):
        if name.startswith("STOPWIRE_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    (tmp_path / "cwd").mkdir()
    monkeypatch.chdir(tmp_path / "cwd")
    return tmp_path


@pytest.fixture
def run(bare: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `stopwire` with these words."""
    monkeypatch.setattr("typer.testing._get_command", _built)

    def stopwire(*words: object, stdin: str | None = None, **environ: str) -> Ran:
        result = CliRunner().invoke(app, [str(word) for word in words], input=stdin, env=environ)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Ran(code=result.exit_code, out=result.stdout, err=result.stderr)

    return stopwire
