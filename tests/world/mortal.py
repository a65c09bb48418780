"""`python -m tests.world.mortal up …`: the gateway, but it kills itself at the point that a file beside its data names.

The product knows nothing of it: the fuse box is handed on with a store and an HTTP client that look at each unit and each
call before and after. A point is `send.accept:before` (nothing of the unit is kept), `send.accept:after` (all of it is, and
nobody has been told), `http.call:…` or `store.drained:after`; of several, each must come in its turn and the last one kills.

Upkeep has no units. Its points stand around functions of the cellar: `step.0002:inside` (a step of the schema is taken and not
committed) and `:after`, `checkpoint:before`, `:inside`, `:after`, `copy.pages:after` (some pages of a copy are written),
`copy:after` (all are), `copy.verify:after` (it has no name yet), `copy.finish:after`; and around each file that is exchanged
whole: `vault.key:before`, `vault.key:after`.
"""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from stopwire import serve
from stopwire.cli.main import main
from stopwire.config import Settings
from stopwire.flows.dispatch import Round
from stopwire.hatch import LocalHouse
from stopwire.storage import backup, migrations
from stopwire.storage.sqlite import SqliteEngine
from stopwire.wiring import Wired
from stopwire.workers.notifier import Notifier
from stopwire.workers.runner import Engines

POINT = "dies-at"


class Armed:
    """The point, as far as it has not been reached."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._left: list[str] = []

    def reach(self, place: str) -> None:
        if self._comes_to(place):
            _die()

    def reach_within(self, place: str) -> None:
        """Dies while what the caller does next is under way."""
        if self._comes_to(place):
            threading.Thread(target=_die).start()

    def _comes_to(self, place: str) -> bool:
        if not self._left and self._path.exists():
            self._left = self._path.read_text().split()
            self._path.unlink()
        if not self._left or self._left[0] != place:
            return False
        del self._left[0]
        return not self._left


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class Store:
    """The store, between two looks at the point."""

    def __init__(self, store: Any, armed: Armed) -> None:
        self._store, self._armed = store, armed

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def write(self, unit: Callable[..., Any], **more: Any) -> Any:
        name = _name(unit)
        self._armed.reach(f"{name}:before")
        answer = await self._store.write(unit, **more)
        if not (isinstance(answer, Round) and not answer.parts):  # a claim of nothing is no claim
            self._armed.reach(f"{name}:after")
        return answer

    async def drained(self, *args: Any, **more: Any) -> Any:
        raced = await self._store.drained(*args, **more)
        self._armed.reach("store.drained:after")
        return raced


class Http:
    """The way out, between two looks at the point."""

    def __init__(self, http: Any, armed: Armed) -> None:
        self._http, self._armed = http, armed

    def __getattr__(self, name: str) -> Any:
        return getattr(self._http, name)

    async def call(self, request: Any, **more: Any) -> Any:
        self._armed.reach("http.call:before")
        answer = await self._http.call(request, **more)
        self._armed.reach("http.call:after")
        return answer


def _name(unit: Callable[..., Any]) -> str:
    """The journey and the unit: `send.accept`."""
    called: Any = unit.func if isinstance(unit, partial) else unit
    return f"{called.__module__.rpartition('.')[2]}.{called.__name__}"


def _upkeep(armed: Armed) -> None:
    """Look at the point in the upkeep of the store, and at each file that takes the place of another."""
    cellar: Any = backup
    cellar.STEP_PAGES = 8
    copy, verify, finish = cellar._copy, cellar._verify, cellar._finish
    replace_file: Any = Path.replace

    def copied(engine: Any, target: Path, *, let_units_pass: Callable[[], None] | None) -> Any:
        def between() -> None:
            armed.reach("copy.pages:after")
            if let_units_pass is not None:
                let_units_pass()

        made = copy(engine, target, let_units_pass=between)
        armed.reach("copy:after")
        return made

    def after(place: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def called(*args: Any, **more: Any) -> Any:
            answer = function(*args, **more)
            armed.reach(place)
            return answer

        return called

    def exchanged(draft: Path, target: Any) -> Any:
        name = Path(target).name
        armed.reach(f"{name}:before")
        answer = replace_file(draft, target)
        armed.reach(f"{name}:after")
        return answer

    cellar._copy, cellar._verify = copied, after("copy.verify:after", verify)
    cellar._finish = after("copy.finish:after", finish)
    path: Any = Path
    path.replace = exchanged
    _migrations(armed)
    _checkpoints(armed)


def _migrations(armed: Armed) -> None:
    steps: Any = migrations
    take, transaction, taken = steps._take, steps._step_transaction, ""

    def taking(directory: Any, connection: Any, step: Any) -> None:
        nonlocal taken
        take(directory, connection, step)
        taken = step.revision
        armed.reach(f"step.{taken}:inside")

    @contextlib.contextmanager
    def committing(connection: Any) -> Iterator[None]:
        with transaction(connection):
            yield
        armed.reach(f"step.{taken}:after")

    steps._take, steps._step_transaction = taking, committing


def _checkpoints(armed: Armed) -> None:
    engine: Any = SqliteEngine
    checkpoint = engine.checkpoint

    def checkpointing(self: Any, *, truncate: bool) -> Any:
        armed.reach("checkpoint:before")
        armed.reach_within("checkpoint:inside")
        answer = checkpoint(self, truncate=truncate)
        armed.reach("checkpoint:after")
        return answer

    engine.checkpoint = checkpointing


def _mortal(wire: Callable[..., Any]) -> Callable[..., Any]:
    async def wired(settings: Settings, **more: Any) -> Wired:
        armed = Armed(settings.data_dir.parent / POINT)
        _upkeep(armed)
        made: Wired = await wire(settings, **more)
        http: Any = Http(made.http, armed)
        store: Any = Store(made.store, armed)
        world = replace(made.world, store=store, http=http)
        house = LocalHouse(world)
        engines = Engines(world, notifier=Notifier(house, world, endpoint_parallel=settings.webhook_endpoint_parallel))
        made.store.on_wake = engines.wake
        return replace(made, world=world, house=house, engines=engines)

    return wired


if __name__ == "__main__":
    seam: Any = serve  # where the process takes its house from
    seam.wire = _mortal(serve.wire)
    sys.argv[0] = "stopwire"
    main()
