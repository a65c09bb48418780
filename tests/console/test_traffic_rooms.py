"""The rooms about texts and webhooks with 200 hostile bodies, in other languages and directions, and not heavy."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from stopwire.console.words import MIRRORED, PSEUDO
from tests.console.conftest import Visit
from tests.console.test_base import HOSTILE
from tests.gateway import Gateway, eventually

PERSON = "+14155551501"
SENDER = "+14155550122"
FRAMES = (
    "{}", "x {} y", '"{}"', "'{}'", "<b>{}</b>", "{}\u202e{}", "\u2066{}", "{{{{ {} }}}}", "{}\n{}", "%s{}", "\x01{}", "{}\ufe0f",
    "\u0421\u0422\u041e\u0420 {}", "&{};",
)  # fmt: skip


def hostile_bodies() -> list[str]:
    """Two hundred of them."""
    made = [frame.format(body, body) for frame in FRAMES for body in HOSTILE]
    return list(dict.fromkeys(made))[:200]


@pytest.fixture(scope="module")
def paths(gateway: Gateway) -> list[str]:
    """The pages, with hostile texts on each."""
    hook = f"{gateway.url}/console/inspector/{gateway.account_sid}"
    changed = gateway.http.patch(f"/api/v1/senders/{gateway.sender(SENDER)}", json={"sms_url": hook})
    assert 200 == changed.status_code, changed.text
    sids = [gateway.phone(PERSON).text(body, to=SENDER)["message_sid"] for body in hostile_bodies()]
    found = eventually(
        lambda: gateway.http.get("/api/v1/webhook-deliveries", params={"message": sids[-1], "state": "delivered"}).json()["items"]
    )
    return [
        f"/console/simulator?phone=%2B{PERSON[1:]}",
        "/console/messages?q=dir:in",
        f"/console/messages/{sids[0]}",
        f"/console/messages/{sids[-1]}?view=phone",
        f"/console/messages/{sids[-1]}?view=points",
        f"/console/conversations/{SENDER}/{PERSON}",
        "/console/webhooks",
        "/console/webhooks/inspector",
        f"/console/webhooks/deliveries/{found[0]['id']}",
        "/console/developers?body=%3Cscript%3Ealert(1)%3C/script%3E&lang=Python",
    ]


def test_hostile_texts_stay_texts(visit: Visit, paths: list[str]) -> None:
    visit.page.on("dialog", lambda dialog: visit.faults.append(f"a dialog: {dialog.message}"))
    for path in paths:
        page = visit.see(path)
        assert 0 == page.locator("main script, main img, main iframe, main b").count(), path
        assert page.evaluate("window.hacked === undefined"), path
    assert 150 <= len(hostile_bodies())


@pytest.mark.parametrize("language", ["es", MIRRORED, PSEUDO])
def test_they_bear_other_languages(visits: Callable[..., Visit], paths: list[str], language: str) -> None:
    visit = visits(viewport={"width": 768, "height": 800}).by_link()
    visit.context.add_cookies([{"name": "stopwire_lang", "value": language, "url": visit.gateway.url}])
    for place, path in enumerate(paths):
        page = visit.see(path)
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), path
        visit.shoot(f"traffic-{place}-{language}")


def test_a_number_stands_whole_on_no_page_but_where_it_was_asked_for(visit: Visit, paths: list[str]) -> None:
    for path in paths:
        if PERSON in path or "phone=" in path or "developers" in path:
            continue
        page = visit.see(path)
        assert PERSON not in page.locator("main").inner_text(), path
        assert PERSON not in page.title(), path


def test_revealing_shows_them_on_that_page_alone(visit: Visit, paths: list[str]) -> None:
    page = visit.see("/console/messages?q=dir:in")
    page.get_by_role("button", name="Reveal numbers").click()
    expect(page.locator("tbody")).to_contain_text(PERSON)
    page = visit.see("/console/webhooks/inspector")
    expect(page.locator("main")).not_to_contain_text(PERSON)


def test_every_page_is_light(visit: Visit, paths: list[str]) -> None:
    sizes = "performance.getEntriesByType('navigation').concat(performance.getEntriesByType('resource')).map(e => e.decodedBodySize)"
    for path in paths:
        assert sum(visit.see(path).evaluate(sizes)) < 150_000, path
