"""The readers: a few threads with connections that only look, each read in one snapshot and within its time.

A reader never writes and never checkpoints; an old snapshot would keep the log from shrinking, so reads are stopped.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection

from stopwire.ports.faults import StoreBroken, StoreBusy, StoreClosed, StoreSlow
from stopwire.storage.sqlite import driver, is_broken, is_read_only

T = TypeVar("T")
TxT = TypeVar("TxT")

READERS = 2  # SQLite reads beside a writer; more threads would only queue for the interpreter
READS_WAITING_MAX = 2_000
CLOCK_STEP_OPS = 10_000  # how often a running query looks at the clock, in instructions of SQLite's machine


class _Read:
    """One query on its way through a reader."""

    __slots__ = ("future", "query", "until")

    def __init__(self, query: Callable[[Any], Any], future: asyncio.Future[Any], until: float) -> None:
        self.query = query
        self.future = future
        self.until = until


class ReaderPool(Generic[TxT]):
    """Runs queries on reader threads; the loop that calls `start` gets the answers."""

    def __init__(
        self,
        open_reader: Callable[[], Connection],
        make_tx: Callable[[Connection], TxT],
        *,
        on_broken: Callable[[BaseException], None],
    ) -> None:
        """`on_broken` is called on the loop when a read finds the disk or the file broken."""
        self._open_reader = open_reader
        self._make_tx = make_tx
        self._on_broken = on_broken
        self._waiting: queue.SimpleQueue[_Read | None] = queue.SimpleQueue()
        self._running: list[_Read | None] = [None] * READERS
        self._threads: list[threading.Thread] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closing = False

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start the threads; each opens its own connection."""
        self._loop = loop
        for number in range(READERS):
            thread = threading.Thread(target=self._run, args=(number,), name=f"stopwire-reader-{number}", daemon=True)
            self._threads.append(thread)
            thread.start()

    async def read(self, query: Callable[[TxT], T], *, timeout_seconds: float) -> T:
        """Run `query` on a snapshot that has all that was committed before this call.

        Raises StoreSlow after `timeout_seconds`, waiting included; StoreBusy, StoreClosed, StoreBroken.
        """
        if self._closing or self._loop is None:
            raise StoreClosed
        if self._waiting.qsize() >= READS_WAITING_MAX:
            raise StoreBusy
        read = _Read(query, self._loop.create_future(), time.monotonic() + timeout_seconds)
        self._waiting.put(read)
        answer: T
        try:
            async with asyncio.timeout(timeout_seconds) as limit:
                answer = await read.future
        except TimeoutError:
            if limit.expired():
                raise StoreSlow from None
            raise  # the query's own
        return answer

    def stop_oldest(self) -> None:
        """Stop the read that has been running longest, since its snapshot keeps the log from shrinking."""
        running = [read for read in self._running if read is not None]
        if running:
            min(running, key=lambda read: read.until).until = 0.0

    def close(self) -> None:
        """Answer what waits, close the connections, end the threads. Blocks; not for the loop's thread."""
        self._closing = True
        for _ in self._threads:
            self._waiting.put(None)
        for thread in self._threads:
            thread.join()

    def _run(self, number: int) -> None:
        connection: Connection | None = None
        try:
            while (read := self._waiting.get()) is not None:
                if read.future.cancelled():
                    continue
                try:
                    connection = connection or self._connect(number)
                except Exception as fault:
                    self._answer(read, fault, None)
                    continue
                self._running[number] = read
                self._answer(read, *self._look(connection, read))
                self._running[number] = None
        finally:
            if connection is not None:
                connection.close()

    def _connect(self, number: int) -> Connection:
        connection = self._open_reader()

        def late() -> bool:
            read = self._running[number]
            return read is not None and time.monotonic() > read.until

        driver(connection).set_progress_handler(late, CLOCK_STEP_OPS)
        return connection

    def _look(self, connection: Connection, read: _Read) -> tuple[BaseException | None, Any]:
        """One query in one snapshot: (fault, answer)."""
        raw = driver(connection)
        try:
            raw.execute("BEGIN")
            return None, read.query(self._make_tx(connection))
        except BaseException as fault:
            if is_broken(fault) and not is_read_only(fault):  # a query that writes is a bug, not a broken disk
                return StoreBroken(), fault
            return (StoreSlow() if time.monotonic() > read.until else fault), None
        finally:
            if raw.in_transaction:
                read.until = float("inf")  # the rollback must not be stopped
                raw.execute("ROLLBACK")

    def _answer(self, read: _Read, fault: BaseException | None, answer: Any) -> None:
        assert self._loop is not None
        with suppress(RuntimeError):  # the loop is gone, and with it whoever asked
            self._loop.call_soon_threadsafe(self._settle, read, fault, answer)

    def _settle(self, read: _Read, fault: BaseException | None, answer: Any) -> None:
        if not read.future.done():
            if fault is None:
                read.future.set_result(answer)
            else:
                read.future.set_exception(awaitable(fault))
        if isinstance(fault, StoreBroken):
            self._on_broken(answer)


def awaitable(fault: BaseException) -> BaseException:
    """`fault` as a future may carry it: StopIteration would end the generator that awaits it."""
    if not isinstance(fault, StopIteration):
        return fault
    bug = RuntimeError("A unit or query raised StopIteration: a next() without a default met an empty iterator.")
    bug.__cause__ = fault
    return bug
