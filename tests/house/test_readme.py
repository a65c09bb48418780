"""The README and the tutorials, executed: the very blocks that a newcomer pastes."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
START_SECONDS = 30.0

pytestmark = pytest.mark.slow


def blocks(page: str, language: str = "sh") -> str:
    """What a page has fenced as `language`, one after another."""
    text = (ROOT / page).read_text(encoding="utf-8")
    found = re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert found, f"{page} has no block fenced as {language}"
    return "\n".join(found)


def paste(page: str, environ: dict[str, str], *, folder: Path, options: str) -> subprocess.CompletedProcess[str]:
    """The blocks of a page in a shell, in an empty folder."""
    return subprocess.run(
        ["sh", options],
        input=blocks(page),
        env=environ,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
    )


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a running `stopwire up --demo`, on a free port, in a folder of its own."""
    folder = tmp_path / "data"
    environ = {name: value for name, value in os.environ.items() if not name.startswith("STOPWIRE_")}
    environ |= {"STOPWIRE_PORT": "0", "STOPWIRE_DATA_DIR": str(folder), "STOPWIRE_QUIET": "true"}
    environ["PATH"] = f"{BIN}{os.pathsep}{environ['PATH']}"
    command = [str(BIN / "stopwire"), "up", "--demo"]
    process = subprocess.Popen(command, env=environ, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        until = time.monotonic() + START_SECONDS
        while not (folder / "credentials.json").exists():
            assert process.poll() is None, f"the gateway ended: {process.communicate()[0]}"
            assert time.monotonic() < until, f"no credentials after {START_SECONDS:g} s"
            time.sleep(0.05)
        yield environ
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=START_SECONDS)


def test_the_sixty_seconds_of_the_readme_end_in_21610_and_a_welcome_back(demo: dict[str, str], tmp_path: Path) -> None:
    assert shutil.which("curl"), "the README's block needs curl: install it"

    done = paste("README.md", demo, folder=tmp_path, options="-eu")

    assert 0 == done.returncode, done.stdout
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    first, _, refused, _, again, conversation = answers
    assert ("queued", "queued") == (first["status"], again["status"])
    assert {"code": 21610, "status": 400, "message": "Attempt to send to unsubscribed recipient"} == {
        name: refused[name] for name in ("code", "status", "message")
    }
    assert [
        ("in", "message", "Your table is ready."),
        ("out", "message", "STOP"),
        ("in", "auto_reply", "You have successfully been unsubscribed."),
        ("out", "message", "START"),
        ("in", "auto_reply", "You have successfully been re-subscribed"),
        ("in", "message", "Welcome back."),
    ] == [_shown(item) for item in conversation["items"]]


def _shown(item: dict[str, str]) -> tuple[str, str, str]:
    """Direction, kind and text; of an automatic reply its beginning."""
    body = item["body"]
    if item["kind"] == "auto_reply":
        body = re.match(r"You have successfully been (unsubscribed\.|re-subscribed)", body)[0]  # type: ignore[index]
    return item["direction"], item["kind"], body


FIVE_MINUTES = (
    "delivered: +14155550100 → +14155550101",
    "Nothing came back",
    "You have successfully been unsubscribed.",
    "21610",
    "keyword",
    "21610",
    "delivered: +14155550122 → +14155550101",
    "You have successfully been re-subscribed",
    "delivered: +14155550100 → +14155550101",
    "opt_in",
    "opt_out",
    "The ledger holds",
)
FIRST_SERVICE = (
    "Cafe",
    "+14155550122 now belongs to",
    "+525555550100 now belongs to",
    "Version 2 is in force.",
    "BAJA",
    "block",
    "ALTO",
    "Cafe Sol: no le escribiremos mas.",
    "Cafe Sol Mexico: no le escribiremos mas.",
    "21610",
    "21610",
    "Cafe Sol: welcome back.",
    "languages.es.stop.keywords",
    "Version 3 is in force.",
)


@pytest.mark.parametrize(
    ("page", "said"),
    [
        pytest.param("docs/tutorials/five-minutes.md", FIVE_MINUTES, id="five minutes"),
        pytest.param("docs/tutorials/first-service.md", FIRST_SERVICE, id="first service"),
    ],
)
def test_a_tutorial_says_what_it_promises_in_that_order(
    page: str, said: tuple[str, ...], demo: dict[str, str], tmp_path: Path
) -> None:
    # A refused send ends with 1, as the page says it does; so no -e, and what is said is looked at instead.
    done = paste(page, demo | {"COLUMNS": "240"}, folder=tmp_path, options="-u")

    assert "Traceback" not in done.stdout
    assert [] == _missing(said, done.stdout), done.stdout


def _missing(said: tuple[str, ...], transcript: str) -> list[str]:
    """Those of `said` that the transcript lacks, each looked for behind the one before."""
    missing = []
    for text in said:
        before, found, rest = transcript.partition(text)
        missing += [] if found else [text]
        transcript = rest if found else before
    return missing


def test_the_test_that_the_how_to_shows_passes(tmp_path: Path) -> None:
    (tmp_path / "test_app.py").write_text(blocks("docs/how-to/test-your-app.md", "python"), encoding="utf-8")
    environ = {name: value for name, value in os.environ.items() if not name.startswith("STOPWIRE_")}
    environ["PATH"] = f"{BIN}{os.pathsep}{environ['PATH']}"

    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=120)

    assert 0 == done.returncode, done.stdout + done.stderr


def test_the_server_that_the_how_to_shows_believes_the_gateway_alone(demo: dict[str, str], tmp_path: Path) -> None:
    """The page's own class, on a free port, with this gateway's token and URL."""
    told = json.loads((Path(demo["STOPWIRE_DATA_DIR"]) / "credentials.json").read_text())
    room: dict[str, Any] = {"__name__": "page"}
    exec(blocks("docs/how-to/webhooks.md", "python"), room)
    server = room["HTTPServer"](("127.0.0.1", 0), room["Sms"])
    url = f"http://127.0.0.1:{server.server_port}/sms"
    room["AUTH_TOKEN"], room["URL"] = told["auth_token"], url
    threading.Thread(target=server.serve_forever, daemon=True).start()
    auth = (told["account_sid"], told["auth_token"])
    with httpx.Client(base_url=told["api_base"], auth=auth, timeout=30) as gateway:
        numbers = gateway.get(f"/2010-04-01/Accounts/{told['account_sid']}/IncomingPhoneNumbers.json?PhoneNumber=%2B14155550122")
        uri = numbers.json()["incoming_phone_numbers"][0]["uri"]
        assert 200 == gateway.post(uri, data={"SmsUrl": url}).status_code

        phone = "/api/v1/simulator/phones/%2B14155550144/messages"
        assert 201 == gateway.post(phone, json={"to": "+14155550122", "body": "Lovely evening"}).status_code
        until = time.monotonic() + 10
        while not (received := [m["body"] for m in gateway.get(phone).json()["items"] if m["direction"] == "in"]):
            assert time.monotonic() < until, "the server's reply did not come"
            time.sleep(0.05)

    server.shutdown()
    assert ["Thank you!"] == received
    server.server_close()
