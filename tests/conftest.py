"""What holds for every test, and the running gateway that tests from outside share."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.gateway import Gateway

# The same tests run with the doors inside the core process (0) and in a process of their own (1).
WORKERS = int(os.environ.get("STOPWIRE_TEST_WORKERS", "0"))


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A running gateway for all tests of a module: use handsets of your own, since blocks stay."""
    from tests.gateway import Gateway  # late, so that tests of the core do not load the whole house

    running = Gateway(tmp_path_factory.mktemp("gateway"), workers=WORKERS)
    yield running
    running.close()


@pytest.fixture
def fresh_gateway(tmp_path: Path) -> Iterator[Gateway]:
    """A running gateway for one test alone."""
    from tests.gateway import Gateway

    running = Gateway(tmp_path, workers=WORKERS)
    yield running
    running.close()


def pytest_configure(config: pytest.Config) -> None:
    if os.environ.get("CI") == "true":
        config.pluginmanager.register(NothingIsSkipped())


class NothingIsSkipped:
    """Under CI=true a test that was skipped fails the run: a missing tool is installed, not stepped around."""

    def __init__(self) -> None:
        self.skipped: list[str] = []

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.skipped:
            self.skipped.append(report.nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.skipped and not hasattr(report, "wasxfail"):
            self.skipped.append(report.nodeid)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        if self.skipped and exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.skipped:
            terminalreporter.section("skipped, which nothing may be under CI=true", red=True)
            for name in self.skipped:
                terminalreporter.line(name, red=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With the doors elsewhere, only what asks at them: the rest is the same as without.

    Files with slow tests first: begun last, one of them would hold up the end alone.
    """
    _told_apart(items)
    if WORKERS:
        same = [item for item in items if not {"gateway", "fresh_gateway"} & set(getattr(item, "fixturenames", ()))]
        config.hook.pytest_deselected(items=same)
        items[:] = [item for item in items if item not in set(same)]
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


def _told_apart(items: list[pytest.Item]) -> None:
    """Of tests with one id between them, pytest-xdist runs one and drops the rest without a word: here that is an error.

    schemathesis makes a test of each operation and says so in its name; since pytest 9.2 the id is made without the name.
    """
    for item in items:
        if getattr(item, "operation_label", None) and not item.nodeid.endswith("]"):
            item._id = item.id.with_params(item.operation_label)  # type: ignore[attr-defined]
    seen = Counter(item.nodeid for item in items)
    if doubles := [name for name, count in seen.items() if count > 1]:
        raise pytest.UsageError(f"These tests are not told apart by their ids, so that only one of each would run: {', '.join(doubles[:5])}")
