"""The consent ledger as a person reads it: filters, one event, and the state of the chain."""

import sqlite3
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.console.conftest import Visit
from tests.gateway import Gateway

ANN, BEN = "+14155550131", "+14155550132"


@pytest.fixture
def told(gateway: Gateway) -> Gateway:
    """Ann stopped and came back, Ben stopped."""
    for who, body in ((ANN, "STOP"), (ANN, "START"), (BEN, "Stop.")):
        gateway.phone(who).text(body, to="+14155550122")
    return gateway


@pytest.mark.parametrize(("theme", "width"), [("light", 1440), ("dark", 360)])
def test_the_pages_are_accessible_and_fit(
    visits: Callable[..., Visit], told: Gateway, accessible: Callable[[Page], None], theme: str, width: int
) -> None:
    visit = visits(color_scheme=theme, viewport={"width": width, "height": 800}).by_link()
    event = told.http.get("/api/v1/consent-events").json()["items"][0]["id"]
    for path in ("/console/ledger", f"/console/ledger/{event}"):
        page = visit.see(path)
        accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), path
        visit.shoot(f"ledger{'-event' if path.endswith(event) else ''}-{theme}-{width}")


def test_events_stand_in_their_order_and_open(visit: Visit, told: Gateway) -> None:
    page = visit.see("/console/ledger")
    expect(page.locator("#verdict")).to_contain_text("The chain holds")
    rows = page.locator("#rows tbody tr")
    expect(rows.nth(0)).to_contain_text("opted out")
    expect(rows.nth(1)).to_contain_text("opted in")
    assert ANN not in page.content()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Its place in the chain")).to_be_visible()
    expect(page.locator(".checks")).to_contain_text("its facts are those that were sealed")
    expect(page.locator("main")).to_contain_text("Stop.")
    page.get_by_role("link", name="before").click()
    expect(page.locator(".head")).to_contain_text("opted in")
    expect(page.locator(".checks")).to_contain_text("the event after it follows it")


def test_filters_stand_in_the_address_and_in_the_twins(visit: Visit, told: Gateway) -> None:
    page = visit.see("/console/ledger")
    page.get_by_label("Person", exact=True).fill(BEN)
    page.get_by_label("What happened").select_option("opt_out")
    page.get_by_role("button", name="Filter").click()
    rows = page.locator("#rows tbody tr")
    expect(rows).to_have_count(1)
    csv, twin = page.locator(".twins a").nth(0), page.locator(".twins a").nth(1)
    items = page.request.get(twin.get_attribute("href") or "").json()["items"]
    assert [("opt_out", "STOP")] == [(each["act"], each["word"]) for each in items]
    assert 2 == page.request.get(csv.get_attribute("href") or "").text().count("\r\n")
    page.get_by_role("link", name="Clear").click()
    page.get_by_label("Person", exact=True).fill("555")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator("#d-person")).to_contain_text("Write the whole number")


def test_days_bound_the_list(visit: Visit, told: Gateway) -> None:
    assert [] == visit.page.request.get("/console/ledger.json?until=2001-01-01").json()["items"]
    assert visit.page.request.get("/console/ledger.json?since=2001-01-01").json()["items"]


def test_a_new_event_comes_by_itself(visit: Visit, told: Gateway) -> None:
    page = visit.see("/console/ledger")
    expect(page.locator("[data-live-state]")).to_be_visible()
    count = page.locator("#rows tbody tr").count()
    told.phone("+14155550139").text("STOP", to="+14155550122")
    expect(page.locator("#rows tbody tr")).to_have_count(count + 1)


def test_a_row_that_was_changed_breaks_the_chain(visit: Visit, told: Gateway) -> None:
    page = visit.see("/console/ledger")
    with sqlite3.connect(told.settings.data_dir / "stopwire.db") as store:
        for name, in store.execute("select name from sqlite_master where type = 'trigger' and tbl_name = 'consent_events'").fetchall():
            store.execute(f"drop trigger {name}")
        store.execute("update consent_events set word = 'NEVER' where seq = (select max(seq) from consent_events)")
    page.get_by_role("button", name="Verify the chain").click()
    expect(page.get_by_role("alert")).to_contain_text("its facts were changed after it was written")
    visit.shoot("ledger-broken")
