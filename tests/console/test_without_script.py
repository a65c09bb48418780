"""The console in a browser that runs no script: everything can be read, and what a person on duty does can be done."""

from collections.abc import Callable, Mapping

import pytest
from playwright.sync_api import Page, expect

from tests.console.conftest import Visit
from tests.console.inhabited import inhabit
from tests.gateway import Gateway


@pytest.fixture(scope="module")
def pages(gateway: Gateway) -> Mapping[str, str]:
    return inhabit(gateway)


@pytest.fixture
def visit(visits: Callable[..., Visit]) -> Visit:
    return visits(java_script_enabled=False).by_link()


# Elements that do nothing without a script, and yet are to be seen.
IDLE = "button[type=button]:visible, [data-open]:visible, [data-pause]:visible, [data-bulk]:visible"


def test_every_page_can_be_read_and_shows_nothing_that_does_nothing(visit: Visit, pages: Mapping[str, str]) -> None:
    for path in pages.values():
        page = visit.see(path)
        assert 1 == page.locator("h1:visible").count(), path
        assert len(page.locator("main").inner_text()) > 30, path
        assert [] == page.locator(IDLE).all_inner_texts(), path
        unlabelled = page.locator("main form:visible").filter(has_not=page.locator("button, input[type=submit], noscript"))
        assert 0 == unlabelled.count(), path


def test_a_text_is_sent_from_a_handset(visit: Visit, gateway: Gateway) -> None:
    page = visit.see("/console/simulator")
    ann = page.get_by_role("region", name="Ann")
    ann.get_by_label("Text", exact=True).fill("is this still on?")
    ann.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_role("region", name="Ann").get_by_role("log")).to_contain_text("is this still on?")
    page.get_by_role("region", name="Ann").get_by_role("button", name="STOP").click()
    expect(page.get_by_role("region", name="Trace")).to_contain_text("Row 1: block this person here")
    assert 1 == len(gateway.http.get("/api/v1/blocks", params={"recipient": "+14155550101"}).json()["items"])


def test_a_block_is_added_and_taken_back(visit: Visit, gateway: Gateway) -> None:
    page = visit.see("/console/blocks")
    page.get_by_role("link", name="Block", exact=True).click()
    page.get_by_label("Number").fill("+14155557011")
    page.get_by_role("button", name="Block", exact=True).click()
    expect(page.get_by_text("Blocked in Demo.")).to_be_visible()
    assert ["operator"] == _reasons(gateway, "+14155557011")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("The block is taken back.")).to_be_visible()
    assert [] == _reasons(gateway, "+14155557011")


def test_many_blocks_are_picked_and_lifted(visit: Visit, gateway: Gateway) -> None:
    for person in ("+14155557012", "+14155557013"):
        gateway.phone(person).text("stop", to="+14155550100")
    page = visit.see("/console/blocks")
    for digits in ("7012", "7013"):
        page.get_by_label(f"Select the block of the number ending {digits}").check()
    page.locator("main form").filter(has=page.locator("#rows")).get_by_role("button", name="Lift …").click()
    page.get_by_label("Why is it right?").fill("they asked")
    page.get_by_role("button", name="Lift").click()
    expect(page.get_by_text("2 blocks are lifted.")).to_be_visible()
    assert [] == _reasons(gateway, "+14155557012")


def test_a_policy_is_edited_tried_and_published(visit: Visit, gateway: Gateway) -> None:
    page = visit.see(f"/console/services/{gateway.service}/opt-out")
    page.get_by_label("Advanced Opt-Out").check()
    page.get_by_label("Add a word for STOP").first.fill("genug")
    page.get_by_label("Add a word for STOP").first.press("Enter")
    expect(page.locator("#publish")).to_contain_text("genug")
    page.get_by_label("Text to try").fill("Genug!")
    page.get_by_role("button", name="Try", exact=True).click()
    expect(page.locator(".verdicts").get_by_role("region", name="Draft")).to_contain_text("STOP")
    expect(page.locator(".verdicts").get_by_role("region", name="Live")).to_contain_text("ordinary message")
    page.get_by_role("button", name="Publish version").click()
    expect(page.get_by_text("is live.")).to_be_visible()
    words = gateway.http.get(f"/api/v1/services/{gateway.service}/opt-out").json()["standard"]["stop"]["keywords"]
    assert "genug" in [word.casefold() for word in words]
    page.get_by_role("button", name="Roll back").click()
    expect(page.get_by_text("it has the settings of version")).to_be_visible()


@pytest.mark.parametrize(
    ("person", "body", "button", "told", "reasons"),
    [
        pytest.param("+14155557021", "leave me alone, stop texting", "Opt out", "Blocked in", ["review"], id="an opt-out"),
        pytest.param("+14155557022", "wrong number, sorry", "Wrong number", "Blocked in", ["wrong_number"], id="a wrong number"),
        pytest.param("+14155557023", "no more messages please", "Not an opt-out", "Dismissed: not an opt-out.", [], id="nothing"),
    ],
)
def test_a_text_in_review_is_decided(visit: Visit, gateway: Gateway, person: str, body: str, button: str, told: str, reasons: list[str]) -> None:
    gateway.phone(person).text(body, to="+14155550122")
    page = visit.see("/console/review")
    expect(page.locator("#detail")).to_contain_text(body)
    page.get_by_role("button", name=button).click()
    expect(page.locator(".toasts")).to_contain_text(told)
    assert reasons == _reasons(gateway, person)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Taken back: it is open again.")).to_be_visible()
    assert [] == _reasons(gateway, person)


def test_the_palette_is_a_page(visit: Visit) -> None:
    page = visit.see("/console/")
    page.get_by_label("Search or jump to").first.fill("21610")
    page.get_by_label("Search or jump to").first.press("Enter")
    found = page.locator("main .found a").first
    expect(found).to_contain_text("21610")
    found.click()
    expect(page.get_by_role("heading", name="21610")).to_be_visible()


def test_lists_are_filtered_by_their_own_button(visit: Visit, pages: Mapping[str, str]) -> None:
    page: Page = visit.see("/console/blocks")
    page.get_by_label("Channel").select_option("whatsapp")
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_text("Nobody in the block list is like that.")).to_be_visible()


def _reasons(gateway: Gateway, recipient: str) -> list[str]:
    return [each["reason"] for each in gateway.http.get("/api/v1/blocks", params={"recipient": recipient}).json()["items"]]
