"""`python -m tests.world.mortal up …`: the gateway, but it kills itself at the point that a file beside its data names.

The product knows nothing of it: the fuse box is handed on with a store and an HTTP client that look at each unit and each
call before and after. A point is `send.accept:before` (nothing of the unit is kept), `send.accept:after` (all of it is, and
nobody has been told), `http.call:…` or `store.drained:after`; of several, each must come in its turn and the last one kills.
"""

import os
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from stopwire import serve
from stopwire.cli.main import main
from stopwire.config import Settings
from stopwire.flows.dispatch import Round
from stopwire.hatch import LocalHouse
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
        if not self._left and self._path.exists():
            self._left = self._path.read_text().split()
            self._path.unlink()
        if self._left and self._left[0] == place:
            del self._left[0]
            if not self._left:
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


def _mortal(wire: Callable[..., Any]) -> Callable[..., Any]:
    async def wired(settings: Settings, **more: Any) -> Wired:
        made: Wired = await wire(settings, **more)
        armed = Armed(settings.data_dir.parent / POINT)
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
