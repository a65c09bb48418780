"""Tests that the console writes: each is run, and passes."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import expect
from twilio.base.exceptions import TwilioRestException

from stopwire.flows import own
from tests.console.conftest import Visit
from tests.gateway import Gateway, eventually

LONG, TOLL_FREE, SHORT, MEXICAN, ALONE = "+14155550100", "+18885550100", "72345", "+525555550100", "+14155550122"


def browser(gateway: Gateway) -> httpx.Client:
    token = gateway.run(own.sign_in(gateway.world, account=gateway.account_sid))
    client = httpx.Client(base_url=gateway.url, trust_env=False)
    assert client.get(f"/console/sign-in?token={token}").status_code in (200, 303)
    return client


def heard(gateway: Gateway, handset: str, *texts: str, to: str = LONG) -> str:
    """SID of the last of these texts."""
    sids = [str(gateway.phone(handset).text(text, to=to)["message_sid"]) for text in texts]
    return sids[-1]


def blocked_by_an_operator(gateway: Gateway, handset: str) -> str:
    gateway.http.post("/api/v1/blocks", json={"recipient": handset, "scope": gateway.service, "reason": "operator"}).raise_for_status()
    return heard(gateway, handset, "START")


def refused(gateway: Gateway, handset: str, before: str) -> str:
    if before == "STOP":
        heard(gateway, handset, "STOP")
    else:
        gateway.http.post("/api/v1/blocks", json={"recipient": handset, "scope": gateway.service, "reason": before}).raise_for_status()
    with suppress(TwilioRestException):
        gateway.client().messages.create(to=handset, messaging_service_sid=gateway.service, body="Sale!")
    return str(gateway.http.get("/api/v1/refusals").json()["items"][0]["id"])


def told(gateway: Gateway, handset: str, body: str, **more: str) -> str:
    more = more or {"messaging_service_sid": gateway.service}
    sent = gateway.client().messages.create(to=handset, body=body, **more)  # type: ignore[arg-type]
    return str(sent.sid)


def with_policy(gateway: Gateway, handset: str, text: str, policy: dict[str, Any], *, to: str = LONG) -> str:
    service = gateway.service
    gateway.http.put(f"/api/v1/services/{service}/opt-out", json=policy).raise_for_status()
    sid = heard(gateway, handset, text, to=to)
    gateway.http.put(f"/api/v1/services/{service}/opt-out", json={"enabled": False}).raise_for_status()
    return sid


SPANISH = {"stop": {"keywords": ["ALTO"], "reply": "Demo: baja hecha."}}

STORIES: dict[str, Callable[[Gateway], str]] = {
    "a stop": lambda g: heard(g, "+14155553001", "stop."),
    "a stop again": lambda g: heard(g, "+14155553002", "STOP", "stop"),
    "a start": lambda g: heard(g, "+14155553003", "STOP", "START"),
    "a start without a block": lambda g: heard(g, "+14155553004", "START"),
    "a start that may not lift": lambda g: blocked_by_an_operator(g, "+14155553005"),
    "help": lambda g: heard(g, "+14155553006", "HELP"),
    "an ordinary text": lambda g: heard(g, "+14155553007", "Gracias \u202e \"quoted\" 'and' \\ more\nlines 😀"),
    "a stop to a toll-free number": lambda g: heard(g, "+14155553008", "STOP", to=TOLL_FREE),
    "another stop word to a toll-free number": lambda g: heard(g, "+14155553009", "cancel", to=TOLL_FREE),
    "a start to a toll-free number": lambda g: heard(g, "+14155553010", "STOP", "unstop", to=TOLL_FREE),
    "help from somebody blocked on a toll-free number": lambda g: heard(g, "+14155553011", "STOP", "HELP", to=TOLL_FREE),
    "a stop to a short code": lambda g: heard(g, "+14155553012", "STOP", to=SHORT),
    "a stop to a number of Mexico": lambda g: heard(g, "+525555550112", "stop", to=MEXICAN),
    "a stop on WhatsApp": lambda g: heard(g, "whatsapp:+14155553013", "STOP", to="whatsapp:+14155550190"),
    "words of one's own": lambda g: with_policy(
        g, "+14155553014", "basta", {"enabled": True, "standard": {"stop": {"keywords": ["STOP", "BASTA"], "reply": "Done: basta."}}}
    ),
    "a language": lambda g: with_policy(g, "+14155553015", "alto", {"enabled": True, "languages": {"es": SPANISH}}),
    "a country": lambda g: with_policy(
        g, "+525555550116", "alto", {"enabled": True, "countries": {"MX": {"languages": {"es": SPANISH}}}}, to="+14155550100"
    ),
    "natural wording": lambda g: with_policy(g, "+14155553017", "please stop texting me", {"enabled": True, "matching": "natural"}),
    "a text that arrives": lambda g: told(g, "+14155553018", "It's \"on\""),
    "a text from a number alone": lambda g: told(g, "+14155553019", "Hello", from_=ALONE),
    "a text to a handset that is off": lambda g: told(g, "+19995550005", "Hello"),
    "a refusal after a stop": lambda g: refused(g, "+14155553020", "STOP"),
    "a refusal after a complaint": lambda g: refused(g, "+14155553021", "complaint"),
}


def test_every_test_that_is_written_passes(gateway: Gateway, tmp_path: Path) -> None:
    client = browser(gateway)
    names = {}
    for number, (name, play) in enumerate(STORIES.items()):
        id = play(gateway)
        if id.startswith("SM") and "text" in name:
            settled(gateway, id)
        answer = client.get(f"/console/messages/{id}/test.py")
        assert 200 == answer.status_code, f"{name}: {answer.text[:300]}"
        assert len(answer.text.splitlines()) <= 25, answer.text
        assert "3001" not in answer.text, "a person's own number is not taken along"
        ast.parse(answer.text)
        names[f"test_{number:02}.py"] = name
        (tmp_path / f"test_{number:02}.py").write_text(answer.text, encoding="utf-8")
    environ = {key: value for key, value in os.environ.items() if not key.startswith(("STOPWIRE_", "PYTEST_"))}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=120)
    assert 0 == done.returncode, f"{names}\n{done.stdout}{done.stderr}"
    assert f"{len(STORIES)} passed" in done.stdout


def settled(gateway: Gateway, sid: str) -> None:
    path = f"/2010-04-01/Accounts/{gateway.account_sid}/Messages/{sid}.json"
    eventually(lambda: gateway.http.get(path).json()["status"] in ("received", "delivered", "undelivered"))


def test_what_hung_on_another_is_not_written(gateway: Gateway) -> None:
    silent = told(gateway, "+19995550007", "Hello")  # its carrier never answers
    answer = browser(gateway).get(f"/console/messages/{silent}/test.py")
    assert 409 == answer.status_code
    assert "something that a test cannot make happen" in answer.text


def test_choices_of_the_account_that_a_test_has_not_are_respected(gateway: Gateway) -> None:
    sid = heard(gateway, "+14155553025", "stop")
    gateway.http.patch("/api/v1/account", json={"opt_out_scope": "account"}).raise_for_status()
    try:
        assert 409 == browser(gateway).get(f"/console/messages/{sid}/test.py").status_code
    finally:
        gateway.http.patch("/api/v1/account", json={"opt_out_scope": "holder"}).raise_for_status()


def test_a_trace_is_saved_from_the_simulator_and_stands_on_the_message_s_page(visit: Visit) -> None:
    page = visit.see("/console/simulator?phone=%2B14155553030")
    page.locator(".handset").get_by_role("button", name="STOP").click()
    trace = page.get_by_role("region", name="Trace")
    with page.expect_download() as coming:
        trace.get_by_role("link", name="Save as test").click()
    assert "test_stop_blocks.py" == coming.value.suggested_filename
    visit.shoot("save-as-test")
    trace.get_by_role("link", name="Explain").click()
    page.get_by_text("Show the call", exact=True).click()
    expect(page.locator("details.calls")).to_contain_text(re.compile(r"def test_stop_blocks\(sms\)"))
    assert "Save it as a test" in visit.see("/console/").locator("#steps .good-text").last.inner_text()
