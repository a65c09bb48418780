"""What every page stands on, in a real browser: both themes, keys alone, no script, live rows, hostile texts."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from playwright.sync_api import Browser, Page, expect

from stopwire.core.roles import Role
from tests.console.conftest import Visit
from tests.gateway import Gateway

PAGES = [
    "/console/",
    "/console/search?q=demo",
    "/console/settings/account",
    "/console/settings/team",
    "/console/settings/sessions",
    "/console/settings/preferences",
    "/console/settings/retention",
    "/console/settings/backup",
    "/console/settings/health",
    "/console/settings/audit",
]
BYTES_MAX = 150_000


def test_the_sign_in_page_is_accessible_too(visits: Callable[..., Visit], accessible: Callable[[Page], None]) -> None:
    visit = visits()
    accessible(visit.see("/console/sign-in"))
    visit.shoot("sign-in")


def test_pages_are_light_and_ask_only_this_server(visit: Visit) -> None:
    for path in PAGES:
        visit.asked.clear()
        page = visit.see(path)
        sizes = page.evaluate(
            "performance.getEntriesByType('navigation').concat(performance.getEntriesByType('resource')).map(e => e.decodedBodySize)"
        )
        assert sum(sizes) < BYTES_MAX, f"{path}: {sum(sizes)} bytes"
        assert {urlsplit(visit.gateway.url).netloc} == {urlsplit(url).netloc for url in visit.asked}


def test_signing_in_by_name_and_out_again(visits: Callable[..., Visit], person: Callable[..., str]) -> None:
    visit = visits()
    visit.page.goto("/console/settings/preferences")  # leads to sign-in, and back
    visit.page.get_by_label("Name").fill(person("Ana Ruiz", Role.OPERATOR))
    visit.page.get_by_label("Password").fill("correct horse battery")
    visit.page.keyboard.press("Enter")
    expect(visit.page).to_have_url(re.compile("/console/settings/preferences$"))
    visit.page.locator("details.account summary").click()
    visit.page.get_by_role("button", name="Sign out").click()
    expect(visit.page).to_have_url(re.compile("/console/sign-in$"))


def test_what_happens_appears_without_being_asked_for(visit: Visit, gateway: Gateway) -> None:
    page = visit.see("/console/")
    expect(page.locator("[data-live-state=live]")).to_be_visible()
    gateway.phone("+14155550177").text("stop", to="+14155550122")
    expect(page.locator("#live").get_by_text("STOP").first).to_be_visible(timeout=3000)
    expect(page.locator("#steps").get_by_text("Text STOP from a handset")).to_be_visible()
    page.keyboard.press("p")
    expect(page.locator("[data-live-state=paused]")).to_be_visible()
    gateway.phone("+14155550177").text("are you still there", to="+14155550122")
    page.wait_for_timeout(800)
    assert 0 == page.locator("#live").get_by_text("are you still there").count()
    page.keyboard.press("p")
    expect(page.locator("#live").get_by_text("are you still there")).to_be_visible(timeout=3000)


def test_keys_lead_everywhere(visit: Visit) -> None:
    page = visit.see("/console/")
    page.keyboard.press("?")
    expect(page.locator("dialog#keys")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("t")
    expect(page).to_have_url(re.compile("/console/settings/account$"))
    expect(page.locator("html[data-script]")).to_be_attached()
    page.keyboard.press("Control+k")
    page.keyboard.type("audi")
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    expect(page.locator("#q")).to_be_focused()


def test_the_palette_finds_by_keys_alone(visit: Visit) -> None:
    page = visit.see("/console/settings/account")
    page.keyboard.press("Control+k")
    page.keyboard.type("21610")
    first = page.locator("dialog#palette .found a").first
    expect(first).to_contain_text("21610")
    page.keyboard.press("Control+a")
    page.keyboard.type("home")
    expect(first).to_have_text("Home")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/console/$"))


def test_keys_can_be_switched_off(visit: Visit) -> None:
    page = visit.see("/console/settings/preferences")
    page.get_by_label("Single-key shortcuts").select_option("off")
    page.get_by_role("button", name="Save").click()
    page.keyboard.press("?")
    expect(page.locator("dialog#keys")).to_be_hidden()


def test_theme_and_language_are_kept_without_script(visits: Callable[..., Visit]) -> None:
    visit = visits(java_script_enabled=False).by_link()
    page = visit.see("/console/settings/preferences")
    page.get_by_label("Theme").select_option("dark")
    page.get_by_label("Language").select_option("es")
    page.get_by_label("Time zone").fill("America/New_York")
    page.get_by_role("button", name="Save").click()
    html = page.locator("html")
    assert ("dark", "es") == (html.get_attribute("data-theme"), html.get_attribute("lang"))
    expect(page.get_by_text("America/New_York").first).to_be_visible()


def test_countries_are_chosen_and_what_is_none_is_told(visits: Callable[..., Visit], gateway: Gateway) -> None:
    visit = visits(java_script_enabled=False).by_link()
    page = visit.see("/console/settings/account")
    field = page.get_by_label("Countries that may be written to")
    field.fill("US, Texas")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Texas is no country: write ISO 3166 codes of two letters, such as US and CA.")).to_be_visible()
    field.fill("us ca")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The account is changed.")).to_be_visible()
    expect(field).to_have_value("CA US")
    field.fill("")
    page.get_by_role("button", name="Save").click()
    assert gateway.http.get("/api/v1/account").json()["countries"] is None


def test_the_auth_token_is_changed_in_two_steps_without_script(fresh_gateway: Gateway, browser: Browser) -> None:
    gateway, audit = fresh_gateway, "/console/settings/audit.json?act=token"
    visit = Visit(gateway, browser, java_script_enabled=False).by_link()
    page = visit.see("/console/settings/account")
    page.get_by_role("button", name="Make a secondary token").click()
    second = page.get_by_role("status").locator("code").inner_text()
    assert 200 == httpx.get(f"{gateway.url}/v1/Services", auth=(gateway.account_sid, second)).status_code
    page = visit.see("/console/settings/account")
    assert second not in page.content()
    page.get_by_text("Promote the secondary token").click()
    page.get_by_role("button", name="Promote", exact=True).click()
    expect(page.get_by_text("Type promote: what signs in with the primary token stops working at once.")).to_be_visible()
    page.get_by_label("Type promote to promote it").fill("Promote")
    page.get_by_role("button", name="Promote", exact=True).click()
    expect(page.get_by_text("The secondary token is the auth token now")).to_be_visible()
    found = [httpx.get(f"{gateway.url}/v1/Services", auth=(gateway.account_sid, t)).status_code for t in (gateway.auth_token, second)]
    assert [401, 200] == found
    page.get_by_role("button", name="Make a secondary token").click()
    page.get_by_role("button", name="Remove the secondary token").click()
    expect(page.get_by_text("The secondary token is removed")).to_be_visible()
    rows = json.loads(page.request.get(audit).text())["items"]
    assert ["token.made", "token.promoted", "token.made", "token.removed"] == [row["act"] for row in reversed(rows)]
    visit.close()


def test_the_team_is_kept_without_script(visits: Callable[..., Visit]) -> None:
    visit = visits(java_script_enabled=False).by_link()
    page = visit.see("/console/settings/team")
    page.get_by_label("Name").fill("Bea")
    page.get_by_label("Password", exact=True).fill("short")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("The password has 5 characters; at least 12 are asked for.")).to_be_visible()
    expect(page.get_by_label("Name")).to_have_value("Bea")
    page.get_by_label("Password", exact=True).fill("a much longer one")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("Bea can sign in now.")).to_be_visible()
    page.goto("/console/settings/audit")
    expect(page.get_by_text("user.added").first).to_be_visible()


def test_numbers_are_masked_until_revealed_and_that_is_noted(visit: Visit, gateway: Gateway) -> None:
    gateway.phone("+14155550166").text("hello", to="+14155550122")
    page = visit.see("/console/")
    assert "+14155550166" not in page.locator("#live").inner_text()
    expect(page.locator("#live").get_by_text("+1415•••0166").first).to_be_visible()
    page.keyboard.press("v")
    expect(page.locator("#live").get_by_text("+14155550166").first).to_be_visible()
    assert "+14155550166" not in visit.see("/console/search?q=0166").inner_text("main")
    rows = json.loads(visit.page.request.get("/console/settings/audit.json?act=numbers").text())["items"]
    assert ("numbers.revealed", "/console/") == (rows[0]["act"], rows[0]["subject"])


def test_who_has_no_right_to_reveal_cannot(visits: Callable[..., Visit], person: Callable[..., str]) -> None:
    visit = visits().by_name(person("No Reveal", Role.ADMIN))
    page = visit.see("/console/")
    assert 0 == page.get_by_role("button", name="Reveal numbers").count()
    answer = page.request.post("/console/reveal", form={"back": "/console/"}, headers={"Sec-Fetch-Site": "same-origin"})
    assert 403 == answer.status


def test_a_table_and_its_twins_hold_the_same_rows(visit: Visit) -> None:
    page = visit.see("/console/settings/audit?act=sign_in")
    shown = [row.get_attribute("data-id") for row in page.locator("tbody tr[data-id]").all()]
    told = json.loads(page.request.get("/console/settings/audit.json?act=sign_in").text())
    lines = page.request.get("/console/settings/audit.csv?act=sign_in").text().strip().split("\r\n")
    assert shown == [item["id"] for item in told["items"]] == [line.partition(",")[0] for line in lines[1:]]
    assert {"items", "next", "as_of"} == told.keys()
    short = json.loads(page.request.get("/console/settings/audit.json?act=sign_in&limit=1").text())
    rest = json.loads(page.request.get(f"/console/settings/audit.json?act=sign_in&limit=1000&cursor={short['next']}").text())
    assert shown == [item["id"] for item in short["items"] + rest["items"]]


HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "'\"><svg/onload=alert(1)>",
    "{{ 7*7 }}{% raw %}",
    "</textarea></title></style><script>alert(1)</script>",
    "javascript:alert(1)",
    "\u202eevil\u202c \u200b\u2066x\u2069",
    "<!--",
    "]]>&lt;b&gt;",
    "\x00\x01\x1f"[1:],
    "=HYPERLINK(\"http://evil.example\")",
    "a\ufe0f\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301z",
    "𝓢𝓣𝓞𝓟 ＳＴＯＰ SТOP",
    "%(name)s %s {0}",
]


def test_hostile_texts_stay_texts(visit: Visit, gateway: Gateway) -> None:
    bodies = [f"{left}{right}" for left in HOSTILE for right in HOSTILE][:200]
    visit.page.add_init_script("window.hurt = 0; window.alert = () => { window.hurt += 1 }")
    for i, body in enumerate(bodies):
        gateway.phone(f"+1415555{3000 + i}").text(body, to="+14155550122")
        if i % 20 == 19:
            page = visit.see("/console/")
            assert 0 == page.evaluate("window.hurt")
            assert 0 == page.locator("main script, main img, main svg[onload]").count()
    assert "81" not in visit.page.locator("#live tbody").inner_text() or "{{ 7*7 }}" in visit.page.locator("#live tbody").inner_text()


def test_a_backup_is_made_by_a_button(visit: Visit, gateway: Gateway) -> None:
    page = visit.see("/console/settings/backup")
    page.get_by_role("button", name="Back up now").click()
    expect(page.get_by_text("The backup is written, and was read back")).to_be_visible()
    (copy,) = (Path(gateway.settings.data_dir) / "backups").iterdir()
    expect(page.get_by_role("cell", name=copy.name)).to_be_visible()
