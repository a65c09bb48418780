"""Analytics: charts, their tables and twins, and that all of them count the same."""

import csv
import io
import re
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from defusedxml.ElementTree import fromstring
from playwright.sync_api import Page, expect

from stopwire import console
from stopwire.console.analytics import PLOTS, interval
from stopwire.console.plots import THEMES, Paper, Point, bars, columns, ticks_to
from stopwire.core.address import ChannelGroup
from stopwire.core.consent import Act, ConsentEvent, Reason
from stopwire.core.jobs import Delivery
from stopwire.core.message import Direction, Message, Status
from stopwire.ports.store import Tx
from tests.console.conftest import Visit
from tests.gateway import Gateway

BODIES = ("Sale ends tonight. Reply STOP to end", "Oferta de hoy: 20 % <b>menos</b>", "Your parcel comes tomorrow")
WORDS = (("STOP", "en"), ("ALTO", "es"), ("UNSUBSCRIBE", "en"), ("STOP", "en"))


@pytest.fixture(scope="module")
def history(gateway: Gateway) -> Gateway:
    """Four weeks of texts in two countries, after some of which people stopped."""
    gateway.run(gateway.world.store.write(partial(_remember, gateway=gateway), account=gateway.account_sid))
    gateway.phone("+14155550140").text("STOP", to="+14155550122")
    gateway.client().messages.create(to="+14155550141", from_="+14155550122", body="Hello")
    return gateway


def _remember(tx: Tx, *, gateway: Gateway) -> None:
    now, messages, events = gateway.world.clock.now(), [], []
    for number in range(1400):
        day, mexican = number % 28, number % 5 == 0
        at = now - timedelta(days=day, hours=number % 11, minutes=number % 60)
        person = f"+52555555{number:04}" if mexican else f"+1415556{number:04}"
        sid = f"SM{number:032x}"
        messages.append(
            Message(
                sid=sid, account=tx.account, direction=Direction.API, sender="+14155550100", recipient=person, service=gateway.service,
                body=BODIES[number % 3], status=Status.DELIVERED if number % 9 else Status.UNDELIVERED,
                error_code=None if number % 9 else 30005, created_at=at, updated_at=at, sent_at=at,
            )
        )  # fmt: skip
        if number % 31 == 0 or number % 97 == 5:
            word, language = WORDS[number % 4]
            stopped = at + timedelta(seconds=20 + (number % 7) ** 5)
            events.append(
                ConsentEvent(
                    id=f"CE{number:032x}", holder=gateway.service, group=ChannelGroup.TEXT, recipient=person, act=Act.OPT_OUT,
                    reason=Reason.KEYWORD, actor="recipient", occurred_at=stopped, recorded_at=stopped, word=word, language=language,
                    country="MX" if mexican else "US", previous=sid,
                )
            )  # fmt: skip
    tx.messages.add(messages)
    tx.consent.append(events)
    told = [
        Delivery(
            id=f"WD{number:032x}", account=tx.account, event="status", message=messages[number].sid, url="https://example.com/", method="POST",
            params={}, token="", due_at=now, created_at=now,
        )
        for number in range(3)
    ]  # fmt: skip
    tx.webhooks.add(told)
    for number, delivery in enumerate(told):
        tx.webhooks.settle(delivery.id, "delivered", rounds=1 + number // 2)


@pytest.mark.parametrize(("theme", "width"), [("light", 1440), ("dark", 360)])
def test_the_pages_are_accessible_and_fit(
    visits: Callable[..., Visit], history: Gateway, accessible: Callable[[Page], None], theme: str, width: int
) -> None:
    visit = visits(color_scheme=theme, viewport={"width": width, "height": 800}).by_link()
    for path in ("/console/analytics", "/console/analytics/rate", "/console/analytics/texts", "/console/analytics/funnel?days=7"):
        page = visit.see(path)
        accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), path
        broken = page.evaluate("[...document.images].filter(image => image.complete && !image.naturalWidth).map(image => image.currentSrc)")
        assert [] == broken
        shown = page.evaluate("[...document.images].map(image => image.currentSrc).filter(source => source.includes('.svg?'))")
        assert all(f"theme={theme}" in source and ("size=narrow" in source) == (width < 480) for source in shown)
        visit.shoot(f"{path.strip('/').replace('/', '-').partition('?')[0]}-{theme}-{width}")


@pytest.mark.parametrize("name", PLOTS)
def test_table_twins_and_chart_tell_the_same(visit: Visit, history: Gateway, name: str) -> None:
    page = visit.see(f"/console/analytics/{name}?days=28")
    shown = page.locator("#rows tbody tr").evaluate_all("rows => rows.map(row => row.dataset.id)")
    twin = page.request.get(f"/console/analytics/{name}.json?days=28").json()["items"]
    lines = list(csv.DictReader(io.StringIO(page.request.get(f"/console/analytics/{name}.csv?days=28&raw=1").text())))
    key = next(iter(twin[0]))
    assert shown == [each[key] for each in twin] == [line[key] for line in lines]
    answer = page.request.get(f"/console/analytics/{name}.svg?days=28&theme=dark")
    if PLOTS[name].draw is None:
        assert 404 == answer.status
        return
    assert ("image/svg+xml", "default-src 'none'; style-src 'unsafe-inline'; sandbox") == (
        answer.headers["content-type"].partition(";")[0], answer.headers["content-security-policy"],
    )  # fmt: skip
    assert "svg" in str(fromstring(answer.text()).tag)


def test_figures_follow_the_period_and_the_service(visit: Visit, history: Gateway) -> None:
    page = visit.see("/console/analytics")
    expect(page.locator(".figures")).to_contain_text("in the days before")
    page.get_by_role("link", name="7 days").click()
    page.get_by_role("link", name="Demo", exact=True).click()
    assert "days=7" in page.url and f"service={history.service}" in page.url
    sums = page.request.get(f"/console/analytics/rate.json?days=7&service={history.service}").json()["items"]
    assert 7 == len(sums)
    expect(page.locator(".figures")).to_contain_text(str(sum(each["opt_outs"] for each in sums)))
    page.get_by_role("link", name="From asked to delivered").first.click()
    expect(page.locator("main")).to_contain_text(re.compile(r"\d+ asked, \d+ accepted"))


def test_the_week_is_coloured_where_enough_was_delivered(visit: Visit, history: Gateway) -> None:
    page = visit.see("/console/analytics?days=28")
    assert (7, 168) == (page.locator(".heat tbody tr").count(), page.locator(".heat tbody td").count())
    rows = page.request.get("/console/analytics/week.json?days=28").json()["items"]
    sure = [row for row in rows if row["opt_outs"] and row["delivered"] >= 20]
    assert len(sure) == page.locator(".heat td[class^=h]").count()


def test_each_cell_of_the_week_leads_to_the_opt_outs_behind_it(visit: Visit, history: Gateway, accessible: Callable[[Page], None]) -> None:
    page = visit.see(f"/console/analytics?days=28&service={history.service}")
    rows = page.request.get(f"/console/analytics/week.json?days=28&service={history.service}").json()["items"]
    counted = {row["hour"]: row["opt_outs"] for row in rows if row["opt_outs"]}
    behind = {}
    for hour in counted:
        items = page.request.get(f"/console/analytics/week/{hour}.json?days=28&service={history.service}").json()["items"]
        behind[hour] = len(items)
    assert counted == behind
    page.locator(".heat tbody a").first.click()
    expect(page.locator("tbody tr[data-id]").first).to_contain_text(re.compile("Sale ends|Oferta|parcel"))
    accessible(page)
    visit.shoot("analytics-hour")
    for nowhere in ("168", "-1", "x"):
        assert 404 == page.request.get(f"/console/analytics/week/{nowhere}").status


def test_hours_are_those_of_whoever_looks(visits: Callable[..., Visit], history: Gateway) -> None:
    def hours(zone: str) -> list[int]:
        visit = visits(timezone_id=zone).by_link()
        visit.see("/console/analytics")
        visit.see("/console/analytics")  # the first page told the server the zone
        return [row["delivered"] for row in visit.page.request.get("/console/analytics/hour.json?days=28").json()["items"]]

    here, there = hours("UTC"), hours("Asia/Tokyo")
    assert sum(here) == sum(there)
    assert [here[(hour - 9) % 24] for hour in range(24)] == there


def test_the_new_figures_are_told_by_the_api(history: Gateway) -> None:
    told = {by: history.http.get(f"/api/v1/stats?by={by}").json()["items"] for by in ("hour", "week", "connection", "tries")}
    assert sum(row["delivered"] for row in told["hour"]) == sum(row["delivered"] for row in told["week"]) > 0
    assert {"answer_ms_p95", "report_ms_p50", "busiest_second"} <= told["connection"][0].keys()
    assert [(1, 2), (2, 1)] == [(row["key"], row["delivered"]) for row in told["tries"]]


def test_a_strangers_text_is_only_text(visit: Visit, history: Gateway) -> None:
    page = visit.see("/console/analytics/texts")
    expect(page.locator("#rows")).to_contain_text("<b>menos</b>")
    assert 0 == page.locator("#rows b").count()


@pytest.mark.parametrize("value", [0, 0.003, 0.4, 1, 7.5, 10, 34, 99, 1234, 98_765])
def test_ticks_are_few_and_reach_the_value(value: float) -> None:
    ticks = ticks_to(value)
    assert 0 == ticks[0]
    assert ticks[-1] >= value
    assert 2 <= len(ticks) <= 7


def test_charts_escape_names_and_draw_nothing_of_nothing() -> None:
    drawn = bars([Point(name='<x y="1">&', value=3, told="3")], Paper())
    assert "<x" not in drawn
    fromstring(drawn)
    fromstring(columns([], Paper(size="narrow")))
    fromstring(bars([], Paper(theme="dark")))


@pytest.mark.parametrize(("some", "of", "low", "high"), [(0, 10, 0.0, 277.5), (5, 100, 21.5, 111.8), (10, 10, 722.5, 1000.0)])
def test_a_rate_of_few_says_little(some: int, of: int, low: float, high: float) -> None:
    assert (low, high) == interval(some, of)


def test_the_colours_of_charts_are_those_of_the_style_sheet() -> None:
    css = (Path(console.__file__).parent / "static" / "console.css").read_text()
    for place, (theme, (text, quiet, rule, _)) in enumerate(THEMES.items()):
        for token, colour in (("text", text), ("text-2", quiet), ("line", rule)):
            found = re.search(rf"--{token}: light-dark\((#\w+), (#\w+)\)", css)
            assert found is not None
            assert colour == found[place + 1], theme
