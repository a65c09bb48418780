"""The review queue, decided by keyboard."""

import json
import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from stopwire.core.roles import Role
from tests.console.conftest import Visit
from tests.gateway import Gateway

SENDER = "+14155550122"


def _ask(gateway: Gateway, person: str, body: str) -> None:
    gateway.phone(person).text(body, to=SENDER)


def _blocks(gateway: Gateway, recipient: str) -> list[str]:
    return [each["reason"] for each in gateway.http.get("/api/v1/blocks", params={"recipient": recipient}).json()["items"]]


def _state(gateway: Gateway, recipient: str) -> list[str]:
    return [each["state"] for each in gateway.http.get("/api/v1/suggestions", params={"recipient": recipient}).json()["items"]]


def _queue(visit: Visit) -> Page:
    return visit.see("/console/review")


def test_a_suggestion_is_confirmed_by_one_key_and_taken_back_by_another(visit: Visit, gateway: Gateway) -> None:
    person = "+14155556101"
    gateway.client().messages.create(to=person, from_=SENDER, body="Sale ends tonight")
    _ask(gateway, person, "please stop texting me")
    page = _queue(visit)
    detail = page.locator("#detail")
    expect(detail).to_contain_text("please stop texting me")
    expect(detail).to_contain_text("Sale ends tonight")
    expect(detail).to_contain_text("None: texts to this person still go out.")
    visit.shoot("review")
    expect(detail).to_contain_text("Opting out also sends the confirmation, if you decide by")
    page.keyboard.press("c")
    expect(page.get_by_text("an opt-out. Its confirmation leaves in 10 seconds.", exact=False).first).to_be_visible()
    assert (["review"], ["confirmed"]) == (_blocks(gateway, person), _state(gateway, person))
    page.keyboard.press("u")
    expect(page.get_by_text("Taken back: it is open again.")).to_be_visible()
    assert ([], ["open"]) == (_blocks(gateway, person), _state(gateway, person))
    page.keyboard.press("d")
    expect(page.get_by_text("Dismissed: not an opt-out.")).to_be_visible()
    assert ([], ["dismissed"]) == (_blocks(gateway, person), _state(gateway, person))


def test_a_wrong_number_is_noted_as_one(visit: Visit, gateway: Gateway) -> None:
    _ask(gateway, "+14155556102", "wrong number, sorry")
    page = _queue(visit)
    page.keyboard.press("w")
    expect(page.get_by_text("a wrong number.").first).to_be_visible()
    assert ["wrong_number"] == _blocks(gateway, "+14155556102")


def test_those_alike_are_decided_together(visit: Visit, gateway: Gateway) -> None:
    people = ["+14155556103", "+14155556104", "+14155556105"]
    for person in people:
        _ask(gateway, person, "take me off your list!")
    page = _queue(visit)
    expect(page.get_by_label("also 2 others with the same words")).to_be_checked()
    page.keyboard.press("c")
    expect(page.get_by_text("3 alike are decided.")).to_be_visible()
    assert [["review"]] * 3 == [_blocks(gateway, person) for person in people]


def test_the_queue_is_walked_by_j_and_enter_and_its_twins_agree(visit: Visit, gateway: Gateway) -> None:
    _ask(gateway, "+14155556106", "stop please")
    _ask(gateway, "+14155556107", "no more texts please")
    page = _queue(visit)
    expect(page.locator("#detail")).to_contain_text("no more texts please")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("id=SG"))
    expect(page.locator("#detail")).to_contain_text("stop please")
    ids = [row.get_attribute("data-id") for row in page.locator("tbody tr[data-id]").all()]
    twin = json.loads(page.request.get("/console/review.json?state=open").text())["items"]
    assert ids == [each["id"] for each in twin]
    sid = ids[0]
    assert f"id={sid}" in page.request.get(f"/console/review/{sid}").url
    page.keyboard.press("d")
    expect(page.get_by_text("Dismissed: not an opt-out.")).to_be_visible()
    assert "dismissed" in _state(gateway, "+14155556106")


def test_a_start_that_may_not_lift_waits_for_an_admin(visits: Callable[..., Visit], person: Callable[..., str], gateway: Gateway) -> None:
    gateway.http.post("/api/v1/blocks", json={"recipient": "+14155556108", "scope": SENDER, "reason": "operator"})
    _ask(gateway, "+14155556108", "START")
    page = _queue(visits().by_name(person("Oscar", Role.OPERATOR)))
    expect(page.locator("#detail")).to_contain_text("blocked")
    expect(page.get_by_role("button", name="Wants texts")).to_have_count(0)
    sid = page.locator("tr[aria-current]").get_attribute("data-id")
    answer = page.request.post(f"/console/review/{sid}", form={"finding": "wants_texts"}, headers={"Sec-Fetch-Site": "same-origin"})
    assert 403 == answer.status
    assert ["operator"] == _blocks(gateway, "+14155556108")
    admin = _queue(visits().by_link())
    admin.keyboard.press("s")
    expect(admin.get_by_text("Lifted where it could be: they want texts.")).to_be_visible()
    assert [] == _blocks(gateway, "+14155556108")


def test_it_works_without_script(visits: Callable[..., Visit], gateway: Gateway) -> None:
    _ask(gateway, "+14155556109", "leave me alone, stop texting")
    page = _queue(visits(java_script_enabled=False).by_link())
    page.get_by_role("button", name="Not an opt-out").click()
    expect(page.get_by_text("Dismissed: not an opt-out.")).to_be_visible()
