"""The engine room: starts every engine, wakes them after commits, stops them in order.

Connections come and go while it runs: what is open follows the table of connections.
"""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from stopwire.core.connections import SIMULATOR, Sealed
from stopwire.flows import connect, dispatch, ingest
from stopwire.log import get_logger
from stopwire.ports.carrier import Carrier
from stopwire.ports.faults import StoreClosed
from stopwire.ports.world import World
from stopwire.workers import gauge, reaper, teller, watcher
from stopwire.workers.dispatcher import Dispatcher
from stopwire.workers.links import Links
from stopwire.workers.notifier import Notifier

log = get_logger(__name__)
LOOK_SECONDS = 2.0  # how often the connections are looked at by themselves
AGAIN_SECONDS = 1.0  # before an engine that broke is started again
DOWN_SECONDS = 10.0  # a connection down for longer hands its queue to the next


@dataclass(slots=True, kw_only=True)
class _Line:
    """One open connection: its carrier, the engine that serves it, and the version of its settings."""

    carrier: Carrier
    dispatcher: Dispatcher
    task: "asyncio.Task[None]"
    version: int


class Engines:
    def __init__(self, world: World, *, notifier: Notifier | None) -> None:
        """`notifier`: None where webhooks are told in a process of their own, which `ring` then wakes."""
        self._world = world
        self._lines: dict[str, _Line] = {}
        self._unfit: dict[str, int] = {}  # versions of connections that could not be opened
        self._down_since: dict[str, float] = {}  # monotonic seconds
        self._handed_on: dict[str, datetime] = {}  # of those not usable: up to when what fell due has chosen its way
        self._notifier = notifier
        self.ring: Callable[[], None] = notifier.bell.set if notifier else _nobody
        self._bell = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        await ingest.abandon(self._world, idle=timedelta(0))  # before any door can begin one
        for name in self._world.carriers.names():
            if carrier := self._world.carriers.get(name):
                await self._open(name, carrier, version=0)
        await self._reconcile()
        self._spawn(self._follow, "connections")
        if self._notifier:
            self._spawn(self._notifier.run, "notifier")
        self._spawn(partial(reaper.run, self._world), "reaper")
        self._spawn(partial(teller.run, self._world), "teller")
        self._spawn(partial(gauge.run, self._world), "gauge")
        self._spawn(partial(watcher.run, self._world), "watcher")

    def wake(self, engine: str) -> None:
        """Called on the loop after each commit that left work for `engine`."""
        if engine == "dispatch":
            for line in self._lines.values():
                line.dispatcher.bell.set()
        elif engine == "notify":
            self.ring()
        elif engine == "connections":
            self._bell.set()

    async def stop(self) -> None:
        """Stop claiming first, let the answers come in, then let go of the carriers. What is left stays on disk as it is."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(self._close(name) for name in list(self._lines)))

    # ── connections that come and go ─────────────────────────────────────────────────────────────────

    async def _follow(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._bell.wait()
            try:
                if self._bell.is_set():
                    self._bell.clear()
                    await self._reconcile()
                await self._go_round()
            except StoreClosed:
                return
            except Exception:
                log.exception("connections.failed")

    async def _reconcile(self) -> None:
        """Open what is new, close what is gone or paused, open anew what has changed."""
        kept = await self._world.store.read(lambda tx: tx.connections.every(), account="")
        wanted = {sealed.connection.sid: sealed for sealed in kept if not sealed.connection.paused}
        for sid, line in list(self._lines.items()):
            if sid == SIMULATOR:
                continue
            sealed = wanted.get(sid)
            if sealed is None or sealed.connection.version != line.version:
                await self._close(sid)
        for sid, sealed in wanted.items():
            if sid not in self._lines and self._unfit.get(sid) != sealed.connection.version:
                await self._open_new(sealed)

    async def _open_new(self, sealed: Sealed) -> None:
        sid, version = sealed.connection.sid, sealed.connection.version
        try:
            await self._open(sid, self._world.carriers.plug(sealed), version=version)
        except Exception:
            # One connection that cannot be opened keeps nobody else from sending. It is tried again when it changes.
            self._unfit[sid] = version
            self._world.carriers.unplug(sid)
            log.exception("connection.unfit", connection=sid, name=sealed.connection.name)

    async def _open(self, sid: str, carrier: Carrier, *, version: int) -> None:
        dispatcher = Dispatcher(self._world, sid, carrier)
        await carrier.start(Links(self._world, ready=dispatcher.bell.set))
        task = asyncio.get_running_loop().create_task(supervised(dispatcher.run, f"dispatcher:{sid}"))
        self._lines[sid] = _Line(carrier=carrier, dispatcher=dispatcher, task=task, version=version)

    async def _close(self, sid: str) -> None:
        line = self._lines.pop(sid)
        await line.dispatcher.finish(line.task)
        await line.carrier.stop()
        if sid != SIMULATOR:
            self._world.carriers.unplug(sid)

    async def _go_round(self) -> None:
        """Go round connections that are down: what falls due there now, and the queues of those that stay down."""
        now = self._world.clock.monotonic()
        up = self._world.carriers.up()
        kept = await self._world.store.read(lambda tx: tx.connections.every(), account="")
        down = {sealed.connection.sid for sealed in kept} - up
        self._down_since = {sid: self._down_since.get(sid, now) for sid in down}
        usable = self._world.carriers.usable()
        self._handed_on = {sid: at for sid, at in self._handed_on.items() if sid in down - usable}
        for sid in down - usable:
            self._handed_on[sid] = await dispatch.hand_on(self._world, connection=sid, since=self._handed_on.get(sid))
        for sid, since in self._down_since.items():
            if now - since >= DOWN_SECONDS:
                moved = await connect.reroute(self._world, down=sid)
                if moved:
                    log.warning("connection.rerouted", connection=sid, messages=moved)

    def _spawn(self, work: Callable[[], Coroutine[Any, Any, None]], name: str) -> None:
        self._tasks.append(asyncio.get_running_loop().create_task(supervised(work, name), name=name))


def _nobody() -> None:
    """Nobody tells webhooks yet: their process looks for what waits when it starts."""


async def supervised(work: Callable[[], Coroutine[Any, Any, None]], name: str) -> None:
    """Run an engine, and start it again whenever it breaks: what it left half done, it finds on disk."""
    while True:
        try:
            return await work()
        except StoreClosed:
            return
        except Exception:
            log.exception("engine.broke", engine=name)
            await asyncio.sleep(AGAIN_SECONDS)
