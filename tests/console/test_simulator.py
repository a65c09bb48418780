"""The simulator in a browser: handsets that text, what they get, and the trace of the last text."""

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from stopwire.console.snippets import calls_of_send
from stopwire.core.roles import Role
from tests.console.conftest import Visit
from tests.gateway import Gateway


def test_a_stop_from_a_handset_shows_its_trace_and_its_confirmation(visit: Visit) -> None:
    page = visit.see("/console/simulator")
    ann = page.get_by_role("region", name="Ann")
    ann.get_by_label("Text", exact=True).fill("stop.")
    ann.get_by_role("button", name="Send", exact=True).click()
    trace = page.get_by_role("region", name="Trace")
    expect(trace).to_contain_text("Row 1: block this person here")
    expect(trace).to_contain_text("opt out for Demo")
    expect(trace).to_contain_text("The carrier was told that we have it.")
    expect(trace).to_contain_text("handed to simulator")
    expect(ann.get_by_role("log")).to_contain_text("You have successfully been unsubscribed.")
    expect(ann.get_by_role("log")).to_contain_text("automatic reply")
    expect(ann.get_by_label("Text", exact=True)).to_have_value("")
    visit.shoot("simulator-stop")


def test_a_send_to_somebody_who_said_stop_is_refused_before_the_eyes(visit: Visit) -> None:
    page = visit.see("/console/simulator?phone=%2B14155550102")
    ben = page.get_by_role("region", name="Ben")
    ben.get_by_role("button", name="STOP").click()
    expect(ben.get_by_role("log")).to_contain_text("automatic reply")
    application = page.get_by_role("region", name="As your application")
    application.get_by_role("button", name="Send").click()
    trace = page.get_by_role("region", name="Trace")
    expect(trace).to_contain_text("Answered with error 21610")
    visit.shoot("simulator-refused")
    ben.get_by_role("button", name="START").click()
    expect(ben.get_by_role("log")).to_contain_text("re-subscribed")
    application.get_by_role("button", name="Send").click()
    expect(ben.get_by_role("log")).to_contain_text("Sale ends tonight")
    expect(ben.get_by_role("log")).to_contain_text("delivered")


def test_the_toll_free_network_is_a_third_voice(visit: Visit) -> None:
    page = visit.see("/console/simulator?phone=%2B14155550104")
    person = page.locator(".handset")
    person.get_by_label("to", exact=True).select_option("+18885550100")
    person.get_by_role("button", name="STOP").click()
    expect(person.get_by_role("log")).to_contain_text("NETWORK MSG")
    expect(person.locator(".bubble.network")).to_have_count(1)


def test_parts_in_another_order_are_joined(visit: Visit) -> None:
    page = visit.see("/console/simulator?phone=%2B14155550105")
    person = page.locator(".handset")
    person.get_by_text("As networks do").click()
    person.get_by_label("Cut into parts").select_option("2,1")
    person.get_by_label("Text", exact=True).fill("Hello there")
    person.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_role("region", name="Trace")).to_contain_text("Hello there")


def test_another_handset_can_be_added_and_taken_away(visit: Visit) -> None:
    page = visit.see("/console/simulator")
    page.get_by_label("Add a handset").fill("+19995550005")
    page.get_by_role("button", name="Add handset").click()
    expect(page.locator(".handset")).to_have_count(3)
    expect(page.locator(".handset").nth(2)).to_contain_text("is switched off")
    page.get_by_role("link", name="Take Ann away").click()
    expect(page.locator(".handset")).to_have_count(2)


def test_what_is_sent_to_a_handset_that_is_off_arrives_when_it_is_on(visit: Visit) -> None:
    page = visit.see("/console/simulator?phone=%2B14155550111")
    person = page.locator(".handset")
    switch = person.get_by_role("switch")
    switch.click()
    expect(person).to_contain_text("Texts to it wait until it is on.")
    page.get_by_role("region", name="As your application").get_by_role("button", name="Send").click()
    expect(person).to_contain_text("1 text waits.")
    expect(page.get_by_role("region", name="Trace")).to_contain_text("The carrier took it")
    expect(person.locator(".bubble")).to_have_count(0)
    person.get_by_role("button", name="STOP").click()
    expect(person).to_contain_text("This handset is switched off: switch it on, then it can text.")
    visit.shoot("simulator-off")
    switch.click()
    expect(person.get_by_role("log")).to_contain_text("Sale ends tonight")
    expect(person.get_by_role("log")).to_contain_text("delivered")
    expect(switch).to_be_checked()


def test_a_lossy_network_says_so_on_the_card_and_loses_the_text(visit: Visit) -> None:
    page = visit.see("/console/simulator?phone=%2B14155550112")
    person = page.locator(".handset")
    person.get_by_text("Its network").click()
    person.get_by_label("Lost texts").select_option("1")
    person.get_by_role("button", name="Set").click()
    expect(person).to_contain_text("100 % of the texts get lost.")
    page.get_by_role("region", name="As your application").get_by_role("button", name="Send").click()
    expect(page.get_by_role("region", name="Trace")).to_contain_text("The carrier reports: undelivered")
    expect(person.locator(".bubble")).to_have_count(0)
    person.get_by_role("button", name="STOP").click()
    expect(person).to_contain_text("The network lost the text. Nobody but you knows.")


def test_chaos_stands_in_a_banner_and_one_click_ends_it(visit: Visit) -> None:
    page = visit.see("/console/simulator?phone=%2B14155550113")
    person, chaos = page.locator(".handset"), page.get_by_role("region", name="Chaos")
    chaos.get_by_text("Chaos ▾").click()
    chaos.get_by_label("the message centre is dead").check()
    chaos.get_by_role("button", name="Let it go wrong").click()
    expect(chaos.get_by_role("status")).to_contain_text("The message centre is dead: nothing leaves and nothing arrives.")
    person.get_by_label("Text", exact=True).fill("hello")
    person.get_by_role("button", name="Send", exact=True).click()
    expect(person.get_by_role("log")).to_contain_text("hello")
    expect(person).to_contain_text("The network has the text; it is late.")
    visit.shoot("simulator-chaos")
    chaos.get_by_role("button", name="Turn it off").click()
    expect(chaos.get_by_role("status")).to_have_count(0)
    expect(page.get_by_role("region", name="Trace")).to_contain_text("hello")


PLAYED = [
    pytest.param("A STOP while a text waits", "They are blocked in a scope that counts for it", id="stop first"),
    pytest.param("A silent carrier, then its late answer", "late: the carrier had been silent", id="late answer"),
    pytest.param("A long text in the wrong order", "Hello, I ordered the blue one", id="wrong order"),
    pytest.param("A STOP that arrives twice", "Row 1: block this person here", id="stop twice"),
]


@pytest.mark.parametrize(("title", "shown"), PLAYED)
def test_a_scenario_is_played_with_one_click_and_leaves_no_chaos(visit: Visit, title: str, shown: str) -> None:
    page = visit.see("/console/simulator?phone=%2B14155550114")
    page.get_by_role("region", name="Chaos").get_by_text("Scenario ▾").click()
    page.get_by_role("button", name=f"Play: {title}").click()
    expect(page.get_by_role("region", name="Trace")).to_contain_text(shown)
    expect(page.get_by_role("region", name="Chaos").get_by_role("status")).to_have_count(0)


def test_a_network_that_no_form_offers_is_refused_and_shown_where_the_api_set_it(visit: Visit, gateway: Gateway) -> None:
    gateway.http.patch("/api/v1/simulator/phones/%2B14155550115", json={"loss": 0.25})
    page = visit.see("/console/simulator?phone=%2B14155550115")
    expect(page.locator(".handset")).to_contain_text("25 % of the texts get lost.")
    expect(page.get_by_label("Lost texts").last).to_have_value("0.25")
    page.evaluate("document.querySelector('#chaos-loss option').value = '7'")
    page.get_by_role("region", name="Chaos").get_by_text("Chaos ▾").click()
    page.get_by_role("button", name="Let it go wrong").click()
    expect(page.get_by_text("A share is from 0 (none) to 1 (all of them).")).to_be_visible()


def test_it_works_without_script(visits: Callable[..., Visit]) -> None:
    visit = visits(java_script_enabled=False).by_link()
    page = visit.see("/console/simulator?phone=%2B14155550106")
    person = page.locator(".handset")
    person.get_by_role("button", name="Send", exact=True).click()
    expect(person).to_contain_text("Write something first.")
    person.get_by_label("Text", exact=True).fill("HELP")
    person.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_role("region", name="Trace")).to_contain_text("which means HELP")
    person.get_by_role("switch").click()
    expect(person).to_contain_text("Texts to it wait until it is on.")


def test_a_viewer_looks_on(visits: Callable[..., Visit], person: Callable[..., str], gateway: Gateway) -> None:
    name = person("Vera", Role.VIEWER)
    page = visits().by_name(name).see("/console/simulator")
    expect(page.get_by_role("button", name="Send")).to_have_count(0)
    expect(page.get_by_role("switch")).to_have_count(0)
    expect(page.get_by_text("Chaos ▾")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_accessible(visits: Callable[..., Visit], accessible: Callable[[Page], None], scheme: str) -> None:
    visit = visits(color_scheme=scheme).by_link()
    page = visit.see("/console/simulator")
    accessible(page)
    visit.shoot(f"simulator-{scheme}")
    ann = page.locator(".handset").first
    ann.get_by_role("switch").click()
    expect(ann).to_contain_text("Texts to it wait until it is on.")
    page.get_by_role("region", name="Chaos").get_by_text("Chaos ▾").click()
    accessible(page)
    page.get_by_role("region", name="Chaos").get_by_text("Scenario ▾").click()
    expect(page.get_by_role("button", name="Let it go wrong")).to_be_hidden()
    accessible(page)
    visit.shoot(f"simulator-scenarios-{scheme}")
    page.keyboard.press("Escape")
    ann.get_by_role("switch").click()
    expect(ann.get_by_role("switch")).to_be_checked()


def test_it_fits_a_telephone(visits: Callable[..., Visit]) -> None:
    visit = visits(viewport={"width": 360, "height": 800}).by_link()
    page = visit.see("/console/simulator")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.get_by_role("region", name="Chaos").get_by_text("Chaos ▾").click()
    page.get_by_role("region", name="Chaos").get_by_text("Scenario ▾").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    visit.shoot("simulator-360")


def test_the_python_snippet_runs_as_it_is_shown(gateway: Gateway, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("STOPWIRE_AUTH_TOKEN", gateway.auth_token)
    code = calls_of_send(base=gateway.url, account=gateway.account_sid, to="+14155550107", from_="", service=gateway.service, body='It\'s "on"')
    exec(compile(code["Python"], "snippet", "exec"), {})
    assert capsys.readouterr().out.startswith("SM")
    assert 'It\'s "on"' == gateway.phone("+14155550107").wait()[0]["body"]
    assert json.dumps('It\'s "on"') in code["Go"]
