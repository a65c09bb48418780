"""Alerts in the browser: what fires stands first, is taken and muted; rules are set within their bounds; in both themes, on a phone."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from stopwire.core.alerts import Alert, Kind, State
from stopwire.core.roles import Role
from stopwire.ports.store import Tx
from tests.console.conftest import Visit
from tests.gateway import Gateway

FIGURES: dict[Kind, tuple[str, dict[str, Any]]] = {
    Kind.OPT_OUT_RATE: ("", {"stops": 42, "delivered": 1200, "rate": "3.5"}),
    Kind.FAILURES: ("", {"failed": 64, "sent": 212, "rate": "30.2"}),
    Kind.WEBHOOK_AGE: ("", {"waiting": 310, "minutes": 22}),
    Kind.LINK_DOWN: ("CN1", {"name": "acme", "minutes": 7}),
    Kind.REVIEW_OVERDUE: ("", {"count": 3, "days": 2}),
    Kind.PUMPING: ("+37060012", {"block": "+37060012", "numbers": 64, "texts": 70}),
    Kind.LOOP: ("+14155550100", {"sender": "+14155550100", "replies": 44, "ending": "0117"}),
}


def fire(gateway: Gateway, *kinds: Kind, hours_ago: float = 0, **changes: Any) -> list[str]:
    """Let alerts fire; their ids."""
    since = gateway.world.clock.now() - timedelta(hours=hours_ago)
    made = [
        Alert(
            id=gateway.world.ids.sid("AL"), account=gateway.account_sid, kind=kind, subject=FIGURES[kind][0], since=since,
            figures=FIGURES[kind][1], **{"state": State.FIRING, **changes},
        )
        for kind in kinds
    ]  # fmt: skip

    def keep(tx: Tx) -> None:
        for alert in made:
            tx.alerts.add(alert)
            tx.tell("alert.fired", id=alert.id, kind=alert.kind.value)

    gateway.run(gateway.world.store.write(keep, account=gateway.account_sid))
    return [alert.id for alert in made]


@pytest.fixture(autouse=True)
def calm(gateway: Gateway) -> Iterator[None]:
    """Each test begins where nothing fires, and nothing is muted."""

    def end(tx: Tx) -> None:
        for alert in tx.alerts.standing():
            tx.alerts.save(Alert(**{**{name: getattr(alert, name) for name in Alert.__slots__}, "state": State.OVER, "over_at": alert.since}))
        for mute in tx.alerts.mutes(gateway.world.clock.now()):
            tx.alerts.drop_mute(mute.kind, mute.subject)

    yield
    gateway.run(gateway.world.store.write(end, account=gateway.account_sid))


def test_a_page_where_nothing_ever_fired_teaches_what_would(visit: Visit) -> None:
    page = visit.see("/console/alerts")
    expect(page.get_by_text("Nothing has fired yet.", exact=False)).to_be_visible()
    visit.shoot("alerts-empty")
    page.get_by_role("link", name="See when each of them fires").click()
    expect(page).to_have_url(re.compile("/console/alerts/rules$"))
    assert len(Kind) == page.locator("section.card").count()


def test_an_alert_is_found_on_home_taken_and_muted(visit: Visit, gateway: Gateway) -> None:
    page = visit.see("/console/")
    (id,) = fire(gateway, Kind.LINK_DOWN)
    line = page.locator("#fix").get_by_text("The connection acme has been down for 7 min.", exact=False)
    expect(line).to_be_visible()
    visit.shoot("alerts-home")
    page.locator("#fix li", has_text="acme").get_by_role("link", name="Open").click()
    card = page.locator(f"#{id}")
    expect(card).to_contain_text("Its log under Carriers says what the carrier answered.")
    card.get_by_role("button", name="Take it").click()
    expect(page.get_by_text("It is yours.")).to_be_visible()
    expect(card).to_contain_text("owner looks after it")
    card.get_by_label("For how long").select_option("8 hours")
    card.get_by_role("button", name="Mute").click()
    expect(card).to_contain_text("muted until")
    assert "muted" == gateway.http.get(f"/api/v1/alerts/{id}").json()["state"]
    assert 0 == visit.see("/console/").locator("#fix li", has_text="acme").count()
    page = visit.see("/console/alerts")
    page.locator(f"#{id}").get_by_role("button", name="End the mute").click()
    expect(page.locator(f"#{id}").get_by_role("button", name="Take it")).to_be_visible()


def test_what_fires_appears_by_itself_and_stands_before_what_is_taken(visit: Visit, gateway: Gateway) -> None:
    fire(gateway, Kind.PUMPING, state=State.TAKEN, taken_by="console:Ana", hours_ago=1)
    page = visit.see("/console/alerts")
    fire(gateway, Kind.OPT_OUT_RATE)
    expect(page.locator("section.alert h2").first).to_contain_text("Many opt-outs")
    assert ["firing", "taken"] == [re.sub(r"\W", "", text) for text in page.locator("section.alert .chip").all_inner_texts()]


def test_the_twins_hold_the_same_rows(visit: Visit, gateway: Gateway) -> None:
    fired = fire(gateway, Kind.WEBHOOK_AGE, Kind.FAILURES)
    visit.see("/console/alerts")
    shown = visit.page.locator("#rows tbody tr").evaluate_all("rows => rows.map(row => row.dataset.id)")
    told = visit.context.request.get("/console/alerts.json").json()["items"]
    assert shown == [each["id"] for each in told]
    assert fired[::-1] == shown[:2]
    assert ("failures", "64 of 212 messages failed or were not delivered: 30.2 of 100.") == (told[0]["rule"], told[0]["says"])
    lines = visit.context.request.get("/console/alerts.csv").text().splitlines()
    assert len(shown) + 1 == len(lines)


def test_a_rule_is_set_within_its_bounds_and_set_back(visit: Visit, gateway: Gateway) -> None:
    page = visit.see("/console/alerts/rules")
    card = page.locator("#opt_out_rate")
    card.get_by_label("Threshold: opt-outs per 100 delivered").fill("0,01")
    card.get_by_label("Looking back, hours").fill("1.5")
    card.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Write a number from 0.1 to 50.", exact=False)).to_be_visible()
    expect(page.get_by_label("Looking back, hours").first).to_have_value("1.5")
    visit.shoot("alerts-rules-wrong")
    card.get_by_label("Threshold: opt-outs per 100 delivered").fill("3,5")
    card.get_by_label("Looking back, hours").fill("48")
    card.get_by_label("fires").uncheck()
    card.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The rule holds from the next look on", exact=False)).to_be_visible()

    def rule() -> tuple[Any, ...]:
        found = gateway.http.get("/api/v1/alerts/rules").json()["items"][0]
        return tuple(found[name] for name in ("on", "threshold", "window_minutes", "at_least"))

    assert (False, 3.5, 2880, 100) == rule()
    page.locator("#opt_out_rate").get_by_role("button", name="As by default").click()
    expect(page.locator("#opt_out_rate").get_by_label("Looking back, hours")).to_have_value("24")
    assert (True, 2, 1440, 100) == rule()


def test_a_whole_rule_is_muted_and_heard_of_again(visit: Visit) -> None:
    page = visit.see("/console/alerts/rules")
    page.locator("#loop").get_by_role("button", name="Mute").click()
    expect(page.locator("#loop .chip", has_text="muted")).to_be_visible()
    page.locator("#loop").get_by_role("button", name="End the mute").click()
    expect(page.locator("#loop .chip", has_text="muted")).to_have_count(0)


def test_a_viewer_sees_and_changes_nothing(visits: Callable[..., Visit], person: Callable[..., str], gateway: Gateway) -> None:
    (id,) = fire(gateway, Kind.LINK_DOWN)
    visit = visits().by_name(person("Vera", Role.VIEWER))
    page = visit.see("/console/alerts")
    expect(page.locator(f"#{id}")).to_be_visible()
    assert 0 == page.locator("main form").count()
    assert 0 == visit.see("/console/alerts/rules").get_by_role("button", name="Save").count()
    answer = visit.context.request.post(f"/console/alerts/{id}/take", headers={"Sec-Fetch-Site": "same-origin"})
    assert 403 == answer.status


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 360)])
def test_both_pages_are_accessible_and_fit(
    visits: Callable[..., Visit], accessible: Callable[[Page], None], gateway: Gateway, theme: str, width: int
) -> None:
    now = gateway.world.clock.now()
    fire(gateway, Kind.OPT_OUT_RATE, Kind.LINK_DOWN)
    fire(gateway, Kind.PUMPING, state=State.TAKEN, taken_by="console:Ana", taken_at=now, calm_since=now, hours_ago=2)
    fire(gateway, Kind.LOOP, state=State.MUTED, muted_until=now + timedelta(hours=3), hours_ago=5)
    visit = visits(color_scheme=theme, viewport={"width": width, "height": 800}).by_link()
    for path in ("/console/alerts", "/console/alerts/rules", "/console/analytics"):
        page = visit.see(path)
        accessible(page)
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{path} is {wide} pixels wider than {width}"
        visit.shoot(f"{path.removeprefix('/console/').replace('/', '-')}-{theme}-{width}")
