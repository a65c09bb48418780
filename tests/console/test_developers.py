"""Developers in a browser: snippets with the values just typed, keys that work and can be revoked, error codes."""

import csv
import io
from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import Page, expect

from stopwire.core.errors import CATALOGUE
from stopwire.core.roles import Role
from stopwire.flows import requests
from tests.console.conftest import Visit
from tests.gateway import Gateway, eventually


def test_a_snippet_holds_this_server_this_account_and_the_values_typed(visit: Visit, gateway: Gateway) -> None:
    page = visit.see("/console/developers")
    page.get_by_label("To", exact=True).fill("+14155551401")
    page.get_by_label("Text", exact=True).fill("It's on")
    page.get_by_role("button", name="Fill in").click()
    code = page.locator("pre code").first
    for told in (gateway.url, gateway.account_sid, "To=+14155551401", "--data-urlencode"):
        expect(code).to_contain_text(told)
    for language in ("Python", "Node.js", "PHP", "Ruby", "Java", "C#", "Go", "CLI"):
        page.get_by_role("navigation", name="Languages").get_by_role("link", name=language, exact=True).click()
        expect(code).to_contain_text("+14155551401")
    visit.shoot("developers")


def test_a_key_works_until_it_is_revoked(visit: Visit, gateway: Gateway) -> None:
    page = visit.see("/console/developers/keys")
    page.get_by_label("Name", exact=True).fill("The shop")
    page.get_by_role("button", name="Make").click()
    told = page.get_by_role("status").filter(has_text="The key is made").locator("dd")
    sid, secret = (text.strip() for text in told.all_inner_texts())
    visit.shoot("developers-keys")
    address = f"{gateway.url}/api/v1/account"
    assert 200 == httpx.get(address, auth=(sid, secret)).status_code
    page.goto("/console/developers/keys")
    expect(page.get_by_text(secret)).to_have_count(0)  # once, and never again
    row = page.locator(f"#{sid}")
    row.get_by_text("Change").click()
    row.get_by_role("button", name="Revoke").click()
    expect(row).to_contain_text("Type revoke")
    row.get_by_label("Type revoke").fill("revoke")
    row.get_by_role("button", name="Revoke").click()
    expect(page.locator(".toast")).to_contain_text("opens nothing any more")
    assert 401 == httpx.get(address, auth=(sid, secret)).status_code


def test_a_key_is_rotated_without_a_pause_and_tells_its_last_use(visit: Visit, gateway: Gateway) -> None:
    page = visit.see("/console/developers/keys")
    page.get_by_label("Name", exact=True).fill("The van")
    page.get_by_role("button", name="Make").click()
    old = [text.strip() for text in page.get_by_role("status").filter(has_text="The key is made").locator("dd").all_inner_texts()]
    page.goto("/console/developers/keys")
    row = page.locator(f"#{old[0]}")
    expect(row).to_contain_text("not since the start")
    row.get_by_text("Change").click()
    row.get_by_role("button", name="Rotate").click()
    told = page.get_by_role("status").filter(has_text="The key is made")
    expect(told).to_contain_text("which works until you revoke it")
    new = [text.strip() for text in told.locator("dd").all_inner_texts()]
    visit.shoot("developers-keys-rotated")
    assert [200, 200] == [httpx.get(f"{gateway.url}/api/v1/account", auth=(each[0], each[1])).status_code for each in (old, new)]
    expect(page.locator("tbody tr").filter(has_text="The van")).to_have_count(2)
    eventually(lambda: gateway.run(requests.used(gateway.world, keys=[old[0]])).keys)
    page.goto("/console/developers/keys")
    page.locator(f"#{old[0]}").get_by_role("link").first.click()
    expect(page.locator("main")).to_contain_text("/api/v1/account")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_refused_request_stands_in_the_log_with_its_cure(
    visits: Callable[..., Visit], accessible: Callable[[Page], None], gateway: Gateway, scheme: str
) -> None:
    path = f"/2010-04-01/Accounts/{gateway.account_sid}/Messages.json"
    assert 400 == gateway.http.post(path, data={"From": "+14155550122", "Body": "x"}).status_code
    eventually(lambda: gateway.http.get("/api/v1/requests", params={"code": 21604}).json()["items"])
    looking = visits(color_scheme=scheme, viewport={"width": 360, "height": 800} if scheme == "dark" else None).by_link()
    page = looking.see("/console/developers/requests")
    row = page.locator("tbody tr").filter(has_text="Messages.json").first
    expect(row).to_contain_text("400")
    if scheme == "light":
        expect(row).to_contain_text(CATALOGUE[21604].cure)
        expect(row.get_by_role("link", name="21604")).to_have_attribute("href", "/console/developers/errors/21604")
    accessible(page)
    looking.shoot(f"developers-requests-{scheme}")
    assert "Messages.json" in page.request.get("/console/developers/requests.csv").text()


def test_an_operator_makes_no_key(visits: Callable[..., Visit], person: Callable[..., str]) -> None:
    page = visits().by_name(person("Otto", Role.OPERATOR)).see("/console/developers/keys")
    expect(page.get_by_role("button", name="Make")).to_have_count(0)


def test_every_code_has_its_page(visit: Visit) -> None:
    told = list(csv.DictReader(io.StringIO(visit.context.request.get("/console/developers/errors.csv").text())))
    assert {str(code) for code in CATALOGUE} == {each["code"] for each in told}
    page = visit.see("/console/developers/errors?find=opted out at")
    page.goto("/console/developers/errors/21610")
    expect(page.get_by_text("The person said STOP to this sender")).to_be_visible()
    visit.shoot("developers-error")
    answer = visit.context.request.get("/console/developers/errors/1")
    assert 404 == answer.status


@pytest.mark.parametrize("path", [f"/console/developers{path}" for path in ("", "/keys", "/errors", "/errors/30005")])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_accessible_and_fits(visits: Callable[..., Visit], accessible: Callable[[Page], None], path: str, scheme: str) -> None:
    visit = visits(color_scheme=scheme, viewport={"width": 360 if scheme == "dark" else 1280, "height": 800}).by_link()
    page = visit.see(path)
    accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= page.evaluate("innerWidth")
    visit.shoot(f"accessible-{path.split('/', 2)[2].replace('/', '-')}-{scheme}")
