"""Both our sides of SMPP against somebody else's: a message centre and an application on the npm package `smpp`."""

import json
import os
import queue
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stopwire.core.bound import short_password, system_id
from tests.gateway import Gateway, eventually

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("npm") is None and os.environ.get("CI") != "true", reason="there is no npm here to fetch the package with"
    ),
]
FOLDER = Path(__file__).parent / "node"
SENDER = "+14155550122"  # of the demo, in no service
NUMBER, ANN = "+14155559001", "+14155550101"


class Stranger:
    """A program on the package: its process, and the events it tells."""

    def __init__(self, program: str, *arguments: str) -> None:
        assert (FOLDER / "node_modules" / "smpp").is_dir(), "The package is not here: run `make node` first"
        self._process = subprocess.Popen(
            ["node", str(FOLDER / program), *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._events: queue.Queue[dict[str, Any]] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._events.put(json.loads(line))

    def next(self, event: str) -> dict[str, Any]:
        """The next event of this name; others before it are passed over."""
        while True:
            told = self._events.get(timeout=15)
            if told["event"] == event:
                return told

    def order(self, **order: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()

    def close(self) -> None:
        self._process.kill()
        self._process.wait(timeout=10)


class NodeSmsc(Stranger):
    def __init__(self) -> None:
        super().__init__("smsc.mjs")

    def deliver(self, text: str) -> int:
        self.order(deliver={"source": ANN[1:], "destination": NUMBER[1:], "text": text})
        return int(self.next("delivered")["status"])


class NodeEsme(Stranger):
    def __init__(self, gateway: Gateway) -> None:
        super().__init__("esme.mjs", str(gateway.smpp_port), system_id(gateway.account_sid), short_password(gateway.auth_token))

    def submit(self, text: str, *, to: str) -> dict[str, Any]:
        """Submit, and the answer to it. In which alphabet, and in how many parts, the package decides."""
        addresses = {"source_addr": SENDER[1:], "source_addr_ton": 1, "source_addr_npi": 1}
        addresses |= {"destination_addr": to[1:], "dest_addr_ton": 1, "dest_addr_npi": 1}
        self.order(submit={**addresses, "short_message": text, "registered_delivery": 1})
        return self.next("answered")


@pytest.fixture
def centre() -> Iterator[NodeSmsc]:
    started = NodeSmsc()
    yield started
    started.close()


@pytest.fixture
def open_gateway(tmp_path: Path) -> Iterator[Gateway]:
    running = Gateway(tmp_path, smpp_port=0)
    yield running
    running.close()


@pytest.fixture
def application(open_gateway: Gateway) -> Iterator[NodeEsme]:
    started = NodeEsme(open_gateway)
    yield started
    started.close()


def test_messages_receipts_and_a_stop_pass_between_strangers(fresh_gateway: Gateway, centre: NodeSmsc) -> None:
    gateway = fresh_gateway
    settings = {"host": "127.0.0.1", "port": centre.next("listening")["port"], "system_id": "me", "password": "s3cr3t"}
    added = gateway.http.post("/api/v1/carriers", json={"name": "node", "type": "smpp", "settings": settings, "senders": [NUMBER]})
    assert 201 == added.status_code, added.text
    assert ("me", "s3cr3t") == ((bound := centre.next("bound"))["system_id"], bound["password"])
    client = gateway.client()

    def delivered(body: str) -> dict[str, Any]:
        sid = client.messages.create(to=ANN, from_=NUMBER, body=body).sid or ""
        told = centre.next("submitted")
        eventually(lambda: client.messages(sid).fetch().status == "delivered")
        return told

    assert "Grüße, 5 € für dich" == delivered("Grüße, 5 € für dich")["text"]
    assert "добрый день 👍" == delivered("добрый день 👍")["text"]
    assert delivered("0123456789" * 31)["concatenated"]
    assert 0 == centre.deliver("STOP")
    while "unsubscribed" not in centre.next("submitted")["text"]:
        pass  # the segments of the long message come before the confirmation
    with pytest.raises(Exception, match=r"21610|unsubscribed"):
        client.messages.create(to=ANN, from_=NUMBER, body="again")


def test_an_application_gets_opt_outs_honoured_by_changing_its_host_name(open_gateway: Gateway, application: NodeEsme) -> None:
    assert {"event": "bound", "status": 0, "centre": "Stopwire"} == application.next("bound")
    ann = open_gateway.phone("+14155553401")
    for body in ("Grüße, 5 € für dich", "добрый день 👍"):
        taken = application.submit(body, to=ann.address)
        assert 0 == taken["status"]
        receipt = application.next("heard")
        assert (True, taken["id"], 2) == (receipt["receipt"], receipt["id"].rstrip("\0"), receipt["state"])
    assert ["Grüße, 5 € für dich", "добрый день 👍"] == [text["body"] for text in ann.wait(2)]

    ann.text("Stop", to=SENDER)
    heard = application.next("heard")
    assert ("Stop", ann.address[1:], SENDER[1:]) == (heard["text"], heard["source"], heard["destination"])
    ann.wait(kind="auto_reply")
    assert 0x45 == application.submit("Are you there?", to=ann.address)["status"]
    assert [21610] == [refusal["code"] for refusal in open_gateway.http.get("/api/v1/refusals").json()["items"]]
    assert 3 == len(ann.inbox), "two messages and the confirmation, and nothing after it"
