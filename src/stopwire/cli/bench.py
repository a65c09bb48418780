"""`stopwire bench`: what this machine and its disk make of a gateway. One of its own, in a folder that goes afterwards.

One client in Python asks it, so the figures are what such a program sees; the published ones are made by `bench/`.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stopwire.cli.output import Exit, Failed
from stopwire.cli.talk import Talk, local

if TYPE_CHECKING:
    from stopwire.client import Client

SENDER = "+14155550122"  # of the demo, in no service
START_SECONDS = 60.0
DELIVERY_SECONDS = 300.0
STOP_SECONDS = 10.0
LOOK_SECONDS = 0.05
RECIPIENTS_MAX = 1000  # of one call: what many programs send at once


@local
def bench(
    talk: Talk,
    messages: Annotated[int, typer.Option(min=100, max=1_000_000, help="To send in calls of up to 1,000 recipients.")] = 10_000,
    people: Annotated[int, typer.Option(min=1, max=10_000, help="To write to one by one, who then say STOP.")] = 200,
) -> None:
    """Measure a gateway on this machine: how fast it starts, accepts, delivers, and obeys a STOP.

    It starts a gateway of its own on the disk of the data folder, with the simulator as its carrier, and removes it
    afterwards. Nothing leaves the machine. Ends with 1 if a text was accepted after a STOP.
    """
    with _gateway(_disk(talk)) as (client, start_seconds):
        figures = {"start_seconds": round(start_seconds, 2)} | _measured(client, messages, _numbers(people))
    talk.answer(figures, lambda: talk.facts(figures))
    if figures["refused_after_stop"] != people:
        raise typer.Exit(Exit.NO)


def _measured(client: "Client", messages: int, people: Sequence[str]) -> dict[str, float]:
    singles = [_ms(partial(client.send, to=to, from_=SENDER, body="Sale")) for to in people]
    accepted, delivered = _batches(client, _numbers(messages, first=2_000_000))
    stops = [_ms(partial(client.text, to, to=SENDER, body="STOP")) for to in people]
    return {
        "one_by_one_ms_p50": _quantile(singles, 0.5),
        "one_by_one_ms_p99": _quantile(singles, 0.99),
        "accepted_per_second": round(messages / accepted),
        "delivered_per_second": round(messages / delivered),
        "stop_ms_p50": _quantile(stops, 0.5),
        "stop_ms_p99": _quantile(stops, 0.99),
        "refused_after_stop": sum(_is_refused(client, to) for to in people),
    }


def _batches(client: "Client", recipients: Sequence[str]) -> tuple[float, float]:
    """Seconds until all are accepted, and until the last one is delivered."""
    began, last = time.perf_counter(), ""
    for start in range(0, len(recipients), RECIPIENTS_MAX):
        piece = [{"to": to} for to in recipients[start : start + RECIPIENTS_MAX]]
        last = client.send_batch(piece, from_=SENDER, body="Sale")["items"][-1]["sid"]
    accepted = time.perf_counter() - began
    while client.message(last)["status"] != "delivered":
        if time.perf_counter() - began > DELIVERY_SECONDS:
            raise Failed(f"{len(recipients)} messages were not delivered within {DELIVERY_SECONDS:g} s: measure with fewer.", Exit.NO)
        time.sleep(LOOK_SECONDS)
    return accepted, time.perf_counter() - began


def _is_refused(client: "Client", to: str) -> bool:
    from stopwire.client import ClientError

    try:
        client.send(to=to, from_=SENDER, body="Sale")
    except ClientError as refusal:
        return refusal.code == 21610
    return False


@contextlib.contextmanager
def _gateway(disk: Path) -> "Iterator[tuple[Client, float]]":
    """A gateway in a process of its own, and how long it took to answer."""
    with tempfile.TemporaryDirectory(prefix="stopwire-", dir=disk) as folder:
        command = [sys.executable, "-m", "stopwire", "up", "--demo", "--quiet", "--port", "0", "--data-dir", folder]
        clean = {name: value for name, value in os.environ.items() if not name.startswith("STOPWIRE_")}
        began = time.perf_counter()
        process = subprocess.Popen(  # noqa: S603  # our own program
            command, cwd=folder, env=clean, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        try:
            with _answering(process, Path(folder, "credentials.json"), began) as client:
                yield client, time.perf_counter() - began
        finally:
            process.terminate()
            try:
                process.communicate(timeout=STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()


def _answering(process: "subprocess.Popen[bytes]", credentials: Path, began: float) -> "Client":
    from stopwire.client import Client, Unreachable

    while time.perf_counter() - began < START_SECONDS and process.poll() is None:
        with contextlib.suppress(FileNotFoundError, json.JSONDecodeError, Unreachable):
            told = json.loads(credentials.read_text())
            client = Client(told["api_base"], told["account_sid"], told["auth_token"])
            client.account()
            return client
        time.sleep(LOOK_SECONDS)
    process.kill()
    said = process.communicate()[0].decode(errors="replace").strip()
    raise Failed(f"The gateway to be measured did not start within {START_SECONDS:g} s. {said[-500:]}".strip(), Exit.NO)


def _disk(talk: Talk) -> Path:
    """Where the data folder is, or would be: its disk is what counts."""
    return next(folder for folder in (talk.data_dir, *talk.data_dir.absolute().parents) if folder.is_dir())


def _numbers(count: int, first: int = 3_000_000) -> list[str]:
    return [f"+1415{first + number}" for number in range(count)]


def _ms(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def _quantile(values: Sequence[float], share: float) -> float:
    return round(sorted(values)[min(int(len(values) * share), len(values) - 1)], 1)
