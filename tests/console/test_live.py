"""Live rows under a flood, and pages that are narrow or enlarged, in a browser."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

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
