"""The table of figures against goals, for the terminal and for docs/performance.md."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Result = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line: what it says, its number from a result (None: not measured), and its goals."""

    id: str
    says: str
    ours: Callable[[Result], str | None]
    peer: Callable[[Result], str | None]
    value: Callable[[Result], float | None]
    unit: str  # of `value`
    goal: float
    later: float | None
    at_least: bool  # else at most

    def is_met(self, value: float) -> bool:
        return value >= self.goal if self.at_least else value <= self.goal


def _series(result: Result, figure: str, series: str, name: str = "rate", which: str = "median") -> float | None:
    found: dict[str, float | None] | None = result["series"].get(figure, {}).get(series, {}).get(name)
    return None if found is None else found[which]


def _fact(result: Result, *path: str) -> float | None:
    at: Any = result["facts"]
    for name in path:
        at = at.get(name) if isinstance(at, dict) else None
    value: float | None = at
    return value


def _shown(figure: str, series: str, name: str = "rate", unit: str = "/s") -> Callable[[Result], str | None]:
    def show(result: Result) -> str | None:
        median = _series(result, figure, series, name)
        if median is None:
            return None
        low, high = _series(result, figure, series, name, "min"), _series(result, figure, series, name, "max")
        return f"{median:,.0f}{unit} ({low:,.0f}–{high:,.0f})"

    return show


def _ratio(ours: tuple[str, str], peer: tuple[str, str]) -> Callable[[Result], float | None]:
    def ratio(result: Result) -> float | None:
        a, b = _series(result, *ours), _series(result, *peer)
        return a / b if a is not None and b else None

    return ratio


def _measured(*path: str, unit: str) -> Callable[[Result], str | None]:
    def show(result: Result) -> str | None:
        value, count = _fact(result, *path), _fact(result, *path[:-1], "count")
        return None if value is None else f"{value:,.1f}{unit}" + (f" (of {count:,.0f})" if count else "")

    return show


def _of_rows(figure: str) -> Callable[[Result], str | None]:
    """One measurement, and of how many rows it was."""

    def show(result: Result) -> str | None:
        seconds, rows = _fact(result, figure, "seconds"), _fact(result, figure, "rows")
        return None if seconds is None or rows is None else f"{seconds:,.1f} s for {rows:,.0f} rows"

    return show


def _starts(name: str) -> Callable[[Result], str | None]:
    def show(result: Result) -> str | None:
        median, low, high = (_fact(result, name, which) for which in ("median", "min", "max"))
        return None if median is None else f"{median:.2f} s ({low:.2f}–{high:.2f})"

    return show


def _nothing(result: Result) -> None:
    return None


FIGURES = (
    Figure(
        id="F1", says="one message a request, 64 clients, to `submit_sm`", unit="×", goal=1.3, later=2.0, at_least=True,
        ours=_shown("F1", "Stopwire"), peer=_shown("F1", "Kannel"), value=_ratio(("F1", "Stopwire"), ("F1", "Kannel")),
    ),
    Figure(
        id="F2", says="the same, with a delivery report for each", unit="×", goal=4, later=6, at_least=True,
        ours=_shown("F2", "Stopwire"), peer=_shown("F2", "Kannel"), value=_ratio(("F2", "Stopwire"), ("F2", "Kannel")),
    ),
    Figure(
        id="F3", says="1,000 recipients a call, to `submit_sm`; the peer as in F1", unit="×", goal=2, later=4, at_least=True,
        ours=_shown("F3", "Stopwire"), peer=_shown("F1", "Kannel"), value=_ratio(("F3", "Stopwire"), ("F1", "Kannel")),
    ),
    Figure(
        id="F4", says="inbound text to webhook", unit="×", goal=1, later=1.5, at_least=True,
        ours=_shown("F4", "Stopwire"), peer=_shown("F4", "Kannel"), value=_ratio(("F4", "Stopwire"), ("F4", "Kannel")),
    ),
    Figure(
        id="F5", says="CPU a message in F1, all processes", unit=" µs", goal=300, later=220, at_least=False,
        ours=_shown("F1", "Stopwire", "cpu_us", " µs"), peer=_shown("F1", "Kannel", "cpu_us", " µs"),
        value=lambda result: _series(result, "F1", "Stopwire", "cpu_us"),
    ),
    Figure(
        id="F6", says="p99 of a request at half of the greatest rate", unit=" ms", goal=25, later=10, at_least=False,
        ours=_shown("F6", "Stopwire", "p99_ms", " ms"), peer=_shown("F6", "Kannel", "p99_ms", " ms"),
        value=lambda result: _series(result, "F6", "Stopwire", "p99_ms"),
    ),
    Figure(
        id="F7", says="STOP to the last accepted send to its writer, p99, under F1's load", unit=" ms", goal=50, later=15, at_least=False,
        ours=_measured("F7", "refused_ms", "p99", unit=" ms"), peer=_nothing, value=lambda result: _fact(result, "F7", "refused_ms", "p99"),
    ),
    Figure(
        id="F8", says="CPU a message with a long past, against a short one", unit="×", goal=1.15, later=1.05, at_least=False,
        ours=_shown("F8", "long past", "cpu_us", " µs"), peer=_nothing,
        value=lambda result: _quotient(_series(result, "F8", "long past", "cpu_us"), _series(result, "F8", "short past", "cpu_us")),
    ),
    Figure(
        id="F9", says="import of a block list, for each million rows", unit=" s", goal=60, later=20, at_least=False,
        ours=_of_rows("F9"), peer=_nothing, value=lambda result: _per_million(result, "F9"),
    ),
    Figure(
        id="F10", says="export of the block list, for each million rows", unit=" s", goal=15, later=5, at_least=False,
        ours=_of_rows("F10"), peer=_nothing, value=lambda result: _per_million(result, "F10"),
    ),
    Figure(
        id="F11", says="`stopwire up` until ready, empty", unit=" s", goal=1.5, later=None, at_least=False,
        ours=_starts("F11"), peer=_nothing, value=lambda result: _fact(result, "F11", "median"),
    ),
    Figure(
        id="F11", says="the same with a long past", unit=" s", goal=2, later=None, at_least=False,
        ours=_starts("F11 long"), peer=_nothing, value=lambda result: _fact(result, "F11 long", "median"),
    ),
    Figure(
        id="F12", says="memory of the one process under F1's load", unit=" MiB", goal=200, later=120, at_least=False,
        ours=_shown("F1", "Stopwire, one process", "memory_mib", " MiB"), peer=_shown("F1", "Kannel", "memory_mib", " MiB"),
        value=lambda result: _series(result, "F1", "Stopwire, one process", "memory_mib"),
    ),
)  # fmt: skip


def _quotient(a: float | None, b: float | None) -> float | None:
    return a / b if a is not None and b else None


def _per_million(result: Result, figure: str) -> float | None:
    seconds, rows = _fact(result, figure, "seconds"), _fact(result, figure, "rows")
    return seconds * 1e6 / rows if seconds is not None and rows else None


def table(result: Result) -> str:
    """The figures that were measured, as a Markdown table."""
    lines = ["| # | work | Stopwire | Kannel | figure | goal | later | met |", "|---|---|---|---|---|---|---|---|"]
    for figure in FIGURES:
        value = figure.value(result)
        ours, peer = figure.ours(result), figure.peer(result)
        if value is None and ours is None:
            continue
        sign = "≥" if figure.at_least else "≤"
        later = "" if figure.later is None else f"{sign} {figure.later:g}{figure.unit}"
        shown, met = "", ""
        if value is not None:
            shown = f"{value:.2f}{figure.unit}" if value < 10 else f"{value:,.0f}{figure.unit}"
            met = "yes" if figure.is_met(value) else "**no**"
        cells = (figure.id, figure.says, ours or "–", peer or "–", shown, f"{sign} {figure.goal:g}{figure.unit}", later, met)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def details(result: Result) -> str:
    """Every series with its median, as a Markdown table."""
    lines = [
        "| figure | measured | runs | messages/s | accepted/s | CPU µs a message | request p50 / p99 ms | end to end p50 / p99 ms "
        "| queue left, s | memory MiB | lost | errors | CPU of load + far end | CPU of others |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for figure, series in result["series"].items():
        for name, run in series.items():
            m = {key: value["median"] for key, value in run.items() if isinstance(value, dict)}
            cells = (
                figure, name, str(run["runs"]), f"{m['rate']:,.0f}", f"{m['accepted']:,.0f}", f"{m['cpu_us']:.0f}",
                f"{_number(m['p50_ms'])} / {_number(m['p99_ms'])}", f"{_number(m['end_p50_ms'])} / {_number(m['end_p99_ms'])}",
                f"{m['drain_s']:.1f}", f"{m['memory_mib']:.0f}", f"{run['lost']['max']:.0f}", f"{run['errors']['max']:.0f}",
                _cores(m["load_cpu"], m["far_cpu"], measured=m["far_cpu"] is not None), _number(m["other_cpu"]),
            )  # fmt: skip
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def limits(result: Result) -> str:
    """How far the runs of F1 lie apart, and why each goal that is not met is not."""
    spreads = {name: _spread(result, "F1", name) for name in ("Kannel", "Stopwire")}
    pieces = []
    if all(spreads.values()):
        told = " and ".join(f"{name}'s by a factor of {spread:.1f}" for name, spread in spreads.items())
        pieces.append(
            f"The rates of F1 lie apart from run to run on the same machine: {told}.\n"
            "Kannel's lean on what the disk does with files that are not synced, and a ratio of medians leans on that too."
        )
    if hours := result["facts"].get("F1 in other hours"):
        told = "; ".join(f"{each['Kannel']:,} and {each['Stopwire']:,}/s" for each in hours)
        pieces.append(f"In other hours on the same machine the medians of F1, Kannel's and Stopwire's, were {told}.")
    missed = dict.fromkeys(figure.id for figure in FIGURES if (value := figure.value(result)) is not None and not figure.is_met(value))
    if missed:
        pieces.append("Where a goal is not met, this is why:")
        pieces.append("\n".join(REASONS.get(each, f"- **{each}.** Nobody has looked yet.") for each in missed))
    return "\n\n".join(pieces)


def _spread(result: Result, figure: str, series: str) -> float | None:
    low, high = _series(result, figure, series, "rate", "min"), _series(result, figure, series, "rate", "max")
    return high / low if low and high else None


def floors(result: Result) -> str:
    found = result["facts"].get("floors")
    if not found:
        return ""
    says = {
        "http": "the HTTP server with an empty handler",
        "insert": "a row of the table of messages, 64 to a commit, each commit on the disk",
        "codec": "one `submit_sm` written and its answer read",
    }
    lines = ["| floor | a second | CPU µs each |", "|---|---|---|"]
    lines += [f"| {says[name]} | {each['rate']:,.0f} | {each['cpu_us']:.0f} |" for name, each in found.items()]
    return "\n".join(lines)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f}" if value >= 10 else f"{value:.1f}"


def _cores(*shares: float | None, measured: bool) -> str:
    return f"{sum(share or 0 for share in shares):.2f}" if measured else "–"


def document(result: Result) -> str:
    """The page for docs/."""
    machine, versions, options = result["machine"], result["versions"], result["options"]
    return TEMPLATE.format(
        table=table(result), details=details(result), floors=floors(result), limits=limits(result), at=result["at"][:10], **machine, **versions,
        runs=options["runs"], seconds=options["seconds"], window=options["window"], workers=options["workers"],
        past=f"{options['past']:,}",
    )  # fmt: skip


# Why a goal is not met, in the words of whoever looked last. Printed while it is not; to be looked at again when that changes.
REASONS = {
    "F9": """\
- **F9, import of a block list.** Each row is an event of the sealed ledger, a block and a result, kept by the same writer that
  keeps the messages beside it: the first hundred thousand take six seconds, and each costs more as four indexes grow in which
  it has a place of chance. What was tried: reading the next piece while one is kept, rows in place of objects, one key for a
  list of seals, a larger page cache, which gained nothing. What would meet it: indexes filled after the rows.""",
}


TEMPLATE = """\
# Performance

<!-- Made by `python bench/run.py --publish` from bench/results.json. -->

Stopwire beside [Kannel](https://www.kannel.org/) {kannel}, on the same machine and in the same hour: each run of the one
is followed by a run of the other. Figures are medians, least and most in brackets; F7 is the p99 of one run, F9 and F10 are one
measurement each, set against the goal as if a million rows went at the same pace.

Measured on {at}: {cores} cores of {processor}, {system}, Python {python}, SQLite {sqlite}, Stopwire {stopwire}; {runs} runs
of {seconds:g} s after a warm-up, 64 keep-alive clients, an SMPP window of {window}, {workers} door process(es). A long past
is {past} blocks and as many messages.

{table}

What the two promise differs. Stopwire checks every message against the block list and commits it, synced to the disk,
before it says yes; it records each attempt before it is made, and each answer. Kannel keeps its spool in files that are
not synced: they outlive a crash of the program, not of the machine. Nobody's opt-out is looked at there.

## All series

{details}

A rate is what reached the far end in the measured time; *accepted* is what the front said yes to meanwhile. Where the
second is greater a queue grows, and the time end to end shows it. CPU is that of all processes of the gateway, per
message. Load generator and far end are small C programs on the same machine; their own use is shown where it was
measured, in cores, and so is what everything else used: on a quiet machine nothing.

## What sets the limits

{limits}

## Floors

What none of it can go below here, measured in the same hour:

{floors}

## Repeat it

```sh
apt-get install kannel gcc
make bench          # all figures, about an hour; writes bench/results.json
make bench-quick    # one short run of most, about two minutes; writes nothing
```

`bench/README.md` tells what each figure measures, and how.
"""
