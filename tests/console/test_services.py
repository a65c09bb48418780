"""Messaging services and Opt-Out Management, as a person edits them."""

import json
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from stopwire.core.roles import Role
from tests.console.conftest import Visit
from tests.gateway import Gateway


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
    page.get_by_role("button", name="Create").click()
    expect(page.locator(".wrong .sentence")).to_contain_text("21402")
    expect(page.get_by_label("Name")).to_have_value("Harbour")
    page.get_by_label("Inbound texts go to").fill("")
    page.get_by_role("button", name="Create").click()
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
    page = visit.see(f"/console/services/{made.sid}/settings")
    page.get_by_label("go to the webhook below").check()
    page.get_by_label("Webhook", exact=True).fill("http://127.0.0.1:9/in")
    page.get_by_label("Seconds a text is worth sending").fill("40000")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".wrong .sentence")).to_contain_text("between 1 and 36,000")
    page.get_by_label("Seconds a text is worth sending").fill("600")
    page.get_by_label("The same person hears from the same sender").uncheck()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Settled is changed.")).to_be_visible()
    service = gateway.client().messaging.v1.services(made.sid).fetch()
    assert (600, False, "http://127.0.0.1:9/in", False) == (
        service.validity_period, service.sticky_sender, service.inbound_request_url, service.use_inbound_webhook_on_number,
    )  # fmt: skip


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
