"""Senders and the connections they speak through, as a person adds, tries and pauses them."""

import csv
import io
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from stopwire.core.roles import Role
from tests.console.conftest import Visit
from tests.gateway import Gateway

PAGES = [
    "/console/carriers",
    "/console/carriers/new",
    "/console/carriers/new?type=smpp",
    "/console/carriers/simulator",
    "/console/senders",
    "/console/senders/new",
]


@pytest.mark.parametrize(("theme", "width"), [("light", 1440), ("dark", 360)])
def test_the_pages_are_accessible_and_fit(
    visits: Callable[..., Visit], gateway: Gateway, accessible: Callable[[Page], None], theme: str, width: int
) -> None:
    visit = visits(color_scheme=theme, viewport={"width": width, "height": 800}).by_link()
    for path in [*PAGES, f"/console/senders/{gateway.sender('72345')}"]:
        page = visit.see(path)
        accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), path
        visit.shoot(f"{path.strip('/').replace('/', '-').replace('?', '-')}-{theme}-{width}")


def test_a_connection_is_added_tried_paused_resumed_and_removed(visit: Visit, gateway: Gateway) -> None:
    page = visit.see("/console/carriers")
    page.keyboard.press("n")
    page.get_by_role("link", name="smpp").click()
    page.get_by_label("Name", exact=True).fill("two words")
    page.get_by_label("host", exact=True).fill("127.0.0.1")
    page.get_by_label("system_id", exact=True).fill("stopwire")
    page.get_by_label("password", exact=True).fill("hunter2hunter2")
    page.get_by_label("Senders to put on it").fill("+14155550188")
    page.get_by_text("more settings").click()
    page.get_by_label("port", exact=True).fill("9")
    page.get_by_label("binds", exact=True).fill("many")
    page.get_by_role("button", name="Add and open").click()
    expect(page.locator(".wrong .sentence").first).to_be_visible()
    expect(page.get_by_label("host", exact=True)).to_have_value("127.0.0.1")
    page.get_by_label("binds", exact=True).fill("1")
    page.get_by_label("password", exact=True).fill("hunter2hunter2")
    page.get_by_role("button", name="Add and open").click()
    expect(page.locator(".wrong .sentence").first).to_contain_text("letters, digits")
    page.get_by_label("Name", exact=True).fill("harbour")
    page.get_by_label("password", exact=True).fill("hunter2hunter2")
    page.get_by_role("button", name="Add and open").click()
    expect(page.get_by_text("harbour is there and is being opened.")).to_be_visible()
    assert "hunter2" not in page.content()
    expect(page.get_by_role("link", name="+14155550188")).to_be_visible()
    page.get_by_role("button", name="Test").click()
    expect(page.get_by_role("status").filter(has_text="Tested just now")).to_contain_text("down")
    visit.shoot("carrier")
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("#link")).to_contain_text("paused")
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_text("harbour is being opened again.")).to_be_visible()
    page.get_by_text("Change the settings").click()
    page.get_by_label("host", exact=True).fill("127.0.0.2")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("harbour is changed.")).to_be_visible()
    told = gateway.http.get("/api/v1/carriers/harbour").json()
    assert ("127.0.0.2", "9", ["password"]) == (told["settings"]["host"], str(told["settings"]["port"]), told["secrets"])
    page.get_by_text("Remove this connection").click()
    page.get_by_label("Type “harbour” to remove it").fill("harbour")
    page.get_by_role("button", name="Remove", exact=True).click()
    expect(page.locator(".wrong .sentence")).to_contain_text("still speak through it")
    page.get_by_role("link", name="+14155550188").click()
    page.get_by_text("Give this sender back").click()
    page.get_by_label("Type “+14155550188” to give it back").fill("+14155550188")
    page.get_by_role("button", name="Give back").click()
    expect(page.get_by_text("+14155550188 is given back.")).to_be_visible()
    visit.see("/console/carriers/harbour")
    page.get_by_text("Remove this connection").click()
    page.get_by_label("Type “harbour” to remove it").fill("harbour")
    page.get_by_role("button", name="Remove", exact=True).click()
    expect(page.get_by_text("harbour is removed.")).to_be_visible()


def test_the_log_grows_while_it_is_looked_at(visit: Visit, gateway: Gateway) -> None:
    settings = {"host": "127.0.0.1", "port": 9, "system_id": "stopwire"}
    gateway.http.post("/api/v1/carriers", json={"name": "quay", "type": "smpp", "settings": settings, "paused": True}).raise_for_status()
    page = visit.see("/console/carriers/quay")
    expect(page.locator("#link")).to_contain_text("paused")
    expect(page.locator("[data-live-state]")).to_be_visible()
    gateway.http.post("/api/v1/carriers/quay/resume").raise_for_status()
    expect(page.locator("#log tbody tr").first).to_contain_text("No connection to 127.0.0.1:9")
    expect(page.locator("#link")).to_contain_text("down")
    gateway.http.delete("/api/v1/carriers/quay").raise_for_status()


def test_each_kind_of_sender_tells_what_a_stop_meets(visit: Visit, gateway: Gateway) -> None:
    told = {
        "+14155550122": "A STOP holds for this sender alone",
        "+14155550100": "A STOP holds for all senders of Demo",
        "+18885550100": "The toll-free network answers STOP",
        "72345": "A STOP does nothing here: senders of this kind (short code) have no",
        "whatsapp:+14155550190": "A STOP does nothing here: senders of this kind (WhatsApp) have no",
    }
    for address, sentence in told.items():
        page = visit.see(f"/console/senders/{gateway.sender(address)}")
        expect(page.locator("main")).to_contain_text(sentence)
    visit.shoot("sender-whatsapp")


def test_a_sender_is_added_set_and_tried(visit: Visit, gateway: Gateway) -> None:
    page = visit.see("/console/senders")
    page.keyboard.press("n")
    page.get_by_label("Address").fill("+14155550100")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator(".wrong .sentence")).to_contain_text("Somebody has this address already. [21422]")
    page.get_by_label("Address").fill("+14155550177")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("+14155550177 is there.")).to_be_visible()
    page.get_by_label("Webhook for inbound texts").fill("http://10.0.0.5/in")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".wrong .sentence")).to_be_visible()
    page.get_by_label("Webhook for inbound texts").fill("http://127.0.0.1:9/in")
    page.get_by_label("Default words", exact=True).select_option("off")
    page.get_by_label("Messages a second").fill("2.5")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("+14155550177 is changed.")).to_be_visible()
    expect(page.locator(".notice.wait")).to_contain_text("A STOP does nothing here")
    sender = gateway.run(gateway.world.store.directory(gateway.account_sid)).sender_at("+14155550177")
    assert sender is not None
    assert (False, 2.5, "http://127.0.0.1:9/in") == (sender.default_opt_out, sender.mps, sender.webhook.url)
    page.get_by_label("To", exact=True).fill("+14155550166")
    page.get_by_label("Text", exact=True).fill("Is this line open?")
    page.get_by_role("button", name="Send", exact=True).click()
    gateway.phone("+14155550166").wait()


def test_the_twins_hold_the_same_rows(visit: Visit, gateway: Gateway) -> None:
    page = visit.see("/console/senders?kind=long_code")
    shown = page.locator("#rows tbody tr").evaluate_all("rows => rows.map(row => row.dataset.id)")
    twin = page.request.get("/console/senders.json?kind=long_code").json()["items"]
    lines = list(csv.DictReader(io.StringIO(page.request.get("/console/senders.csv?kind=long_code").text())))
    assert shown == [each["sid"] for each in twin] == [line["sid"] for line in lines]
    assert "simulator" == page.request.get("/console/carriers.json").json()["items"][0]["name"]


def test_who_may_not_change_carriers_sees_them(visits: Callable[..., Visit], person: Callable[..., str]) -> None:
    visit = visits().by_name(person("Vera", Role.VIEWER))
    page = visit.see("/console/carriers/simulator")
    expect(page.get_by_role("button", name="Test")).to_have_count(0)
    answer = page.request.post("/console/carriers", form={"type": "smpp"}, headers={"Sec-Fetch-Site": "same-origin"})
    assert 403 == answer.status


def test_all_can_be_read_without_script_and_weighs_little(visits: Callable[..., Visit], gateway: Gateway) -> None:
    visit = visits(java_script_enabled=False).by_link()
    for path in [*PAGES, "/console/ledger", "/console/analytics"]:
        page = visit.see(path)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        assert len(page.content().encode()) < 60_000, path
