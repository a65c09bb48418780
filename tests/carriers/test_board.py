"""The kinds of carriers that can be plugged in: ours by their files, those of other packages by their entry point."""

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from stopwire.carriers import Board, Supplies, load, names

ACME = '''
from stopwire.carriers.http import HttpCarrier, http_type
from stopwire.ports.carrier import Field


class Acme(HttpCarrier):
    TYPE = http_type("acme", "Acme's own API.", Field(name="api_key", says="The key.", required=True, secret=True))
'''


@pytest.fixture
def another_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Installed beside us: a package with a carrier."""
    (tmp_path / "acme_for_stopwire.py").write_text(ACME)
    told = tmp_path / "acme_for_stopwire-1.0.dist-info"
    told.mkdir()
    (told / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-for-stopwire\nVersion: 1.0\n")
    (told / "entry_points.txt").write_text("[stopwire.carriers]\nacme = acme_for_stopwire:Acme\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    names.cache_clear()
    load.cache_clear()
    yield
    names.cache_clear()
    load.cache_clear()


@pytest.mark.usefixtures("another_package")
def test_another_package_may_bring_a_carrier() -> None:
    board = Board(cast(Supplies, None))  # asked for the kinds only

    assert "acme" in names()
    assert "Acme's own API." in [kind.says for kind in board.types()]
    assert ["settings.api_key"] == [problem.path for problem in board.problems("acme", {})]
    assert [] == board.problems("acme", {"api_key": "KEY"})


def test_a_kind_that_nobody_brought_is_named_with_those_there_are() -> None:
    with pytest.raises(LookupError, match=r"No connection of type 'acme' can be added: there are simulator, bandwidth, .*smpp, "):
        load("acme")
