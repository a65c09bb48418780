"""Write the generated pages of docs/: `python tools/docs.py`, or `--check` to see whether they are fresh.

What the code knows is not written twice. Whole pages come from the code; in some pages only the table between two marks.
"""

import argparse
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, cast

from stopwire.api import app as api
from stopwire.config import reference
from stopwire.core.alerts import SPECS, figure
from stopwire.core.errors import CATALOGUE, UNSAID, Entry
from stopwire.core.handsets import HANDSETS, ORDINARY
from stopwire.core.policy import (
    DEFAULT_HELP_REPLY,
    DEFAULT_HELP_WORDS,
    DEFAULT_START_REPLY,
    DEFAULT_START_WORDS,
    DEFAULT_STOP_REPLY,
    DEFAULT_STOP_WORDS,
)
from stopwire.core.retry import WEBHOOK_DELAYS
from stopwire.ports.house import House
from stopwire.ports.http import PrivateTargets
from stopwire.ports.world import Choices
from stopwire.twilio_api import app as twilio_api
from stopwire.twilio_api import registrations

DOCS = Path(__file__).parents[1] / "docs"
_MARKED = "<!-- {name}: made by tools/docs.py -->"


class _NoHouse:
    """Enough of a House to ask a door which routes it has; nothing is called."""

    choices = Choices(public_url="http://127.0.0.1:7867", private_webhooks=PrivateTargets.NONE)


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """A Markdown table."""
    titles = list(head)
    lines = [titles, ["---"] * len(titles), *([str(cell).replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def errors() -> str:
    """The whole catalogue: what requests are answered with, how messages and webhooks end, and what is never said."""
    entries = sorted(CATALOGUE.values(), key=lambda entry: entry.code)
    parts: tuple[tuple[str, str, Callable[[Entry], bool]], ...] = (
        (
            "Answers to requests",
            "An HTTP status, and the four keys `code`, `message`, `more_info` and `status`.",
            lambda entry: entry.status is not None and entry.code not in UNSAID,
        ),
        (
            "Ends of messages",
            "A message ended `failed` or `undelivered`; the code is its `error_code`.",
            lambda entry: entry.status is None and 30000 <= entry.code < 40000,
        ),
        (
            "Webhooks and TwiML",
            "Calling your server, or reading its answer, met this. It stands with the delivery, and is the `ErrorCode` that "
            "a fallback URL is told.",
            lambda entry: entry.status is None and not 30000 <= entry.code < 40000,
        ),
    )
    page = [
        "# Errors",
        "This page is generated from the catalogue in the code. Codes and texts are those of Twilio's public error "
        "dictionary, since programs match on them.",
    ]
    for heading, what, belongs in parts:
        with_status = heading == "Answers to requests"
        rows = [
            (f"`{e.code}`", *((e.status,) if with_status else ()), e.title, e.cause, e.cure) for e in entries if belongs(e)
        ]
        page += [f"## {heading}", what, table(("code", *(("status",) if with_status else ()), "title", "cause", "cure"), rows)]
    unsaid = [(f"`{code}`", CATALOGUE[code].title, instead) for code, instead in sorted(UNSAID.items())]
    page += ["## Never answered", "These are in the dictionary, and no request is answered with them here."]
    page.append(table(("code", "title", "instead"), unsaid))
    return "\n\n".join(part.rstrip("\n") for part in page) + "\n"


def config() -> str:
    """The reference of settings."""
    return (
        "# Settings\n\n"
        "This page is generated from the schema in the code.\n\n"
        "A setting is given as a flag of `stopwire up`, as an environment variable, or as a key of `stopwire.toml`. A flag "
        "counts before the environment, that before the file, that before the default. `stopwire config show --origin` "
        "tells what is in force and where it came from; `stopwire config check` names every fault in a sentence.\n\n"
        "The file is `stopwire.toml` in the working directory, or, where that is absent, in the data folder; `--config` or "
        "`STOPWIRE_CONFIG` names another. Nothing but these names stands in it; an unknown one is a fault.\n\n"
        "`database` and `role` are for PostgreSQL and several nodes, which are planned; until then a start with them is refused.\n\n" + reference()
    )


def handsets() -> str:
    """The numbers that rehearse what goes wrong."""
    rows = [(f"`{number}`", temper.says) for number, temper in HANDSETS.items()]
    return table(("handset", "what it does"), [*rows, ("any other", ORDINARY.says)])


def default_words() -> str:
    """The words and replies that need no setting."""
    rows = (
        ("STOP", DEFAULT_STOP_WORDS, DEFAULT_STOP_REPLY),
        ("START", DEFAULT_START_WORDS, DEFAULT_START_REPLY),
        ("HELP", DEFAULT_HELP_WORDS, DEFAULT_HELP_REPLY),
    )
    return table(("type", "words", "reply"), [(f"**{name}**", " ".join(words), f"`{reply}`") for name, words, reply in rows])


def alert_rules() -> str:
    """When each alert fires, by default and within which bounds."""
    rows = []
    for spec in SPECS.values():
        ranges = ((spec.threshold, 1), (spec.window, spec.step), (spec.at_least, 1))
        told = [
            f"{figure(each.default / by)} ({figure(each.least / by)} to {figure(each.most / by)})" if each else "" for each, by in ranges
        ]
        if spec.window:
            told[1] += " h" if spec.step == 60 else " min"
        if spec.counts:
            told[2] += f" {spec.counts}"
        rows.append((f"`{spec.kind}`", f"{told[0]} {spec.unit}", *told[1:]))
    return table(("rule", "fires from", "within", "once there were"), rows)


def retries() -> str:
    """When a webhook is tried again."""
    units = ((3600, "h"), (60, "min"), (1, "s"))
    after = []
    for delay in WEBHOOK_DELAYS:
        seconds = int(delay.total_seconds())
        unit, name = next((u, n) for u, n in units if seconds >= u)
        after.append(f"{seconds // unit} {name}")
    return f"After a failed round: {', '.join(after)} (each up to a tenth later); {len(WEBHOOK_DELAYS) + 1} rounds in all.\n"


def twilio_routes() -> str:
    """Paths of the Twilio-compatible API, with the methods each answers."""
    found: dict[str, set[str]] = {}
    told_elsewhere = {_plain(path) for path, _ in registrations.ELSEWHERE}  # answered 404, with where it is done
    for path, methods in twilio_paths():
        if path in told_elsewhere:
            continue
        found.setdefault(path, set()).update(methods)
    ordered = sorted(found.items(), key=lambda each: (not each[0].startswith("/2010"), each[0]))
    return table(("path", "methods"), [(f"`{path}`", ", ".join(sorted(methods))) for path, methods in ordered])


def twilio_paths() -> list[tuple[str, list[str]]]:
    """Each path, without `.json`, and its methods; a path may come twice."""
    outermost: Any = twilio_api.create(cast(House, _NoHouse()))
    return [(_plain(route.path).removesuffix(".json"), list(route.app.handlers)) for route in outermost.app.routes]


def native_routes() -> str:
    """Calls of the native API, with their summaries."""
    return table(("call", "does"), [(f"`{method} {path}`", summary) for path, method, summary in native_calls()])


def native_calls() -> list[tuple[str, str, str]]:
    """Path, method and summary of each call, as the API describes itself."""
    described = api.create(cast(House, _NoHouse())).openapi()
    return [
        (path, method.upper(), operation.get("summary", ""))
        for path, operations in sorted(described["paths"].items())
        for method, operation in operations.items()
    ]


def _plain(path: str) -> str:
    return re.sub(r"\{(\w+):\w+\}", r"{\1}", path)


PAGES: Mapping[str, Callable[[], str]] = {"reference/errors.md": errors, "reference/config.md": config}
TABLES: Mapping[str, Mapping[str, Callable[[], str]]] = {
    "reference/simulator.md": {"handsets": handsets},
    "reference/opt-out.md": {"default-words": default_words},
    "reference/webhooks.md": {"retries": retries},
    "how-to/be-told-what-is-wrong.md": {"alert-rules": alert_rules},
    "reference/api.md": {"twilio-routes": twilio_routes, "native-routes": native_routes},
}


def filled(text: str, name: str, content: str) -> str:
    """`text` with `content` between the two marks of `name`. ValueError where it lacks them."""
    begin, end = _MARKED.format(name=name), _MARKED.format(name=f"end of {name}")
    if text.count(begin) != 1 or text.count(end) != 1:
        raise ValueError(f"The page needs the marks {begin} and {end}, once each: write them where the table belongs.")
    before, _, rest = text.partition(begin)
    return f"{before}{begin}\n\n{content.strip()}\n\n{end}{rest.partition(end)[2]}"


def fresh() -> dict[Path, str]:
    """Every page that is made in whole or in part, as it should read now."""
    made = {DOCS / name: write() for name, write in PAGES.items()}
    for page, tables in TABLES.items():
        text = (DOCS / page).read_text(encoding="utf-8")
        for name, write in tables.items():
            text = filled(text, name, write())
        made[DOCS / page] = text
    return made


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--check", action="store_true", help="write nothing; end with 1 where a page is stale")
    check = asked.parse_args().check
    stale = [path for path, text in fresh().items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path in stale:
        print(f"{path.relative_to(DOCS.parent)} is stale" if check else f"{path.relative_to(DOCS.parent)} is written")
        if not check:
            path.write_text(fresh()[path], encoding="utf-8")
    return int(check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
