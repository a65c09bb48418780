"""A gateway on a loop of its own in a thread of its own: started, asked from outside, stopped. What for is the caller's."""

import asyncio
import contextlib
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from stopwire import serve
from stopwire.config import Settings
from stopwire.ports.world import Clock, Ids

T = TypeVar("T")
SECONDS = 30.0  # to start, to stop, and for one step inside: far more than any of them takes


class Threaded:
    """Runs from when it is made until `close`. Raises what kept the gateway from starting."""

    def __init__(self, settings: Settings, *, clock: Clock | None = None, ids: Ids | None = None) -> None:
        self._settings, self._clock, self._ids = settings, clock, ids
        self.loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._ready: Future[serve.Gateway] = Future()
        self._thread = threading.Thread(target=self._run, name="stopwire", daemon=True)
        self._thread.start()
        self.gateway = self._ready.result(timeout=SECONDS)

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Run `work` inside the gateway, and wait for it."""
        return self.begin(work).result(timeout=SECONDS)

    def begin(self, work: Coroutine[Any, Any, T]) -> "Future[T]":
        """Run `work` inside the gateway."""
        return asyncio.run_coroutine_threadsafe(work, self.loop)

    def close(self) -> None:
        """Stop in order: doors, engines, store."""
        with contextlib.suppress(RuntimeError):  # its loop has ended already
            self.loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(timeout=SECONDS)
        if self._thread.is_alive():
            raise RuntimeError(f"The gateway did not stop within {SECONDS:.0f} s: something holds a request open.")

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        try:
            self.loop.run_until_complete(self._serve())
        except BaseException as fault:
            if self._ready.done():
                raise
            self._ready.set_exception(fault)
        finally:
            # As asyncio.run does: closing a loop does not wait for the threads that it lent its work to.
            self.loop.run_until_complete(self.loop.shutdown_asyncgens())
            self.loop.run_until_complete(self.loop.shutdown_default_executor())
            self.loop.close()

    async def _serve(self) -> None:
        async with serve.opened(self._settings, clock=self._clock, ids=self._ids) as gateway:
            self._ready.set_result(gateway)
            await self._stop.wait()
