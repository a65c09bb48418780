"""The gateway as a process of its own, which a test may kill: `stopwire up --demo` on a data directory."""

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import quote

import httpx

from tests.nursery import Born, nursery

START_SECONDS = 20.0
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # for clients that speak none: to read the usual authorities takes 20 ms each


class Process:
    MODULE = "stopwire"
    LOADED_BEFORE = False  # whether it is forked from a process that has loaded the gateway, which spares a second each start

    def __init__(self, data_dir: Path, *, workers: int = 0) -> None:
        self.data_dir, self.workers = data_dir, workers
        self.port = free_port()
        self.options: tuple[str, ...] = ()  # of `stopwire up`, besides its own
        self.url = f"http://127.0.0.1:{self.port}"
        self.started_in = 0.0  # seconds from the command to the first answer
        self._process: subprocess.Popen[bytes] | Born | None = None

    def start(self) -> None:
        """Start, and return when it answers."""
        command = ["up", "--demo", "--quiet", "--port", str(self.port), "--data-dir", str(self.data_dir), "--workers", str(self.workers)]
        command += self.options
        environment = {k: v for k, v in os.environ.items() if not k.startswith("STOPWIRE_")}
        log_path = self.data_dir.parent / "gateway.log"
        began = time.monotonic()
        if self.LOADED_BEFORE:
            self._process = nursery().start(self.MODULE, command, log=log_path, environ=environment)
        else:
            with log_path.open("ab") as log:
                python = [sys.executable, "-m", self.MODULE]
                self._process = subprocess.Popen([*python, *command], stdout=log, stderr=log, env=environment, start_new_session=True)
        while not self._answers():
            assert self._process.poll() is None, log_path.read_text()
            assert time.monotonic() - began < START_SECONDS, "it did not start"
            time.sleep(0.02)
        self.started_in = time.monotonic() - began

    def kill(self) -> None:
        """As a crash does: nothing is told, nothing is finished."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def stop(self) -> int:
        """As an operator does. The exit code."""
        assert self._process is not None
        self._process.terminate()
        return self._process.wait(timeout=60)

    @property
    def credentials(self) -> dict[str, str]:
        return dict(json.loads((self.data_dir / "credentials.json").read_text()))

    def customer(self, *, timeout: float = 5.0) -> "Customer":
        known = self.credentials
        return Customer(self.url, known["account_sid"], known["auth_token"], timeout=timeout)

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/readyz", timeout=2, verify=NO_TLS).status_code == 200
        except httpx.TransportError:
            return False


class Customer(httpx.Client):
    """A program of the first account."""

    def __init__(self, url: str, account: str, token: str, *, timeout: float) -> None:
        super().__init__(base_url=url, auth=(account, token), timeout=timeout, verify=NO_TLS)
        self._messages = f"/2010-04-01/Accounts/{account}/Messages"

    def order(self, *, from_: str, to: str, body: str, **more: str) -> httpx.Response:
        return self.post(f"{self._messages}.json", data={"From": from_, "To": to, "Body": body, **more})

    def message(self, sid: str) -> httpx.Response:
        return self.get(f"{self._messages}/{sid}.json")

    def text(self, handset: str, *, to: str, body: str) -> httpx.Response:
        return self.post(f"{_phone(handset)}", json={"to": to, "body": body})

    def conversation(self, handset: str) -> list[dict[str, str]]:
        return list(self.get(_phone(handset), params={"limit": 1000}).json()["items"])


def _phone(handset: str) -> str:
    return f"/api/v1/simulator/phones/{quote(handset, safe='')}/messages"


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port
