"""Kill -9 in a stream of sends and STOPs, again and again: what was acknowledged holds.

A producer notes every 201 and every acknowledged STOP; after the last restart the whole history is checked.
"""

import itertools
import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import httpx
import pytest

from tests.gateway import eventually
from tests.process import Customer, Process

SENDER = "+14155550122"  # stands alone: a STOP to it holds for it alone
KILLS = 8
FINAL = ("delivered", "undelivered", "failed", "canceled")


class Killed(Process):
    LOADED_BEFORE = True


@dataclass
class History:
    """What the producers were told. Appended by threads, read after they have ended."""

    accepted: list[str] = field(default_factory=list)  # SIDs of messages answered with 201
    stopped: list[str] = field(default_factory=list)  # handsets whose STOP was acknowledged
    violations: list[str] = field(default_factory=list)


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 1], ids=["one process", "a door process"])
def test_nothing_acknowledged_is_lost_when_the_process_is_killed(tmp_path: Path, workers: int) -> None:
    seed = random.SystemRandom().randrange(10**6)
    chance = random.Random(seed)
    print(f"seed {seed}")
    process = Killed(tmp_path / "data", workers=workers)
    history, stop = History(), threading.Event()
    process.start()
    numbers = itertools.count(1)
    threads = [
        threading.Thread(target=_produce, args=(process, history, stop, numbers, work)) for work in (_send, _send, _stop)
    ]
    for thread in threads:
        thread.start()
    for _ in range(KILLS):
        time.sleep(chance.uniform(0.1, 0.6))
        process.kill()
        process.start()
        assert process.started_in < 20, "it comes back by itself"  # how fast is measured by bench, on a quiet machine
    time.sleep(0.3)
    stop.set()
    for thread in threads:
        thread.join()
    _check(process, history)
    assert process.stop() == 0, "a signal ends it cleanly"


def _produce(
    process: Process,
    history: History,
    stop: threading.Event,
    numbers: Iterator[int],
    work: Callable[[Customer, History, int], None],
) -> None:
    while not stop.is_set():
        try:
            with process.customer() as customer:
                while not stop.is_set():
                    work(customer, history, next(numbers))
        except (httpx.TransportError, FileNotFoundError, ValueError):
            time.sleep(0.02)  # it is down: what was under way has no answer, and is promised nothing


def _send(customer: Customer, history: History, number: int) -> None:
    answer = customer.order(from_=SENDER, to=f"+1415{6000000 + number}", body=str(number))
    if answer.status_code == 201:
        history.accepted.append(answer.json()["sid"])


def _stop(customer: Customer, history: History, number: int) -> None:
    """Somebody is written to, and says STOP; once that is acknowledged, no further message is accepted."""
    handset = f"+1415{7000000 + number}"
    customer.order(from_=SENDER, to=handset, body="before")
    if customer.text(handset, to=SENDER, body="STOP").status_code != 201:
        return
    history.stopped.append(handset)
    after = customer.order(from_=SENDER, to=handset, body="after")
    if after.status_code == 201 or after.json()["code"] != 21610:
        history.violations.append(f"{handset}: {after.status_code} {after.text}")


def _check(process: Process, history: History) -> None:
    assert history.violations == []
    assert len(history.accepted) > 50, "the producers hardly ran"
    assert len(history.stopped) > 10
    with process.customer(timeout=30) as customer:
        for sid in history.accepted:
            eventually(partial(_is_final, customer, sid), seconds=20)
        for handset in history.stopped:
            _check_stopped(customer, handset)
        verdict = customer.get("/api/v1/ledger/verify").json()
        assert verdict["ok"], verdict


def _is_final(customer: Customer, sid: str) -> bool:
    answer = customer.message(sid)
    assert answer.status_code == 200, f"{sid} was accepted and is lost"
    return answer.json()["status"] in FINAL


def _check_stopped(customer: Customer, handset: str) -> None:
    refused = customer.order(from_=SENDER, to=handset, body="much later")
    assert (refused.status_code, refused.json()["code"]) == (400, 21610), handset
    lines = eventually(partial(_confirmed, customer, handset))
    assert [line[0] for line in lines].count("auto_reply") == 1, (handset, lines)
    assert lines[-1][0] == "auto_reply", f"{handset}: something followed the confirmation: {lines}"


def _confirmed(customer: Customer, handset: str) -> list[tuple[str, str]]:
    """What the handset received, once a confirmation is among it."""
    lines = [(m["kind"], m["body"]) for m in customer.conversation(handset) if m["direction"] == "in"]
    return lines if any(kind == "auto_reply" for kind, _ in lines) else []
