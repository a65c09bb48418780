"""What happened in a run, in the order it happened: one line an event, one monotonic clock for all of them.

An operation begins with `invoke` and ends with `ok`, `fail` (it did certainly not happen) or `info` (nobody knows).
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """`key`: whom it is about, as a rule a person's number."""

    t: float
    process: str
    op: str  # send | mo | submit | receipt | final | listed | nemesis
    key: str
    kind: str  # invoke | ok | fail | info
    value: dict[str, Any] = field(default_factory=dict)


class History:
    """Grows only. With a path each line is on the disk as soon as it is noted."""

    def __init__(self, path: Path | None = None) -> None:
        self.events: list[Event] = []
        self._file = path.open("w", encoding="utf-8") if path else None

    def note(self, process: str, op: str, key: str, kind: str, **value: Any) -> Event:
        event = Event(t=time.monotonic(), process=process, op=op, key=key, kind=kind, value=value)
        self.events.append(event)
        if self._file:
            self._file.write(json.dumps(asdict(event)) + "\n")
        return event

    def close(self) -> None:
        if self._file:
            self._file.close()


def read(path: Path) -> list[Event]:
    """A history that was written before."""
    return [Event(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]


@contextmanager
def written(path: Path) -> Iterator[History]:
    history = History(path)
    try:
        yield history
    finally:
        history.close()
