"""Applications that are bound, as a person sees them and shows one out."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from stopwire.core.bound import short_password, system_id
from stopwire.core.roles import Role
from stopwire.smpp_server import peers
from tests.console.conftest import Visit
from tests.gateway import Gateway
from tests.smpp_server.conftest import Application

PATH = "/console/carriers/applications"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    running = Gateway(tmp_path_factory.mktemp("gateway"), smpp_port=0)
    yield running
    running.close()


@pytest.fixture
def application(gateway: Gateway) -> Iterator[Application]:
    bound = Application(gateway, system=system_id(gateway.account_sid), password=short_password(gateway.auth_token))
    yield bound
    bound.leave()


@pytest.mark.parametrize(("theme", "width"), [("light", 1440), ("dark", 360)])
def test_the_page_is_accessible_and_fits_empty_and_full(
    visits: Callable[..., Visit], gateway: Gateway, accessible: Callable[[Page], None], theme: str, width: int
) -> None:
    visit = visits(color_scheme=theme, viewport={"width": width, "height": 800}).by_link()
    for state in ("empty", "full"):
        page = visit.see(PATH)
        if state == "full":
            bound = Application(gateway, system=system_id(gateway.account_sid), password=short_password(gateway.auth_token))
            bound.submit(b"Hello", to="+14155554002")
            page = visit.see(PATH)
            expect(page.locator("#applications tbody tr")).to_contain_text("transceiver")
        accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        visit.shoot(f"applications-{state}-{theme}-{width}")
    bound.leave()


def test_a_bind_comes_by_itself_and_is_ended_by_a_button(visit: Visit, gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "UNBIND_SECONDS", 0.5)  # smpplib goes without an answer
    page = visit.see("/console/carriers")
    page.get_by_role("link", name="Applications").click()
    expect(page.get_by_text("Nobody is bound.")).to_be_visible()
    name = system_id(gateway.account_sid)
    bound = Application(gateway, system=name, password=short_password(gateway.auth_token))
    expect(page.get_by_role("cell", name=name)).to_be_visible()
    assert [name] == [each["system_id"] for each in page.request.get(f"{PATH}.json").json()["items"]]
    page.get_by_role("button", name="End", exact=True).click()
    expect(page.get_by_text("is no longer bound.")).to_be_visible()
    expect(page.get_by_text("Nobody is bound.")).to_be_visible()
    bound._thread.join(timeout=5)
    assert not bound._thread.is_alive()
    acts = page.request.get("/console/settings/audit.json").json()["items"]
    assert "bind.ended" in {each["act"] for each in acts}


def test_a_viewer_sees_them_and_ends_none(visits: Callable[..., Visit], person: Callable[..., str], application: Application) -> None:
    visit = visits().by_name(person("Vera", Role.VIEWER))
    page = visit.see(PATH)
    expect(page.locator("#applications tbody tr")).to_have_count(1)
    expect(page.get_by_role("button", name="End", exact=True)).to_have_count(0)
    id = page.request.get(f"{PATH}.json").json()["items"][0]["id"]
    answer = page.request.post(f"{PATH}/{id}/end", form={}, headers={"Sec-Fetch-Site": "same-origin"})
    assert 403 == answer.status
