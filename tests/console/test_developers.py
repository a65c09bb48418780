"""Developers in a browser: snippets with the values just typed, keys that work and can be revoked, error codes."""

import csv
import io
from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import Page, expect

from stopwire.core.errors import CATALOGUE
from stopwire.core.roles import Role
from tests.console.conftest import Visit
from tests.gateway import Gateway


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
