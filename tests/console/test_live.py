"""Live rows under a flood, and pages that are narrow or enlarged, in a browser."""

import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import SimpleNamespace
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from stopwire.tail import KEPT, LiveTail
from tests.console.conftest import Visit
from tests.gateway import Gateway, eventually

ROWS_MAX = 500
AT_ONCE = 200


def send(gateway: Gateway, prefix: str) -> None:
    """As many texts as a busy second has, in one call."""
    people = [{"to": f"+1415{prefix}{number:04}"} for number in range(AT_ONCE)]
    answer = gateway.http.post("/api/v1/messages", json={"service": gateway.service, "body": f"flood {prefix}", "recipients": people})
    assert AT_ONCE == len(answer.json()["items"])


def ids(page: Page) -> list[str]:
    found: list[str] = page.locator("#rows tbody tr[data-id]").evaluate_all("rows => rows.map(row => row.dataset.id)")
    return found


@pytest.fixture
def log(visit: Visit, gateway: Gateway) -> Page:
    """The log of messages, live, with a row in it."""
    gateway.phone("+14155551301").text("first", to="+14155550100")
    page = visit.see("/console/messages")
    expect(page.locator("[data-live-state=live]")).to_be_visible()
    return page


def test_a_flood_is_offered_and_does_not_push_rows_under_the_readers_hand(log: Page, gateway: Gateway) -> None:
    before = ids(log)
    for prefix in ("601", "602", "603"):
        send(gateway, prefix)
    expect(log.locator(".more-rows")).to_be_visible()
    assert before == ids(log)[-len(before) :]
    assert len(ids(log)) <= ROWS_MAX
    log.locator(".more-rows").click()
    expect(log.locator("#rows tbody tr").first).to_contain_text("flood 603")


def test_rows_that_came_by_themselves_are_never_more_than_five_hundred(log: Page, gateway: Gateway) -> None:
    log.locator("#rows tbody").evaluate(
        """body => { for (let number = 0; number < 600; number += 1) {
            const row = body.lastElementChild.cloneNode(true);
            row.dataset.id = `old-${number}`;
            body.append(row);
        } }"""
    )
    gateway.phone("+14155551302").text("one more", to="+14155550100")
    expect(log.locator("#rows")).to_contain_text("one more")
    expect(log.locator("#rows tbody tr")).to_have_count(ROWS_MAX)


def test_a_pause_holds_still_in_a_flood(log: Page, gateway: Gateway) -> None:
    log.keyboard.press("p")
    expect(log.locator("[data-live-state=paused]")).to_be_visible()
    before = log.locator("#rows tbody").inner_html()
    with log.expect_event("requestfinished", lambda request: "/console/events" not in request.url) as asked:
        send(gateway, "604")
        query = "/console/messages.json?q=text:%22flood%20604%22"
        eventually(lambda: AT_ONCE == len(log.context.request.get(query).json()["items"]))
        assert before == log.locator("#rows tbody").inner_html()
        log.keyboard.press("p")
    assert "rows" in asked.value.url  # nothing was asked for until the reader went on
    expect(log.locator(".more-rows")).to_be_visible()


# ── 200 texts a second ───────────────────────────────────────────────────────────────────────────────────

FLOOD_SECONDS = int(os.environ.get("STOPWIRE_TEST_FLOOD_SECONDS", "8"))  # 60 in a run of its own: see CONTRIBUTING.md
TASK_MS_MAX = 100


@contextmanager
def flood(gateway: Gateway, prefix: str, seconds: int = FLOOD_SECONDS) -> Iterator[Callable[[], int]]:
    """200 texts in each second, from a thread of its own; how many there were so far."""
    stop, sent = threading.Event(), 0

    def pour() -> None:
        nonlocal sent
        with httpx.Client(base_url=gateway.url, auth=(gateway.account_sid, gateway.auth_token), timeout=30, trust_env=False) as client:
            for second in range(seconds):
                began = time.monotonic()
                people = [{"to": f"+1{prefix}{second % 10}{number:06}"} for number in range(AT_ONCE)]
                answer = client.post("/api/v1/messages", json={"service": gateway.service, "body": f"{prefix}, {second}", "recipients": people})
                sent += len(answer.raise_for_status().json()["items"])
                if stop.wait(max(0.0, began + 1 - time.monotonic())):
                    return

    thread = threading.Thread(target=pour, daemon=True)
    thread.start()
    try:
        yield lambda: sent
        thread.join(timeout=seconds * 5)
    finally:
        stop.set()
        thread.join(timeout=30)


def own_tasks_ms(trace: bytes) -> list[float]:
    """How long each task of a page's main thread had the processor: whatever else this machine does meanwhile counts for nothing."""
    events = json.loads(trace)["traceEvents"]
    mains = {(e["pid"], e["tid"]) for e in events if e["name"] == "thread_name" and e["args"]["name"] == "CrRendererMain"}
    tasks = [e for e in events if e["name"] == "ThreadControllerImpl::RunTask" and (e["pid"], e["tid"]) in mains]
    return [e["tdur"] / 1000 for e in tasks if "tdur" in e]


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/console/messages", "/console/", "/console/simulator"])
def test_two_hundred_texts_a_second_leave_a_page_quick(
    visit: Visit, browser: Browser, gateway: Gateway, path: str, record_property: Callable[[str, object], None]
) -> None:
    page = visit.see(path)
    expect(page.locator("[data-live-state=live]")).to_be_visible()
    browser.start_tracing(page=page, categories=["toplevel", "disabled-by-default-devtools.timeline"])
    with flood(gateway, f"70{len(path) % 10}") as sent:
        for _ in range(FLOOD_SECONDS):
            page.wait_for_timeout(1000)
            assert page.locator("tbody tr").count() <= ROWS_MAX
    tasks = own_tasks_ms(browser.stop_tracing())
    assert FLOOD_SECONDS * AT_ONCE == sent()
    assert len(tasks) > 100
    record_property("task_ms_max", round(max(tasks), 1))
    assert max(tasks) <= TASK_MS_MAX


@pytest.mark.slow
def test_a_pause_holds_still_as_long_as_the_flood_lasts(log: Page, gateway: Gateway) -> None:
    log.keyboard.press("p")
    expect(log.locator("[data-live-state=paused]")).to_be_visible()
    before, asked = log.locator("main").inner_html(), []
    log.on("request", lambda request: asked.append(request.url))
    with flood(gateway, "710", seconds=4):
        for _ in range(4):
            log.wait_for_timeout(1000)
            assert before == log.locator("main").inner_html()
    assert [] == asked


class Wire:
    """A wire between a browser and the gateway, which can be cut and mended. `url` is its browser's end."""

    def __init__(self, gateway: Gateway) -> None:
        self._far = urlsplit(gateway.url)
        self._ends: list[socket.socket] = []
        self.mended = True
        self._door = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._door.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._door.accept()
                if not self.mended:
                    near.close()
                    continue
                far = socket.create_connection((self._far.hostname, self._far.port))
                self._ends += [near, far]
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=self._carry, args=(one, other), daemon=True).start()

    @staticmethod
    def _carry(one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(65536):
                other.sendall(data)
        with suppress(OSError):
            other.shutdown(socket.SHUT_RDWR)

    def cut(self) -> None:
        """Every connection ends, and none can be made."""
        self.mended = False
        ends, self._ends = self._ends, []
        for end in ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def close(self) -> None:
        self.cut()
        self._door.close()


@pytest.fixture
def wire(gateway: Gateway) -> Iterator[Wire]:
    laid = Wire(gateway)
    yield laid
    laid.close()


@pytest.fixture
def far(wire: Wire, browser: Browser, gateway: Gateway) -> Iterator[Page]:
    """The log of messages, live, at the end of the wire."""
    gateway.phone("+14155551301").text("first", to="+14155550100")
    visit = Visit(SimpleNamespace(url=wire.url, run=gateway.run, world=gateway.world, account_sid=gateway.account_sid), browser)  # type: ignore[arg-type]
    page = visit.by_link().see("/console/messages")
    expect(page.locator("[data-live-state=live]")).to_be_visible()
    yield page
    visit.context.close()  # its faults are the wire's: connections that were refused


def test_a_reconnect_loses_no_row(far: Page, wire: Wire, gateway: Gateway) -> None:
    wire.cut()
    expect(far.locator("[data-live-state=away]")).to_be_visible()
    for number in range(12):
        gateway.phone("+14155551303").text(f"while away {number}", to="+14155550100")
    wire.mended = True
    expect(far.locator("#rows")).to_contain_text("while away 11", timeout=10_000)
    gateway.phone("+14155551303").text("and after", to="+14155550100")
    expect(far.locator("#rows")).to_contain_text("and after")
    told = [item["id"] for item in far.context.request.get(f"{gateway.url}/console/messages.json?limit=50").json()["items"]]
    assert told == ids(far)[: len(told)]


def test_what_the_tail_has_forgotten_meanwhile_is_looked_for(far: Page, wire: Wire, gateway: Gateway) -> None:
    """It keeps some thousand events: a page that was away for longer must not wait for the next one."""
    wire.cut()
    expect(far.locator("[data-live-state=away]")).to_be_visible()
    gateway.phone("+14155551305").text("long ago", to="+14155550100")
    tail = gateway.world.tail
    assert isinstance(tail, LiveTail)
    for _ in range(KEPT):
        tail.add("AC" + "0" * 32, "nothing.here", {})
    wire.mended = True
    expect(far.locator("#rows")).to_contain_text("long ago", timeout=10_000)


def test_a_stream_that_ends_with_an_error_is_asked_for_again(far: Page, wire: Wire, gateway: Gateway) -> None:
    """A proxy answers 502 while the gateway starts anew: a browser gives up then, and the page does not."""
    far.context.route("**/console/events?*", lambda route: route.fulfill(status=502, body="Bad gateway"))
    wire.cut()
    wire.mended = True
    expect(far.locator("[data-live-state=away]")).to_be_visible()
    far.wait_for_event("response", lambda answer: answer.status == 502)
    gateway.phone("+14155551304").text("behind a proxy", to="+14155550100")
    far.context.unroute("**/console/events?*")
    expect(far.locator("#rows")).to_contain_text("behind a proxy", timeout=10_000)


PAGES = [
    "/console/", "/console/simulator", "/console/messages", "/console/blocks", "/console/review", "/console/ledger", "/console/services",
    "/console/senders", "/console/carriers", "/console/webhooks", "/console/analytics", "/console/developers", "/console/settings",
]  # fmt: skip


@pytest.mark.parametrize("width", [pytest.param(320, id="400 % of 1280"), pytest.param(768, id="a tablet")])
@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_read_without_scrolling_sideways(
    visits: Callable[..., Visit], gateway: Gateway, accessible: Callable[[Page], None], path: str, width: int
) -> None:
    visit = visits(viewport={"width": width, "height": 256 if width == 320 else 1024}).by_link()  # WCAG 2.2, 1.4.10
    page = visit.see(path)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    if width == 768:
        accessible(page)
    visit.shoot(f"{path.strip('/').replace('/', '-')}-{width}")
