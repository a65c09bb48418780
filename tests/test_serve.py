"""The process from outside: what it says, what it keeps, how it ends, and who may run beside it."""

import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.gateway import eventually
from tests.process import Process
from tests.webhook_server import Reply, WebhookServer

SENDER = "+14155550122"
pytestmark = pytest.mark.slow


class Loaded(Process):
    """What it does once it is up is looked at: `up` and the first test start it from nothing."""

    LOADED_BEFORE = True


@pytest.fixture
def started() -> Iterator[Callable[..., Process]]:
    """Starts processes, and leaves none behind."""
    running: list[Process] = []

    def start(data_dir: Path, **more: int) -> Process:
        process = Loaded(data_dir, **more)
        running.append(process)
        process.start()
        return process

    yield start
    for process in running:
        if process._process is not None and process._process.poll() is None:
            process.kill()


@pytest.fixture
def web() -> Iterator[WebhookServer]:
    server = WebhookServer()
    yield server
    server.close()


def up(data_dir: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    """Run a gateway that is to end by itself."""
    command = [sys.executable, "-m", "stopwire", "up", "--data-dir", str(data_dir), *flags]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("STOPWIRE_")}
    return subprocess.run(command, capture_output=True, text=True, timeout=30, env=environment, check=False)


# ── the start ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_start_says_all_that_is_needed_and_keeps_it_for_its_owner(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "stopwire", "up", "--demo", "--port", "0", "--data-dir", str(tmp_path / "data")]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("STOPWIRE_")} | {"PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment) as process:
        assert process.stdout is not None
        said = ""
        while "kept in" not in said:
            line = process.stdout.readline()
            assert line, said
            said += line
        credentials_file = tmp_path / "data" / "credentials.json"
        known = json.loads(credentials_file.read_text())
        assert 0o600 == stat.S_IMODE(credentials_file.stat().st_mode)
        assert 0o700 == stat.S_IMODE((tmp_path / "data").stat().st_mode)
        assert {0o600} == {stat.S_IMODE((tmp_path / "data" / name).stat().st_mode) for name in ("admin.sock", "hatch.sock")}
        for word in (known["account_sid"], known["auth_token"], known["api_base"], known["console_url"], str(tmp_path / "data")):
            assert word in said
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/console/sign-in\?token=[0-9a-f]{32}", known["console_url"])
        answer = httpx.get(
            f"{known['api_base']}/2010-04-01/Accounts/{known['account_sid']}.json", auth=(known["account_sid"], known["auth_token"])
        )
        assert 200 == answer.status_code
        process.terminate()
        assert 0 == process.wait(timeout=30)


def test_the_sign_in_link_of_each_start_is_another(tmp_path: Path, started: Callable[..., Process]) -> None:
    process = started(tmp_path / "data")
    first = process.credentials
    assert 0 == process.stop()
    process.start()
    second = process.credentials
    assert first["console_url"] != second["console_url"]
    assert first["account_sid"] == second["account_sid"]
    assert first["auth_token"] == second["auth_token"]


def test_a_second_gateway_on_the_same_folder_is_refused_with_a_sentence(tmp_path: Path, started: Callable[..., Process]) -> None:
    process = started(tmp_path / "data")
    ran = up(tmp_path / "data", "--port", "0")
    assert 1 == ran.returncode
    assert re.search(r"is in use by .*Stopwire \(pid \d+, .*\)\. Stop that process, or choose another directory with --data-dir", ran.stdout)
    assert "Traceback" not in ran.stdout + ran.stderr
    assert 200 == httpx.get(f"{process.url}/readyz").status_code
    with process.customer() as customer:  # its sockets are still its own
        assert 201 == customer.order(from_=SENDER, to="+14155550601", body="x").status_code


def test_a_port_that_is_taken_is_told_with_the_cure(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ran = up(tmp_path / "data", "--port", str(port))
    assert 1 == ran.returncode
    assert f"cannot listen on 127.0.0.1:{port}: Address already in use. Choose another --port." in ran.stdout + ran.stderr
    assert "Traceback" not in ran.stdout + ran.stderr


def test_an_address_of_another_machine_is_told_too(tmp_path: Path) -> None:
    ran = up(tmp_path / "data", "--host", "192.0.2.1", "--port", "0")
    assert 1 == ran.returncode
    assert "cannot listen on 192.0.2.1:" in ran.stdout + ran.stderr


# ── the end ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("flags", [("--database", "postgresql://db/stopwire"), ("--role", "api")])
def test_a_store_that_is_not_there_yet_is_refused_rather_than_replaced(tmp_path: Path, flags: tuple[str, str]) -> None:
    told = up(tmp_path / "data", "--port", "0", *flags)
    assert 1 == told.returncode
    assert "one SQLite file" in told.stdout
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("workers", [0, 1], ids=["one process", "a door process"])
def test_a_stop_under_load_ends_cleanly_and_loses_nothing(tmp_path: Path, started: Callable[..., Process], workers: int) -> None:
    process = started(tmp_path / "data", workers=workers)
    accepted: list[str] = []
    broken: list[int] = []  # an answer that is neither a message nor "not now"

    def produce(lane: int) -> None:
        try:
            with process.customer() as customer:
                for number in range(10_000):
                    answer = customer.order(from_=SENDER, to=f"+1415{6000000 + lane * 10_000 + number}", body="x")
                    if answer.status_code == 201:
                        accepted.append(answer.json()["sid"])
                    elif answer.status_code != 503:
                        broken.append(answer.status_code)
        except httpx.TransportError:
            pass  # the door is shut

    lanes = [threading.Thread(target=produce, args=(lane,)) for lane in range(4)]
    for lane in lanes:
        lane.start()
    eventually(lambda: len(accepted) > 50)
    began = time.monotonic()
    assert 0 == process.stop()
    assert time.monotonic() - began < 8
    for lane in lanes:
        lane.join()
    assert [] == broken
    process.start()
    with process.customer() as customer:
        for sid in accepted:
            eventually(lambda sid=sid: customer.message(sid).json()["status"] == "delivered", seconds=30)


@pytest.mark.parametrize("workers", [0, 1], ids=["one process", "a door process"])
def test_who_watches_the_live_tail_does_not_hold_up_the_end(tmp_path: Path, started: Callable[..., Process], workers: int) -> None:
    process = started(tmp_path / "data", workers=workers)
    with process.customer(timeout=30) as customer, customer.stream("GET", "/api/v1/events") as events:
        lines = events.iter_lines()
        assert ": connected" == next(lines)
        began = time.monotonic()
        assert 0 == process.stop()
        assert time.monotonic() - began < 9, "less than the grace that a request gets"


def test_an_interrupt_of_the_whole_group_ends_it_as_cleanly(tmp_path: Path, started: Callable[..., Process]) -> None:
    """As Ctrl-C does: the doors hear it too."""
    process = started(tmp_path / "data", workers=2)
    assert process._process is not None
    os.killpg(process._process.pid, signal.SIGINT)
    assert 0 == process._process.wait(timeout=30)
    assert "serve.door_ended" not in (tmp_path / "gateway.log").read_text()
    assert [] == list((tmp_path / "data").glob("*.sock"))


# ── door processes ───────────────────────────────────────────────────────────────────────────────────────


def test_a_door_that_dies_is_started_again(tmp_path: Path, started: Callable[..., Process]) -> None:
    process = started(tmp_path / "data", workers=1)
    (door,) = _children(process)
    os.kill(door, signal.SIGKILL)
    eventually(lambda: [each for each in _children(process) if each != door], seconds=10)
    with process.customer(timeout=15) as customer:
        assert 201 == customer.order(from_=SENDER, to="+14155550602", body="x").status_code
    assert "serve.door_ended" in (tmp_path / "gateway.log").read_text()
    assert 0 == process.stop()


def test_a_webhook_that_was_under_way_when_its_door_died_comes_again(
    tmp_path: Path, started: Callable[..., Process], web: WebhookServer
) -> None:
    process = started(tmp_path / "data", workers=2)
    url = web.on("/status", Reply(behave="hang"), Reply(status=204, content_type=None))
    with process.customer(timeout=15) as customer:
        sid = customer.order(from_=SENDER, to="+14155550603", body="x", StatusCallback=url).json()["sid"]
    first = web.one("/status", MessageSid=sid)
    for door in _children(process):
        os.kill(door, signal.SIGKILL)
    again = web.wait("/status", 2, MessageSid=sid, MessageStatus=first.params["MessageStatus"])[1]
    assert first.headers["i-twilio-idempotency-token"] == again.headers["i-twilio-idempotency-token"]
    assert 0 == process.stop()


def test_doors_end_when_the_house_is_gone(tmp_path: Path, started: Callable[..., Process]) -> None:
    process = started(tmp_path / "data", workers=2)
    doors = _children(process)
    assert 2 == len(doors)
    assert process._process is not None
    os.kill(process._process.pid, signal.SIGKILL)
    process._process.wait()
    eventually(lambda: not any(_runs(door) for door in doors), seconds=10)


def _children(process: Process) -> list[int]:
    assert process._process is not None
    parent = process._process.pid
    found = subprocess.run(["ps", "-o", "pid=,stat=", "--ppid", str(parent)], capture_output=True, text=True, check=False).stdout
    return [int(line.split()[0]) for line in found.splitlines() if not line.split()[1].startswith("Z")]


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
