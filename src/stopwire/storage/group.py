"""The writer: units wait in a queue, run one after another in one transaction, and are acknowledged by one commit.

Here is the only thread that writes or checkpoints. What a unit does, and to which tables, is not known here.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection

from stopwire.ports.faults import StoreBroken, StoreBusy, StoreClosed, StoreFault, StoreFull
from stopwire.ports.store import Haste
from stopwire.storage.readers import ReaderPool, awaitable
from stopwire.storage.sqlite import Checkpoint, SqliteEngine, is_broken, is_full

T = TypeVar("T")
TxT = TypeVar("TxT")

BATCH_MAX = 256  # units under one commit: beyond it the fsync is already shared to nothing
BATCH_SECONDS = 0.005  # a batch takes in whoever arrives while it runs, for so long
QUEUE_MAX = 2_000  # waiting units; urgent ones always get in
LOG_BYTES_SOFT = 4 * 1024 * 1024  # from here on the log is checkpointed between batches
LOG_BYTES_HARD = 256 * 1024 * 1024  # from here on a reader that blocks the checkpoint is stopped
CHECKPOINT_SECONDS_MIN = 0.25  # between two checkpoints: the log's file keeps its size, so size alone says little
IDLE_SECONDS = 1.0  # without work for so long, the log is emptied
SPACE_SECONDS = 1.0  # how long one look at the free disk space is good for
FLOOR_MIB = 64


class _Waiting:
    """One unit on its way: in, run, answered."""

    __slots__ = ("failure", "future", "haste", "result", "tx", "unit")

    def __init__(self, unit: Callable[[Any], Any], future: asyncio.Future[Any], haste: Haste) -> None:
        self.unit = unit
        self.future = future
        self.haste = haste
        self.tx: Any = None
        self.result: Any = None
        self.failure: BaseException | None = None


class GroupWriter(Generic[TxT]):
    """Group commit over a SqliteEngine, and reads beside it. Made and used on one event loop.

    make_tx    what a unit or query is called with, made anew for each of them from the connection
    on_commit  called on the loop with the tx of each unit of a commit, before any caller goes on
    on_batch   called on the loop with the number of units and the seconds their commit took
    on_broken  called on the loop, once, when the disk has failed: nothing more is acknowledged; end the process
    """

    def __init__(
        self,
        engine: SqliteEngine,
        make_tx: Callable[[Connection], TxT],
        *,
        on_commit: Callable[[Sequence[TxT]], None] | None = None,
        on_batch: Callable[[int, float], None] | None = None,
        on_broken: Callable[[BaseException], None] | None = None,
        free_space_floor_mib: int = FLOOR_MIB,
    ) -> None:
        """Nothing runs before `start`."""
        self._engine = engine
        self._make_tx = make_tx
        self._on_commit = on_commit
        self._on_batch = on_batch
        self._on_broken = on_broken
        self._floor_bytes = free_space_floor_mib * 1024 * 1024

        self._urgent: deque[_Waiting] = deque()
        self._plain: deque[_Waiting] = deque()
        self._patient: deque[_Waiting] = deque()
        self._lanes = {Haste.URGENT: self._urgent, Haste.PLAIN: self._plain, Haste.PATIENT: self._patient}
        self._passed_over = False  # patient units wait that the last batch has not taken
        self._errands: deque[_Waiting] = deque()
        self._batch: list[_Waiting] = []  # popped, not answered yet
        self._bell: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._asleep = False
        self._closing = False
        self._broken: BaseException | None = None

        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="stopwire-writer", daemon=True)
        self._readers = ReaderPool(engine.open_reader, make_tx, on_broken=self._break)
        self._log_is_empty = True
        self._checkpoint_due_at = 0.0
        self._space_known_until = 0.0
        self._space_is_short = False

    def start(self) -> None:
        """Start the writer's and the readers' threads. Call it on the loop that will call the rest."""
        self._loop = asyncio.get_running_loop()
        self._readers.start(self._loop)
        self._thread.start()

    async def write(self, unit: Callable[[TxT], T], *, haste: Haste = Haste.PLAIN) -> T:
        """Run `unit` in a transaction, and return its result when that is on the disk.

        What the unit raises is raised here, and its writes are undone. It may be run twice, never kept twice. Urgent
        units go first, and are taken when others are not. Nobody waits for patient ones: where others wait they have a
        commit of their own, which outlives this process and may not outlive the machine. Raises StoreFull, StoreBusy
        (nothing was done), StoreClosed, StoreBroken (it may have been done). A caller that is cancelled before its unit
        ran, withdraws it.
        """
        self._admit()
        lane = self._lanes[haste]
        if haste is not Haste.URGENT:
            if len(lane) >= QUEUE_MAX:
                raise StoreBusy
            if self._is_short_of_space():
                raise StoreFull(
                    f"Less than {self._floor_bytes >> 20} MiB are free on the disk of {self._engine.directory}, "
                    "and the rest is kept for opt-outs: free some space, and sending resumes by itself."
                )
        result: T = await self._queue(lane, unit, haste)
        return result

    async def read(self, query: Callable[[TxT], T], *, timeout: float = 5.0) -> T:
        """Run `query` on a reader thread, in one snapshot; `timeout` in seconds. Raises StoreSlow and as `write`."""
        self._admit()
        return await self._readers.read(query, timeout_seconds=timeout)

    async def alone(self, errand: Callable[[Callable[[], None]], T]) -> T:
        """Run `errand` on the writer's thread outside any transaction (a backup, say).

        It is given a function to call now and then, which lets the units that wait go first.
        """
        self._admit()
        result: T = await self._queue(self._errands, errand, Haste.PLAIN)
        return result

    async def close(self) -> None:
        """Take nothing more, finish what waits, close the readers, empty the log. The engine stays open."""
        self._closing = True
        if self._thread.ident is None:
            return
        self._bell.put(None)
        await asyncio.to_thread(self._thread.join)

    @property
    def waiting(self) -> int:
        """How many units wait."""
        return len(self._urgent) + len(self._plain) + len(self._patient)

    # On the loop

    def _admit(self) -> None:
        if self._broken is not None:
            raise StoreBroken from self._broken
        if self._closing or self._loop is None:
            raise StoreClosed

    def _queue(self, lane: deque[_Waiting], unit: Callable[[Any], Any], haste: Haste) -> asyncio.Future[Any]:
        assert self._loop is not None
        waiting = _Waiting(unit, self._loop.create_future(), haste)
        lane.append(waiting)
        if self._asleep:  # the writer sets this before its last look at the lanes, so no unit is left lying
            self._asleep = False
            self._bell.put(None)
        return waiting.future

    def _is_short_of_space(self) -> bool:
        now = time.monotonic()
        if now >= self._space_known_until:
            self._space_is_short = self._engine.free_bytes() < self._floor_bytes
            self._space_known_until = now + SPACE_SECONDS
        return self._space_is_short

    def _answer(self, batch: list[_Waiting], commit_seconds: float | None) -> None:
        """Wake the callers of a batch, and whoever waits for what it left behind."""
        for waiting in batch:
            if waiting.future.done():  # its caller went away
                continue
            if waiting.failure is None:
                waiting.future.set_result(waiting.result)
            else:
                waiting.future.set_exception(awaitable(waiting.failure))
        if commit_seconds is None:
            return
        if self._on_batch is not None:
            self._on_batch(len(batch), commit_seconds)
        kept = [waiting.tx for waiting in batch if waiting.failure is None]
        if kept and self._on_commit is not None:
            self._on_commit(kept)

    def _break(self, fault: BaseException) -> None:
        """The disk has failed: answer nobody with a yes from here on."""
        if self._broken is not None:
            return
        self._broken = fault
        self._engine.sound = False
        self._bell.put(None)
        for waiting in (*self._batch, *self._urgent, *self._plain, *self._patient, *self._errands):
            if not waiting.future.done():
                broken = StoreBroken()
                broken.__cause__ = fault
                waiting.future.set_exception(broken)
        if self._on_broken is not None:
            self._on_broken(fault)

    # On the writer's thread

    def _run(self) -> None:
        try:
            while self._broken is None:
                closing = self._closing  # read before the lanes: whatever was taken before it was set, is in them
                if self._units_wait:
                    self._serve()
                elif self._errands:
                    self._run_errand(self._errands.popleft())
                elif closing:
                    break
                else:
                    self._rest()
            self._readers.close()
            if self._broken is None:
                self._engine.checkpoint(truncate=True)
        except BaseException as fault:
            self._call(self._break, fault)
            self._readers.close()

    def _serve(self) -> None:
        """One transaction: the units that wait, and those that come while it runs; one commit."""
        raw = self._engine.raw
        # Patient units have a commit of their own in the pauses of the others; once passed over, they go with them.
        in_pause = not (self._urgent or self._plain)
        if in_pause:
            lanes = [self._patient]
        elif self._passed_over:
            lanes = [self._urgent, self._patient, self._plain]
        else:
            lanes = [self._urgent, self._plain]
        self._engine.sync(not in_pause)
        self._batch = batch = []
        kept: list[_Waiting] = []  # done in this transaction, and waiting for its commit
        guarded = False  # each unit behind a savepoint: only once one of them has failed
        until = time.monotonic() + BATCH_SECONDS
        while (waiting := self._next(lanes)) is not None:
            batch.append(waiting)
            if not raw.in_transaction:
                raw.execute("BEGIN IMMEDIATE")
            stands = self._attempt(waiting, nested=guarded and bool(kept))
            if waiting.failure is None:
                kept.append(waiting)
            elif kept and not raw.in_transaction:
                if not stands:  # SQLite has rolled back everything by itself, as it does on a full disk
                    self._salvage(kept, cause=waiting.failure)
                    kept = []
                    break
                guarded, kept = True, self._again(kept)
            if len(batch) >= BATCH_MAX or time.monotonic() > until or (in_pause and (self._urgent or self._plain)):
                break
        self._passed_over = bool(self._patient) and not in_pause
        seconds = self._commit(kept)
        for waiting in batch:
            if waiting.haste is Haste.URGENT and isinstance(waiting.failure, StoreFull):  # an opt-out is worth the ballast
                self._engine.drop_ballast()
                self._try_alone(waiting)
        self._batch = []
        self._call(self._answer, batch, seconds)
        self._log_is_empty = False
        self._keep_log_short()

    def _again(self, undone: list[_Waiting]) -> list[_Waiting]:
        """Run units again that were undone with one that failed, each behind a savepoint; those that count."""
        kept: list[_Waiting] = []
        self._engine.raw.execute("BEGIN IMMEDIATE")
        for waiting in undone:
            self._attempt(waiting, nested=bool(kept))
            if waiting.failure is None:
                kept.append(waiting)
            elif not self._engine.raw.in_transaction:
                self._salvage([other for other in undone if other is not waiting], cause=waiting.failure)
                return []
        return kept

    def _next(self, lanes: Sequence[deque[_Waiting]]) -> _Waiting | None:
        """The next unit whose caller is still there, of the first of `lanes` that has one."""
        for lane in lanes:
            while lane:
                waiting = lane.popleft()
                if not waiting.future.cancelled():
                    return waiting
        return None

    def _attempt(self, waiting: _Waiting, *, nested: bool) -> bool:
        """Run one unit. If it fails, the transaction is as before where it was `nested`, otherwise gone.

        Answers whether SQLite itself let the transaction stand. Savepoints cost two statements a unit, and units fail so
        rarely that running their neighbours again is cheaper.
        """
        raw = self._engine.raw
        waiting.failure = None
        stands = True
        try:
            if nested:
                raw.execute("SAVEPOINT unit")
            waiting.tx = tx = self._make_tx(self._engine.writer)
            waiting.result = waiting.unit(tx)
            if nested:
                raw.execute("RELEASE unit")
            elif not raw.in_transaction:
                raise StoreFault("The unit lost its transaction and went on: it must let SQLite's errors pass.")
        except BaseException as fault:
            if is_broken(fault):
                raise
            waiting.failure = StoreFull() if is_full(fault) else fault
            stands = raw.in_transaction
            if stands:
                raw.execute("ROLLBACK TO unit" if nested else "ROLLBACK")
                if nested:
                    raw.execute("RELEASE unit")
        return stands

    def _salvage(self, lost: list[_Waiting], *, cause: BaseException) -> None:
        """The transaction of `lost` is gone, and none of them counts.

        On a full disk they fail. Otherwise one unit spoilt it for all, and each has a transaction of its own.
        """
        for waiting in lost:
            if isinstance(cause, StoreFull):
                waiting.failure = StoreFull()
            else:
                self._try_alone(waiting)

    def _try_alone(self, waiting: _Waiting) -> None:
        self._engine.raw.execute("BEGIN IMMEDIATE")
        self._attempt(waiting, nested=False)
        if waiting.failure is None:
            try:
                self._engine.raw.execute("COMMIT")
            except sqlite3.Error as fault:
                waiting.failure = self._undo(fault)

    def _commit(self, kept: list[_Waiting]) -> float:
        """Commit; if SQLite will not, say by `failure` what counts. Returns the seconds it took."""
        raw = self._engine.raw
        begun = time.perf_counter()
        if not kept:
            if raw.in_transaction:
                raw.execute("ROLLBACK")
            return 0.0
        try:
            raw.execute("COMMIT")
        except sqlite3.Error as fault:
            self._salvage(kept, cause=self._undo(fault))
        return time.perf_counter() - begun

    def _undo(self, fault: sqlite3.Error) -> BaseException:
        """After a commit that failed: raise if the disk failed, otherwise leave nothing open, and name the cause."""
        if is_broken(fault):
            raise fault
        if self._engine.raw.in_transaction:
            self._engine.raw.execute("ROLLBACK")
        return StoreFull() if is_full(fault) else fault

    def _run_errand(self, errand: _Waiting) -> None:
        if errand.future.cancelled():
            return
        try:
            errand.result = errand.unit(self._let_units_pass)
        except BaseException as fault:
            if is_broken(fault):
                self._errands.appendleft(errand)  # answered with all the others
                raise
            errand.failure = fault
        self._call(self._answer, [errand], None)

    def _let_units_pass(self) -> None:
        if self._units_wait:
            self._serve()

    @property
    def _units_wait(self) -> bool:
        return bool(self._urgent or self._plain or self._patient)

    def _keep_log_short(self) -> None:
        """Between two batches: move the log into the database file when it has grown."""
        now = time.monotonic()
        if now < self._checkpoint_due_at or self._engine.log_file_bytes() <= LOG_BYTES_SOFT:
            return
        self._checkpoint_due_at = now + CHECKPOINT_SECONDS_MIN
        done = self._checkpoint(truncate=False)
        if done is not None and done.moved < done.frames and done.log_bytes > LOG_BYTES_HARD:
            self._readers.stop_oldest()
            self._engine.notice("A long read kept the write-ahead log from shrinking and was stopped.")

    def _checkpoint(self, *, truncate: bool) -> Checkpoint | None:
        try:
            return self._engine.checkpoint(truncate=truncate)
        except sqlite3.Error as fault:
            if is_broken(fault):
                raise
            return None  # a full disk: the log keeps it all, and units say so themselves

    def _rest(self) -> None:
        """Sleep until a unit comes; after a quiet second, empty the log."""
        self._asleep = True
        if self._units_wait or self._errands or self._closing or self._broken:
            self._asleep = False
            return
        try:
            self._bell.get(timeout=None if self._log_is_empty else IDLE_SECONDS)
        except queue.Empty:
            done = self._checkpoint(truncate=True)
            self._log_is_empty = done is not None and not done.blocked
            self._engine.restore_ballast()
        finally:
            self._asleep = False

    def _call(self, function: Callable[..., None], *arguments: Any) -> None:
        assert self._loop is not None
        with suppress(RuntimeError):  # the loop is gone, and with it whoever asked; the data is where it should be
            self._loop.call_soon_threadsafe(function, *arguments)
