"""`stopwire bench`: figures of a gateway of its own, which leaves nothing behind."""

from pathlib import Path

import pytest

from stopwire.cli import bench
from stopwire.cli.output import Exit
from tests.cli.conftest import Run


def test_it_is_measured_and_goes(run: Run, tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    ran = run("bench", "--messages", "100", "--people", "3", "--data-dir", tmp_path / "d" / "not-yet", "--json")
    assert 0 == ran.code, ran.out
    assert 3 == ran.json["refused_after_stop"]
    assert all(figure > 0 for figure in ran.json.values())
    assert [] == list((tmp_path / "d").iterdir())


def test_why_it_did_not_start_is_told(run: Run, tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 60) / ("d" * 60)
    deep.mkdir(parents=True)
    ran = run("bench", "--people", "3", "--data-dir", deep, "--json")
    assert Exit.NO == ran.code
    assert "Choose a shorter --data-dir" in ran.json["error"]["detail"]


def test_a_text_that_was_accepted_after_a_stop_is_no_success(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "_measured", lambda *_: {"refused_after_stop": 2})
    assert Exit.NO == run("bench", "--people", "3", "--data-dir", tmp_path, "--json").code


@pytest.mark.parametrize(("share", "expected"), [(0.5, 3.0), (0.99, 5.0), (0.0, 1.0)])
def test_a_share_of_the_figures_lies_below(share: float, expected: float) -> None:
    assert expected == bench._quantile([5.0, 1.0, 3.0, 2.0, 4.0], share)
