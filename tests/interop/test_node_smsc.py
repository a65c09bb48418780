"""Our SMPP carrier against somebody else's message centre: the npm package `smpp`."""

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

from tests.gateway import Gateway, eventually

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("npm") is None and os.environ.get("CI") != "true", reason="there is no npm here to fetch the package with"
    ),
]
FOLDER = Path(__file__).parent / "node"
NUMBER, ANN = "+14155559001", "+14155550101"


class NodeSmsc:
    """The centre's process, and the events it tells."""

    def __init__(self) -> None:
        assert (FOLDER / "node_modules" / "smpp").is_dir(), "The package is not here: run `make node` first"
        self._process = subprocess.Popen(
            ["node", str(FOLDER / "smsc.mjs")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
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

    def deliver(self, text: str) -> int:
        assert self._process.stdin is not None
        order = {"deliver": {"source": ANN[1:], "destination": NUMBER[1:], "text": text}}
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return int(self.next("delivered")["status"])

    def close(self) -> None:
        self._process.kill()
        self._process.wait(timeout=10)


@pytest.fixture
def centre() -> Iterator[NodeSmsc]:
    started = NodeSmsc()
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
