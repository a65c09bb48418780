"""The account, its senders, carriers, webhooks, figures and live tail over the native API."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import httpx
import pytest

from stopwire.ports.store import Cut
from tests.gateway import WAIT_SECONDS, Gateway, eventually

US, ALONE, TOLL_FREE = "+14155550100", "+14155550122", "+18885550100"


def test_a_setting_of_the_account_is_changed_and_the_others_stay(gateway: Gateway) -> None:
    before = gateway.http.get("/api/v1/account").json()
    after = gateway.http.patch("/api/v1/account", json={"help_when_blocked": "silent"}).json()
    assert before | {"help_when_blocked": "silent", "updated_at": after["updated_at"]} == after
    gateway.http.patch("/api/v1/account", json={"help_when_blocked": "reply"})


def test_a_list_of_countries_is_set_and_taken_away(gateway: Gateway) -> None:
    def change(**changes: Any) -> Any:
        return gateway.http.patch("/api/v1/account", json=changes).json()["countries"]

    assert ["CA", "US"] == change(countries=["us", "CA", "US"]) == gateway.http.get("/api/v1/account").json()["countries"]
    assert ["CA", "US"] == change(landlines="accept")
    assert change(countries=None) is None


WRONG = [{"opt_out_scope": "galaxy"}, {"opt_out_scop": "account"}, {"opted_out_send": None}, []]
WRONG += [{"countries": []}, {"countries": ["Texas"]}, {"landlines": "maybe"}]


@pytest.mark.parametrize("body", WRONG)
def test_a_setting_that_cannot_be_is_refused(gateway: Gateway, body: Any) -> None:
    assert 422 == gateway.http.patch("/api/v1/account", json=body).status_code


def test_senders_are_listed_with_what_they_are(gateway: Gateway) -> None:
    found = {each["address"]: each for each in gateway.http.get("/api/v1/senders").json()["items"]}
    assert ("toll_free", "US", None) == tuple(found[TOLL_FREE][name] for name in ("kind", "country", "service"))
    assert gateway.service == found[US]["service"]
    assert "whatsapp" == found["whatsapp:+14155550190"]["kind"]


def test_senders_are_cut_into_pages(gateway: Gateway) -> None:
    whole = [each["sid"] for each in gateway.http.get("/api/v1/senders").json()["items"]]
    found, cursor = [], None
    while cursor is not None or not found:
        page = gateway.http.get("/api/v1/senders", params={"limit": 3, **({"cursor": cursor} if cursor else {})}).json()
        found += [each["sid"] for each in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert whole == found


def test_a_sender_takes_its_own_webhook_and_gives_it_back(gateway: Gateway) -> None:
    path = f"/api/v1/senders/{gateway.sender('whatsapp:+14155550190')}"
    changed = gateway.http.patch(path, json={"sms_url": "https://example.com/hook", "mps": 5, "default_opt_out": True})
    assert ("https://example.com/hook", 5, True) == tuple(changed.json()[n] for n in ("sms_url", "mps", "default_opt_out"))
    back = gateway.http.patch(path, json={"sms_url": "", "mps": None, "default_opt_out": None})
    assert ("", None, None) == tuple(back.json()[n] for n in ("sms_url", "mps", "default_opt_out"))
    assert 422 == gateway.http.patch(path, json={"sms_url": "ftp://example.com"}).status_code
    assert 404 == gateway.http.patch("/api/v1/senders/PN" + "0" * 32, json={}).status_code


def test_the_simulator_is_the_carrier(gateway: Gateway) -> None:
    (found,) = gateway.http.get("/api/v1/carriers").json()["items"]
    assert ("simulator", "simulator", True) == (found["name"], found["type"], found["up"])
    assert US in found["senders"]
    assert gateway.http.post("/api/v1/carriers/simulator/test").json()["ok"]
    refused = gateway.http.post("/api/v1/carriers", json={"name": "x", "type": "pigeon", "settings": {}, "senders": []})
    assert 422 == refused.status_code
    assert "simulator" in refused.json()["detail"]
    assert 404 == gateway.http.delete("/api/v1/carriers/nothing").status_code


def test_figures_are_counted(gateway: Gateway) -> None:
    gateway.phone("+14155555001").text("STOP", to=ALONE)
    for by in ("day", "keyword", "country", "service", "rule"):
        found = gateway.http.get("/api/v1/stats", params={"by": by})
        assert 200 == found.status_code, found.text
    by_keyword = gateway.http.get("/api/v1/stats", params={"by": "keyword"}).json()["items"]
    assert {"STOP"} <= {each["key"] for each in by_keyword}
    assert 422 == gateway.http.get("/api/v1/stats", params={"by": "moon"}).status_code


def test_the_tail_tells_and_resumes(gateway: Gateway) -> None:
    def lines(last: str | None, wanted: str) -> tuple[str, str]:
        headers = {"Last-Event-ID": last} if last else {}
        id = ""
        auth = (gateway.account_sid, gateway.auth_token)
        with httpx.stream("GET", f"{gateway.url}/api/v1/events", auth=auth, headers=headers, timeout=WAIT_SECONDS) as answer:
            assert "text/event-stream" in answer.headers["content-type"]
            for line in answer.iter_lines():
                if line.startswith("id: "):
                    id = line[4:]
                    if not last and not wanted:
                        return id, ""
                if line.startswith("data: ") and wanted in line:
                    return id, line
        raise AssertionError("the tail ended")

    first, _ = lines(None, "")
    sid = gateway.phone("+14155555002").text("hello", to=ALONE)["message_sid"]
    _, told = lines(first, sid)
    assert ("+14155555002", ALONE) == tuple(json.loads(told.removeprefix("data: "))[name] for name in ("from", "to"))


class _Hook(BaseHTTPRequestHandler):
    status = 500

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.send_response(type(self).status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None: ...


def test_a_webhook_is_shown_with_its_answer_and_delivered_again(gateway: Gateway) -> None:
    server = HTTPServer(("127.0.0.1", 0), _Hook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        url = f"http://127.0.0.1:{server.server_port}/hook"
        assert 200 == gateway.http.patch(f"/api/v1/senders/{gateway.sender(ALONE)}", json={"sms_url": url}).status_code
        sid = gateway.phone("+14155555003").text("hello", to=ALONE)["message_sid"]

        def tried(count: int) -> dict[str, Any]:
            def ask() -> dict[str, Any] | None:
                (found,) = gateway.http.get("/api/v1/webhook-deliveries", params={"message": sid}).json()["items"] or [None]
                return found if found and len(found["attempts"]) >= count and found["state"] != "sending" else None

            return eventually(ask)

        first = tried(1)
        assert (500, sid) == (first["attempts"][0]["status"], first["params"]["MessageSid"])
        _Hook.status = 204
        answer = gateway.http.post(f"/api/v1/webhook-deliveries/{first['id']}/replay")
        assert 200 == answer.status_code, answer.text
        again = eventually(
            lambda: ((d := gateway.http.get(f"/api/v1/webhook-deliveries/{first['id']}").json())["state"] == "delivered" and d) or None
        )
        assert [500, 204] == [each["status"] for each in again["attempts"]]
    finally:
        gateway.http.patch(f"/api/v1/senders/{gateway.sender(ALONE)}", json={"sms_url": ""})
        server.shutdown()
        server.server_close()
    assert 404 == gateway.http.post("/api/v1/webhook-deliveries/WD" + "0" * 32 + "/replay").status_code


def test_what_is_kept_how_long_is_set_warned_of_and_noted(fresh_gateway: Gateway) -> None:
    ask = fresh_gateway.http
    told = ask.patch("/api/v1/account", json={"keep_bodies_days": 30, "keep_messages_days": 1_827}).json()
    assert (30, 1_827, None, False) == tuple(
        told[name] for name in ("keep_bodies_days", "keep_messages_days", "keep_webhooks_days", "legal_hold")
    )
    assert ["keep_bodies_days"] == [each["path"] for each in told["warnings"]]
    assert told["warnings"] == ask.get("/api/v1/account").json()["warnings"]
    wrong = ask.patch("/api/v1/account", json={"keep_messages_days": 7})
    assert (422, "keep_messages_days") == (wrong.status_code, wrong.json()["errors"][0]["path"])
    assert [] == ask.patch("/api/v1/account", json={"keep_bodies_days": None}).json()["warnings"]
    noted = fresh_gateway.run(
        fresh_gateway.world.store.read(lambda tx: tx.audit.page(Cut(), "retention.changed"), account=fresh_gateway.account_sid)
    )
    assert [{"keep_bodies_days": None}, {"keep_bodies_days": 30, "keep_messages_days": 1_827}] == [dict(each.detail) for each in noted]
