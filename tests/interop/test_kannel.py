"""Kannel, a gateway in C that many run today, bound to our SMPP door: it gets opt-outs honoured by changing a host name.

Its bearerbox and smsbox are Debian's. `make test` installs them where it may.
"""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from stopwire.core.bound import short_password, system_id
from tests.gateway import Gateway, eventually
from tests.webhook_server import WebhookServer

PATH = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin"))
START_SECONDS = 30.0
SENDER = "+14155550122"

CONFIGURATION = """\
group = core
admin-port = {admin}
admin-interface = 127.0.0.1
admin-password = test
smsbox-port = {box}
smsbox-interface = 127.0.0.1
log-file = "{folder}/bearerbox.log"
log-level = 0
box-deny-ip = "*.*.*.*"
box-allow-ip = "127.0.0.1"
dlr-storage = internal

group = smsc
smsc = smpp
smsc-id = stopwire
host = 127.0.0.1
port = {smpp}
transceiver-mode = true
smsc-username = {system_id}
smsc-password = {password}
system-type = ""
source-addr-ton = 1
source-addr-npi = 1
dest-addr-ton = 1
dest-addr-npi = 1
source-addr-autodetect = no

group = smsbox
bearerbox-host = 127.0.0.1
bearerbox-port = {box}
sendsms-port = {front}
sendsms-interface = 127.0.0.1
log-file = "{folder}/smsbox.log"
log-level = 0

group = sendsms-user
username = app
password = secret
max-messages = 1

group = sms-service
keyword = default
catch-all = true
get-url = "{hook}?from=%p&to=%P&text=%a"
max-messages = 0
omit-empty = true
"""


class Kannel:
    """A running Kannel, and the program of a customer that talks to it."""

    def __init__(self, folder: Path, gateway: Gateway, hook: str) -> None:
        self.folder, self.front, admin = folder, _free_port(), _free_port()
        (folder / "kannel.conf").write_text(
            CONFIGURATION.format(
                admin=admin,
                box=_free_port(),
                front=self.front,
                folder=folder,
                smpp=gateway.smpp_port,
                system_id=system_id(gateway.account_sid),
                password=short_password(gateway.auth_token),
                hook=hook,
            )
        )
        self._boxes: list[subprocess.Popen[bytes]] = []
        self._start("bearerbox", f"http://127.0.0.1:{admin}/status.txt")
        self._start("smsbox", f"http://127.0.0.1:{self.front}/")

    def _start(self, box: str, url: str) -> None:
        program = shutil.which(box, path=PATH)
        assert program is not None, f"{box} is not here: apt-get install kannel"
        with (self.folder / f"{box}.out").open("wb") as output:
            command = [program, str(self.folder / "kannel.conf")]
            self._boxes.append(subprocess.Popen(command, stdout=output, stderr=output, cwd=self.folder))
        ends_at = time.monotonic() + START_SECONDS
        while True:
            try:
                httpx.get(url, timeout=2)
                return
            except httpx.TransportError:
                assert time.monotonic() < ends_at, (self.folder / f"{box}.out").read_text(errors="replace")[-2000:]
                time.sleep(0.1)

    def send(self, *, to: str, text: str) -> None:
        query = {"username": "app", "password": "secret", "from": SENDER, "to": to, "text": text}
        answer = httpx.get(f"http://127.0.0.1:{self.front}/cgi-bin/sendsms", params=query, timeout=10)
        assert answer.status_code == 202, answer.text

    def stop(self) -> None:
        for box in reversed(self._boxes):
            box.terminate()
        for box in reversed(self._boxes):
            try:
                box.wait(timeout=20)
            except subprocess.TimeoutExpired:
                box.kill()
                box.wait()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port


@pytest.fixture
def hook() -> Iterator[WebhookServer]:
    server = WebhookServer()
    yield server
    server.close()


@pytest.mark.slow
def test_kannel_sends_and_hears_through_us_and_a_stop_holds_against_it(tmp_path: Path, hook: WebhookServer) -> None:
    if shutil.which("bearerbox", path=PATH) is None and os.environ.get("CI") != "true":
        pytest.skip("Kannel is not installed (on Debian: apt-get install kannel)")
    gateway = Gateway(tmp_path / "data", smpp_port=0)
    folder = tmp_path / "kannel"
    folder.mkdir()
    kannel = Kannel(folder, gateway, hook.url("/heard"))
    try:
        ann = gateway.phone("+14155553301")
        kannel.send(to=ann.address, text="Your table is ready.")
        assert "Your table is ready." == ann.wait()[0]["body"]

        ann.text("Thank you", to=SENDER)
        asked = hook.wait("/heard")[0]
        assert "Thank you" == asked.params["text"]

        ann.text("STOP", to=SENDER)
        ann.wait(kind="auto_reply")
        kannel.send(to=ann.address, text="Are you there?")
        refused = eventually(lambda: gateway.http.get("/api/v1/refusals").json()["items"], seconds=20)
        assert [21610] == [refusal["code"] for refusal in refused]
        assert 2 == len(ann.inbox), "the message and the confirmation, and nothing after it"
    finally:
        kannel.stop()
        gateway.close()
