"""Settings, Health and the pace of a connection, in Chromium: figures, charts, their table and twins."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from stopwire.flows import health
from stopwire.ports.world import Beat
from tests.console.conftest import Visit
from tests.gateway import Gateway, eventually

MIB, GIB = 1 << 20, 1 << 30


@pytest.fixture(scope="module")
def day(gateway: Gateway) -> Gateway:
    """A gateway that has been up since this morning, with a queue at noon."""
    now = gateway.world.clock.now()
    for minute in range(600):
        noon = 40 * max(0, 60 - abs(300 - minute))
        beat = Beat(
            at=now - timedelta(minutes=600 - minute), database_bytes=(900 + minute) * MIB, log_bytes=4 * MIB, free_bytes=52 * GIB - minute * MIB,
            writes_waiting=minute % 3, texts_waiting=noon, webhooks_waiting=0,
        )  # fmt: skip
        gateway.world.pulse.beat(beat)
    gateway.run(health.beat(gateway.world))
    return gateway


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 360)])
def test_the_day_is_drawn_and_told(
    visits: Callable[..., Visit], accessible: Callable[[Page], None], day: Gateway, theme: str, width: int
) -> None:
    visit = visits(color_scheme=theme, viewport={"width": width, "height": 800}).by_link()
    page = visit.see("/console/settings/health")
    charts = page.locator("figure.plot img")
    assert 4 == charts.count()
    assert charts.evaluate_all("images => images.every(image => image.complete && image.naturalWidth > 0)")
    expect(page.locator("figure").nth(2)).to_contain_text("it was the most, 2,400")
    expect(page.locator("figure").nth(3)).to_contain_text("Nothing has waited since it started")
    expect(page.locator("dl.figures")).to_contain_text("its log (WAL)")
    accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    columns = page.request.get("/console/settings/health/texts.svg").text().count("<title>")
    assert 0 < columns <= 96, "a day fits"
    visit.shoot(f"health-{theme}")


def test_the_table_and_its_twins_have_every_beat(visit: Visit, day: Gateway) -> None:
    page = visit.see("/console/settings/health")
    page.get_by_role("link", name="All of it as a table").click()
    expect(page.locator("tbody tr[data-id]").first).to_be_visible()
    items, after = [], ""
    while True:
        told = page.request.get(f"/console/settings/health/beats.json{after}").json()
        items += told["items"]
        if not told["next"]:
            break
        after = f"?after={told['next'].replace('+', '%2B')}"
    assert 601 <= len(items)
    assert {"at", "database_mib", "log_mib", "free_gib", "texts_waiting", "webhooks_waiting", "writes_waiting"} == items[0].keys()
    assert 601 < len(page.request.get("/console/settings/health/beats.csv").text().splitlines())


def test_a_chart_is_none_of_the_pages_scripts(visit: Visit, day: Gateway) -> None:
    answer = visit.page.request.get("/console/settings/health/texts.svg?theme=dark&size=narrow")
    assert ("image/svg+xml", True) == (answer.headers["content-type"], "sandbox" in answer.headers["content-security-policy"])
    assert 404 == visit.page.request.get("/console/settings/health/nothing.svg").status


def test_what_a_connection_had_answered_stands_at_its_page(visit: Visit, gateway: Gateway, accessible: Callable[[Page], None]) -> None:
    client = gateway.client()
    sent = [client.messages.create(to=f"+1415555{7400 + number}", from_="+14155550122", body="hello") for number in range(3)]
    eventually(lambda: client.messages(sent[-1].sid).fetch().status == "delivered")
    page = visit.see("/console/carriers/simulator")
    chart = page.locator("#pace img")
    assert "in the busiest second" in (chart.get_attribute("alt") or "")
    assert chart.evaluate("image => image.complete && image.naturalWidth > 0")
    accessible(page)
    visit.shoot("carrier-pace")
    page.get_by_role("link", name="As a table").click()
    expect(page.locator("tbody tr[data-id]").first).to_be_visible()
    items = page.request.get("/console/carriers/simulator/pace.json").json()["items"]
    assert 3 <= sum(each["parts"] for each in items)
    assert 404 == page.request.get("/console/carriers/nowhere/pace").status


def test_the_limit_of_a_connection_is_drawn_across(visit: Visit, gateway: Gateway) -> None:
    settings = {"host": "127.0.0.1", "port": 9, "system_id": "u", "password": "p", "throughput": 30}
    gateway.http.post("/api/v1/carriers", json={"name": "paced", "type": "smpp", "settings": settings, "paused": True}).raise_for_status()
    sid = next(each["sid"] for each in gateway.http.get("/api/v1/carriers").json()["items"] if each["name"] == "paced")
    for _ in range(7):
        gateway.world.pulse.answered(sid)
    assert "of 30 allowed" in (visit.see("/console/carriers/paced").locator("#pace img").get_attribute("alt") or "")
    assert "limit 30 a second" in visit.page.request.get("/console/carriers/paced/pace.svg?size=wide").text()
