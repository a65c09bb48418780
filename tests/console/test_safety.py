"""What a stranger can do to the console, and what it lets be seen: hostile texts by SMPP, forged requests, a number that must not show."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from stopwire.console.app import ROOMS
from stopwire.core.bound import short_password, system_id
from stopwire.core.roles import Role
from stopwire.smpp.pdu import Tag, Tlv
from stopwire.testing.smsc import Smsc
from tests.console.conftest import Visit
from tests.console.inhabited import inhabit
from tests.console.test_doors import SAME, Client
from tests.console.test_traffic_rooms import hostile_bodies
from tests.gateway import Gateway, eventually
from tests.smpp_server.conftest import Application

CANARY, OURS = "+14155550987", "+14155550177"
DIGITS = "4155550987"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    running = Gateway(tmp_path_factory.mktemp("gateway"), smpp_port=0)
    yield running
    running.close()


# ── hostile texts by SMPP ────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def smsc(gateway: Gateway) -> Iterator[Smsc]:
    """A message centre that the gateway is bound to, for one sender."""
    centre = Smsc()
    gateway.run(centre.start())
    settings = {"host": centre.host, "port": centre.port, "system_id": "stopwire", "password": "secret", "binds": 1}
    made = gateway.http.post("/api/v1/carriers", json={"name": "harbour", "type": "smpp", "settings": settings, "senders": [OURS]})
    assert 201 == made.status_code, made.text
    gateway.run(centre.bound_to(1, within_seconds=10))
    yield centre
    gateway.run(centre.stop())


def test_two_hundred_hostile_texts_that_a_carrier_delivers_stay_texts(visit: Visit, gateway: Gateway, smsc: Smsc) -> None:
    bodies = hostile_bodies()
    for number, body in enumerate(bodies):
        payload = (Tlv(Tag.MESSAGE_PAYLOAD, body.encode("utf-16-be", "surrogatepass")),)
        status = gateway.run(smsc.deliver(source=f"1415555{2000 + number}", destination=OURS[1:], data_coding=8, tlvs=payload))
        assert 0 == status, body
    _look(visit, [f"/console/conversations/{OURS}/%2B14155552000", f"/console/messages?q=sender:%2B{OURS[1:]}"])


def test_two_hundred_hostile_texts_of_a_bound_customer_stay_texts(visit: Visit, gateway: Gateway) -> None:
    bound = Application(gateway, system=system_id(gateway.account_sid), password=short_password(gateway.auth_token))
    for body in hostile_bodies():
        bound.submit(b"", to="+14155552901", data_coding=8, message_payload=body.encode("utf-16-be", "surrogatepass"))
    bound.leave()
    _look(visit, ["/console/messages?q=person:%2B14155552901", "/console/conversations/%2B14155550122/%2B14155552901"])


def _look(visit: Visit, paths: list[str]) -> None:
    """All of it is looked at, and nothing of it runs."""
    visit.page.add_init_script("window.hurt = 0; window.alert = () => { window.hurt += 1 }")
    visit.page.on("dialog", lambda dialog: visit.faults.append(f"a dialog: {dialog.message}"))
    for path in paths:
        page = visit.see(path)
        seen = 0
        while True:
            seen += page.locator("tbody tr[data-id], .bubble").count()
            assert 0 == page.evaluate("window.hurt")
            assert 0 == page.locator("main script, main img, main iframe, main b, main svg[onload]").count(), path
            older = page.get_by_role("link", name="older")
            if not older.count():
                break
            older.click()
        assert seen


# ── forged requests ──────────────────────────────────────────────────────────────────────────────────────

EVIL = "https://evil.example"
FORGED = [
    pytest.param({"Origin": EVIL}, id="an old browser at another site"),
    pytest.param({"Origin": EVIL, "Sec-Fetch-Site": "cross-site"}, id="a browser at another site"),
    pytest.param({"Origin": "null", "Sec-Fetch-Site": "cross-site"}, id="a sandboxed frame"),
    pytest.param({"Origin": EVIL, "Sec-Fetch-Site": "same-site"}, id="a neighbour"),
]


@pytest.fixture
def client(gateway: Gateway) -> Iterator[Client]:
    made = Client(gateway).by_link()
    yield made
    made.http.close()


@pytest.mark.parametrize("headers", FORGED)
def test_no_act_is_done_for_another_site(client: Client, headers: dict[str, str]) -> None:
    paths = [route.path for room in ROOMS for route in room.routes if "POST" in route.methods and route.path != "/console/inspector/{account}"]
    assert len(paths) > 60
    for path in paths:
        answer = client.http.post(re.sub(r"\{\w+\}", "x", path), data={"name": "x", "password": "x"}, headers=headers)
        assert 403 == answer.status_code, path


@pytest.mark.parametrize("headers", FORGED)
def test_no_event_is_told_to_another_site(client: Client, headers: dict[str, str]) -> None:
    assert 403 == client.http.get("/console/events", headers=headers).status_code


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example"])
def test_no_page_is_shown_under_a_strangers_name(client: Client, host: str) -> None:
    for path in ("/console/", "/console/sign-in", "/console/events", "/console/messages.json"):
        assert 421 == client.http.get(path, headers={"Host": host}).status_code, path
    assert 421 == client.http.post("/console/sign-out", headers={"Host": host, **SAME}).status_code


# ── a number that must not show ──────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def pages(gateway: Gateway) -> Mapping[str, str]:
    """A house in which the canary has done everything that a person can."""
    made = inhabit(gateway)
    canary = gateway.phone(CANARY)
    gateway.client().messages.create(to=CANARY, from_="+14155550122", body="Sale ends tonight")
    for body in ("hello", "please stop texting me", "stop"):
        canary.text(body, to="+14155550122")
    canary.text("STOP", to="+14155550100")
    gateway.http.post("/api/v1/messages", json={"service": gateway.service, "body": "Sale", "recipients": [{"to": CANARY}]})
    gateway.http.post("/api/v1/blocks", json={"recipient": CANARY, "scope": gateway.account_sid, "note": "asked by phone"})
    gateway.http.get(f"/api/v1/recipients/{CANARY}/nothing")
    eventually(lambda: gateway.http.get("/api/v1/webhook-deliveries", params={"state": "delivered"}).json()["items"])
    return made


# An address of a person's page has their number in it, as the reader's own search for it would.
ADDRESSES = re.compile(r'(?:href|action|value)="[^"]*"')


def test_the_number_stands_on_no_page_in_no_title_and_in_no_twin(client: Client, pages: Mapping[str, str], gateway: Gateway) -> None:
    shown = 0
    for path in pages.values():
        answer = client.http.get(path)
        assert 200 == answer.status_code
        assert DIGITS not in ADDRESSES.sub("", answer.text), path
        shown += "•••0987" in answer.text
        assert not [name for name, value in answer.headers.items() if DIGITS in value]
        for ending in (".json", ".csv"):
            twin = client.http.get(path.partition("?")[0].rstrip("/") + ending)
            if twin.status_code == 200:
                assert DIGITS not in twin.text, path + ending
    assert shown >= 5  # so the canary is there


def test_the_log_never_has_it(tmp_path: Path) -> None:
    """A gateway of its own, which writes down as much as it can."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("STOPWIRE_", "PYTEST_"))}
    environ |= {"STOPWIRE_LOG_LEVEL": "debug"}
    command = [sys.executable, "-m", "stopwire", "up", "--demo", "--port", "0", "--data-dir", str(tmp_path / "data")]
    log = tmp_path / "log"
    with log.open("w") as out, subprocess.Popen(command, env=environ, stdout=out, stderr=subprocess.STDOUT) as process:
        known: dict[str, Any] = eventually(lambda: _credentials(log, tmp_path / "data"), seconds=60)
        with httpx.Client(base_url=known["api_base"], auth=(known["account_sid"], known["auth_token"]), timeout=20, trust_env=False) as http:
            texts = f"/api/v1/simulator/phones/%2B{CANARY[1:]}/messages"
            for body in ("hello", "stop texting me please", "STOP", "START", "STOP"):
                assert 201 == http.post(texts, json={"to": "+14155550100", "body": f"{body}"}).status_code
            refused = http.post(
                f"/2010-04-01/Accounts/{known['account_sid']}/Messages.json", data={"To": CANARY, "From": "+14155550100", "Body": f"to {CANARY}"}
            )
            assert 21610 == refused.json()["code"]
            assert 404 == http.get(f"/api/v1/recipients/{CANARY}/nothing").status_code
        with httpx.Client(follow_redirects=True, timeout=20, trust_env=False) as browser:
            assert 200 == browser.get(known["console_url"]).status_code
            for path in ("messages", f"recipients/{CANARY}", f"search?q={CANARY}", f"recipients/{CANARY}/nothing", "blocks?q=0987"):
                browser.get(f"{known['api_base']}/console/{path}")
        process.send_signal(signal.SIGINT)
        assert 0 == process.wait(timeout=60)
    told = log.read_text()
    assert "message" in told
    assert [] == [line for line in told.splitlines() if DIGITS in line]


def _credentials(log: Path, folder: Path) -> dict[str, Any] | None:
    return json.loads((folder / "credentials.json").read_text()) if "Ctrl-C" in log.read_text() else None


def test_somebody_without_the_right_cannot_make_it_show(gateway: Gateway, pages: Mapping[str, str], person: Any) -> None:
    viewer = Client(gateway)
    assert 303 == viewer.by_name(person("Cannot See", Role.VIEWER)).status_code
    assert 403 == viewer.http.post("/console/reveal", data={"back": "/console/messages"}, headers=SAME).status_code
    assert DIGITS not in ADDRESSES.sub("", viewer.http.get("/console/messages").text)
    assert 403 == viewer.http.post(f"/console/recipients/{CANARY}/evidence", headers=SAME).status_code
