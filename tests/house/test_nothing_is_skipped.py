"""The rule that a run under CI=true proves everything or fails."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

SKIPS = {
    "a mark": "import pytest\n@pytest.mark.skip(reason='no tool')\ndef test_it(): ...\n",
    "a call": "import pytest\ndef test_it(): pytest.skip('no tool')\n",
    "a whole module": "import pytest\npytest.importorskip('a_library_nobody_has')\n",
}
PASSES = "def test_other(): ...\n"


@pytest.mark.parametrize(
    ("body", "processes"),
    [*((body, "0") for body in SKIPS.values()), (SKIPS["a mark"], "2")],
    ids=[*SKIPS, "a mark, seen from another process"],
)
def test_a_skipped_test_fails_the_run_under_ci(tmp_path: Path, body: str, processes: str) -> None:
    run = pytest_with(tmp_path, body, ci="true", processes=processes)
    assert pytest.ExitCode.TESTS_FAILED == run.returncode
    assert "skipped, which nothing may be under CI=true" in run.stdout


@pytest.mark.parametrize(
    ("body", "ci"),
    [
        pytest.param(SKIPS["a mark"], "", id="a skip at a developer's desk"),
        pytest.param(PASSES, "true", id="nothing skipped"),
        pytest.param("import pytest\n@pytest.mark.xfail\ndef test_it(): assert False\n", "true", id="a failure foretold"),
    ],
)
def test_other_runs_pass(tmp_path: Path, body: str, ci: str) -> None:
    assert pytest.ExitCode.OK == pytest_with(tmp_path, body, ci=ci, processes="0").returncode


def test_tests_of_one_name_fail_the_run_of_which_one_would_be_left(tmp_path: Path) -> None:
    run = pytest_with(tmp_path, PASSES, ci="", processes="0", more=["--keep-duplicates", str(tmp_path / "test_first.py")])
    assert pytest.ExitCode.USAGE_ERROR == run.returncode
    assert "not told apart by their ids, so that only one of each would run: test_first.py::test_other" in run.stderr


def pytest_with(folder: Path, body: str, *, ci: str, processes: str, more: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
    shutil.copy(Path(__file__).parents[1] / "conftest.py", folder)
    (folder / "test_first.py").write_text(body)
    (folder / "test_second.py").write_text(PASSES)
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-n", processes, "--rootdir", str(folder), str(folder), *more],
        cwd=folder,
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTEST")} | {"CI": ci},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
