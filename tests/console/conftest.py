"""A real Chromium at a running gateway: signed in, watched for faults, and cut off from every other host."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

from stopwire.flows import own, team
from tests.gateway import Gateway

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome") or ""
ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
NODE = Path(__file__).parents[1] / "interop" / "node"
SHOTS = os.environ.get("STOPWIRE_TEST_SHOTS", "")  # a folder: every look at a page leaves a picture there
PASSWORD = "correct horse battery"
ZONE = "Europe/Madrid"


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """For one module: while it is there its event loop runs in this thread, and asynchronous tests can have none."""
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    if not CHROMIUM:
        pytest.skip("there is no Chromium: on Debian, apt-get install chromium")
    opened = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
    yield opened
    opened.close()


class Visit:
    """One person's browser. It notes what a page must not do; `close` says so."""

    def __init__(self, gateway: Gateway, browser: Browser, **options: Any) -> None:
        self.gateway, self._is_usual = gateway, not {"timezone_id", "java_script_enabled"} & options.keys()
        self.context: BrowserContext = browser.new_context(
            base_url=gateway.url, **{"viewport": {"width": 1280, "height": 800}, "timezone_id": ZONE, "locale": "en-GB", **options}
        )
        self.context.set_default_timeout(10_000)
        self.faults: list[str] = []
        self.asked: list[str] = []
        self.context.on("request", self._note)
        self.context.on("weberror", lambda error: self.faults.append(str(error.error)))
        self.context.on("console", lambda said: self.faults.append(said.text) if said.type == "error" and "status of 4" not in said.text else None)
        self.page: Page = self.context.new_page()

    def _note(self, request: Any) -> None:
        self.asked.append(request.url)
        if urlsplit(request.url).netloc != urlsplit(self.gateway.url).netloc and request.url.startswith("http"):
            self.faults.append(f"asked another host: {request.url}")

    def by_link(self) -> "Visit":
        """Sign in as the operator of the machine does; without looking at the first page, which most tests leave at once."""
        token = self.gateway.run(own.sign_in(self.gateway.world, account=self.gateway.account_sid))
        link = f"/console/sign-in?token={token}"
        if not self._is_usual:
            self.page.goto(link)
            return self
        assert 303 == self.context.request.get(link, max_redirects=0).status
        # What the script would find out, and have the page drawn again for.
        self.context.add_cookies([{"name": "stopwire_zone", "value": ZONE.replace("/", "%2F"), "url": self.gateway.url}])
        return self

    def by_name(self, name: str, password: str = PASSWORD) -> "Visit":
        self.page.goto("/console/sign-in")
        self.page.get_by_label("Name").fill(name)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Sign in").click()
        return self

    def see(self, path: str) -> Page:
        """Go there; the page, if it answered 200."""
        answer = self.page.goto(path)
        assert answer is not None
        assert 200 == answer.status, f"{path}: {answer.status}"
        return self.page

    def shoot(self, name: str) -> None:
        """Leave a picture, where pictures are wanted."""
        if SHOTS:
            self.page.screenshot(path=Path(SHOTS) / f"{name}.png", full_page=True)

    def close(self) -> None:
        self.context.close()
        assert [] == self.faults


@pytest.fixture
def visits(gateway: Gateway, browser: Browser) -> Iterator[Callable[..., Visit]]:
    """Opens browsers: `visits()`, or `visits(java_script_enabled=False, color_scheme="dark")`."""
    opened: list[Visit] = []

    def visit(**options: Any) -> Visit:
        opened.append(Visit(gateway, browser, **options))
        return opened[-1]

    yield visit
    for each in opened:
        each.close()


@pytest.fixture
def visit(visits: Callable[..., Visit]) -> Visit:
    """A browser that is signed in as the owner."""
    return visits().by_link()


@pytest.fixture
def person(gateway: Gateway) -> Callable[..., str]:
    """Adds people to the team: `person("Ana", Role.VIEWER)`; their password is PASSWORD."""

    def add(name: str, role: Any, *, reveal: bool = False) -> str:
        changed = gateway.run(
            team.add_user(gateway.world, account=gateway.account_sid, name=name, password=PASSWORD, role=role, reveal=reveal)
        )
        assert changed.user is not None, changed.problems
        return changed.user.name

    return add


@pytest.fixture(scope="session")
def axe() -> str:
    """The text of axe-core."""
    script = NODE / "node_modules" / "axe-core" / "axe.min.js"
    if not script.exists():
        npm = shutil.which("npm")
        if npm is None:
            pytest.skip("axe-core needs npm, or `make node`")
        subprocess.run([npm, "ci", "--no-audit", "--no-fund"], cwd=NODE, check=True, capture_output=True)
    return script.read_text()


@pytest.fixture
def accessible(axe: str) -> Callable[[Page], None]:
    """Asserts that axe finds nothing serious on a page."""

    def check(page: Page) -> None:
        # The policy of the page forbids evaluated scripts; the driver's own world does not obey it.
        page.evaluate(axe + "; true")
        found = page.evaluate(
            """async () => (await axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]})).violations
            .filter(v => ["serious", "critical"].includes(v.impact))
            .map(v => `${v.id}: ${v.help}: ${v.nodes.slice(0, 3).map(n => n.target + " " + (n.failureSummary || "")).join(" | ")}`)"""
        )
        assert [] == found, json.dumps(found, indent=1)

    return check
