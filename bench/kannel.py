"""Kannel as a peer: bearerbox and smsbox with one SMPP connection and a store on disk. Debian's package is `kannel`."""

import contextlib
import os
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from parts import PASSWORD, SENDER, SYSTEM_ID, Bench, free_port

READY_SECONDS = 20.0
ERRORS_ONLY = 3  # its log level: no line a message, as with us
PATH = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"))

CONFIGURATION = """\
group = core
admin-port = {admin}
admin-interface = 127.0.0.1
admin-password = bench
smsbox-port = {box}
smsbox-interface = 127.0.0.1
log-file = "{folder}/bearerbox.log"
log-level = {level}
box-deny-ip = "*.*.*.*"
box-allow-ip = "127.0.0.1"
{store}
dlr-storage = internal

group = smsc
smsc = smpp
smsc-id = bench
host = 127.0.0.1
port = {smsc}
transceiver-mode = true
smsc-username = {system_id}
smsc-password = {password}
system-type = ""
max-pending-submits = {window}

group = smsbox
bearerbox-host = 127.0.0.1
bearerbox-port = {box}
sendsms-port = {front}
sendsms-interface = 127.0.0.1
log-file = "{folder}/smsbox.log"
log-level = {level}

group = sendsms-user
username = bench
password = bench
max-messages = 1

group = sms-service
keyword = default
catch-all = true
get-url = "http://127.0.0.1:{sink}/?from=%p&to=%P&text=%a"
max-messages = 0
omit-empty = true
"""


def version() -> str | None:
    """Of the Kannel on this machine; None where there is none."""
    bearerbox = shutil.which("bearerbox", path=PATH)
    if bearerbox is None or shutil.which("smsbox", path=PATH) is None:
        return None
    told = subprocess.run([bearerbox, "--version"], capture_output=True, text=True, check=False).stdout
    return told.splitlines()[0].replace("Kannel bearerbox version", "").strip().strip("`'.") if told else "unknown"


class Kannel:
    name = "Kannel"

    def __init__(self, front: int) -> None:
        self._front = front
        self.process_ids: list[int] = []

    def load(self, kind: str) -> list[str]:
        options = ["--port", str(self._front), "--mode", "kannel", "--path", "/cgi-bin/sendsms", "--from", SENDER.lstrip("+")]
        # A mask without a URL: receipts are asked for, matched and dropped; nobody is called.
        return options + (["--extra", "&dlr-mask=3"] if kind == "receipts" else [])


@contextlib.contextmanager
def running(around: Bench, *, store: str = "spool", window: int = 10) -> Iterator[Kannel]:
    """Kannel, bound and ready. `store`: spool, file or none."""
    folder = around.folder / f"kannel-{time.monotonic_ns()}"
    (folder / "store").mkdir(parents=True)
    front, admin = free_port(), free_port()
    stores = {
        "spool": f'store-type = spool\nstore-location = "{folder}/store"',
        "file": f'store-type = file\nstore-location = "{folder}/store/kannel.store"',
        "none": "",
    }
    (folder / "kannel.conf").write_text(
        CONFIGURATION.format(
            admin=admin, box=free_port(), front=front, smsc=around.smsc.port, sink=around.sink.port, folder=folder,
            store=stores[store], system_id=SYSTEM_ID, password=PASSWORD, window=window, level=ERRORS_ONLY,
        )
    )
    kannel = Kannel(front)
    boxes: list[subprocess.Popen[bytes]] = []
    try:
        boxes.append(_start("bearerbox", folder))
        kannel.process_ids = [box.pid for box in boxes]
        _until_answers(f"http://127.0.0.1:{admin}/status.txt", boxes, folder)
        boxes.append(_start("smsbox", folder))
        kannel.process_ids = [box.pid for box in boxes]
        _until_answers(f"http://127.0.0.1:{front}/", boxes, folder)
        _until_bound(around, boxes, folder)
        yield kannel
    finally:
        for box in reversed(boxes):
            box.terminate()
        for box in reversed(boxes):
            try:
                box.wait(timeout=15)
            except subprocess.TimeoutExpired:
                box.kill()
                box.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _start(box: str, folder: Path) -> "subprocess.Popen[bytes]":
    program = shutil.which(box, path=PATH)
    if program is None:
        raise SystemExit(f"There is no {box} here: install Kannel (on Debian: apt-get install kannel), or give --no-kannel.")
    output = (folder / f"{box}.out").open("wb")
    return subprocess.Popen([program, str(folder / "kannel.conf")], stdout=output, stderr=output, cwd=folder)


def _until_answers(url: str, boxes: "list[subprocess.Popen[bytes]]", folder: Path) -> None:
    ends_at = time.monotonic() + READY_SECONDS
    while True:
        try:
            urllib.request.urlopen(url, timeout=2).close()
            return
        except urllib.error.HTTPError:
            return  # it answers
        except OSError:
            _check(boxes, folder, ends_at)
            time.sleep(0.1)


def _until_bound(around: Bench, boxes: "list[subprocess.Popen[bytes]]", folder: Path) -> None:
    ends_at = time.monotonic() + READY_SECONDS
    while not around.smsc.report()["hearing"]:
        _check(boxes, folder, ends_at)
        time.sleep(0.1)


def _check(boxes: "list[subprocess.Popen[bytes]]", folder: Path, ends_at: float) -> None:
    if time.monotonic() > ends_at or any(box.poll() is not None for box in boxes):
        said = "".join(path.read_text(errors="replace") for path in sorted(folder.glob("*.out")))
        raise RuntimeError(f"Kannel did not start. It said:\n{said[-3000:]}")
