"""A newcomer's first five minutes, in a browser, from the first printed line to the demo switched off.

The script of docs/tutorials/in-the-browser.md. One gateway, started as they start it; each step is one row of what they do and
what they see. With STOPWIRE_TEST_SHOTS set to a folder, each step leaves its picture there.
"""

import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect
from twilio.request_validator import RequestValidator

from tests.console.conftest import Visit

pytestmark = pytest.mark.slow

ANN, CRUZ, DEMO = "+14155550101", "+525555550101", "+14155550100"
LINES_SECONDS = 30


class Newcomer:
    """Their terminal: `stopwire up --demo` in a folder of its own, and what it printed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environ = {name: value for name, value in os.environ.items() if not name.startswith(("STOPWIRE_", "PYTEST_"))}
        self.said: list[str] = []
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> list[str]:
        """What the gateway prints until it is ready."""
        command = [sys.executable, "-m", "stopwire", "up", "--demo", "--port", "0", "--data-dir", str(self.folder / "data")]
        self._process = subprocess.Popen(command, env=self.environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert self._process.stdout is not None
        self.said = []
        for line in self._process.stdout:
            self.said.append(line.rstrip())
            if line.startswith("Ctrl-C"):
                return self.said
        raise AssertionError("\n".join(self.said))

    def stop(self) -> int:
        """Ctrl-C. The exit code."""
        if self._process is None or self._process.poll() is not None:
            return 0
        self._process.send_signal(signal.SIGINT)
        self._process.communicate(timeout=60)
        return self._process.returncode

    @property
    def known(self) -> dict[str, str]:
        return dict(json.loads((self.folder / "data" / "credentials.json").read_text()))

    @property
    def api(self) -> httpx.Client:
        auth = (self.known["account_sid"], self.known["auth_token"])
        return httpx.Client(base_url=self.known["api_base"], auth=auth, trust_env=False, timeout=10)

    def items(self, path: str, **params: str) -> list[dict[str, Any]]:
        with self.api as client:
            return list(client.get(path, params=params).raise_for_status().json()["items"])

    def twice_told(self) -> dict[str, Any] | None:
        """The webhook that was told again."""
        told = self.items("/api/v1/webhook-deliveries", event="inbound")
        return next((each for each in told if len(each["attempts"]) == 2), None)

    def run(self, *command: str, code: str = "") -> str:
        """A command in their second terminal, which knows the token."""
        environ = {**self.environ, "STOPWIRE_AUTH_TOKEN": self.known["auth_token"]}
        done = subprocess.run(command, input=code, env=environ, cwd=self.folder, capture_output=True, text=True, timeout=60)
        assert 0 == done.returncode, done.stdout + done.stderr
        return done.stdout

    def sockets(self) -> tuple[set[str], set[str]]:
        """Addresses that it listens on, and those it is connected to, as the kernel has them."""
        assert self._process is not None
        held = set()
        for each in Path(f"/proc/{self._process.pid}/fd").iterdir():
            with suppress(OSError):
                held.add(os.readlink(each).removeprefix("socket:[").removesuffix("]"))
        listens, connected = set(), set()
        for table in ("tcp", "tcp6"):
            for row in Path(f"/proc/{self._process.pid}/net/{table}").read_text().splitlines()[1:]:
                _, local, remote, state, *rest = row.split()
                if rest[5] in held:
                    (listens if state == "0A" else connected).add((local if state == "0A" else remote).partition(":")[0])
        return listens, connected


@pytest.fixture(scope="module")
def newcomer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Newcomer]:
    one = Newcomer(tmp_path_factory.mktemp("newcomer"))
    yield one
    one.stop()


LOOPBACK = "0100007F"  # 127.0.0.1 as /proc writes it


def test_the_first_five_minutes(newcomer: Newcomer, browser: Browser, accessible: Callable[[Page], None]) -> None:
    # 0:00 · they start it, and read
    printed = "\n".join(newcomer.start())
    known = newcomer.known
    for part in (*known.values(), str(newcomer.folder / "data"), "curl -sS", "Only this machine can reach it. No text leaves this machine"):
        assert part in printed
    assert 0o600 == stat.S_IMODE((newcomer.folder / "data" / "credentials.json").stat().st_mode)
    with newcomer.api as client:
        assert 200 == client.get("/readyz").status_code
    taken = ["-m", "stopwire", "up", "--demo", "--port", known["api_base"].rpartition(":")[2], "--data-dir", str(newcomer.folder / "second")]
    second = subprocess.run([sys.executable, *taken], env=newcomer.environ, capture_output=True, text=True, timeout=60)
    assert 1 == second.returncode
    assert "Choose another --port" in second.stdout + second.stderr
    if Path("/proc/self/net/tcp").exists():
        listens, connected = newcomer.sockets()
        assert {LOOPBACK} == listens
        assert connected <= {LOOPBACK, "00000000"}

    # 0:15 · they open the link
    visit = Visit(SimpleNamespace(url=known["api_base"]), browser)  # type: ignore[arg-type]  # it needs no more than the address
    page = visit.page
    page.goto(known["console_url"])
    steps = page.locator("#steps")
    expect(steps.get_by_role("heading").first).to_contain_text("1/6")
    expect(page.locator("#live tbody tr[data-id]").first).to_be_visible(timeout=10_000)  # some 2 s where nothing else runs
    accessible(page)
    visit.shoot("five-1-home")
    stranger = browser.new_context()
    assert stranger.new_page().goto(known["console_url"]).url != page.url  # type: ignore[union-attr]  # it works once
    stranger.close()

    # 0:40 · Ann types “stop.”
    page.get_by_role("link", name="Simulator", exact=True).click()
    ann, trace = page.get_by_role("region", name="Ann"), page.get_by_role("region", name="Trace")
    ann.get_by_label("Text", exact=True).fill("stop.")
    ann.get_by_label("Text", exact=True).press("Enter")
    expect(trace).to_contain_text("Row 1: block this person here")
    expect(ann.get_by_role("log")).to_contain_text("automatic reply")
    visit.shoot("five-2-stop")
    assert 1 == len(newcomer.items("/api/v1/blocks", recipient=ANN))
    (event,) = newcomer.items("/api/v1/consent-events", recipient=ANN)
    assert ("opt_out", "stop.") == (event["act"], event["text"])
    assert ["auto_reply"] == [m["kind"] for m in newcomer.items(f"/api/v1/simulator/phones/%2B{ANN[1:]}/messages") if m["direction"] == "in"]
    _steps(visit, 2)

    # 1:10 · they copy the curl, and are refused
    visit.see("/console/simulator")
    curl = _call(page, "curl")
    refused = json.loads(newcomer.run("sh", code=curl))
    assert (400, 21610) == (refused["status"], refused["code"])
    page.get_by_role("link", name="Messages", exact=True).click()
    row = page.locator("tbody tr", has_text="21610").first
    expect(row).to_be_visible()
    row.locator("[data-open-row]").click()
    expect(page.get_by_role("main")).to_contain_text("Refused: this person replied STOP to Demo on")
    expect(page.get_by_role("main")).to_contain_text("The block covers all 3 senders of Demo. [21610]")
    visit.shoot("five-3-refused")
    _steps(visit, 3)

    # 1:50 · Ann says START; the same curl arrives
    visit.see("/console/simulator")
    ann.get_by_role("button", name="START").click()
    expect(ann.get_by_role("log")).to_contain_text("re-subscribed")
    assert "accepted" == json.loads(newcomer.run("sh", code=curl))["status"]
    expect(ann.get_by_role("log")).to_contain_text("Sale ends tonight")
    expect(ann.locator(".bubble", has_text="Sale ends tonight")).to_contain_text("delivered")
    visit.shoot("five-4-start")
    assert [] == newcomer.items("/api/v1/blocks", recipient=ANN)
    assert 1 == len([m for m in newcomer.items(f"/api/v1/simulator/phones/%2B{ANN[1:]}/messages") if "re-subscribed" in m["body"]])
    _steps(visit, 4)

    # 2:20 · Opt-Out Management: switched on, Mexico with its Spanish pack, tried, published
    page.get_by_role("link", name="Messaging Services", exact=True).click()
    page.get_by_role("link", name="Demo").first.click()
    page.get_by_role("link", name="Opt-Out Management").click()
    page.get_by_label("Advanced Opt-Out").check()
    page.locator("[name=add_language]").select_option("es")
    page.locator("[name=add_country]").select_option("MX")
    page.get_by_role("button", name="Add from its pack").click()
    expect(page.locator("#country-MX")).to_contain_text("ALTO")
    page.get_by_label("Text to try").fill("alto")
    page.locator("[name=try_from]").fill("MX")
    page.get_by_role("button", name="Try", exact=True).click()
    draft, live = (page.locator(".verdicts").get_by_role("region", name=name) for name in ("Draft", "Live, version 1"))
    expect(draft).to_contain_text("STOP")
    expect(draft).to_contain_text("su baja queda confirmada")
    expect(draft).to_contain_text("OptOutType=STOP")
    expect(live).to_contain_text("ordinary message")
    expect(page.locator("#publish")).to_contain_text("ALTO")
    visit.shoot("five-5-draft")
    page.get_by_role("button", name="Publish version 2").click()
    expect(page.get_by_role("main")).to_contain_text("Version 2")
    page.get_by_role("link", name="History").click()
    page.locator("a[href$='versions?from=1&to=2']").click()
    for told in ("MX", "ALTO"):
        expect(page.get_by_role("main")).to_contain_text(told)
    visit.shoot("five-6-versions")

    # 3:00 · Cruz stops in Spanish; the inspector shows what an application gets
    visit.see("/console/webhooks/inspector")
    page.get_by_label("Let it be called by").select_option(label=DEMO)
    page.get_by_role("button", name="Use the inspector").click()
    visit.see("/console/simulator")
    cruz = page.get_by_role("region", name="Cruz")
    cruz.get_by_label("to", exact=True).select_option(DEMO)
    cruz.get_by_label("Text", exact=True).fill("alto")
    cruz.get_by_role("button", name="Send", exact=True).click()
    expect(cruz.get_by_role("log")).to_contain_text("su baja queda confirmada")
    _steps(visit, 5)
    visit.see("/console/webhooks/inspector")
    heard = page.get_by_role("article").first
    expect(heard).to_contain_text("OptOutType=STOP")
    expect(heard).to_contain_text("✓ signature")
    visit.shoot("five-7-inspector")
    (delivery,) = newcomer.items("/api/v1/webhook-deliveries", event="inbound")
    token = _told(delivery, known["auth_token"])
    heard.get_by_role("button", name="Replay").click()
    again = _eventually(page, newcomer.twice_told)
    assert (delivery["id"], token) == (again["id"], _told(again, known["auth_token"]))

    # 3:50 · the Python snippet, as it is shown
    visit.see("/console/simulator")
    before = page.get_by_role("region", name="Ann").locator(".bubble", has_text="Sale ends tonight").count()
    snippet = _call(page, "Python")
    assert "client.api.base_url = " in snippet
    assert newcomer.run(sys.executable, "-", code=snippet).startswith("SM")
    expect(ann.locator(".bubble", has_text="Sale ends tonight")).to_have_count(before + 1)

    # 4:20 · the last text is saved as a test, which passes
    cruz.get_by_label("Text", exact=True).fill("alto")
    cruz.get_by_role("button", name="Send", exact=True).click()
    expect(trace).to_contain_text("Row 2")
    with page.expect_download() as coming:
        visit.see(f"/console/simulator?trace={delivery['message_sid']}")
        page.get_by_role("link", name="Save as test").click()
    saved = newcomer.folder / coming.value.suggested_filename
    assert "test_alto_blocks.py" == saved.name  # as docs/tutorials/in-the-browser.md has it
    coming.value.save_as(saved)
    assert len(saved.read_text().splitlines()) <= 25
    assert "1 passed" in newcomer.run(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(newcomer.folder), str(saved))

    # 5:00 · six of six, and three doors
    _steps(visit, 6)
    visit.shoot("five-8-done")
    doors = page.get_by_role("region", name="What next")
    expect(doors.get_by_role("link")).to_have_count(3)
    accessible(page)
    doors.get_by_role("link", name="Switch off the demo").click()
    page.get_by_label("Type the word demo").fill("no")
    page.get_by_role("button", name="Switch off the demo").click()
    expect(page.get_by_role("main")).to_contain_text("Type the word demo to confirm.")
    page.get_by_label("Type the word demo").fill("demo")
    visit.shoot("five-9-switch-off")
    page.get_by_role("button", name="Switch off the demo").click()
    expect(page.locator(".toasts")).to_contain_text("The demo is switched off.")
    for path in ("senders", "blocks", "simulator/phones", "refusals", "webhook-deliveries"):
        assert [] == newcomer.items(f"/api/v1/{path}"), path
    with newcomer.api as client:
        assert [] == client.get("/v1/Services").json()["services"]
        assert [] == client.get(f"/2010-04-01/Accounts/{known['account_sid']}/Messages.json").json()["messages"]
    visit.close()

    # They stop it; a second start finds everything as they left it
    assert 0 == newcomer.stop()
    newcomer.start()
    assert [] == newcomer.items("/api/v1/senders")
    assert known["account_sid"] == newcomer.known["account_sid"]


def _steps(visit: Visit, done: int) -> None:
    page = visit.see("/console/")
    expect(page.locator("#steps").get_by_role("heading").first).to_contain_text(f"{done}/6")


def _call(page: Page, way: str) -> str:
    """The call of the simulator in one language, as it is shown."""
    calls = page.locator("details.calls").first
    if calls.get_attribute("open") is None:
        calls.locator("summary").click()
    heading = calls.get_by_role("heading", name=way, exact=True)
    return str(heading.locator("xpath=following-sibling::pre[1]").locator("code").inner_text())


def _told(delivery: dict[str, Any], auth_token: str) -> str:
    """The token of the newest request of a delivery, whose signature the official SDK believes."""
    request = delivery["attempts"][-1]["request"]
    headers = {name.lower(): value for name, value in request["headers"].items()}
    assert RequestValidator(auth_token).validate(request["url"], delivery["params"], headers["x-twilio-signature"])
    assert "STOP" == delivery["params"]["OptOutType"]
    return str(headers["i-twilio-idempotency-token"])


def _eventually(page: Page, ask: Callable[[], Any]) -> Any:
    for _ in range(100):
        if found := ask():
            return found
        page.wait_for_timeout(50)
    raise AssertionError("it did not come within 5 s")
