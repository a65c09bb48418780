"""Eight tasks by keyboard alone: no pointer, at most 25 keystrokes each beside what is typed, and the focus always in sight."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Page, expect
from twilio.base.exceptions import TwilioRestException

from stopwire.core.roles import Role
from tests.console.conftest import PASSWORD, Visit
from tests.gateway import Gateway, eventually

KEYS_MAX = 25
LONG_CODE, LONE = "+14155550100", "+14155550122"

# What has the focus, and whether a reader can tell: its own outline, or that of the frame drawn around it.
FOCUS = """() => {
    const at = document.activeElement;
    if (!at || at === document.body || at === document.documentElement) return {what: ""};
    const what = `${at.localName}${at.id ? "#" + at.id : ""} ${(at.getAttribute("aria-label") || at.textContent || "").trim().slice(0, 30)}`;
    if (at.localName === "main" || at.localName === "dialog") return {what, seen: true};  // the page or the window itself
    const drawn = (each) => { const s = getComputedStyle(each); return s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2; };
    const box = at.getBoundingClientRect();
    const inside = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth && box.width > 0;
    const framed = at.closest(".search, dialog.palette");
    return {what, seen: inside && (drawn(at) || (framed !== null && drawn(framed)))};
}"""


@dataclass
class Keyboard:
    """What a person without a pointer has. It counts, and looks where the focus is after every key."""

    page: Page
    strokes: int = 0
    unseen: list[str] = field(default_factory=list)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)
            self.strokes += 1
            self._look()

    def type(self, text: str) -> None:
        self.page.keyboard.type(text)
        self._look()

    def _look(self) -> None:
        try:
            found: dict[str, Any] = self.page.evaluate(FOCUS)
        except PlaywrightError:
            return  # the key led to another page, which is looked at with its first key
        if found["what"] and not found["seen"]:
            self.unseen.append(found["what"])

    def settled(self) -> None:
        """Once the page that a key led to has its script."""
        expect(self.page.locator("html[data-script]")).to_be_attached()
        self._look()


@pytest.fixture
def keyboard(visit: Visit) -> Iterator[Keyboard]:
    used = Keyboard(visit.see("/console/"))
    yield used
    assert [] == used.unseen
    assert used.strokes <= KEYS_MAX, f"{used.strokes} keystrokes"


def test_signing_in(visits: Callable[..., Visit], person: Callable[..., str]) -> None:
    name = person("Keys Only", Role.VIEWER)
    keyboard = Keyboard(visits().see("/console/sign-in"))
    expect(keyboard.page.get_by_label("Name")).to_be_focused()
    keyboard.type(name)
    keyboard.press("Tab")
    keyboard.type(PASSWORD)
    keyboard.press("Enter")
    expect(keyboard.page.get_by_role("heading", name="Home")).to_be_attached()
    assert [] == keyboard.unseen
    assert keyboard.strokes <= KEYS_MAX


def test_texting_stop_from_ann(keyboard: Keyboard, gateway: Gateway) -> None:
    page = keyboard.page
    keyboard.press("g", "s")
    expect(page.get_by_role("region", name="Ann")).to_be_visible()
    keyboard.settled()
    keyboard.press("j")
    expect(page.get_by_role("region", name="Ann").get_by_label("Text", exact=True)).to_be_focused()
    keyboard.type("STOP")
    keyboard.press("Enter")
    expect(page.get_by_role("region", name="Trace")).to_contain_text("Row 1: block this person here")
    assert 1 == len(gateway.http.get("/api/v1/blocks", params={"recipient": "+14155550101"}).json()["items"])


def test_finding_why_a_send_was_refused(keyboard: Keyboard, gateway: Gateway) -> None:
    gateway.phone("+14155556701").text("stop", to=LONG_CODE)
    with pytest.raises(TwilioRestException, match="unsubscribed recipient"):
        gateway.client().messages.create(messaging_service_sid=gateway.service, to="+14155556701", body="Sale")
    keyboard.press("g", "m")
    expect(keyboard.page.get_by_role("heading", name="Messages")).to_be_visible()
    keyboard.settled()
    keyboard.press("j", "Enter")
    expect(keyboard.page.get_by_role("main")).to_contain_text("Refused: this person replied STOP to Demo on")


def test_adding_a_block_and_lifting_it(keyboard: Keyboard, gateway: Gateway) -> None:
    page, person = keyboard.page, "+14155556702"
    keyboard.press("g", "b")
    expect(page.get_by_role("heading", name="Block list")).to_be_visible()
    keyboard.settled()
    keyboard.press("n")
    expect(page.get_by_role("heading", name="Block somebody")).to_be_visible()
    expect(page.get_by_label("Number")).to_be_focused()
    keyboard.type(person)
    keyboard.press("Enter")
    expect(page.get_by_text("Blocked in Demo.")).to_be_visible()
    assert ["operator"] == [each["reason"] for each in _blocks(gateway, person)]
    keyboard.settled()
    keyboard.press("j", "l")
    expect(page.get_by_role("heading", name="Lift the block?")).to_be_visible()
    expect(page.get_by_label("Why is it right?")).to_be_focused()
    keyboard.type("they called")
    keyboard.press("Tab")
    keyboard.type("6702")
    keyboard.press("Enter")
    expect(page.get_by_text("Lifted in Demo")).to_be_visible()
    assert [] == _blocks(gateway, person)


def test_deciding_three_suggestions(keyboard: Keyboard, gateway: Gateway) -> None:
    page = keyboard.page
    people = {"+14155556703": "please stop texting me", "+14155556704": "wrong number, sorry", "+14155556705": "no more texts tonight please"}
    for person, body in people.items():
        gateway.phone(person).text(body, to=LONE)
    keyboard.press("g", "r")
    for key, body in zip("dwc", reversed(people.values()), strict=True):
        expect(page.locator("#detail")).to_contain_text(body)
        keyboard.settled()
        keyboard.press(key)
    expect(page.get_by_text("an opt-out.", exact=False).first).to_be_visible()
    decided = [gateway.http.get("/api/v1/suggestions", params={"recipient": person}).json()["items"][0]["state"] for person in people]
    assert ["confirmed", "confirmed", "dismissed"] == decided


def test_adding_a_word_and_publishing_it(keyboard: Keyboard, gateway: Gateway) -> None:
    page = keyboard.page
    keyboard.press("g", "o")
    expect(page.get_by_role("heading", name="Messaging Services")).to_be_visible()
    keyboard.settled()
    keyboard.press("j", "Tab", "Enter")
    expect(page.get_by_role("heading", name="Try a text")).to_be_attached()
    keyboard.settled()
    keyboard.press("n")
    keyboard.type("ENOUGH")
    keyboard.press("Enter")
    expect(page.locator("#publish")).to_contain_text("ENOUGH")
    keyboard.settled()
    keyboard.press("Control+Enter")
    expect(page.get_by_text("is live.")).to_be_visible()
    policy = gateway.http.get(f"/api/v1/services/{gateway.service}/opt-out").json()
    assert "ENOUGH" in policy["standard"]["stop"]["keywords"]


def test_replaying_a_webhook(keyboard: Keyboard, gateway: Gateway) -> None:
    page = keyboard.page
    sid = gateway.sender(LONE)
    gateway.client().incoming_phone_numbers(sid).update(sms_url="http://127.0.0.1:9/nobody")
    gateway.phone("+14155556706").text("hello", to=LONE)

    def attempts() -> int:
        told = gateway.http.get("/api/v1/webhook-deliveries", params={"event": "inbound"}).json()["items"]
        return len(told[0]["attempts"]) if told else 0

    before = eventually(attempts)
    keyboard.press("g", "w")
    expect(page.get_by_role("heading", name="Webhooks")).to_be_visible()
    keyboard.settled()
    keyboard.press("j", "j", "Enter")
    expect(page.get_by_role("heading", name="Delivery")).to_be_visible()
    keyboard.settled()
    keyboard.press("r")
    expect(page.get_by_text("Delivered again: the same event under the same token.")).to_be_visible()
    eventually(lambda: attempts() > before)


def test_finding_a_message_by_digits(keyboard: Keyboard, gateway: Gateway) -> None:
    page = keyboard.page
    gateway.phone("+14155556707").text("where is my parcel", to=LONE)
    keyboard.press("Control+k")
    keyboard.type("6707")
    expect(page.locator("dialog#palette .found a").first).to_contain_text("messages of this number")
    keyboard.press("Enter")
    expect(page.locator("#rows tbody tr")).to_have_count(1)
    keyboard.settled()
    keyboard.press("j", "Enter")
    expect(page.get_by_role("main")).to_contain_text("where is my parcel")


def test_the_map_of_keys_tells_every_key_that_works(keyboard: Keyboard) -> None:
    keyboard.press("?")
    expect(keyboard.page.locator("dialog#keys")).to_be_focused()  # from its top: it is longer than some windows
    told = keyboard.page.locator("dialog#keys kbd").all_inner_texts()
    for key in ("Ctrl", "/", "?", "j", "k", "Enter", "x", "e", "y", "r", "v", "n", "l", "u", "p", ".", "Esc", "g", "c", "w", "s", "h", "d"):
        assert key in told, key
    keyboard.press("Escape")
    expect(keyboard.page.locator("dialog#keys")).to_be_hidden()


def test_the_first_tab_skips_to_the_content(keyboard: Keyboard) -> None:
    keyboard.press("Tab")
    expect(keyboard.page.locator("a.skip")).to_be_focused()
    keyboard.press("Enter")
    expect(keyboard.page.locator("main")).to_be_focused()


def test_without_single_keys_tab_alone_leads_everywhere_in_sight(visit: Visit) -> None:
    """Every stop of Tab on a full page shows where it is."""
    keyboard = Keyboard(visit.see("/console/blocks"))
    for _ in range(60):
        keyboard.press("Tab")
    assert [] == keyboard.unseen


def _blocks(gateway: Gateway, recipient: str) -> list[dict[str, Any]]:
    return list(gateway.http.get("/api/v1/blocks", params={"recipient": recipient}).json()["items"])
