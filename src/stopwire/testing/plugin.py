"""The pytest plugin: fixtures `sms` and `sms_gateway`, the marker `sms`, and a report that tells what was texted.

Loaded wherever Stopwire and pytest are installed together, so it imports nothing of the house until a fixture is asked for.
"""

import contextlib
import threading
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from stopwire.testing.kit import Sms
    from stopwire.testing.running import Running

MARKER = (
    "sms(name='Promo', country='US', packs=(), matching=None, enabled=None, **policy): how the messaging service of the fixture "
    "`sms` is set up"
)
KEPT = pytest.StashKey[list[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("stopwire", "Stopwire's test gateway")
    group.addoption("--sms-seed", default="1", metavar="SEED", help="seed of SIDs and chance in the gateway of the fixture `sms`")
    group.addoption("--sms-keep", action="store_true", help="after a failure keep the gateway up, print a link to its console, wait for Ctrl-C")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", MARKER)
    config.stash[KEPT] = []


@pytest.fixture(scope="session")
def sms_gateway(request: pytest.FixtureRequest) -> "Iterator[Running]":
    """The gateway of this session (of this worker, under xdist). `stopwire.testing.account(sms_gateway)` opens further accounts of it."""
    from stopwire.testing.running import Running

    worker = getattr(request.config, "workerinput", {}).get("workerid", "")
    running = Running(seed=f"{request.config.getoption('--sms-seed')}{worker}")
    yield running
    try:
        _keep(request.config)
    finally:
        running.close()


@pytest.fixture
def sms(sms_gateway: "Running", request: pytest.FixtureRequest) -> "Iterator[Sms]":
    """A clean account with a messaging service, a sender, handsets and webhooks."""
    marker = request.node.get_closest_marker("sms")
    if marker is not None and marker.args:
        raise pytest.UsageError(f"{request.node.nodeid}: the marker sms takes names only, as in sms(country='MX').")
    from stopwire.testing import account

    with account(sms_gateway, **(marker.kwargs if marker else {})) as opened:
        yield opened


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    sms: Sms | None = getattr(item, "funcargs", {}).get("sms")
    if report.when == "call" and report.failed and sms is not None and hasattr(sms, "told"):  # another's `sms` may be anything
        report.sections.append(("Stopwire: what was texted", _told(sms)))
        if item.config.getoption("--sms-keep"):
            item.config.stash[KEPT].append(f"{item.nodeid}: {sms.console_url()}")
    return report


def _told(sms: Any) -> str:
    try:
        return str(sms.told())
    except Exception as fault:  # the test has failed already, for a reason of its own
        return f"It cannot be told: {fault!r}"


def _keep(config: pytest.Config) -> None:
    """Wait with a gateway whose tests failed, until somebody has looked."""
    kept = config.stash[KEPT]
    if not kept or hasattr(config, "workerinput"):
        return
    capture = config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        print("\n" + "\n".join(kept))
        print("The gateway is kept up; each link signs in once. Ctrl-C ends it.", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()
