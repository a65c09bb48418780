"""Processes of the gateway that are born with everything loaded: forked from one that has imported it, half a second and more saved a start.

A gateway that is killed and started again fifty times loads its modules once. That it starts from nothing is proved in tests/test_serve.py.
"""

import atexit
import gc
import importlib
import json
import os
import runpy
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

LOADED = ("stopwire.cli.main", "stopwire.serve", "stopwire.smpp_server.server", "stopwire.carriers.smpp.carrier")
LOOK_SECONDS = 0.005


class Born:
    """A process of the nursery, with as much of `subprocess.Popen` as its holders use."""

    def __init__(self, nursery: "Nursery", pid: int) -> None:
        self._nursery, self.pid = nursery, pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        if self.returncode is None:
            self.returncode = self._nursery.ask(ended=self.pid)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        ends_at = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if ends_at is not None and time.monotonic() > ends_at:
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
            time.sleep(LOOK_SECONDS)
        return code

    def terminate(self) -> None:
        if self.poll() is None:
            os.kill(self.pid, signal.SIGTERM)


class Nursery:
    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.nursery"]
        root = Path(__file__).parents[1]
        self._process = subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._one_at_a_time = threading.Lock()
        atexit.register(self.close)

    def start(self, module: str, arguments: Sequence[str], *, log: Path, environ: Mapping[str, str]) -> Born:
        """As `python -m module arguments`, in a session of its own, telling its troubles to `log`."""
        return Born(self, self.ask(start=module, arguments=list(arguments), log=str(log), environ=dict(environ)))

    def ask(self, **question: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._one_at_a_time:
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
            return json.loads(self._process.stdout.readline())

    def close(self) -> None:
        """Its processes stay: who started them ends them."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=10)


@cache
def nursery() -> Nursery:
    return Nursery()


# ── the process that forks ───────────────────────────────────────────────────────────────────────────────


def serve() -> None:
    for module in LOADED:
        importlib.import_module(module)
    assert 1 == threading.active_count(), "a fork takes one thread along: what was imported may start none"
    gc.freeze()
    for line in sys.stdin:
        question = json.loads(line)
        answer = _ended(question["ended"]) if "ended" in question else _start(question)
        print(json.dumps(answer), flush=True)


def _start(wanted: Mapping[str, Any]) -> int:
    pid = os.fork()
    if pid == 0:
        _live(wanted)
    return pid


def _ended(pid: int, known: dict[int, int] = {}) -> int | None:  # noqa: B006  what was reaped is remembered
    """The exit code as `subprocess` has it; None while the process runs."""
    if pid not in known:
        done, status = os.waitpid(pid, os.WNOHANG)
        if not done:
            return None
        known[pid] = os.waitstatus_to_exitcode(status)
    return known[pid]


def _live(wanted: Mapping[str, Any]) -> None:
    code: Any = 1
    try:
        os.setsid()
        log = os.open(wanted["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for descriptor, place in ((nothing, 0), (log, 1), (log, 2)):
            os.dup2(descriptor, place)
        sys.stdin = open(0, closefd=False)  # noqa: SIM115  as long as the process lives
        os.environ.clear()
        os.environ.update(wanted["environ"])
        sys.argv = [wanted["start"], *wanted["arguments"]]
        gc.unfreeze()
        runpy.run_module(wanted["start"], run_name="__main__")
        code = 0
    except SystemExit as end:
        code = end.code
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else int(code is not None))


if __name__ == "__main__":
    serve()
