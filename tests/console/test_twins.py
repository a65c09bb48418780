"""Every table and its twins: page, `.json` and `.csv` hold the same rows, and the address alone shows them again."""

import csv
import io
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime

import pytest
from playwright.sync_api import Page, expect

from tests.console.conftest import Visit
from tests.console.inhabited import ERASED, LONE, inhabit, tables
from tests.gateway import Gateway

FORGOTTEN = "+14155557005"
# Nobody is bound by SMPP, nobody stopped in that hour of a Monday: tests of their own have some.
EMPTY_HERE = {"/console/carriers/applications", "/console/analytics/week/{hour}"}
IDS = "rows => rows.map(row => row.dataset.id)"


@pytest.fixture(scope="module")
def pages(gateway: Gateway) -> Mapping[str, str]:
    return inhabit(gateway)


def shown(page: Page) -> list[str]:
    found: list[str] = page.locator("table[id] tbody tr[data-id]").evaluate_all(IDS)
    return [plain(each) for each in found]


def plain(name: str) -> str:
    """What a row is called; where that is a time, in one of its spellings."""
    with suppress(ValueError):
        return datetime.fromisoformat(name).isoformat() if "T" in name else name
    return name


def key(item: Mapping[str, object]) -> str:
    """How a row of the page is called, by what a twin says of it."""
    if "id" in item or "sid" in item:
        return str(item.get("id", item.get("sid")))
    first, second = list(item.values())[:2]
    return f"{first}.{second}" if first in ("inbound", "status") else plain(str(first))


def twin(address: str, ending: str) -> str:
    path, mark, query = address.partition("?")
    return path + ending + mark + query


@pytest.mark.parametrize("route", tables())
def test_page_and_twins_hold_the_same_rows(visit: Visit, pages: Mapping[str, str], route: str) -> None:
    address = pages[route]
    page = visit.see(address)
    told = json.loads(page.request.get(twin(address, ".json")).text())
    lines = list(csv.DictReader(io.StringIO(page.request.get(twin(address, ".csv")).text())))
    items = told["items"]
    assert {"items", "next", "as_of"} == told.keys()
    rows = shown(page)
    assert items or route in EMPTY_HERE
    assert len(rows) == len(items) if len(items) <= 50 else len(rows) >= 50
    assert rows == [key(item) for item in items][: len(rows)]
    assert [key(item) for item in items] == [key(line) for line in lines]
    assert all(list(item) == list(line) for item, line in zip(items, lines, strict=True))
    links = [link.get_attribute("href") for link in page.locator(".twins a").all()]
    assert [twin(address, ".csv"), twin(address, ".json")] == links or not links


FILTERED = [
    "/console/messages?q=dir:in",
    "/console/messages?q=has:refusal",
    "/console/blocks?q=7003&scope=&since=&channel=text",
    "/console/review?state=open",
    "/console/ledger?act=opt_out",
    "/console/developers/errors?q=21610",
    "/console/webhooks?state=delivered&event=inbound",
    "/console/settings/audit?act=sign_in",
]


@pytest.mark.parametrize("address", FILTERED)
def test_an_address_shows_the_same_rows_to_somebody_else(
    visits: Callable[..., Visit], pages: Mapping[str, str], address: str
) -> None:
    mine, theirs = visits().by_link(), visits(java_script_enabled=False).by_link()  # before either looks: signing in is a row too
    first = shown(mine.see(address))
    assert first
    assert first == shown(theirs.see(address))
    told = json.loads(mine.page.request.get(twin(address, ".json")).text())["items"]
    assert first == [key(item) for item in told][: len(first)]


def test_the_next_page_has_an_address_too(visits: Callable[..., Visit], pages: Mapping[str, str], gateway: Gateway) -> None:
    people = [{"to": f"+1415557{number:04}"} for number in range(2000, 2070)]
    gateway.http.post("/api/v1/messages", json={"service": gateway.service, "body": "pages", "recipients": people})
    mine = visits().by_link()
    first = shown(mine.see("/console/messages?q=pages"))
    mine.page.get_by_role("link", name="older").click()
    expect(mine.page.get_by_role("link", name="newer")).to_be_visible()
    second = shown(mine.page)
    assert (50, 20, 70) == (len(first), len(second), len({*first, *second}))
    assert second == shown(visits(java_script_enabled=False).by_link().see(mine.page.url))


def test_who_was_erased_is_said_to_be(visit: Visit, pages: Mapping[str, str], gateway: Gateway) -> None:
    assert 200 == gateway.http.post(f"/api/v1/recipients/{ERASED}/erase").status_code
    gateway.phone(FORGOTTEN).text("the newest of all", to=LONE)
    page = visit.see("/console/messages?q=sender:" + LONE.replace("+", "%2B"))
    row = page.locator("#rows tbody tr").filter(has_text="erased on")
    expect(row.locator("td").nth(2)).to_have_text("erased")
    row.locator("[data-open-row]").click()
    expect(page.get_by_role("definition").filter(has_text="erased").first).to_be_visible()
    gateway.http.post(f"/api/v1/recipients/{FORGOTTEN}/erase")
    expect(visit.see("/console/").locator("#live tbody tr").filter(has_text="erased on").first).to_contain_text("erased")
