"""The parts of a measurement: the three C programs, what processes cost, and one run of outbound or inbound messages.

Nothing here knows which gateway is measured.
"""

import contextlib
import json
import os
import shutil
import socket
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

HERE = Path(__file__).resolve().parent
BUILD = HERE / "build"
PROGRAMS = ("load", "smsc", "sink")
TICKS = os.sysconf("SC_CLK_TCK")
STEP_SECONDS = 0.1  # of the counts that the programs print
DRAIN_SECONDS = 60.0  # until a gateway that fell behind is given up
IDLE_SECONDS, IDLE_SHARE = 22.0, 0.05  # of a core; longer than the pause of what counts at its leisure
QUIET_SECONDS = 1.0  # without a message: all that will come has come

SENDER = "+14155550100"
SYSTEM_ID = PASSWORD = "bench"


def build() -> None:
    """Compile the C programs where they are older than their text."""
    BUILD.mkdir(exist_ok=True)
    compiler = os.environ.get("CC") or next((name for name in ("cc", "gcc", "clang") if shutil.which(name)), None)
    if compiler is None:
        raise SystemExit("A C compiler is needed for the load generator: install gcc, or name one in CC.")
    for name in PROGRAMS:
        target, sources = BUILD / name, (HERE / f"{name}.c", HERE / "common.h")
        if target.exists() and all(source.stat().st_mtime < target.stat().st_mtime for source in sources):
            continue
        subprocess.run(
            [compiler, "-O2", "-Wall", "-Wextra", "-D_GNU_SOURCE", "-o", target, sources[0]], check=True
        )


class Program:
    """One of the C programs: lines of words in, lines of JSON out. `port` is where it listens, 0 if it does not."""

    def __init__(self, name: str, *arguments: object, listens: bool) -> None:
        command = [str(BUILD / name), *(str(each) for each in arguments)]
        self.name = name
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = int(self.answer()["port"]) if listens else 0

    def tell(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} ended with {self.process.wait()} before it answered")
        told: dict[str, Any] = json.loads(line)
        return told

    def report(self) -> dict[str, Any]:
        self.tell("report")
        return self.answer()

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.terminate()
        self.process.wait(timeout=10)


@dataclass(slots=True, kw_only=True)
class Bench:
    """What stands around every gateway: a message centre, a sink for webhooks, a folder on the disk to be measured."""

    smsc: Program
    sink: Program
    folder: Path


@contextlib.contextmanager
def bench(disk: Path, *, smsc_window: int) -> Iterator[Bench]:
    build()
    folder = Path(tempfile.mkdtemp(prefix="stopwire-bench-", dir=disk))
    smsc = Program("smsc", "--window", smsc_window, listens=True)
    sink = Program("sink", listens=True)
    try:
        yield Bench(smsc=smsc, sink=sink, folder=folder)
    finally:
        smsc.close()
        sink.close()
        shutil.rmtree(folder, ignore_errors=True)


class Gateway(Protocol):
    """A running gateway under test."""

    name: str
    process_ids: list[int]  # of its processes; their children count too

    def load(self, kind: str) -> list[str]:
        """Options of the load generator for a `kind` of load: single, receipts, batch."""
        ...


# ── what processes cost ──────────────────────────────────────────────────────────────────────────────────


def family(process_ids: list[int]) -> list[int]:
    """The processes and all their descendants."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                parents[int(entry.name)] = int(_stat(int(entry.name))[1])
    found = [each for each in process_ids if each in parents]
    for each in found:  # grows while it is walked
        found += [child for child, parent in parents.items() if parent == each]
    return found


def cpu_seconds(process_ids: list[int]) -> float:
    """User and system time of the processes and their descendants, those that have ended included."""
    total = 0
    for each in family(process_ids):
        with contextlib.suppress(OSError):
            total += sum(int(ticks) for ticks in _stat(each)[11:15])
    return total / TICKS


def until_idle(process_ids: list[int], *, limit: float = 900.0) -> float:
    """Return when the processes have done next to nothing for a while. The CPU seconds that they used until then."""
    began, used = time.monotonic(), cpu_seconds(process_ids)
    while time.monotonic() - began < limit:
        before = cpu_seconds(process_ids)
        time.sleep(IDLE_SECONDS)
        if cpu_seconds(process_ids) - before < IDLE_SHARE * IDLE_SECONDS:
            return before - used
    raise RuntimeError(f"The gateway was still at work after {limit:.0f} s.")


def memory_mib(process_ids: list[int]) -> float:
    """Resident memory of the processes and their descendants, shared pages split among those that share them."""
    total = 0
    for each in family(process_ids):
        with contextlib.suppress(OSError):
            rollup = Path(f"/proc/{each}/smaps_rollup").read_text()
            total += next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
    return total / 1024


def _stat(process_id: int) -> list[str]:
    """Fields of /proc/PID/stat from the state on: the name before it may hold spaces."""
    return Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Used:
    """CPU seconds used until one moment."""

    gateway: float
    far: float
    machine: float

    @classmethod
    def now(cls, around: Bench, gateway: Gateway) -> "_Used":
        user, nice, system, _, _, irq, softirq, *_ = (
            int(ticks) for ticks in Path("/proc/stat").read_text().splitlines()[0].split()[1:]
        )
        return cls(
            gateway=cpu_seconds(gateway.process_ids),
            far=far_seconds(around),
            machine=(user + nice + system + irq + softirq) / TICKS,
        )

    def others(self, before: "_Used") -> float:
        """What neither the gateway nor the far end has used since `before`."""
        return (self.machine - before.machine) - (self.gateway - before.gateway) - (self.far - before.far)


def far_seconds(around: Bench) -> float:
    """CPU seconds that the message centre and the sink have used until now."""
    return cpu_seconds([around.smsc.process.pid, around.sink.process.pid])


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# ── one run ──────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True, kw_only=True)
class Run:
    """What one run showed. Rates are messages a second, latencies milliseconds, CPU microseconds a message."""

    rate: float  # messages that reached the other end, in the measured time
    accepted: float = 0.0  # messages the front said yes to, in the same time
    cpu_us: float = 0.0  # all processes of the gateway
    p50_ms: float | None = None  # of the request
    p99_ms: float | None = None
    end_p50_ms: float | None = None  # from the request to the other end
    end_p99_ms: float | None = None
    drain_s: float = 0.0  # the queue it left behind
    lost: int = 0
    errors: int = 0
    first_error: str = ""
    memory_mib: float = 0.0
    load_cpu: float | None = None  # cores, of the load generator, where there is one beside the far end
    far_cpu: float | None = None  # cores, of the message centre and the sink
    other_cpu: float | None = None  # cores, of everything else on this machine: a quiet one has none


_sequence = 0  # recipients are never used twice


def outbound(
    around: Bench, gateway: Gateway, *, seconds: float, warmup: float, kind: str = "single", rate: float = 0, connections: int = 64
) -> Run:
    """Load on the front for `seconds`; the far end is the message centre."""
    smsc = around.smsc
    smsc.tell(f"receipts {'on' if kind == 'receipts' else 'off'}")
    smsc.tell("reset")
    load = start_load(gateway, kind, "--seconds", seconds, "--warmup", warmup, "--connections", connections, "--rate", rate)
    first = _sequence
    load.answer()  # the warm-up is over
    before = _Used.now(around, gateway)
    told = load.answer()
    after = _Used.now(around, gateway)
    finished(load, told)
    memory = memory_mib(gateway.process_ids)
    report, drain_s = _drained(smsc, "receipts_acked" if kind == "receipts" else "submitted")
    began, ended = _steps(report, told)
    span_s = (ended - began) * STEP_SECONDS
    submits = report["submit_steps"]
    rate_seen = sum(submits[began:ended]) / span_s
    if kind == "receipts":
        rate_seen = min(rate_seen, sum(report["receipt_steps"][began:ended]) / span_s)
    carried = sum(submits[began:])
    missing = told["sequence"] - first - connections - report["submitted"]
    return Run(
        rate=rate_seen,
        accepted=told["rate"],
        cpu_us=(cpu_seconds(gateway.process_ids) - before.gateway) * 1e6 / max(carried, 1),
        p50_ms=told["p50_ms"],
        p99_ms=told["p99_ms"],
        end_p50_ms=report["p50_ms"],
        end_p99_ms=report["p99_ms"],
        drain_s=drain_s,
        lost=max(0, missing) if not told["errors"] else 0,
        errors=told["errors"],
        first_error=told["first_error"],
        memory_mib=memory,
        load_cpu=told["cpu_share"],
        far_cpu=(after.far - before.far) / span_s,
        other_cpu=max(0.0, after.others(before) / span_s - told["cpu_share"]),
    )


def batches(around: Bench, gateway: Gateway, *, requests: int, recipients: int, connections: int = 4) -> Run:
    """So many calls with so many recipients each; the rate is that until the last of them reached the message centre."""
    smsc = around.smsc
    smsc.tell("receipts off")
    smsc.tell("reset")
    cpu_before, far_before = cpu_seconds(gateway.process_ids), far_seconds(around)
    load = start_load(
        gateway, "batch", "--requests", requests, "--recipients", recipients, "--connections", connections,
        "--warmup", 0, "--seconds", 600,
    )
    began_us = load.answer()["measuring"]
    told = load.answer()
    finished(load, told)
    memory = memory_mib(gateway.process_ids)
    report, drain_s = _drained(smsc, "submitted")
    count, span_s = report["submitted"], (report["last_us"] - began_us) / 1e6
    return Run(
        rate=count / span_s if count else 0.0,
        accepted=told["rate"] * recipients,
        cpu_us=(cpu_seconds(gateway.process_ids) - cpu_before) * 1e6 / max(count, 1),
        p50_ms=told["p50_ms"],
        p99_ms=told["p99_ms"],
        end_p50_ms=report["p50_ms"],
        end_p99_ms=report["p99_ms"],
        drain_s=drain_s,
        lost=max(0, requests * recipients - count),
        errors=told["errors"],
        first_error=told["first_error"],
        memory_mib=memory,
        load_cpu=told["cpu_share"],
        far_cpu=(far_seconds(around) - far_before) / span_s if count else None,
    )


def inbound(around: Bench, gateway: Gateway, *, count: int) -> Run:
    """`count` texts from the message centre as fast as they are acknowledged; the far end is the webhook sink."""
    smsc, sink = around.smsc, around.sink
    smsc.tell("reset")
    sink.tell("reset")
    before, began_us = _Used.now(around, gateway), time.monotonic_ns() // 1000
    smsc.tell(f"inbound {count} {SENDER.lstrip('+')}")
    report, _ = _drained(sink, "count", wanted=count)
    after, took_s = _Used.now(around, gateway), (time.monotonic_ns() // 1000 - began_us) / 1e6
    acks = smsc.report()
    span_s = (report["last_us"] - began_us) / 1e6
    steps = acks["deliver_steps"]
    acked_s = (max((n for n, count in enumerate(steps) if count), default=-1) + 1) * STEP_SECONDS
    return Run(
        rate=report["count"] / span_s if report["count"] else 0.0,
        accepted=sum(steps) / acked_s if acked_s else 0.0,
        cpu_us=(after.gateway - before.gateway) * 1e6 / max(report["count"], 1),
        p50_ms=acks["acks"]["p50_ms"],
        p99_ms=acks["acks"]["p99_ms"],
        end_p50_ms=report["p50_ms"],
        end_p99_ms=report["p99_ms"],
        drain_s=max(0.0, span_s - acked_s),
        lost=max(0, count - report["count"]),
        errors=acks["refused"],
        memory_mib=memory_mib(gateway.process_ids),
        far_cpu=(after.far - before.far) / took_s,
        other_cpu=max(0.0, after.others(before) / took_s),
    )


def plain(port: int, *, seconds: float, process_ids: list[int], connections: int = 64) -> Run:
    """Load on a server that only answers: what HTTP alone costs."""
    load = Program(
        "load", "--port", port, "--mode", "post", "--path", "/", "--seconds", seconds, "--warmup", 1,
        "--connections", connections, listens=False,
    )
    load.answer()
    cpu_before = cpu_seconds(process_ids)
    told = load.answer()
    cpu = cpu_seconds(process_ids) - cpu_before
    finished(load, told)
    return Run(
        rate=told["rate"], accepted=told["rate"], cpu_us=cpu * 1e6 / max(told["count"], 1), p50_ms=told["p50_ms"],
        p99_ms=told["p99_ms"], errors=told["errors"], first_error=told["first_error"], load_cpu=told["cpu_share"],
    )


def start_load(gateway: Gateway, kind: str, *options: object) -> Program:
    return Program("load", *gateway.load(kind), "--first", _sequence, *options, listens=False)


def finished(load: Program, told: dict[str, Any]) -> None:
    global _sequence
    _sequence = max(_sequence, told["sequence"])
    load.process.wait(timeout=10)


def _steps(report: dict[str, Any], told: dict[str, Any]) -> tuple[int, int]:
    """The measured time as steps of the far end's counts."""
    began = round((told["began_us"] - report["began_us"]) / 1e6 / STEP_SECONDS)
    ended = round((told["ended_us"] - report["began_us"]) / 1e6 / STEP_SECONDS)
    return began, ended


def _drained(program: Program, what: str, *, wanted: int = 0) -> tuple[dict[str, Any], float]:
    """The report, once `what` has reached `wanted` or grows no more; and how long after the load the last one came."""
    began_us = time.monotonic_ns() // 1000
    seen, grew_at = -1, time.monotonic()
    while True:
        report = program.report()
        if report[what] > seen:
            seen, grew_at = report[what], time.monotonic()
        idle = time.monotonic() - grew_at
        if (wanted and seen >= wanted) or idle > (QUIET_SECONDS if not wanted else 10 * QUIET_SECONDS):
            return report, max(0.0, (report["last_us"] - began_us) / 1e6)
        if time.monotonic() - began_us / 1e6 > DRAIN_SECONDS:
            return report, DRAIN_SECONDS
        time.sleep(STEP_SECONDS)


# ── many runs ────────────────────────────────────────────────────────────────────────────────────────────


def summary(runs: list[Run], name: str) -> dict[str, float | None]:
    """Median, least and most of one figure over the runs that have it."""
    values = [value for run in runs if (value := getattr(run, name)) is not None]
    if not values:
        return {"median": None, "min": None, "max": None}
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}
