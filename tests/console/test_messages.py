"""Messages in a browser: the log with its refused sends, one message explained, and a conversation."""

import csv
import io
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from stopwire.console.queries import read
from stopwire.console.render import LANGUAGE
from stopwire.console.words import PSEUDO
from stopwire.ports.store import EntryFilter
from stopwire.storage import log
from tests.console.conftest import Visit
from tests.gateway import Gateway, eventually

SENDER = "+14155550100"


def refuse(gateway: Gateway, person: str) -> str:
    """Somebody says STOP and is written to; the id of the refusal."""
    gateway.phone(person).text("stop.", to=SENDER)
    answer = gateway.http.post("/api/v1/messages", json={"service": gateway.service, "body": "again", "recipients": [{"to": person}]})
    return str(answer.json()["items"][0]["refusal"])


def test_a_refused_send_stands_in_the_log_and_is_explained(visit: Visit, gateway: Gateway) -> None:
    person = "+14155551201"
    page = visit.see("/console/messages")
    visit.shoot("messages-empty")
    refusal = refuse(gateway, person)
    row = page.locator(f"tr[data-id={refusal}]")
    expect(row).to_contain_text("refused 21610")  # live
    visit.shoot("messages")
    row.get_by_role("link").first.click()
    explained = page.get_by_role("region", name="Explanation")
    expect(explained).to_contain_text("Refused: this person replied STOP to Demo on")
    expect(explained).to_contain_text("The block covers all 3 senders of Demo. [21610]")
    expect(page.get_by_text(person)).to_have_count(0)  # masked
    visit.shoot("message-refused")


def in_language(visit: Visit, gateway: Gateway, language: str) -> None:
    """Choose a language. The pseudo-language puts every sentence of a catalogue in brackets."""
    visit.context.add_cookies([{"name": LANGUAGE, "value": language, "url": gateway.url}])


def lines_of(page: Page) -> list[str]:
    """Each sentence of the explanation and of the timeline."""
    return page.locator(".explain p, .explain li, .timeline > li > div > bdi:not(.text), .timeline dt").all_text_contents()


def told_of(gateway: Gateway, kind: str, person: str) -> str:
    """The id of something to explain: of each kind one."""
    match kind:
        case "refused":
            return refuse(gateway, person)
        case "stop":
            return str(gateway.phone(person).text("Stop.", to=SENDER)["message_sid"])
        case "start":
            return str(gateway.phone(person).text("start", to=SENDER)["message_sid"])
        case "message":
            return str(gateway.phone(person).text("see you at 8", to=SENDER)["message_sid"])
        case _:
            sid = gateway.client().messages.create(to=person, from_=SENDER, body="Your table is ready").sid
            eventually(lambda: gateway.client().messages(str(sid)).fetch().status == "delivered")
            return str(sid)


@pytest.mark.parametrize("kind", ["refused", "stop", "start", "message", "delivered"])
def test_every_sentence_of_an_explanation_is_in_the_language_of_the_visitor(visit: Visit, gateway: Gateway, kind: str) -> None:
    sid = told_of(gateway, kind, "+14155551230")
    in_language(visit, gateway, PSEUDO)
    lines = lines_of(visit.see(f"/console/messages/{sid}"))
    assert 4 < len(lines)
    assert [] == [line for line in lines if not line.startswith("[")]


def test_a_refused_send_is_explained_in_spanish_and_answered_in_english(visit: Visit, gateway: Gateway) -> None:
    refusal = refuse(gateway, "+14155551231")
    answered = gateway.http.get(f"/api/v1/messages/{refusal}/explain").json()
    in_language(visit, gateway, "es")
    page = visit.see(f"/console/messages/{refusal}")
    visit.shoot("message-refused-spanish")
    told = page.get_by_role("region", name="Explicación")
    expect(told).to_contain_text("tenía un bloqueo para el servicio de mensajería Demo desde el")
    expect(told).to_contain_text("La persona dijo STOP a este remitente o a su servicio de mensajería, o fue bloqueada.")
    shown = page.get_by_role("main").inner_text()
    english = [*answered["why"], *answered["next"], *(proof["text"] for proof in answered["evidence"])]
    assert "was blocked for messaging service Demo since" in " ".join(english)
    assert [] == [sentence for sentence in english if sentence in shown]


def test_a_message_tells_what_happened_to_it(visit: Visit, gateway: Gateway) -> None:
    person = "+14155551202"
    sent = gateway.client().messages.create(to=person, from_=SENDER, body="Your table is ready")
    eventually(lambda: gateway.client().messages(sent.sid).fetch().status == "delivered")
    page = visit.see(f"/console/messages/{sent.sid}")
    timeline = page.get_by_role("region", name="Timeline")
    for step in ("Accepted", "Handed over", "Answered", "Reported"):
        expect(timeline).to_contain_text(step)
    expect(page.get_by_role("region", name="Explanation")).to_contain_text("Delivered: the carrier reports that it arrived.")
    visit.shoot("message-delivered")
    page.get_by_role("link", name="code points").click()
    expect(page.get_by_text("U+0059").first).to_be_visible()
    assert "Your table is ready" == visit.context.request.get(f"/console/messages/{sent.sid}/raw").text()
    assert "+1415•••1202" == visit.context.request.get(f"/console/messages/{sent.sid}.json").json()["story"]["message"]["recipient"]


def test_a_stop_shows_its_rule_its_event_and_its_reply(visit: Visit, gateway: Gateway) -> None:
    sid = gateway.phone("+14155551203").text("Stop!", to=SENDER)["message_sid"]
    page = visit.see(f"/console/messages/{sid}")
    expect(page.get_by_role("region", name="Explanation")).to_contain_text("Blocked by the person")
    timeline = page.get_by_role("region", name="Timeline")
    expect(timeline).to_contain_text("Row 1: block this person here")
    expect(timeline).to_contain_text("opt out for Demo")
    timeline.get_by_role("listitem").filter(has_text="Replied").get_by_role("link", name="Open").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Automatic reply")


def test_a_text_can_be_sent_again(visit: Visit, gateway: Gateway) -> None:
    person = "+14155551204"
    sent = gateway.client().messages.create(to=person, from_=SENDER, body="Once more")
    page = visit.see(f"/console/messages/{sent.sid}")
    page.get_by_role("button", name="Send again").click()
    expect(page.locator(".toast")).to_contain_text("Accepted as SM")
    assert 2 == len(gateway.phone(person).wait(2))


def test_a_scheduled_text_can_be_taken_back(visit: Visit, gateway: Gateway) -> None:
    from datetime import UTC, datetime, timedelta

    sent = gateway.client().messages.create(
        to="+14155551205", messaging_service_sid=gateway.service, body="Later", schedule_type="fixed", send_at=datetime.now(UTC) + timedelta(hours=1)
    )
    page = visit.see(f"/console/messages/{sent.sid}")
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("canceled")


def test_page_json_and_csv_hold_the_same_rows(visit: Visit, gateway: Gateway) -> None:
    refuse(gateway, "+14155551206")
    query = "?q=person:*1206"
    page = visit.see(f"/console/messages{query}")
    shown = page.locator("tbody tr[data-id]").evaluate_all("rows => rows.map(row => row.dataset.id)")
    told = visit.context.request.get(f"/console/messages.json{query}").json()["items"]
    cells = list(csv.DictReader(io.StringIO(visit.context.request.get(f"/console/messages.csv{query}").text())))
    assert 2 == len(shown)
    assert shown == [each["id"] for each in told] == [each["id"] for each in cells]
    assert "+1415•••1206" == told[0]["person"]


def test_a_conversation_shows_texts_and_changes_of_standing(visit: Visit, gateway: Gateway) -> None:
    person = "+14155551207"
    gateway.client().messages.create(to=person, from_=SENDER, body="Sale!")
    gateway.phone(person).text("stop", to=SENDER)
    gateway.phone(person).wait(2)
    page = visit.see(f"/console/conversations/{SENDER}/{person}")
    thread = page.get_by_role("log")
    for told in ("Sale!", "opt out", "automatic reply"):
        expect(thread).to_contain_text(told)
    expect(page.locator("#standing")).to_contain_text("Blocked in Demo")
    visit.shoot("conversation")
    page.get_by_label("Reply").fill("Are you sure?")
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".toast")).to_contain_text("Refused with error 21610")
    expect(thread).to_contain_text("refused 21610")


@pytest.mark.parametrize("path", ["/console/messages", "/console/messages/{sid}", "/console/conversations/%2B14155550100/%2B14155551208"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_accessible(visits: Callable[..., Visit], accessible: Callable[[Page], None], gateway: Gateway, path: str, scheme: str) -> None:
    sid = gateway.phone("+14155551208").text("hello\u200b <b>", to=SENDER)["message_sid"]
    visit = visits(color_scheme=scheme).by_link()
    accessible(visit.see(path.format(sid=sid)))
    visit.shoot(f"accessible-{path.split('/')[2]}-{scheme}")


@pytest.mark.parametrize("path", ["/console/messages", "/console/messages/{sid}", "/console/conversations/%2B14155550100/%2B14155551209"])
def test_it_fits_a_telephone(visits: Callable[..., Visit], gateway: Gateway, path: str) -> None:
    sid = gateway.phone("+14155551209").text("hello " * 40, to=SENDER)["message_sid"]
    page = visits(viewport={"width": 360, "height": 800}).by_link().see(path.format(sid=sid))
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_what_is_not_understood_is_said(visit: Visit) -> None:
    page = visit.see("/console/messages?q=colour:red")
    expect(page.locator("#query-problem")).to_contain_text("There is no “colour:” here.")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        pytest.param("to:+1415* status:failed", EntryFilter(to="+1415*", status="failed"), id="two terms"),
        pytest.param('text:"big sale" code:21610', EntryFilter(text="big sale", code=21610), id="quoted"),
        pytest.param("0117", EntryFilter(person="*0117"), id="digits"),
        pytest.param("whatsapp:+14155550101", EntryFilter(person="*whatsapp:+14155550101"), id="another channel"),
        pytest.param("hello there", EntryFilter(text="hello there"), id="words"),
        pytest.param("has:refusal dir:out", EntryFilter(status="refused", inbound=False), id="refusals"),
        pytest.param("service:demo keyword:stop", None, id="service and keyword"),
    ],
)
def test_a_query_is_read(gateway: Gateway, text: str, wanted: EntryFilter | None) -> None:
    directory = gateway.run(gateway.world.store.directory(gateway.account_sid))
    expected = wanted or EntryFilter(service=gateway.service, keyword="STOP")
    found = read(text, directory, gateway.world.clock.now())
    assert "" == found.problem
    assert expected == found.wanted


def test_a_search_that_ends_early_says_so_and_goes_on(visit: Visit, gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(4):
        gateway.phone("+14155551208").text(f"needle {n}" if n == 0 else f"hay {n}", to=SENDER)
    monkeypatch.setattr(log.look, "__defaults__", (2,))  # instead of fifty thousand rows, and as many texts
    page = visit.see("/console/messages?q=needle")
    visit.shoot("messages-further")
    expect(page.get_by_text("None so far: the search has not reached the beginning yet.")).to_be_visible()
    looks = 1
    while page.get_by_role("cell").filter(has_text="needle 0").count() == 0:
        page.locator(".further a").click()
        looks += 1
        assert looks < 20
    assert looks > 1
    items = visit.context.request.get("/console/messages.json?q=needle").json()["items"]
    assert ["needle 0"] == [each["text"] for each in items]  # a twin goes to the end by itself
