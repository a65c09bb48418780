"""Messaging services and Opt-Out Management, as a person edits them."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Page, expect

from stopwire.core.roles import Role
from tests.console.conftest import Visit
from tests.gateway import Gateway


@pytest.fixture
def hooks() -> Iterator[Callable[[int], str]]:
    """Addresses of an application that answers every call with a status: `hooks(500)`."""

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(int(self.path.rpartition("/")[2]))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: the test says what it wants to know."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield lambda status: f"http://127.0.0.1:{server.server_port}/{status}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def editor(visit: Visit, gateway: Gateway) -> Page:
    """Opt-Out Management of a messaging service of its own."""
    made = gateway.client().messaging.v1.services.create(friendly_name="Promo")
    return visit.see(f"/console/services/{made.sid}/opt-out")


def _policy(gateway: Gateway, page: Page) -> dict[str, object]:
    sid = re.search("(MG[0-9a-f]{32})", page.url)
    assert sid
    return dict(gateway.http.get(f"/api/v1/services/{sid[1]}/opt-out").json())


def _add_word(page: Page, path: str, word: str) -> None:
    field = page.locator(f'input[name="new.{path}"]')
    field.fill(word)
    field.press("Enter")


def test_a_service_is_made_given_senders_and_deleted(visit: Visit, gateway: Gateway) -> None:
    page = visit.see("/console/services")
    page.keyboard.press("n")
    page.get_by_label("Name").fill("Harbour")
    page.get_by_label("Inbound texts go to").fill("http://10.0.0.5/hook")
    page.get_by_role("button", name="Create, then").click()
    expect(page.locator(".wrong .sentence")).to_contain_text("21402")
    expect(page.get_by_label("Name")).to_have_value("Harbour")
    page.get_by_label("Inbound texts go to").fill("")
    page.get_by_role("button", name="Create, then").click()
    expect(page.get_by_text("Harbour is there. Give it senders next.")).to_be_visible()
    page.get_by_label("+14155550122").check()
    page.get_by_role("button", name="Add to Harbour").click()
    expect(page.locator("tbody tr").get_by_text("+14155550122")).to_be_visible()
    visit.shoot("service-senders")
    page.get_by_role("button", name="Take out").click()
    expect(page.get_by_text("It keeps every block of Harbour")).to_be_visible()
    page.get_by_role("link", name="Settings").nth(1).click()
    page.get_by_label("Type “Harbour” to delete it").fill("harbor")
    page.get_by_role("button", name="Delete this messaging service").click()
    expect(page.locator(".wrong .sentence")).to_contain_text("as it stands above")
    page.get_by_label("Type “Harbour” to delete it").fill("Harbour")
    page.get_by_role("button", name="Delete this messaging service").click()
    expect(page.get_by_text("Harbour is deleted.")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_service_tells_what_it_did_lately(
    visits: Callable[..., Visit], accessible: Callable[[Page], None], gateway: Gateway, scheme: str
) -> None:
    person = "+14155551901" if scheme == "light" else "+14155551902"
    client = gateway.client()
    client.messages.create(to=person, messaging_service_sid=gateway.service, body=f"Sale ends tonight, {scheme}")
    client.messages.create(to="+14155551903", from_="+14155550122", body="from a sender alone")
    looking = visits(color_scheme=scheme, viewport={"width": 360, "height": 800} if scheme == "dark" else None).by_link()
    page = looking.see(f"/console/services/{gateway.service}/activity")
    rows = page.locator("tbody tr[data-id]")
    expect(rows.first).to_contain_text(person[-4:])
    expect(page.locator("main")).not_to_contain_text("1903")
    expect(page.locator("#figures")).to_contain_text("accepted")
    accessible(page)
    looking.shoot(f"service-activity-{scheme}")
    told = page.request.get(f"/console/services/{gateway.service}/activity.json").json()["items"]
    assert {gateway.service} == {each["service"] for each in told}


def test_exact_matching_in_the_us_is_kept_with_a_reason_or_asked_about_again(visit: Visit, gateway: Gateway) -> None:
    made = gateway.client().messaging.v1.services.create(friendly_name="Keeper")
    gateway.client().messaging.v1.services(made.sid).phone_numbers.create(phone_number_sid=gateway.sender("+14155550122"))
    page = visit.see(f"/console/services/{made.sid}/opt-out")
    expect(page.locator("#matching")).to_contain_text("who may say stop in any words")
    visit.shoot("opt-out-exact")
    page.get_by_role("button", name="Keep exact").click()
    expect(page.locator("#matching")).to_contain_text("Say why")
    page.get_by_label("Why it stays exact").fill("A person reads Review every hour")
    page.get_by_role("button", name="Keep exact").click()
    expect(page.locator(".toast")).to_contain_text("It stays exact")
    expect(page.locator("#matching")).to_contain_text("A person reads Review every hour")
    expect(page.get_by_role("button", name="Keep exact")).to_have_count(0)
    audit = page.request.get("/console/settings/audit.json?act=matching.kept").json()["items"]
    assert [(made.sid, "A person reads Review every hour")] == [(each["subject"], each["detail"]["reason"]) for each in audit]
    gateway.client().messaging.v1.services(made.sid).phone_numbers(gateway.sender("+14155550122")).delete()


def test_settings_of_a_service_are_kept(visit: Visit, gateway: Gateway) -> None:
    made = gateway.client().messaging.v1.services.create(friendly_name="Settled")
    page = visit.see(f"/console/services/{made.sid}/webhooks")
    page.get_by_label("go to the webhook below").check()
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".wrong .sentence")).to_contain_text("write an address")
    page.get_by_label("Webhook", exact=True).fill("http://127.0.0.1:9/in")
    page.get_by_label("Its method").select_option("GET")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Settled is changed.")).to_be_visible()
    page = visit.see(f"/console/services/{made.sid}/sending")
    page.get_by_label("Seconds a text is worth sending").fill("40000")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".wrong .sentence")).to_contain_text("between 1 and 36,000")
    page.get_by_label("Seconds a text is worth sending").fill("600")
    page.get_by_label("Sticky sender").uncheck()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Settled is changed.")).to_be_visible()
    service = gateway.client().messaging.v1.services(made.sid).fetch()
    assert (600, False, "http://127.0.0.1:9/in", "GET", False) == (
        service.validity_period, service.sticky_sender, service.inbound_request_url, service.fallback_method,
        service.use_inbound_webhook_on_number,
    )  # fmt: skip


def test_a_service_is_set_up_in_three_steps(visit: Visit, gateway: Gateway) -> None:
    page = visit.see("/console/services/new")
    expect(page.get_by_label("Steps")).to_contain_text("1 Name")
    page.get_by_label("Name").fill("Stepwise")
    page.get_by_role("button", name="Create, then").click()
    visit.shoot("service-step-2")
    page.get_by_label("+14155550122").check()
    page.get_by_role("button", name="Add to Stepwise").click()
    page.get_by_role("link", name="Next: opt-out words").click()
    expect(page.locator("[aria-current=step]")).to_contain_text("3 Opt-out words")
    page.get_by_role("link", name="Finish").click()
    expect(page.get_by_role("heading", name="The last 7 days")).to_be_visible()
    made = next(each for each in gateway.client().messaging.v1.services.list() if each.friendly_name == "Stepwise")
    assert ["+14155550122"] == [each.phone_number for each in gateway.client().messaging.v1.services(made.sid).phone_numbers.list()]
    gateway.client().messaging.v1.services(made.sid).delete()


def test_a_service_is_copied_with_its_words_and_without_its_senders(visit: Visit, gateway: Gateway) -> None:
    client = gateway.client().messaging.v1
    made = client.services.create(
        friendly_name="Model", inbound_request_url="http://127.0.0.1:9/model", sticky_sender=False, validity_period=900
    )
    policy = gateway.http.get(f"/api/v1/services/{made.sid}/opt-out").json()
    policy["enabled"] = True
    policy["standard"]["stop"]["keywords"] += ["BASTA"]
    assert 200 == gateway.http.put(f"/api/v1/services/{made.sid}/opt-out", json=policy).status_code
    page = visit.see(f"/console/services/{made.sid}/settings")
    page.get_by_role("link", name="Copy this messaging service").click()
    expect(page.locator(".notice")).to_contain_text("a copy of Model")
    page.get_by_label("Name").fill("Second")
    page.get_by_role("button", name="Create, then").click()
    copy = next(each for each in client.services.list() if each.friendly_name == "Second")
    assert (False, 900, "http://127.0.0.1:9/model", False) == (
        copy.sticky_sender, copy.validity_period, copy.inbound_request_url, copy.use_inbound_webhook_on_number,
    )  # fmt: skip
    told = gateway.http.get(f"/api/v1/services/{copy.sid}/opt-out").json()
    assert (True, True, 1) == (told["enabled"], "BASTA" in told["standard"]["stop"]["keywords"], told["version"])
    assert [] == client.services(copy.sid).phone_numbers.list()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 360)])
def test_webhooks_and_sending_of_a_service_are_told(
    visits: Callable[..., Visit], accessible: Callable[[Page], None], gateway: Gateway, hooks: Callable[[int], str], scheme: str, width: int
) -> None:
    client = gateway.client()
    visit = visits(color_scheme=scheme, viewport={"width": width, "height": 800}).by_link()
    for status, health in ((200, "have arrived"), (500, "opt-outs do not depend on it")):
        client.messaging.v1.services(gateway.service).update(status_callback=hooks(status))
        client.messages.create(to=f"+1415555{width:04}", messaging_service_sid=gateway.service, body="Sale ends tonight")
        page = visit.see(f"/console/services/{gateway.service}/webhooks")
        expect(page.locator("#health")).to_contain_text(health, timeout=10_000)
        accessible(page)
        visit.shoot(f"service-webhooks-{health.split()[0]}-{scheme}")
    client.messaging.v1.services(gateway.service).update(status_callback="")
    page = visit.see(f"/console/services/{gateway.service}/sending")
    chart = page.locator("figure img")
    assert "most often" in (chart.get_attribute("alt") or "")
    assert chart.evaluate("image => image.complete && image.naturalWidth > 0")
    expect(page.locator("tbody tr").first).to_contain_text("+1415555")
    accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    visit.shoot(f"service-sending-{scheme}")


def test_a_test_of_a_services_webhook_is_sent_and_shown(visit: Visit, gateway: Gateway, hooks: Callable[[int], str]) -> None:
    gateway.client().messaging.v1.services(gateway.service).update(status_callback=hooks(204))
    page = visit.see(f"/console/services/{gateway.service}/webhooks")
    page.get_by_label("As if").select_option("delivered")
    page.get_by_role("button", name="Send it").click()
    expect(page.get_by_text("A test is on its way")).to_be_visible()
    expect(page.locator("main")).to_contain_text("MessageStatus")
    gateway.client().messaging.v1.services(gateway.service).update(status_callback="")
    page = visit.see(f"/console/services/{gateway.service}/webhooks")
    page.get_by_label("As if").select_option("failed")
    page.get_by_role("button", name="Send it").click()
    expect(page.locator("main")).to_contain_text("This sender calls nobody for such an event")


def test_a_word_is_added_seen_as_a_draft_and_published(editor: Page, visit: Visit, gateway: Gateway) -> None:
    page = editor
    page.get_by_label("Advanced Opt-Out").check()
    _add_word(page, "standard.stop", "Basta, halt")
    expect(page.locator("#standard-stop .word", has_text="Basta")).to_be_visible()
    expect(page.get_by_label("Advanced Opt-Out")).to_be_checked()
    expect(page.locator("#publish .changes")).to_contain_text("+ halt")
    assert 1 == _policy(gateway, page)["version"]
    page.get_by_label("Take out halt").click()
    page.get_by_role("button", name="Publish version 2").click()
    expect(page.get_by_text("Version 2 is live.")).to_be_visible()
    policy = _policy(gateway, page)
    assert (2, True) == (policy["version"], policy["enabled"])
    assert "Basta" in str(policy["standard"]) and "halt" not in str(policy["standard"])
    page.keyboard.press("u")
    expect(page.get_by_text("Version 3 is live: it has the settings of version 1.")).to_be_visible()
    assert _policy(gateway, page)["enabled"] is False


def test_fixed_words_cannot_be_taken_out(editor: Page, visit: Visit, gateway: Gateway) -> None:
    fixed = editor.locator("#standard-stop .word").first
    expect(fixed).to_contain_text("STOP")
    expect(fixed.locator("button")).to_have_count(0)
    answer = editor.request.post(
        editor.url.partition("#")[0] + "/draft",
        form={"list": "standard.stop", "words.standard.stop": "STOP", "do": "remove standard.stop:0"},
        headers={"Sec-Fetch-Site": "same-origin"},
    )
    assert 'value="STOP"' in answer.text()


def test_errors_and_warnings_stand_at_their_field_and_nothing_is_lost(editor: Page, gateway: Gateway, visit: Visit) -> None:
    page = editor
    page.locator('textarea[name="reply.standard.stop"]').fill("x" * 334)
    page.locator('textarea[name="reply.standard.help"]').fill("Call us: see https://bit.ly/x")
    _add_word(page, "standard.stop", "opt out")
    page.get_by_role("button", name="Publish version 2").click()
    stop = page.locator("#standard-stop")
    expect(stop.get_by_text("Reply for STOP in Standard has 334 characters; at most 320 are allowed: shorten it by 14.")).to_be_visible()
    expect(stop.get_by_text("has a space: exact matching knows single words only.")).to_be_visible()
    expect(page.locator("#standard-help").get_by_text("shared shortener")).to_be_visible()
    expect(page.locator('textarea[name="reply.standard.stop"]')).to_have_value("x" * 334)
    visit.shoot("opt-out-errors")
    assert 1 == _policy(gateway, page)["version"]


def test_the_meter_counts_while_one_types(editor: Page) -> None:
    stop = editor.locator("#standard-stop")
    stop.locator("textarea").fill("Baja confirmada á")
    expect(stop.locator(".meter")).to_contain_text("17 of 320")
    expect(stop.locator(".meter")).to_contain_text("UCS-2")


def test_a_language_for_a_country_comes_from_its_pack_and_is_tried_before_it_is_published(editor: Page, visit: Visit, gateway: Gateway) -> None:
    page = editor
    page.get_by_label("Advanced Opt-Out").check()
    page.locator('[name=add_language]').select_option("es")
    page.locator('[name=add_country]').select_option("MX")
    page.get_by_role("button", name="Add from its pack").click()
    expect(page.get_by_role("heading", name="Mexico MX")).to_be_visible()
    expect(page.locator("#countries-MX-languages-es-stop .word", has_text="ALTO")).to_be_visible()
    page.get_by_label("Text to try").fill("alto")
    page.locator('[name=try_from]').fill("MX")
    page.get_by_role("button", name="Try", exact=True).click()
    draft, live = page.get_by_role("region", name="Draft", exact=True).first, page.get_by_role("region", name="Live, version 1")
    expect(draft.locator(".chip.stop")).to_contain_text("ALTO")
    expect(draft).to_contain_text("Promo")
    expect(draft.get_by_text("OptOutType=STOP").first).to_be_visible()
    expect(live).to_contain_text("ordinary message")
    visit.shoot("opt-out-try")
    page.get_by_role("button", name="Publish version 2").click()
    expect(page.get_by_text("Version 2 is live.")).to_be_visible()
    page.get_by_role("link", name="History").click()
    page.locator('[data-id="2"]').get_by_role("link").click()
    expect(page.locator(".changes")).to_contain_text("ALTO")
    visit.shoot("opt-out-versions")
    assert "countries" in _policy(gateway, page)


def test_two_people_publish_and_the_second_is_told(visits: Callable[..., Visit], editor: Page, gateway: Gateway) -> None:
    other = visits().by_link().see(editor.url)
    _add_word(other, "standard.stop", "ENOUGH")
    other.get_by_role("button", name="Publish version 2").click()
    expect(other.get_by_text("Version 2 is live.")).to_be_visible()
    _add_word(editor, "standard.stop", "BASTA")
    editor.get_by_role("button", name="Publish version").click()
    expect(editor.get_by_role("alert")).to_contain_text("owner published version 2 while you edited version 1. Your draft is kept.")
    expect(editor.locator("#standard-stop .word", has_text="BASTA")).to_be_visible()
    editor.get_by_label("publish on top of version 2").check()
    editor.get_by_role("button", name="Publish version").click()
    expect(editor.get_by_text("Version 3 is live.")).to_be_visible()
    assert "BASTA" in str(_policy(gateway, editor))


def test_a_file_goes_out_and_comes_in_as_a_draft(editor: Page, gateway: Gateway) -> None:
    page, path = editor, editor.url
    toml = page.request.get(f"{path}/export.toml").text()
    assert "enabled = false" in toml
    data = json.loads(page.request.get(f"{path}/export.json").text())
    data["languages"] = {"fr": {"stop": {"keywords": ["ARRET"], "reply": "Promo : vous ne recevrez plus de messages."}}}
    page.get_by_label("Bring a file in as the draft").set_input_files({"name": "x.json", "mimeType": "application/json", "buffer": b"{nope"})
    page.get_by_role("button", name="Open as draft").click()
    expect(page.get_by_text("The file is not JSON.")).to_be_visible()
    page.get_by_label("Bring a file in as the draft").set_input_files(
        {"name": "x.json", "mimeType": "application/json", "buffer": json.dumps(data).encode()}
    )
    page.get_by_role("button", name="Open as draft").click()
    expect(page.get_by_text("The file is the draft now.")).to_be_visible()
    expect(page.locator("#languages-fr-stop .word", has_text="ARRET")).to_be_visible()
    assert 1 == _policy(gateway, page)["version"]


def test_a_dry_run_tells_what_the_draft_would_have_caught(visit: Visit, gateway: Gateway) -> None:
    gateway.phone("+14155550133").text("genug", to="+14155550100")
    page = visit.see(f"/console/services/{gateway.service}/opt-out")
    _add_word(page, "standard.stop", "GENUG")
    page.get_by_label("Advanced Opt-Out").check()
    page.get_by_role("button", name="Dry run").click()
    expect(page.get_by_text(re.compile("1 more opt-outs caught, 0 missed"))).to_be_visible()
    expect(page.locator("#try tbody")).to_contain_text("genug")
    assert "+14155550133" not in page.locator("#try tbody").inner_text()


def test_who_may_not_change_the_policy_sees_it_all_the_same(visits: Callable[..., Visit], person: Callable[..., str], gateway: Gateway) -> None:
    visit = visits().by_name(person("Olga", Role.OPERATOR))
    page = visit.see(f"/console/services/{gateway.service}/opt-out")
    expect(page.locator("#standard-stop textarea")).to_be_disabled()
    expect(page.get_by_role("button", name="Publish version")).to_have_count(0)
    answer = page.request.post(f"{page.url}/publish", form={}, headers={"Sec-Fetch-Site": "same-origin"})
    assert 403 == answer.status


def test_it_all_works_without_script(visits: Callable[..., Visit], gateway: Gateway) -> None:
    made = gateway.client().messaging.v1.services.create(friendly_name="Plain")
    page = visits(java_script_enabled=False).by_link().see(f"/console/services/{made.sid}/opt-out")
    _add_word(page, "standard.help", "AIDE")
    expect(page.locator("#standard-help .word", has_text="AIDE")).to_be_visible()
    page.get_by_role("button", name="Publish version 2").click()
    expect(page.get_by_text("Version 2 is live.")).to_be_visible()
