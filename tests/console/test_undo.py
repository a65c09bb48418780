"""What can be undone: for ten seconds by `u`, and each undo is an act of its own."""

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from stopwire.core.policy import DEFAULT_HELP_REPLY
from tests.console.conftest import Visit
from tests.gateway import Gateway

LONE = "+14155550122"


def audited(page: Page) -> list[str]:
    rows = json.loads(page.request.get("/console/settings/audit.json").text())["items"]
    return [row["act"] for row in rows]


def block(page: Page, gateway: Gateway) -> None:
    page.goto("/console/blocks/new")
    page.get_by_label("Number").fill("+14155558101")
    page.keyboard.press("Enter")


def find(page: Page, gateway: Gateway, person: str, key: str) -> None:
    gateway.phone(person).text(f"please stop texting me, {key}", to=LONE)
    page.goto("/console/review")
    expect(page.locator("html[data-script]")).to_be_attached()
    page.keyboard.press(key)


def publish(page: Page, gateway: Gateway) -> None:
    page.goto(f"/console/services/{gateway.service}/opt-out")
    page.get_by_label("Reply to HELP").first.fill("Promo: write to help@promo.example. Reply STOP to end.")
    page.keyboard.press("Control+Enter")


def of_person(gateway: Gateway, person: str) -> tuple[list[str], list[str]]:
    """Reasons of the blocks, and states of the suggestions."""
    blocks = gateway.http.get("/api/v1/blocks", params={"recipient": person}).json()["items"]
    suggestions = gateway.http.get("/api/v1/suggestions", params={"recipient": person}).json()["items"]
    return [each["reason"] for each in blocks], [each["state"] for each in suggestions]


def help_reply(gateway: Gateway) -> Any:
    return gateway.http.get(f"/api/v1/services/{gateway.service}/opt-out").json()["standard"]["help"]["reply"]


ACTS = [
    pytest.param(
        block, "Blocked in Demo.", "The block is taken back.", ["block.undone", "block.added"],
        lambda g: of_person(g, "+14155558101"), id="a block",
    ),
    pytest.param(
        lambda page, g: find(page, g, "+14155558102", "c"), "an opt-out.", "Taken back: it is open again.",
        ["suggestion.undone", "suggestion.decided"], lambda g: of_person(g, "+14155558102"), id="an opt-out found in Review",
    ),
    pytest.param(
        lambda page, g: find(page, g, "+14155558103", "w"), "a wrong number.", "Taken back: it is open again.",
        ["suggestion.undone", "suggestion.decided"], lambda g: of_person(g, "+14155558103"), id="a wrong number found in Review",
    ),
    pytest.param(
        lambda page, g: find(page, g, "+14155558104", "d"), "Dismissed: not an opt-out.", "Taken back: it is open again.",
        ["suggestion.undone", "suggestion.decided"], lambda g: of_person(g, "+14155558104"), id="a dismissal in Review",
    ),
    pytest.param(
        publish, "is live.", "it has the settings of version 1.", ["policy.rolled_back", "policy.published"], help_reply, id="a published policy",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("act", "told", "undone", "acts", "standing"), ACTS)
def test_u_takes_it_back(visit: Visit, gateway: Gateway, act: Any, told: str, undone: str, acts: list[str], standing: Any) -> None:
    page = visit.page
    act(page, gateway)
    expect(page.locator(".toast")).to_contain_text(told)
    changed = standing(gateway)
    expect(page.locator("html[data-script]")).to_be_attached()
    page.keyboard.press("u")
    expect(page.locator(".toast")).to_contain_text(undone)
    assert changed != standing(gateway)
    assert standing(gateway) in (([], []), ([], ["open"]), DEFAULT_HELP_REPLY)
    assert acts == audited(page)[:2]


def test_it_is_offered_for_ten_seconds_and_while_it_has_the_focus(visit: Visit, gateway: Gateway) -> None:
    page = visit.page
    page.clock.install()
    block(page, gateway)
    toast = page.locator(".toast")
    expect(toast).to_contain_text("Blocked in Demo")
    page.clock.run_for(9_500)
    expect(toast).to_be_visible()
    toast.get_by_role("button", name="Undo").focus()
    page.clock.run_for(60_000)
    expect(toast).to_be_visible()
    page.locator("main").focus()
    page.clock.run_for(10_000)
    expect(toast).to_have_count(0)
    page.keyboard.press("u")  # nothing is there to be undone
    expect(page).to_have_url(re.compile("/console/blocks$"))
    assert ["operator"] == of_person(gateway, "+14155558101")[0]


def test_a_block_is_undone_by_who_made_it_alone_and_a_confirmation_that_left_by_nobody(visit: Visit, gateway: Gateway) -> None:
    page, headers = visit.page, {"Sec-Fetch-Site": "same-origin"}
    gateway.http.post("/api/v1/blocks", json={"recipient": "+14155558106", "scope": gateway.service})
    other = gateway.http.get("/api/v1/blocks", params={"recipient": "+14155558106"}).json()["items"][0]["id"]
    assert 403 == page.request.post("/console/blocks/undo", form={"id": other}, headers=headers).status
    gateway.phone("+14155558107").text("no more texts please", to=LONE)
    sid = gateway.http.get("/api/v1/suggestions", params={"recipient": "+14155558107"}).json()["items"][0]["id"]
    assert 200 == gateway.http.post(f"/api/v1/suggestions/{sid}/confirm").status_code  # by a program: confirmed at once
    gateway.phone("+14155558107").wait(kind="auto_reply")
    assert 403 == page.request.post("/console/review/undo", form={"ids": sid}, headers=headers).status
    assert ["review"] == of_person(gateway, "+14155558107")[0]
