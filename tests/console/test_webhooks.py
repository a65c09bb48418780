"""Webhooks in a browser: endpoints and deliveries, replay, edit and replay; and the inspector, which answers TwiML."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from twilio.request_validator import RequestValidator

from stopwire.core.roles import Role
from tests.console.conftest import Visit
from tests.gateway import Gateway, eventually

SENDER = "+14155550122"


def inspected(gateway: Gateway, visit: Visit) -> Page:
    """The inspector, called by SENDER."""
    page = visit.see("/console/webhooks/inspector")
    if page.get_by_text("Nobody yet.").count():
        page.get_by_label("Let it be called by").select_option(gateway.sender(SENDER))
        page.get_by_role("button", name="Use the inspector").click()
        expect(page.locator(".toast")).to_contain_text("Its webhooks come here now.")
    return page


def test_the_inspector_shows_what_an_application_gets_and_answers_twiml(visit: Visit, gateway: Gateway) -> None:
    page = inspected(gateway, visit)
    page.get_by_label("TwiML").fill("<Response><Message>Hello back</Message></Response>")
    page.get_by_role("button", name="Answer this").click()
    expect(page.locator(".toast")).to_contain_text("This is answered from now on.")
    person = gateway.phone("+14155551301")
    person.text("hello", to=SENDER)
    assert "Hello back" == person.wait()[0]["body"]
    heard = page.get_by_role("region", name="What came")
    expect(heard).to_contain_text("hello")
    expect(heard).to_contain_text("✓ signature")
    visit.shoot("inspector")
    heard.get_by_role("button", name="Replay").first.click()
    expect(page.locator(".toast")).to_contain_text("the same event under the same token")
    found = gateway.http.get("/api/v1/webhook-deliveries", params={"event": "inbound"}).json()["items"]
    assert 1 == len(found), "a replay is the same event"
    eventually(lambda: len(gateway.http.get(f"/api/v1/webhook-deliveries/{found[0]['id']}").json()["attempts"]) == 2)
    assert 1 == len(person.inbox), "its answer is carried out once"


def test_twiml_that_cannot_be_read_is_told_at_the_field(visit: Visit, gateway: Gateway) -> None:
    page = inspected(gateway, visit)
    page.get_by_label("TwiML").fill("<Response><Message>")
    page.get_by_role("button", name="Answer this").click()
    expect(page.locator(".sentence")).to_contain_text("12100")


def test_a_delivery_shows_its_request_and_answer_and_can_be_edited(visit: Visit, gateway: Gateway) -> None:
    inspected(gateway, visit)
    sid = gateway.phone("+14155551302").text("STOP", to=SENDER)["message_sid"]
    found = eventually(
        lambda: [
            each
            for each in gateway.http.get("/api/v1/webhook-deliveries", params={"message": sid}).json()["items"]
            if each["state"] == "delivered"
        ]
    )
    page = visit.see("/console/webhooks")
    expect(page.get_by_role("region", name="Endpoints")).to_contain_text("works")
    visit.shoot("webhooks")
    page.locator(f"tr[data-id={found[0]['id']}]").get_by_role("link").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("delivered")
    expect(page.get_by_text("+14155551302")).to_have_count(0)
    visit.shoot("delivery")
    page.get_by_text("Edit and replay").click()
    page.get_by_label("Parameters").fill("Body=ALTO\nFrom=%2B14155551302\nTo=%2B14155550122")
    page.get_by_role("button", name="Send the trial").click()
    expect(page.locator(".toast")).to_contain_text("Sent as a trial")
    expect(page.locator("#delivery")).to_contain_text("ALTO")
    expect(page.get_by_role("heading", level=1)).to_contain_text("delivered")


def test_a_trial_to_a_forbidden_address_is_refused_at_the_field(visit: Visit, gateway: Gateway) -> None:
    inspected(gateway, visit)
    sid = gateway.phone("+14155551303").text("hi", to=SENDER)["message_sid"]
    id = gateway.http.get("/api/v1/webhook-deliveries", params={"message": sid}).json()["items"][0]["id"]
    page = visit.see(f"/console/webhooks/deliveries/{id}")
    page.get_by_text("Edit and replay").click()
    page.get_by_label("URL").fill("http://10.0.0.5/x")
    page.get_by_role("button", name="Send the trial").click()
    expect(page.locator(".sentence")).to_contain_text("10.0.0.5")


def test_a_stranger_gets_no_answer_from_the_inspector(gateway: Gateway, visit: Visit) -> None:
    import httpx

    address = f"{gateway.url}/console/inspector/{gateway.account_sid}?answer=PFJlc3BvbnNlLz4"
    assert 403 == httpx.post(address, data={"Body": "x"}).status_code
    signed = RequestValidator(gateway.auth_token).compute_signature(address, {"Body": "x"})
    answer = httpx.post(address, data={"Body": "x"}, headers={"X-Twilio-Signature": signed})
    assert (200, "<Response/>") == (answer.status_code, answer.text)
    assert "text/xml" in answer.headers["content-type"]


def test_a_pasted_signature_is_checked(visit: Visit, gateway: Gateway) -> None:
    page = visit.see("/console/webhooks/inspector")
    signed = RequestValidator(gateway.auth_token).compute_signature("https://example.com/x", {"Body": "a b"})
    page.get_by_label("URL as it was called").fill("https://example.com/x")
    page.get_by_label("Form parameters").fill("Body=a+b")
    page.get_by_label("X-Twilio-Signature").fill(signed)
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.locator("#check")).to_contain_text("It is right.")
    page.get_by_label("X-Twilio-Signature").fill("nonsense")
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.locator("#check")).to_contain_text(signed)


def test_a_signature_of_the_secondary_token_is_told_as_such(visit: Visit, gateway: Gateway) -> None:
    second = gateway.client().accounts.v1.secondary_auth_token().create().secondary_auth_token
    try:
        page = visit.see("/console/webhooks/inspector")
        page.get_by_label("URL as it was called").fill("https://example.com/x")
        page.get_by_label("Form parameters").fill("Body=a")
        page.get_by_label("X-Twilio-Signature").fill(RequestValidator(second).compute_signature("https://example.com/x", {"Body": "a"}))
        page.get_by_role("button", name="Check", exact=True).click()
        expect(page.locator("#check")).to_contain_text("It was made with the secondary token")
    finally:
        gateway.client().accounts.v1.secondary_auth_token().delete()


def test_what_failed_can_be_queued_anew(visit: Visit, gateway: Gateway) -> None:
    gateway.http.patch("/api/v1/account", json={"webhook_retries": "none"})
    gateway.http.patch(f"/api/v1/senders/{gateway.sender('+16045550100')}", json={"sms_url": f"{gateway.url}/livez/nowhere"})
    gateway.phone("+16045551304").text("hi", to="+16045550100")
    eventually(lambda: gateway.http.get("/api/v1/webhook-deliveries", params={"state": "failed"}).json()["items"])
    page = visit.see("/console/webhooks?state=failed")
    expect(page.get_by_role("region", name="Endpoints")).to_contain_text("failing")
    page.get_by_role("button", name="Replay").click()
    expect(page.locator(".toast")).to_contain_text("Queued anew: 1")


def test_a_viewer_may_not_edit(visits: Callable[..., Visit], person: Callable[..., str], gateway: Gateway, visit: Visit) -> None:
    inspected(gateway, visit)
    sid = gateway.phone("+14155551305").text("hi", to=SENDER)["message_sid"]
    id = gateway.http.get("/api/v1/webhook-deliveries", params={"message": sid}).json()["items"][0]["id"]
    page = visits().by_name(person("Vito", Role.VIEWER)).see(f"/console/webhooks/deliveries/{id}")
    expect(page.get_by_role("button", name="Replay")).to_have_count(0)
    expect(page.get_by_text("Edit and replay")).to_have_count(0)


@pytest.mark.parametrize("path", ["/console/webhooks", "/console/webhooks/inspector", "/console/webhooks/deliveries/{id}"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_accessible(
    visits: Callable[..., Visit], visit: Visit, accessible: Callable[[Page], None], gateway: Gateway, path: str, scheme: str
) -> None:
    inspected(gateway, visit)
    sid = gateway.phone("+14155551306").text(f"hi {path} {scheme}", to=SENDER)["message_sid"]
    found = eventually(lambda: gateway.http.get("/api/v1/webhook-deliveries", params={"message": sid, "state": "delivered"}).json()["items"])
    looking = visits(color_scheme=scheme, viewport={"width": 360, "height": 800} if scheme == "dark" else None).by_link()
    page = looking.see(path.format(id=found[0]["id"]))
    accessible(page)
    looking.shoot(f"accessible-{path.strip('/').replace('/', '-')[:30]}-{scheme}")
    if scheme == "dark":
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
