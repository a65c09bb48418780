"""Stopwire as it is installed here: started by `stopwire up`, set up over its own API, stopped by a signal."""

import base64
import contextlib
import http.client
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from parts import PASSWORD, SENDER, SYSTEM_ID, Bench, free_port

ACCOUNT, TOKEN = "AC" + "be" * 16, "bench-" + "7" * 26
READY_SECONDS = 120.0
STEP_SECONDS = 0.01
FAULTS_SHOWN = 2


class Stopwire:
    name = "Stopwire"

    def __init__(self, port: int, process_id: int, data_dir: Path) -> None:
        self.port, self.process_ids, self.data_dir = port, [process_id], data_dir
        self.ready_seconds = 0.0

    def load(self, kind: str) -> list[str]:
        single = ["twilio", "--path", f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"]
        batch = ["batch", "--path", "/api/v1/messages"]
        mode = batch if kind == "batch" else single
        return ["--port", str(self.port), "--mode", *mode, "--auth", authorization(), "--from", SENDER.lstrip("+")]

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """One call of the native API."""
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {"Authorization": f"Basic {authorization()}", "Content-Type": "application/json"}
        try:
            link.request(method, path, body=None if body is None else json.dumps(body), headers=headers)
            answer = link.getresponse()
            text = answer.read().decode()
        finally:
            link.close()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path} answered {answer.status}: {text[:500]}")
        return json.loads(text) if text else None


def authorization() -> str:
    return base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()


@contextlib.contextmanager
def running(around: Bench, *, workers: int, window: int = 10, data_dir: Path | None = None) -> Iterator[Stopwire]:
    """A gateway that answers and is bound, in a new folder or in `data_dir`, which is kept."""
    folder = data_dir or around.folder / f"stopwire-{time.monotonic_ns()}"
    with started(folder, workers=workers) as gateway:
        _set_up(gateway, around, window)
        _until_bound(around)
        yield gateway
    if data_dir is None:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def started(folder: Path, *, workers: int) -> Iterator[Stopwire]:
    """`stopwire up` in `folder`, from its start until it is ready and then until it has stopped."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("STOPWIRE_")}
    environment |= {
        "STOPWIRE_ACCOUNT_SID": ACCOUNT,
        "STOPWIRE_AUTH_TOKEN": TOKEN,
        "STOPWIRE_ALLOW_PRIVATE_WEBHOOKS": "loopback",
        "STOPWIRE_WEBHOOK_ENDPOINT_PARALLEL": "100",  # the peer has no such limit
    }
    command = [sys.executable, "-m", "stopwire", "up", "--quiet"]
    command += ["--data-dir", str(folder / "data"), "--port", str(port), "--workers", str(workers)]
    began = time.monotonic()
    with (folder / "output").open("ab") as output:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=output, stderr=output)
    try:
        _until_ready(process, port, folder)
        gateway = Stopwire(port, process.pid, folder / "data")
        gateway.ready_seconds = time.monotonic() - began
        yield gateway
    finally:
        process.terminate()
        try:
            process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        _tell_faults(folder)


def _tell_faults(folder: Path) -> None:
    """What the gateway called a fault belongs beside its figures."""
    lines = (folder / "output").read_text(errors="replace").splitlines()
    faults = [line for line in lines if '"level": "error"' in line or '"level": "critical"' in line]
    for line in faults[:FAULTS_SHOWN]:
        print(f"       Stopwire said: {line[:200]} … {line[-300:]}" if len(line) > 500 else f"       Stopwire said: {line}", flush=True)
    if len(faults) > FAULTS_SHOWN:
        print(f"       and {len(faults) - FAULTS_SHOWN} faults more", flush=True)


def complaints(folder: Path) -> str:
    """The end of what the gateway said that started in `folder`."""
    return (folder / "output").read_text(errors="replace")[-3000:]


def _until_ready(process: "subprocess.Popen[bytes]", port: int, folder: Path) -> None:
    ends_at = time.monotonic() + READY_SECONDS
    while True:
        link = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            link.request("GET", "/readyz")
            if link.getresponse().status == 200:
                return
        except OSError:
            pass
        finally:
            link.close()
        if process.poll() is not None or time.monotonic() > ends_at:
            raise RuntimeError(f"Stopwire did not start. It said:\n{complaints(folder)}")
        time.sleep(STEP_SECONDS)


def _set_up(gateway: Stopwire, around: Bench, window: int) -> None:
    """A connection to the message centre with our sender on it, whose texts go to the sink."""
    settings = {
        "host": "127.0.0.1",
        "port": around.smsc.port,
        "system_id": SYSTEM_ID,
        "password": PASSWORD,
        "window": window,
    }
    kept = [each["name"] for each in gateway.call("GET", "/api/v1/carriers")["items"]]
    if "bench" in kept:
        gateway.call("PATCH", "/api/v1/carriers/bench", {"settings": settings})
    else:
        carrier = {"name": "bench", "type": "smpp", "settings": settings, "senders": [SENDER], "failover": []}
        gateway.call("POST", "/api/v1/carriers", carrier)
    sender = next(each for each in gateway.call("GET", "/api/v1/senders")["items"] if each["address"] == SENDER)
    gateway.call("PATCH", f"/api/v1/senders/{sender['sid']}", {"sms_url": f"http://127.0.0.1:{around.sink.port}/sms"})


def _until_bound(around: Bench) -> None:
    ends_at = time.monotonic() + READY_SECONDS
    while not around.smsc.report()["hearing"]:
        if time.monotonic() > ends_at:
            raise RuntimeError("Stopwire did not bind to the message centre.")
        time.sleep(STEP_SECONDS)
