"""`stopwire exec`: a program that was written for Twilio runs against a gateway, unchanged."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from stopwire.cli.output import Exit
from tests.cli.conftest import Run
from tests.gateway import Gateway

PROGRAM = """
import sys
from twilio.rest import Client
client = Client()
message = client.messages.create(to="+14155552101", from_="+14155550122", body="unchanged")
for number in range(3):
    client.messaging.v1.services.create(friendly_name=f"Unchanged {number}")
print(message.sid, len(client.messaging.v1.services.list(page_size=1, limit=3)))
sys.exit(7)
"""


def started(gateway: Gateway, *command: str) -> "subprocess.Popen[str]":
    access = ["--url", gateway.url, "--account", gateway.account_sid, "--token", gateway.auth_token]
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("STOPWIRE_", "TWILIO_"))}
    return subprocess.Popen(
        [sys.executable, "-m", "stopwire", "exec", *access, "--", *command],
        env=clean, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_a_program_for_twilio_reaches_the_gateway_page_by_page_and_ends_as_it_ends(gateway: Gateway, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(PROGRAM)
    running = started(gateway, sys.executable, str(tmp_path / "app.py"))
    out, err = running.communicate(timeout=60)
    assert 7 == running.returncode, err
    sid, services = out.split()
    assert ("unchanged", "3") == (gateway.client().messages(sid).fetch().body, services)


def test_a_program_that_is_told_to_end_ends_and_says_by_what(gateway: Gateway) -> None:
    running = started(gateway, "sh", "-c", "echo ready; exec sleep 60")
    assert running.stdout is not None
    assert "ready\n" == running.stdout.readline()
    running.send_signal(signal.SIGTERM)
    running.communicate(timeout=30)
    assert 128 + signal.SIGTERM == running.returncode


def test_what_is_no_program_is_told(run: Run, gateway: Gateway) -> None:
    access = ("--url", gateway.url, "--account", gateway.account_sid, "--token", gateway.auth_token)
    ran = run("exec", *access, "--", "no-such-program", "-v")
    assert (Exit.USAGE, True) == (ran.code, "no-such-program cannot be run" in ran.err)


def test_without_a_gateway_nothing_is_run(run: Run) -> None:
    ran = run("exec", "--url", "http://127.0.0.1:9", "--account", "AC" + "1" * 32, "--token", "t", "--", "true")
    assert Exit.UNREACHABLE == ran.code
