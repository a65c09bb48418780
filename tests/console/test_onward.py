"""What comes after the first steps: the page about a server, and switching the demo off."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from stopwire.core.roles import Role
from tests.console.conftest import Visit
from tests.gateway import Gateway


@pytest.mark.parametrize(("width", "theme"), [(360, "light"), (360, "dark"), (1280, "light")])
@pytest.mark.parametrize("path", ["server", "demo"])
def test_its_pages_are_accessible_and_fit(
    visits: Callable[..., Visit], accessible: Callable[[Page], None], path: str, width: int, theme: str
) -> None:
    visit = visits(color_scheme=theme, viewport={"width": width, "height": 800}).by_link()
    page = visit.see(f"/console/onward/{path}")
    accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    visit.shoot(f"onward-{path}-{width}-{theme}")


def test_only_the_owner_switches_the_demo_off(visits: Callable[..., Visit], person: Callable[..., str], gateway: Gateway) -> None:
    page = visits().by_name(person("Ada", Role.ADMIN)).see("/console/onward/demo")
    expect(page.get_by_role("main")).to_contain_text("The owner can do this.")
    expect(page.get_by_role("button", name="Switch off the demo")).to_have_count(0)
    answer = page.request.post("/console/onward/demo", form={"word": "demo"}, headers={"Sec-Fetch-Site": "same-origin"})
    assert 403 == answer.status
    assert 8 == len(gateway.http.get("/api/v1/senders").json()["items"])


def test_it_works_without_script_and_is_noted_in_the_audit_log(visits: Callable[..., Visit], gateway: Gateway) -> None:
    visit = visits(java_script_enabled=False).by_link()
    page = visit.see("/console/onward/demo")
    page.get_by_label("Type the word demo").fill("Demo ")
    page.get_by_role("button", name="Switch off the demo").click()
    expect(page.get_by_role("main")).to_contain_text("Nothing to fix")
    assert [] == gateway.http.get("/api/v1/senders").json()["items"]
    expect(visit.see("/console/settings/audit").locator("tbody")).to_contain_text("demo.switched_off")
    expect(visit.see("/console/onward/demo").get_by_role("main")).to_contain_text("the demo is off")
