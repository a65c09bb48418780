"""The README's sixty seconds, executed: the very block that a newcomer pastes."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

README = Path(__file__).parents[2] / "README.md"
START_SECONDS = 30.0


def sixty_seconds() -> str:
    """The first block of README.md that is fenced as `sh`."""
    found = re.search(r"^```sh\n(.*?)^```$", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert found, "README.md has no block fenced as sh"
    return found[1]


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a running `stopwire up --demo`, on a free port, in a folder of its own."""
    folder = tmp_path / "data"
    environ = {name: value for name, value in os.environ.items() if not name.startswith("STOPWIRE_")}
    environ |= {"STOPWIRE_PORT": "0", "STOPWIRE_DATA_DIR": str(folder), "STOPWIRE_QUIET": "true"}
    command = [str(Path(sys.executable).with_name("stopwire")), "up", "--demo"]
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


@pytest.mark.slow
def test_the_sixty_seconds_of_the_readme_end_in_21610_and_a_welcome_back(demo: dict[str, str]) -> None:
    assert shutil.which("curl"), "the README's block needs curl: install it"

    done = subprocess.run(["sh", "-eu"], input=sixty_seconds(), env=demo, capture_output=True, text=True, timeout=60)

    assert (0, "") == (done.returncode, done.stderr)
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
