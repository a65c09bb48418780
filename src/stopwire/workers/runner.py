"""The engine room: starts every engine, wakes them after commits, stops them in order."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from stopwire.log import get_logger
from stopwire.ports.world import World
from stopwire.workers import reaper
from stopwire.workers.dispatcher import Dispatcher
from stopwire.workers.links import Links
from stopwire.workers.notifier import Notifier

log = get_logger(__name__)


class Engines:
    def __init__(self, world: World, *, endpoint_parallel: int = 10) -> None:
        self._world = world
        self._carriers = {name: carrier for name in world.carriers.names() if (carrier := world.carriers.get(name))}
        self._dispatchers = [Dispatcher(world, name, carrier) for name, carrier in self._carriers.items()]
        self._notifier = Notifier(world, endpoint_parallel=endpoint_parallel)
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        links = Links(self._world)
        for carrier in self._carriers.values():
            await carrier.start(links)
        for dispatcher in self._dispatchers:
            self._spawn(dispatcher.run(), f"dispatcher:{dispatcher.connection}")
        self._spawn(self._notifier.run(), "notifier")
        self._spawn(reaper.run(self._world), "reaper")

    def wake(self, engine: str) -> None:
        """Called on the loop after each commit that left work for `engine`."""
        if engine == "dispatch":
            for dispatcher in self._dispatchers:
                dispatcher.bell.set()
        elif engine == "notify":
            self._notifier.bell.set()

    async def stop(self) -> None:
        """Stop claiming first, then let go of the carriers. What is under way stays on disk as it is."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for carrier in self._carriers.values():
            await carrier.stop()

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.get_running_loop().create_task(work, name=name)
        task.add_done_callback(_ended)
        self._tasks.append(task)


def _ended(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and (fault := task.exception()):
        log.error("engine.died", engine=task.get_name(), exc_info=fault)
