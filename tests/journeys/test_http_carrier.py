"""A provider over HTTP, from end to end: a real server takes our texts and pushes what it hears."""

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.request_validator import RequestValidator

from stopwire.core.connections import OptOutBy
from stopwire.core.consent import SealedEvent
from stopwire.flows import connect
from stopwire.flows.connect import Wanted
from stopwire.ports.store import Cut, Tx
from tests.gateway import Gateway, eventually

TOKEN, ACCOUNT = "t" * 32, "AC" + "1" * 32
SENDER = "+14155550177"


class Provider:
    """A server that speaks Twilio's API, as far as a carrier asks it. `says` overrules its next answers."""

    def __init__(self, port: int = 0) -> None:
        self.texts: list[dict[str, str]] = []
        self.says: list[tuple[int, dict[str, Any]]] = []
        self.silent_seconds = 0.0  # before its next answer
        self.woken = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self.answer(200, {"sid": ACCOUNT})

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                outer.texts.append(dict(parse_qsl(body)))
                silent, outer.silent_seconds = outer.silent_seconds, 0.0
                outer.woken.wait(silent)
                self.answer(*(outer.says.pop(0) if outer.says else (201, {"sid": f"SMup{len(outer.texts)}"})))

            def answer(self, status: int, told: dict[str, Any]) -> None:
                body = json.dumps(told).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def close(self) -> None:
        self.woken.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def push(self, url: str, fields: dict[str, str]) -> None:
        signature = RequestValidator(TOKEN).compute_signature(url, fields)
        answer = httpx.post(url, data=fields, headers={"X-Twilio-Signature": signature})
        assert 200 == answer.status_code, answer.text

    def report(self, text: dict[str, str], number: int, status: str, **more: str) -> None:
        self.push(text["StatusCallback"], {"MessageSid": f"SMup{number}", "MessageStatus": status} | more)

    def hears(self, text: dict[str, str], body: str, id: str, **more: str) -> None:
        """The person who got `text` writes back."""
        url = text["StatusCallback"].replace("/status", "/inbound")
        self.push(url, {"MessageSid": id, "From": text["To"], "To": text["From"], "Body": body} | more)


@pytest.fixture
def provider() -> Iterator[Provider]:
    running = Provider()
    yield running
    running.close()


@pytest.fixture
def upstream(tmp_path: Path, provider: Provider) -> Iterator[Gateway]:
    gateway = Gateway(tmp_path)
    join(gateway, provider.url)
    yield gateway
    gateway.close()


def join(gateway: Gateway, url: str, *, timeout_seconds: int = 20, **wanted: Any) -> str:
    made = gateway.run(
        connect.add(
            gateway.world,
            account=gateway.account_sid,
            type="twilio",
            wanted=Wanted(
                name="upstream",
                settings={"account_sid": ACCOUNT, "auth_token": TOKEN, "base_url": url, "timeout_seconds": timeout_seconds},
                senders=(SENDER,),
                **wanted,
            ),
        )
    )
    assert () == made.problems
    assert made.seen is not None
    return made.seen.connection.sid


def send(gateway: Gateway, to: str, body: str = "Hello") -> str:
    return str(gateway.client().messages.create(to=to, from_=SENDER, body=body).sid)


def ends(gateway: Gateway, sid: str, status: str) -> int | None:
    """The error code of a message, once it has this status."""
    message = eventually(lambda: found if (found := gateway.client().messages(sid).fetch()).status == status else None)
    return message.error_code if message.error_code is None else int(message.error_code)


def ledger(gateway: Gateway, person: str) -> list[tuple[str, str | None]]:
    def rows(tx: Tx) -> list[SealedEvent]:
        return tx.consent.events(Cut(), recipient=person)

    found = gateway.run(gateway.world.store.read(rows, account=gateway.account_sid))
    return [(row.event.act.value, row.event.reason.value if row.event.reason else None) for row in reversed(found)]


def test_a_text_goes_out_and_its_reports_come_in(upstream: Gateway, provider: Provider) -> None:
    sid = send(upstream, "+14155557101", "Grüße")
    eventually(lambda: provider.texts)
    text = provider.texts[0]
    assert ("+14155557101", SENDER, "Grüße") == (text["To"], text["From"], text["Body"])
    assert None is ends(upstream, sid, "sent")
    provider.report(text, 1, "delivered")
    assert None is ends(upstream, sid, "delivered")


def test_a_stop_that_the_provider_hears_is_confirmed_through_it_and_is_the_last_word(upstream: Gateway, provider: Provider) -> None:
    person = "+14155557102"
    send(upstream, person)
    text = eventually(lambda: provider.texts)[0]
    provider.hears(text, "STOP", "SMin1")
    eventually(lambda: provider.texts[1:])
    assert "unsubscribed" in provider.texts[1]["Body"]
    with pytest.raises(TwilioRestException) as refused:
        send(upstream, person)
    assert 21610 == refused.value.code
    provider.hears(text, "STOP", "SMin1")  # the provider repeats itself
    assert (2, [("opt_out", "keyword")]) == (len(provider.texts), ledger(upstream, person))


def test_a_refusal_because_the_person_opted_out_there_becomes_a_block(upstream: Gateway, provider: Provider) -> None:
    person = "+14155557103"
    provider.says = [(400, {"code": 21610, "message": "Attempt to send to unsubscribed recipient"})]
    assert 21610 == ends(upstream, send(upstream, person), "failed")
    assert [("block", "carrier")] == ledger(upstream, person)
    with pytest.raises(TwilioRestException) as refused:
        send(upstream, person)
    assert (21610, 1) == (refused.value.code, len(provider.texts))


def test_an_opt_out_that_is_told_late_becomes_a_block(upstream: Gateway, provider: Provider) -> None:
    person = "+14155557104"
    sid = send(upstream, person)
    assert None is ends(upstream, sid, "sent")
    provider.report(provider.texts[0], 1, "undelivered", ErrorCode="21610")
    assert 21610 == ends(upstream, sid, "undelivered")
    assert [("block", "carrier")] == ledger(upstream, person)


def test_a_late_word_that_overtakes_the_answer_becomes_a_block_too(upstream: Gateway, provider: Provider) -> None:
    person = "+14155557105"
    url = f"{upstream.url}/carriers/upstream/status"
    provider.push(url, {"MessageSid": "SMup1", "MessageStatus": "failed", "ErrorCode": "21610"})
    assert 21610 == ends(upstream, send(upstream, person), "undelivered")
    assert [("block", "carrier")] == ledger(upstream, person)


def test_a_stop_that_the_provider_handled_too_is_one_row_of_the_ledger(tmp_path: Path, provider: Provider) -> None:
    """The person's STOP, the provider's own reply, its refusals afterwards: one opt-out."""
    gateway = Gateway(tmp_path)
    try:
        join(gateway, provider.url, opt_out_by=OptOutBy.CARRIER)
        person = "+14155557106"
        first, second = send(gateway, person), send(gateway, person, "Still there?")
        assert (None, None) == (ends(gateway, first, "sent"), ends(gateway, second, "sent"))
        provider.hears(provider.texts[0], "STOP", "SMin2", OptOutType="STOP")
        provider.report(provider.texts[1], 2, "failed", ErrorCode="21610")
        assert 21610 == ends(gateway, second, "undelivered")
        assert ([("opt_out", "keyword")], 2) == (ledger(gateway, person), len(provider.texts))
    finally:
        gateway.close()


def test_a_stop_that_comes_after_the_providers_refusal_is_a_repeat_and_not_confirmed_again(upstream: Gateway, provider: Provider) -> None:
    """The provider has answered the person, and its push of the text is late: one block, and no second confirmation."""
    person = "+14155557110"
    sid = send(upstream, person)
    assert None is ends(upstream, sid, "sent")
    provider.report(provider.texts[0], 1, "failed", ErrorCode="21610")
    assert 21610 == ends(upstream, sid, "undelivered")
    provider.hears(provider.texts[0], "STOP", "SMin3")
    assert [("block", "carrier"), ("repeat", None)] == ledger(upstream, person)
    assert None is ends(upstream, send(upstream, "+14155557111"), "sent")
    assert [person, "+14155557111"] == [text["To"] for text in provider.texts]


@pytest.mark.parametrize("early", [False, True], ids=["which comes late", "which comes while the answer is awaited"])
def test_a_text_that_a_provider_took_without_an_answer_is_not_sent_again_and_its_report_proves_it(
    tmp_path: Path, provider: Provider, early: bool
) -> None:
    gateway = Gateway(tmp_path)
    try:
        join(gateway, provider.url, timeout_seconds=1)
        provider.silent_seconds = 60
        sid = send(gateway, "+14155557108", "A text of two segments. " * 10)
        if early:
            text = eventually(lambda: provider.texts)[0]
            for status in ("sent", "delivered"):
                provider.report(text, 1, status, To="+14155557108", From=SENDER)
            assert None is ends(gateway, sid, "delivered")
            assert 1 == len(provider.texts)
            return
        eventually(lambda: "unknown" in gateway.http.get(f"/api/v1/messages/{sid}/explain").text)
        assert "sending" == gateway.client().messages(sid).fetch().status
        assert None is ends(gateway, send(gateway, "+14155557109"), "sent")  # others do not wait for it
        provider.report(provider.texts[0], 1, "delivered", To="+14155557108", From=SENDER)
        assert None is ends(gateway, sid, "delivered")
        assert ["+14155557108", "+14155557109"] == [text["To"] for text in provider.texts]
    finally:
        gateway.close()


def test_what_a_provider_that_is_down_did_not_get_is_sent_when_it_is_back(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    gateway = Gateway(tmp_path)
    try:
        connection = join(gateway, f"http://127.0.0.1:{port}")
        sid = send(gateway, "+14155557107")
        carrier = gateway.world.carriers.get(connection)
        assert carrier is not None
        eventually(lambda: carrier.state().status.value == "down")
        assert "queued" == gateway.client().messages(sid).fetch().status
        provider = Provider(port)
        try:
            assert None is ends(gateway, sid, "sent")
            assert 1 == len(provider.texts)
        finally:
            provider.close()
    finally:
        gateway.close()
