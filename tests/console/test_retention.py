"""Settings, Retention in Chromium: what is kept how long is set, what goes is confirmed, a hold keeps everything."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from stopwire.core.message import Status
from stopwire.core.roles import Role
from stopwire.flows import retention
from stopwire.flows.account import change_account
from tests.console.conftest import Visit
from tests.gateway import Gateway
from tests.storage.values import message

PATH = "/console/settings/retention"
FOR_GOOD = {"keep_bodies_days": None, "keep_messages_days": None, "keep_webhooks_days": None, "legal_hold": False}


@pytest.fixture(autouse=True)
def kept_for_good(gateway: Gateway) -> None:
    gateway.run(change_account(gateway.world, account=gateway.account_sid, changes=FOR_GOOD))


@pytest.fixture
def old_text(gateway: Gateway) -> str:
    at = gateway.world.clock.now() - timedelta(days=500)
    sid: str = gateway.world.ids.sid("SM")
    laid = message(sid=sid, account=gateway.account_sid, status=Status.DELIVERED, body="an old text", created_at=at, updated_at=at)
    gateway.run(gateway.world.store.write(lambda tx: tx.messages.add([laid]), account=gateway.account_sid))
    return sid


def settings(gateway: Gateway) -> dict[str, Any]:
    told = gateway.http.get("/api/v1/account").json()
    return {name: told[name] for name in FOR_GOOD}


def test_what_would_go_is_told_and_confirmed_before_it_goes(visit: Visit, gateway: Gateway, old_text: str) -> None:
    page = visit.see(PATH)
    page.get_by_label("Texts").fill("396")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("does not come back")
    visit.shoot("retention-confirm")
    assert FOR_GOOD == settings(gateway)
    page.get_by_label("Type the word erase").fill("erase")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".toasts")).to_contain_text("changed")
    assert FOR_GOOD | {"keep_bodies_days": 396} == settings(gateway)
    gateway.run(retention.sweep(gateway.world, retention.Walks()))
    page = visit.see(f"/console/messages/{old_text}")
    expect(page.locator("dl.facts")).to_contain_text("erased on")
    expect(page.locator("main")).to_contain_text("Its text was erased on")
    visit.shoot("retention-message")
    assert "retention.changed" in visit.see("/console/settings/audit").content()


def test_a_longer_time_asks_nothing(visit: Visit, gateway: Gateway, old_text: str) -> None:
    gateway.run(change_account(gateway.world, account=gateway.account_sid, changes={"keep_bodies_days": 30}))
    page = visit.see(PATH)
    expect(page.locator(".notice.wait")).to_contain_text("396 days are advised")
    page.get_by_label("Texts").fill("")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".toasts")).to_contain_text("changed")
    assert FOR_GOOD == settings(gateway)


def test_what_cannot_be_is_said_at_its_field(visit: Visit, gateway: Gateway) -> None:
    page = visit.see(PATH)
    page.get_by_label("Messages").fill("7 weeks")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".field.wrong")).to_contain_text("write one from 35 to 36500")
    assert "7 weeks" == page.get_by_label("Messages").input_value()
    assert FOR_GOOD == settings(gateway)


def test_a_hold_is_put_on_seen_and_lifted(visit: Visit, gateway: Gateway, old_text: str) -> None:
    gateway.run(change_account(gateway.world, account=gateway.account_sid, changes={"keep_bodies_days": 396}))
    page = visit.see(PATH)
    page.get_by_role("button", name="Hold everything").click()
    expect(page.locator("main")).to_contain_text("A legal hold keeps everything.")
    visit.shoot("retention-held")
    assert {} == gateway.run(retention.sweep(gateway.world, retention.Walks()))
    page.get_by_role("button", name="Lift the hold").click()
    expect(page.get_by_role("alert")).to_contain_text("All texts from before")
    page.get_by_label("Type the word erase").fill("erase")
    page.get_by_role("button", name="Lift the hold").click()
    expect(page.get_by_role("button", name="Hold everything")).to_be_visible()
    assert not settings(gateway)["legal_hold"]


def test_who_is_no_admin_only_reads(visits: Callable[..., Visit], person: Callable[..., str], gateway: Gateway) -> None:
    visit = visits().by_name(person("Otto", Role.OPERATOR))
    page = visit.see(PATH)
    expect(page.get_by_label("Texts")).to_be_disabled()
    expect(page.get_by_role("button", name="Hold everything")).to_have_count(0)


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 360)])
def test_it_is_accessible_and_fits(
    visits: Callable[..., Visit], accessible: Callable[[Page], None], gateway: Gateway, theme: str, width: int
) -> None:
    gateway.run(change_account(gateway.world, account=gateway.account_sid, changes={"keep_bodies_days": 30, "legal_hold": True}))
    page = visits(color_scheme=theme, viewport={"width": width, "height": 800}).by_link().see(PATH)
    accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_a_row_of_the_ledger_proves_a_text_that_is_kept_no_longer(visit: Visit, gateway: Gateway) -> None:
    gateway.phone("+14155557311").text("stop", to="+14155550100")
    sid = next(each.sid for each in gateway.client().messages.list() if each.from_ == "+14155557311")
    event = gateway.http.get("/api/v1/consent-events", params={"recipient": "+14155557311"}).json()["items"][0]["id"]
    gateway.run(gateway.world.store.write(lambda tx: tx.messages.delete(sid), account=gateway.account_sid))
    expect(visit.see(f"/console/ledger/{event}").locator("dl.facts").first).to_contain_text("is kept no longer")
