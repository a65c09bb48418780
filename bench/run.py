"""Measure Stopwire beside Kannel, and say how it stands against the goals: `python bench/run.py`, or `make bench`.

Writes results.json; `--publish` writes docs/performance.md from it. What is measured, and how, is in README.md.
"""

import argparse
import contextlib
import dataclasses
import json
import math
import os
import platform
import sqlite3
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import fill
import floors
import gateway
import kannel
import page
import parts
import stops
from parts import HERE, Bench, Run, outbound, summary

RESULTS = HERE / "results.json"
PAGE = HERE.parent / "docs" / "performance.md"
FIGURES = ("F1", "F2", "F3", "F4", "F6", "F7", "F8", "F9", "F11", "F12", "floors")
TOGETHER = {"F5": "F1", "F10": "F9"}  # measured by one
SENDS_BESIDE = 100  # a second, while a block list comes in
QUICK = ("F1", "F2", "F3", "F4", "F6", "F7", "F11", "F12")


class Measurement:
    """All runs of one invocation, by figure and by what was measured."""

    def __init__(self, around: Bench, options: argparse.Namespace) -> None:
        self.around, self.options = around, options
        self.runs: defaultdict[str, defaultdict[str, list[Run]]] = defaultdict(lambda: defaultdict(list))
        self.facts: dict[str, Any] = {}
        self.began = time.monotonic()

    def stopwire(self, *, workers: int | None = None, data_dir: Path | None = None) -> Any:
        chosen = self.options.workers if workers is None else workers
        return gateway.running(self.around, workers=chosen, window=self.options.window, data_dir=data_dir)

    def kannel(self, store: str = "spool") -> Any:
        return kannel.running(self.around, store=store, window=self.options.window)

    def one(self, figure: str, series: str, work: Callable[[], Run]) -> None:
        run = work()
        self.runs[figure][series].append(run)
        shown = f"{run.rate:7,.0f}/s  {run.cpu_us:5.0f} us  p99 {_ms(run.p99_ms)}  end to end {_ms(run.end_p99_ms)}  drain {run.drain_s:.1f} s"
        faults = f"  LOST {run.lost}" * bool(run.lost) + f"  ERRORS {run.errors} {run.first_error[:200]}" * bool(run.errors)
        print(f"[{time.monotonic() - self.began:5.0f} s] {figure:6} {series:28} {shown}  others {_cores(run.other_cpu)}{faults}", flush=True)

    def rounds(self, figure: str, series: dict[str, Callable[[], Run]]) -> None:
        """Each series once, then each again: what the machine does meanwhile befalls all of them."""
        for _ in range(self.options.runs):
            for name, work in series.items():
                self.one(figure, name, work)

    def load(self, start: Callable[[], Any], **how: Any) -> Callable[[], Run]:
        """A run of outbound load on a gateway started for it alone."""

        def work() -> Run:
            with start() as running:
                return outbound(self.around, running, seconds=self.options.seconds, warmup=self.options.warmup, **how)

        return work

    def median(self, figure: str, series: str, name: str = "rate") -> float | None:
        return summary(self.runs[figure][series], name)["median"]

    # ── the figures ──────────────────────────────────────────────────────────────────────────────────

    def f1(self) -> None:
        self.rounds("F1", {**self._peer(self.load(self.kannel)), "Stopwire": self.load(self.stopwire)})
        if self.options.runs > 1:
            self.rounds("F1", {"Stopwire, one process": self.load(partial(self.stopwire, workers=0))})

    def f2(self) -> None:
        self.rounds(
            "F2",
            {**self._peer(self.load(self.kannel, kind="receipts")), "Stopwire": self.load(self.stopwire, kind="receipts")},
        )

    def f3(self) -> None:
        def work() -> Run:
            with self.stopwire() as running:
                parts.batches(self.around, running, requests=2, recipients=500)
                return parts.batches(self.around, running, requests=self.options.batches, recipients=1000)

        self.rounds("F3", {"Stopwire": work})

    def f4(self) -> None:
        def of(start: Callable[[], Any]) -> Callable[[], Run]:
            def work() -> Run:
                with start() as running:
                    parts.inbound(self.around, running, count=200)
                    return parts.inbound(self.around, running, count=self.options.inbound)

            return work

        self.rounds("F4", {**self._peer(of(self.kannel)), "Stopwire": of(self.stopwire)})

    def f6(self) -> None:
        half = {name: (self.median("F1", name) or 1000.0) / 2 for name in ("Kannel", "Stopwire")}
        self.facts["F6"] = {"rates": half}
        self.rounds(
            "F6",
            {
                **self._peer(self.load(self.kannel, rate=half["Kannel"])),
                "Stopwire": self.load(self.stopwire, rate=half["Stopwire"]),
            },
        )

    def f7(self) -> None:
        with self.stopwire() as running:
            told = stops.measure(self.around, running, count=self.options.stops)
        self.facts["F7"] = {name: _percentiles(told[name]) for name in ("refused_ms", "acked_ms")} | {"rate": told["rate"]}
        print(f"F7     {self.facts['F7']}", flush=True)

    def f8(self) -> None:
        """The same load on a short past and on a long one."""
        size = {"short past": 10_000, "long past": self.options.past}
        data = {name: (self.options.pasts or self.around.folder) / name.replace(" ", "-") for name in size}
        for name, folder in data.items():
            if folder.exists():
                continue  # kept by an invocation before this one
            with self.stopwire(data_dir=folder) as running:
                outbound(self.around, running, seconds=1, warmup=0.5)
            fill.messages(folder / "data", size[name])
            fill.blocks(folder / "data", size[name])
            with self.stopwire(data_dir=folder) as running:  # what came in behind its back is counted into the figures first
                self.facts.setdefault("F8 catching up", {})[name] = parts.until_idle(running.process_ids)
            print(f"[{time.monotonic() - self.began:5.0f} s] F8     {size[name]:,} messages and as many blocks are there", flush=True)
        self.rounds("F8", {name: self.load(partial(self.stopwire, data_dir=folder)) for name, folder in data.items()})
        self.facts["F8"] = {"rows": size}
        self.facts["F11 long"] = self._starts(data["long past"])

    def f9(self) -> None:
        """A block list in, while sends go on, and out again; the import's rows and those of the export are the same."""
        with self.stopwire() as running:
            load = parts.start_load(running, "single", "--rate", SENDS_BESIDE, "--seconds", 36_000, "--warmup", 1)
            load.answer()
            try:
                self.facts["F9"] = fill.import_blocks(running, self.options.blocks)
            finally:
                load.process.terminate()
                told = load.answer()
                parts.finished(load, told)
            self.facts["F9"]["sends"] = {name: told[name] for name in ("rate", "p50_ms", "p99_ms", "errors")}
            before = parts.memory_mib(running.process_ids)
            self.facts["F10"] = fill.export_blocks(running)
            self.facts["F10"]["memory_grew_mib"] = parts.memory_mib(running.process_ids) - before
        print(f"F9     {self.facts['F9']}\nF10    {self.facts['F10']}", flush=True)

    def f11(self) -> None:
        self.facts["F11"] = self._starts(None)

    def f12(self) -> None:
        if "Stopwire, one process" not in self.runs["F1"]:
            self.one("F1", "Stopwire, one process", self.load(partial(self.stopwire, workers=0)))

    def floors(self) -> None:
        port = parts.free_port()
        server = subprocess.Popen([sys.executable, str(HERE / "floors.py"), str(port)])
        try:
            _until_open(port)
            run = parts.plain(port, seconds=min(5.0, self.options.seconds), process_ids=[server.pid])
        finally:
            server.terminate()
            server.wait(timeout=10)
        self.facts["floors"] = {
            "http": {"rate": run.rate, "cpu_us": run.cpu_us},
            "insert": floors.insert(self.around.folder / "floor"),
            "codec": floors.codec(),
        }
        print(f"floors {self.facts['floors']}", flush=True)

    def _starts(self, folder: Path | None) -> dict[str, float]:
        """Seconds from `stopwire up` until it is ready, of starts after clean stops."""
        seconds = []
        for n in range(max(3, self.options.runs)):
            with gateway.started(folder or self.around.folder / f"empty-{n}", workers=0) as running:
                seconds.append(running.ready_seconds)
        told = {"median": sorted(seconds)[len(seconds) // 2], "min": min(seconds), "max": max(seconds)}
        print(f"F11    {told}", flush=True)
        return told

    def _peer(self, work: Callable[[], Run]) -> dict[str, Callable[[], Run]]:
        return {} if self.options.no_kannel else {"Kannel": work}

    def result(self) -> dict[str, Any]:
        return {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": _machine(),
            "versions": {
                "kannel": kannel.version(),
                "python": platform.python_version(),
                "sqlite": sqlite3.sqlite_version,
                "stopwire": _stopwire_version(),
            },
            "options": {name: value for name, value in vars(self.options).items() if name not in ("publish", "disk", "only", "pasts", "results")},
            "series": {
                figure: {name: {f.name: summary(runs, f.name) for f in _numbers()} | {"runs": len(runs)} for name, runs in series.items()}
                for figure, series in self.runs.items()
            },
            "facts": self.facts,
        }  # fmt: skip


def _numbers() -> list["dataclasses.Field[Any]"]:
    return [f for f in dataclasses.fields(Run) if f.name != "first_error"]


def _ms(value: float | None) -> str:
    return "     -" if value is None else f"{value:6.0f}"


def _cores(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _percentiles(values: list[float]) -> dict[str, float]:
    values = sorted(values)
    return {"p50": values[len(values) // 2], "p99": values[math.ceil(len(values) * 0.99) - 1], "max": values[-1], "count": len(values)}


def _until_open(port: int) -> None:
    import socket

    for _ in range(500):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.02)
    raise RuntimeError("The empty server did not start.")


def _machine() -> dict[str, Any]:
    names = [line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return {"cores": os.cpu_count(), "processor": names[0] if names else platform.machine(), "system": f"{platform.system()} {platform.release()}"}


def _stopwire_version() -> str:
    from stopwire import __version__

    return __version__


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one short run of most figures; nothing is written")
    parser.add_argument("--full", action="store_true", help="a past of ten million blocks and messages in place of one million")
    parser.add_argument("--only", default="", metavar="F1,F4", help="these figures only")
    parser.add_argument("--no-kannel", action="store_true", help="without the peer")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=10.0, help="of one run, after its warm-up")
    parser.add_argument("--warmup", type=float, default=3.0)
    parser.add_argument("--workers", type=int, default=1, help="door processes of Stopwire")
    parser.add_argument("--window", type=int, default=10, help="SMPP window of both gateways, in both directions")
    parser.add_argument("--disk", type=Path, default=Path("/var/tmp"), help="folder on the disk to be measured")
    parser.add_argument("--past", type=int, default=0, help="blocks and messages of the long past")
    parser.add_argument("--pasts", type=Path, help="folder that keeps F8's two pasts for another run, and has them if there was one")
    parser.add_argument("--blocks", type=int, default=0, help="rows of the block list that is imported and exported")
    parser.add_argument("--results", type=Path, help="file of results, in place of results.json")
    parser.add_argument("--publish", action="store_true", help="write docs/performance.md from results.json, and measure nothing")
    options = parser.parse_args()
    if options.quick:
        options.runs, options.seconds, options.warmup = 1, 3.0, 1.0
    options.batches, options.inbound, options.stops = (15, 5_000, 40) if options.quick else (60, 25_000, 300)
    options.blocks = options.blocks or (10_000 if options.quick else 1_000_000)
    options.past = options.past or (10_000_000 if options.full else 1_000_000)
    return options


def main() -> int:
    options = _options()
    if options.publish:
        PAGE.write_text(page.document(json.loads((options.results or RESULTS).read_text())))
        return 0
    if not options.no_kannel and kannel.version() is None:
        raise SystemExit("There is no Kannel here: install it (on Debian: apt-get install kannel), or give --no-kannel.")
    wanted = options.only.split(",") if options.only else QUICK if options.quick else FIGURES
    with parts.bench(options.disk, smsc_window=options.window) as around:
        measurement = Measurement(around, options)
        for figure in dict.fromkeys(TOGETHER.get(figure, figure) for figure in wanted):
            getattr(measurement, figure.lower())()
        result = measurement.result()
    print()
    print(page.table(result))
    target = options.results or (None if options.quick or options.only else RESULTS)
    if target is not None:
        target.write_text(json.dumps(result, indent=1) + "\n")
        print(f"\nWritten to {target}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
