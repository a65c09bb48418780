"""The block list, a person's page and imports, as somebody on duty uses them."""

import csv
import io
import json
import re
from collections.abc import Callable

from playwright.sync_api import expect

from stopwire.core.roles import Role
from tests.console.conftest import Visit
from tests.gateway import Gateway, eventually


def _blocked(gateway: Gateway, recipient: str) -> list[str]:
    found = gateway.http.get("/api/v1/blocks", params={"recipient": recipient}).json()["items"]
    return [each["reason"] for each in found]


def test_a_stop_is_found_by_its_last_digits_with_the_text_before_it(visit: Visit, gateway: Gateway) -> None:
    phone = gateway.phone("+14155550231")
    gateway.client().messages.create(to=phone.address, from_="+14155550100", body="Sale ends tonight")
    phone.wait()
    phone.text("stop.", to="+14155550100")
    page = visit.see("/console/blocks")
    page.get_by_label("Number, or its last digits").fill("0231")
    page.keyboard.press("Enter")
    row = page.locator("tbody tr")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("+1415•••0231")
    expect(row).to_contain_text("keyword")
    expect(row).to_contain_text("Sale ends tonight")
    expect(row).to_contain_text("Demo")
    assert "+14155550231" not in row.inner_text()
    visit.shoot("blocks")
    twin = json.loads(page.request.get("/console/blocks.json?q=0231").text())["items"]
    line = next(csv.DictReader(io.StringIO(page.request.get("/console/blocks.csv?q=0231").text())))
    assert ("+1415•••0231", "keyword") == (twin[0]["recipient"], twin[0]["reason"]) == (line["recipient"].lstrip("'"), line["reason"])
    page.goto("/console/blocks?q=nonsense")
    expect(page.get_by_text("Write a number like +14155550101, or its last digits.")).to_be_visible()


def test_somebody_on_duty_blocks_at_once_and_can_undo(visits: Callable[..., Visit], person: Callable[..., str], gateway: Gateway) -> None:
    page = visits().by_name(person("Duty", Role.OPERATOR)).see("/console/blocks")
    page.keyboard.press("n")
    expect(page.get_by_role("heading", name="Block somebody")).to_be_visible()
    page.get_by_label("Number").fill("nobody")
    page.get_by_role("button", name="Block", exact=True).click()
    expect(page.get_by_text("This is no phone number: write it like +14155550101.")).to_be_visible()
    page.get_by_label("Number").fill("+14155550232")
    page.get_by_label("Note").fill("asked by phone")
    page.get_by_role("button", name="Block", exact=True).click()
    expect(page.get_by_text("Blocked in Demo.")).to_be_visible()
    assert ["operator"] == _blocked(gateway, "+14155550232")
    page.keyboard.press("u")
    expect(page.get_by_text("The block is taken back.")).to_be_visible()
    assert [] == _blocked(gateway, "+14155550232")


def test_a_block_that_the_person_did_not_make_asks_for_a_reason_and_the_digits(visit: Visit, gateway: Gateway) -> None:
    gateway.http.post("/api/v1/blocks", json={"recipient": "+14155550233", "scope": gateway.service, "reason": "complaint"})
    page = visit.see("/console/blocks?q=0233")
    page.keyboard.press("j")
    page.keyboard.press("l")
    page.get_by_role("button", name="Lift").click()
    expect(page.get_by_text("Say why: the ledger keeps it.")).to_be_visible()
    expect(page.get_by_text("Type the last four digits of the number.")).to_be_visible()
    visit.shoot("blocks-lift")
    page.get_by_label("Why is it right?").fill("They called and asked for texts")
    page.get_by_label("Last four digits of the number").fill("0233")
    page.get_by_role("button", name="Lift").click()
    expect(page.get_by_text("Lifted in Demo.")).to_be_visible()
    assert [] == _blocked(gateway, "+14155550233")
    page.get_by_role("button", name="Block again").click()
    expect(page.get_by_text("Blocked in Demo.")).to_be_visible()
    assert ["operator"] == _blocked(gateway, "+14155550233")


def test_an_operator_may_not_lift(visits: Callable[..., Visit], person: Callable[..., str], gateway: Gateway) -> None:
    gateway.http.post("/api/v1/blocks", json={"recipient": "+14155550234", "scope": gateway.service})
    page = visits().by_name(person("Not yet", Role.OPERATOR)).see("/console/blocks?q=0234")
    expect(page.locator("main").get_by_text("Lift")).to_have_count(0)
    block = gateway.http.get("/api/v1/blocks", params={"recipient": "+14155550234"}).json()["items"][0]["id"]
    headers = {"Sec-Fetch-Site": "same-origin"}
    assert 403 == page.request.post("/console/blocks/lift", form={"id": block, "note": "x"}, headers=headers).status
    assert 403 == page.request.post("/console/blocks/undo", form={"id": block}, headers=headers).status
    assert ["api"] == _blocked(gateway, "+14155550234")


def test_many_are_lifted_together(visit: Visit, gateway: Gateway) -> None:
    for digits in ("5101", "5102", "5103"):
        gateway.phone(f"+1202555{digits}").text("stop", to="+14155550100")
    page = visit.see("/console/blocks")
    for digits in ("5101", "5102", "5103"):
        page.get_by_label(f"Select the block of the number ending {digits}").check()
    expect(page.locator("[data-picked]")).to_have_text("3")
    page.locator("[data-bulk] button").click()
    expect(page.get_by_role("heading", name="Lift 3 blocks?")).to_be_visible()
    page.get_by_label("Why is it right?").fill("a test of ours")
    page.get_by_role("button", name="Lift").click()
    expect(page.get_by_text("3 blocks are lifted.")).to_be_visible()
    assert [] == _blocked(gateway, "+12025555101")


def test_would_this_be_sent(visit: Visit, gateway: Gateway) -> None:
    gateway.phone("+14155550236").text("STOP", to="+14155550111")
    page = visit.see("/console/blocks")
    page.locator("[name=from]").select_option(gateway.service)
    page.locator("[name=to]").fill("+14155550236")
    page.get_by_role("button", name="Check").click()
    expect(page.locator("section[role=status]")).to_contain_text("Blocked in Demo since")
    expect(page.locator("section[role=status]")).to_contain_text("they replied STOP.")
    visit.shoot("blocks-check")
    page.locator("[name=from]").select_option("+14155550122")
    page.get_by_role("button", name="Check").click()
    expect(page.locator("section[role=status]")).to_contain_text("No block stands against it.")
    page.locator("[name=to]").fill("nobody")
    page.get_by_role("button", name="Check").click()
    expect(page.locator("section[role=status]")).to_contain_text("is no phone number")


def test_a_list_is_imported_and_each_row_says_what_became_of_it(visit: Visit, gateway: Gateway) -> None:
    gateway.http.post("/api/v1/blocks", json={"recipient": "+13125550199", "scope": gateway.account_sid})
    page = visit.see("/console/imports/new")
    rows = b"recipient,note\n+13125550198,old list\n+13125550199,\nnobody,\n"
    page.get_by_label("File").set_input_files({"name": "old.csv", "mimeType": "text/csv", "buffer": rows})
    page.get_by_label("Holds for, where a row says nothing else").select_option(gateway.account_sid)
    page.get_by_role("button", name="Import").click()
    expect(page).to_have_url(re.compile("/console/imports/IM"))
    expect(page.locator("#results tbody tr[data-id]")).to_have_count(3)
    expect(page.locator("#progress")).to_contain_text("done")
    expect(page.locator("#results")).to_contain_text("The recipient is no phone number")
    visit.shoot("import")
    assert ["import"] == _blocked(gateway, "+13125550198")
    page.get_by_role("link", name="wrong", exact=True).click()
    expect(page.locator("#results tbody tr[data-id]")).to_have_count(1)
    wrong = page.request.get(page.url.partition("?")[0] + ".csv?state=wrong").text()
    assert "3," in wrong and "+13125550198" not in wrong
    page.goto("/console/imports/new")
    page.get_by_label("Or paste numbers").fill("+13125550197\n+13125550196\n")
    page.get_by_role("button", name="Import").click()
    eventually(lambda: _blocked(gateway, "+13125550196"))


def test_an_import_is_undone_with_a_reason_and_a_typed_word(visit: Visit, gateway: Gateway) -> None:
    page = visit.see("/console/imports/new")
    page.get_by_label("Or paste numbers").fill("+13125550187\n+13125550186\n")
    page.get_by_role("button", name="Import").click()
    expect(page.locator("#progress")).to_contain_text("done")
    page.get_by_text("Undo this import").click()
    page.get_by_label("Why is it right?").fill("the wrong file")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("main")).to_contain_text("people may be texted again")
    assert ["import"] == _blocked(gateway, "+13125550187")
    page.get_by_label("Type undo").fill("undo")
    visit.shoot("import-undo")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".toast")).to_contain_text("Lifted: 2. Still blocked: 0.")
    expect(page.locator("#progress")).to_contain_text("undone")
    assert [] == _blocked(gateway, "+13125550187")
    expect(page.get_by_text("Undo this import")).to_have_count(0)


def test_a_long_list_is_taken_while_its_page_shows_how_far_it_is(visit: Visit, gateway: Gateway) -> None:
    page = visit.see("/console/imports/new")
    rows = "phone\n" + "".join(f"+1303555{number:04}\n" for number in range(6000))
    page.get_by_label("File").set_input_files({"name": "long.csv", "mimeType": "text/csv", "buffer": rows.encode()})
    page.get_by_role("button", name="Import").click()
    expect(page.locator("#progress")).to_contain_text("done", timeout=30_000)
    expect(page.locator("#progress")).to_contain_text("6,000")
    page.get_by_role("link", name="older").click()
    expect(page.locator("#results tbody tr").first).to_have_attribute("data-id", "51")
    page.get_by_role("link", name="newer").click()
    expect(page.locator("#results tbody tr").first).to_have_attribute("data-id", "1")


def test_a_link_takes_one_person_out_of_one_scope(visit: Visit, gateway: Gateway) -> None:
    page = visit.see("/console/recipients/%2B14155550239")
    page.locator("#link summary").click()
    page.get_by_label("Leads out of").select_option(gateway.account_sid)
    page.get_by_role("button", name="Make a link").click()
    link = page.locator("#link code").inner_text()
    assert link.startswith(f"{gateway.url}/o/")
    visit.shoot("recipient-link")
    page.goto(link)
    assert [] == _blocked(gateway, "+14155550239")
    page.get_by_role("button").first.click()
    assert ["consent"] == _blocked(gateway, "+14155550239")


def test_a_person_has_a_page_with_standing_history_and_evidence(visit: Visit, gateway: Gateway) -> None:
    phone = gateway.phone("+14155550237")
    phone.text("hello there", to="+14155550100")
    phone.text("stop", to="+14155550100")
    page = visit.see("/console/recipients/%2B14155550237")
    expect(page.locator("#standing")).to_contain_text("they replied STOP")
    expect(page.locator("#history tbody tr[data-id]")).to_have_count(1)
    expect(page.locator("[data-live-state=live]")).to_be_visible()
    phone.text("start", to="+14155550100")
    expect(page.locator("#standing")).to_contain_text("Not blocked anywhere", timeout=4000)
    assert "+14155550237" not in page.locator("main").inner_text()
    visit.shoot("recipient")
    with page.expect_download() as got:
        page.get_by_role("button", name="Download evidence").click()
    evidence = json.loads(got.value.path().read_text())
    assert True is evidence["ledger"]["ok"]
    assert ["opt_out", "opt_in"] == [each["event"]["act"] for each in evidence["evidence"]["events"]]
    audit = json.loads(page.request.get("/console/settings/audit.json?act=numbers.evidence").text())["items"]
    assert 1 == len(audit)
    assert 404 == page.request.get("/console/recipients/nobody").status


def test_a_person_is_erased_and_stays_blocked(visit: Visit, gateway: Gateway) -> None:
    theirs = "+14155550241"
    gateway.phone(theirs).text("STOP and forget me", to="+14155550111")
    gateway.http.post("/api/v1/blocks", json={"recipient": theirs, "scope": gateway.account_sid}).raise_for_status()
    page = visit.see("/console/recipients/%2B14155550241")
    page.get_by_role("link", name="Erase …").click()
    page.get_by_label("Last four digits of the number").fill("0242")
    page.get_by_role("button", name="Erase").click()
    expect(page.get_by_text("Type the last four digits of the number.")).to_be_visible()
    assert theirs in {each.from_ for each in gateway.client().messages.list()}
    page.get_by_label("Last four digits of the number").fill("0241")
    page.get_by_role("button", name="Erase").click()
    expect(page.get_by_text("Erased")).to_be_visible()
    expect(page.locator("#threads-title + p")).to_contain_text("No text to or from this person is kept.")
    assert "api" in _blocked(gateway, theirs)
    page.get_by_role("link", name="Lift …").first.click()
    expect(page.get_by_role("heading", name="Lift the block?")).to_be_visible()


def test_an_operator_may_not_erase(visits: Callable[..., Visit], person: Callable[..., str], gateway: Gateway) -> None:
    page = visits().by_name(person("Eraser", Role.OPERATOR)).see("/console/recipients/%2B14155550243")
    expect(page.locator("main").get_by_text("Erase …")).to_have_count(0)
    headers = {"Sec-Fetch-Site": "same-origin"}
    assert 403 == page.request.post("/console/recipients/%2B14155550243/erase", form={"typed": "0243"}, headers=headers).status
