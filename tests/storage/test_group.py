"""The group writer on a real file: who goes first, what one failure undoes, what is on the disk after an answer."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DatabaseError

from stopwire.ports.faults import StoreBroken, StoreBusy, StoreClosed, StoreFull, StoreSlow
from stopwire.ports.store import Haste
from stopwire.storage import group, readers
from stopwire.storage.group import GroupWriter
from stopwire.storage.sqlite import SqliteEngine


class Tx:
    """The least a unit can be given."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.wakes: list[str] = []

    def add(self, body: str) -> str:
        self.connection.execute(text("INSERT INTO rows (body) VALUES (:body)"), {"body": body})
        return body

    def bodies(self) -> list[str]:
        return [row[0] for row in self.connection.execute(text("SELECT body FROM rows ORDER BY id"))]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[SqliteEngine]:
    engine = SqliteEngine.open(tmp_path / "data")
    engine.raw.executescript(
        "CREATE TABLE rows (id INTEGER PRIMARY KEY, body TEXT NOT NULL UNIQUE) STRICT;"
        "CREATE TABLE children (id INTEGER PRIMARY KEY, parent INTEGER NOT NULL"
        " REFERENCES rows (id) DEFERRABLE INITIALLY DEFERRED) STRICT;"
        "CREATE TRIGGER poison BEFORE INSERT ON rows WHEN new.body = 'poison' BEGIN SELECT RAISE(ROLLBACK, 'gone'); END;"
    )
    yield engine
    engine.close()


@asynccontextmanager
async def running(engine: SqliteEngine, **options: Any) -> AsyncIterator[GroupWriter[Tx]]:
    writer = GroupWriter(engine, Tx, **options)
    writer.start()
    try:
        yield writer
    finally:
        await writer.close()


@asynccontextmanager
async def held(writer: GroupWriter[Tx]) -> AsyncIterator[None]:
    """The writer's thread is kept busy, so that what is written inside waits together."""
    entered, released = threading.Event(), threading.Event()

    def wait(_: Callable[[], None]) -> None:
        entered.set()
        released.wait(10)

    errand = asyncio.ensure_future(writer.alone(wait))
    await asyncio.to_thread(entered.wait, 10)
    try:
        yield
        await asyncio.sleep(0)  # the tasks made inside reach the queue
    finally:
        released.set()
        await errand


def adds(body: str) -> Callable[[Tx], str]:
    return lambda tx: tx.add(body)


async def bodies(writer: GroupWriter[Tx]) -> list[str]:
    return await writer.read(lambda tx: tx.bodies())


async def outcomes(*writes: "asyncio.Future[Any]") -> list[object]:
    return list(await asyncio.gather(*writes, return_exceptions=True))


async def test_a_unit_returns_its_result_when_it_is_committed(engine: SqliteEngine) -> None:
    async with running(engine) as writer:
        assert "one" == await writer.write(adds("one"))
        assert ["one"] == await bodies(writer)


async def test_units_that_wait_together_share_one_commit_in_the_order_they_came(engine: SqliteEngine) -> None:
    sizes: list[int] = []
    async with running(engine, on_batch=lambda size, seconds: sizes.append(size)) as writer:
        async with held(writer):
            writes = [asyncio.ensure_future(writer.write(adds(f"{number:03}"))) for number in range(100)]
        await asyncio.gather(*writes)
        assert [f"{number:03}" for number in range(100)] == await bodies(writer)
    assert 100 == sum(sizes)
    assert len(sizes) < 20


async def test_urgent_units_go_first(engine: SqliteEngine) -> None:
    async with running(engine) as writer:
        async with held(writer):
            writes = [asyncio.ensure_future(writer.write(adds(body))) for body in ("send 1", "send 2")]
            writes.append(asyncio.ensure_future(writer.write(adds("stop"), haste=Haste.URGENT)))
        await asyncio.gather(*writes)
        assert ["stop", "send 1", "send 2"] == await bodies(writer)


def syncs(body: str) -> Callable[[Tx], int]:
    """Adds a row; whether its commit waits for the disk: SQLite's 2 (FULL), or 1 (NORMAL) in this mode of the log."""

    def unit(tx: Tx) -> int:
        tx.add(body)
        return int(tx.connection.execute(text("PRAGMA synchronous")).scalar_one())

    return unit


async def test_patient_units_wait_for_the_others_and_have_a_commit_of_their_own_that_does_not_wait_for_the_disk(
    engine: SqliteEngine,
) -> None:
    sizes: list[int] = []
    async with running(engine, on_batch=lambda size, seconds: sizes.append(size)) as writer:
        async with held(writer):
            patient = [asyncio.ensure_future(writer.write(syncs(f"told {n}"), haste=Haste.PATIENT)) for n in range(2)]
            others = [asyncio.ensure_future(writer.write(syncs(body))) for body in ("send 1", "send 2")]
            others.append(asyncio.ensure_future(writer.write(syncs("stop"), haste=Haste.URGENT)))
        assert [2, 2, 2] == await asyncio.gather(*others)
        assert [1, 1] == await asyncio.gather(*patient)
        assert ["stop", "send 1", "send 2", "told 0", "told 1"] == await bodies(writer)
    assert [3, 2] == sizes


async def test_patient_units_are_passed_over_once_only(engine: SqliteEngine) -> None:
    async with running(engine) as writer:
        again: list[asyncio.Future[int]] = []
        loop = asyncio.get_running_loop()

        def busy(tx: Tx) -> int:
            """While it runs, the next unit comes: there is never a pause."""
            came = threading.Event()

            def come() -> None:
                again.append(asyncio.ensure_future(writer.write(syncs(f"send {len(again)}"))))
                loop.call_soon(came.set)

            loop.call_soon_threadsafe(come)
            came.wait(10)
            return 0

        async with held(writer):
            told = asyncio.ensure_future(writer.write(syncs("told"), haste=Haste.PATIENT))
            first = [asyncio.ensure_future(writer.write(busy)) for _ in range(group.BATCH_MAX + 1)]
        assert 2 == await told  # in the second batch, with others who wait for the disk
        await asyncio.gather(*first, *again)


async def test_who_comes_while_patient_units_run_has_a_commit_that_is_on_the_disk(engine: SqliteEngine) -> None:
    sizes: list[int] = []
    async with running(engine, on_batch=lambda size, seconds: sizes.append(size)) as writer:
        loop, stop = asyncio.get_running_loop(), asyncio.Event()
        stops: list[asyncio.Future[int]] = []

        def slow(tx: Tx) -> None:
            came = threading.Event()

            def come() -> None:
                stops.append(asyncio.ensure_future(writer.write(syncs("stop"), haste=Haste.URGENT)))
                loop.call_soon(stop.set)
                loop.call_soon(came.set)

            loop.call_soon_threadsafe(come)
            came.wait(10)

        async with held(writer):
            patient = [asyncio.ensure_future(writer.write(unit, haste=Haste.PATIENT)) for unit in (slow, adds("told"))]
        await stop.wait()
        assert 2 == await stops[0]
        await asyncio.gather(*patient)
        assert ["stop", "told"] == await bodies(writer)
    assert [1, 1, 1] == sizes


async def test_an_exception_undoes_its_own_unit_only_and_is_raised_at_its_caller(engine: SqliteEngine) -> None:
    def fails(tx: Tx) -> str:
        tx.add("never kept")
        raise LookupError("a bug")

    async with running(engine) as writer:
        async with held(writer):
            writes = [
                asyncio.ensure_future(writer.write(unit)) for unit in (fails, adds("one"), fails, adds("two"), fails)
            ]
        results = await outcomes(*writes)
        assert [LookupError, str, LookupError, str, LookupError] == [type(result) for result in results]
        assert ["one", "two"] == await bodies(writer)


@pytest.mark.parametrize("position", [0, 1])
async def test_a_broken_promise_of_the_schema_fails_its_own_unit(engine: SqliteEngine, position: int) -> None:
    async with running(engine) as writer:
        await writer.write(adds("taken"))
        async with held(writer):
            units = [adds("free")]
            units.insert(position, adds("taken"))
            writes = [asyncio.ensure_future(writer.write(unit)) for unit in units]
        results = await outcomes(*writes)
        assert "IntegrityError" == type(results[position]).__name__
        assert ["taken", "free"] == await bodies(writer)


async def test_a_promise_broken_at_the_commit_fails_only_the_unit_that_broke_it(engine: SqliteEngine) -> None:
    def orphan(tx: Tx) -> str:
        tx.connection.execute(text("INSERT INTO children (parent) VALUES (99)"))
        return "orphan"

    async with running(engine) as writer:
        async with held(writer):
            writes = [asyncio.ensure_future(writer.write(unit)) for unit in (adds("one"), orphan, adds("two"))]
        one, failed, two = await outcomes(*writes)
        assert ("one", "two") == (one, two)
        assert isinstance(failed, sqlite3.IntegrityError)
        assert ["one", "two"] == await bodies(writer)


@pytest.mark.parametrize("position", [0, 1])
@pytest.mark.parametrize("swallows", [False, True], ids=["and raises", "and swallows the error"])
async def test_a_unit_that_loses_the_transaction_for_all_costs_nobody_else_anything(
    engine: SqliteEngine, swallows: bool, position: int
) -> None:
    def poison(tx: Tx) -> str:
        try:
            return tx.add("poison")
        except DatabaseError:
            if swallows:
                return "went on"
            raise

    async with running(engine) as writer:
        async with held(writer):
            units = [adds("one"), adds("two")]
            units.insert(position, poison)
            writes = [asyncio.ensure_future(writer.write(unit)) for unit in units]
        results = await outcomes(*writes)
        assert isinstance(results.pop(position), Exception)
        assert ["one", "two"] == results
        assert ["one", "two"] == await bodies(writer)


@pytest.mark.parametrize(
    "undone",
    [
        pytest.param("statement", id="SQLite undoes the statement"),
        pytest.param("transaction", id="SQLite undoes the transaction"),
    ],
)
async def test_a_full_disk_in_the_middle_of_a_batch_keeps_the_urgent_unit_and_fails_the_others(
    engine: SqliteEngine, undone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group, "BATCH_SECONDS", 60)  # one batch, however slow the machine
    if undone == "transaction":  # it keeps a journal for the statement only where a trigger may need it
        engine.raw.execute("DROP TRIGGER poison")
    async with running(engine) as writer:
        pages = engine.raw.execute("PRAGMA page_count").fetchone()[0]

        async with held(writer):
            engine.raw.execute(f"PRAGMA max_page_count={pages + 16}")
            writes = [asyncio.ensure_future(writer.write(adds("x" * 2_000 + str(number)))) for number in range(63)]
            stop = asyncio.ensure_future(writer.write(adds("stop"), haste=Haste.URGENT))
        assert "stop" == await stop
        results = await outcomes(*writes)

        failed = [result for result in results if isinstance(result, StoreFull)]
        assert failed
        assert (undone == "transaction") == isinstance(results[0], StoreFull)
        assert all(isinstance(result, str | StoreFull) for result in results)
        assert {"stop", *(result for result in results if isinstance(result, str))} == set(await bodies(writer))

        await writer.alone(lambda _: engine.raw.execute("PRAGMA max_page_count=1073741823").fetchone())
        assert "room again" == await writer.write(adds("room again"))


async def test_an_urgent_unit_that_does_not_fit_is_told_so(engine: SqliteEngine) -> None:
    async with running(engine) as writer:
        pages = engine.raw.execute("PRAGMA page_count").fetchone()[0]
        engine.raw.execute(f"PRAGMA max_page_count={pages + 1}")
        with pytest.raises(StoreFull):
            await writer.write(adds("x" * 100_000), haste=Haste.URGENT)
        assert [] == await bodies(writer)


async def test_below_the_floor_of_free_space_only_urgent_units_are_taken(
    engine: SqliteEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "free_bytes", lambda: 10 * 1024 * 1024)
    async with running(engine, free_space_floor_mib=64) as writer:
        with pytest.raises(StoreFull, match="Less than 64 MiB"):
            await writer.write(adds("send"))
        assert "stop" == await writer.write(adds("stop"), haste=Haste.URGENT)


async def test_a_full_queue_refuses_at_once_but_takes_what_is_urgent(
    engine: SqliteEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group, "QUEUE_MAX", 3)
    async with running(engine) as writer:
        async with held(writer):
            writes = [asyncio.ensure_future(writer.write(adds(str(number)))) for number in range(3)]
            await asyncio.sleep(0)
            with pytest.raises(StoreBusy):
                await writer.write(adds("one too many"))
            writes.append(asyncio.ensure_future(writer.write(adds("stop"), haste=Haste.URGENT)))
        await asyncio.gather(*writes)
        assert ["stop", "0", "1", "2"] == await bodies(writer)


async def test_what_units_leave_behind_is_seen_after_the_commit_and_before_their_callers_go_on(
    engine: SqliteEngine,
) -> None:
    seen: list[str] = []

    def rings(tx: Tx) -> None:
        tx.add("one")
        tx.wakes.append("bell")

    def fails(tx: Tx) -> None:
        tx.wakes.append("never")
        raise LookupError

    async with running(engine, on_commit=lambda txs: seen.extend(wake for tx in txs for wake in tx.wakes)) as writer:
        await writer.write(rings)
        assert ["bell"] == seen
        with pytest.raises(LookupError):
            await writer.write(fails)
        assert ["bell"] == seen


async def test_a_caller_that_goes_away_withdraws_a_unit_that_has_not_run(engine: SqliteEngine) -> None:
    async with running(engine) as writer:
        async with held(writer):
            write = asyncio.ensure_future(writer.write(adds("withdrawn")))
            await asyncio.sleep(0)
            write.cancel()
            await asyncio.sleep(0)
        await writer.write(adds("kept"))
        assert ["kept"] == await bodies(writer)


async def test_a_stray_stop_iteration_reaches_its_caller_as_a_bug(engine: SqliteEngine) -> None:
    async with running(engine) as writer:
        with pytest.raises(RuntimeError, match="StopIteration"):
            await writer.write(lambda tx: next(iter([])))
        with pytest.raises(RuntimeError, match="StopIteration"):
            await writer.read(lambda tx: next(iter([])))


async def test_closing_finishes_what_waits_and_takes_nothing_more(engine: SqliteEngine) -> None:
    writer = GroupWriter(engine, Tx)
    writer.start()
    writes = [asyncio.ensure_future(writer.write(adds(str(number)))) for number in range(50)]
    await asyncio.sleep(0)
    await writer.close()
    assert [str(number) for number in range(50)] == await asyncio.gather(*writes)
    assert 0 == engine.log_file_bytes()
    with pytest.raises(StoreClosed):
        await writer.write(adds("late"))
    with pytest.raises(StoreClosed):
        await writer.read(lambda tx: tx.bodies())


async def test_a_failing_disk_stops_everything_and_answers_nobody_with_a_yes(engine: SqliteEngine) -> None:
    broken: list[BaseException] = []

    def dies(tx: Tx) -> None:
        fault = sqlite3.OperationalError("disk I/O error")
        fault.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
        raise fault

    async with running(engine, on_broken=broken.append) as writer:
        async with held(writer):
            writes = [asyncio.ensure_future(writer.write(unit)) for unit in (adds("one"), dies, adds("two"))]
        results = await outcomes(*writes)
        assert [StoreBroken] * 3 == [type(result) for result in results]
        assert 1 == len(broken)
        with pytest.raises(StoreBroken):
            await writer.write(adds("stop"), haste=Haste.URGENT)
        with pytest.raises(StoreBroken):
            await writer.read(lambda tx: tx.bodies())
    engine.close()
    again = SqliteEngine.open(engine.directory)
    assert [] == again.raw.execute("SELECT body FROM rows").fetchall()
    again.close()


async def test_a_read_sees_one_moment_and_everything_committed_before_it(engine: SqliteEngine) -> None:
    entered, released = threading.Event(), threading.Event()

    def looks_twice(tx: Tx) -> tuple[list[str], list[str]]:
        first = tx.bodies()
        entered.set()
        released.wait(10)
        return first, tx.bodies()

    async with running(engine) as writer:
        await writer.write(adds("one"))
        read = asyncio.ensure_future(writer.read(looks_twice))
        await asyncio.to_thread(entered.wait, 10)
        await writer.write(adds("two"))
        released.set()
        assert (["one"], ["one"]) == await read
        assert ["one", "two"] == await bodies(writer)


ENDLESS = text("WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n")


async def test_a_read_that_takes_too_long_is_stopped_and_its_reader_goes_on(engine: SqliteEngine) -> None:
    async with running(engine) as writer:
        for _ in range(readers.READERS + 1):
            with pytest.raises(StoreSlow):
                await writer.read(lambda tx: tx.connection.execute(ENDLESS).fetchall(), timeout=0.05)
        assert [] == await bodies(writer)


async def test_the_oldest_read_is_stopped_when_it_keeps_the_log_from_shrinking(
    engine: SqliteEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group, "LOG_BYTES_SOFT", 0)
    monkeypatch.setattr(group, "LOG_BYTES_HARD", 0)
    monkeypatch.setattr(group, "CHECKPOINT_SECONDS_MIN", 0.0)
    entered = threading.Event()

    def endless(tx: Tx) -> object:
        tx.bodies()
        entered.set()
        return tx.connection.execute(ENDLESS).fetchall()

    async with running(engine) as writer:
        read = asyncio.ensure_future(writer.read(endless, timeout=30))
        await asyncio.to_thread(entered.wait, 10)
        await writer.write(adds("one"))
        await writer.write(adds("two"))
        with pytest.raises(StoreSlow):
            await asyncio.wait_for(read, 10)
        assert any("long read" in notice for notice in engine.notices())


async def test_a_reader_cannot_write_and_that_is_not_a_broken_disk(engine: SqliteEngine) -> None:
    async with running(engine) as writer:
        with pytest.raises(Exception, match="readonly"):
            await writer.read(lambda tx: tx.add("no"))
        assert "yes" == await writer.write(adds("yes"))


async def test_the_log_stays_short_under_a_stream_of_writes(
    engine: SqliteEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group, "LOG_BYTES_SOFT", 64 * 1024)
    monkeypatch.setattr(group, "CHECKPOINT_SECONDS_MIN", 0.0)
    async with running(engine) as writer:
        for number in range(200):
            await writer.write(adds("x" * 4_000 + str(number)))
        assert engine.log_file_bytes() < 512 * 1024


CHILD = """
import asyncio, sys
from pathlib import Path
from stopwire.ports.store import Haste
from stopwire.storage.sqlite import SqliteEngine, driver
from stopwire.storage.group import GroupWriter

async def main():
    engine = SqliteEngine.open(Path(sys.argv[1]))
    engine.raw.execute("CREATE TABLE IF NOT EXISTS rows (id INTEGER PRIMARY KEY, body TEXT NOT NULL UNIQUE) STRICT")
    writer = GroupWriter(engine, driver)
    writer.start()
    async def stream(lane):
        number = 0
        while True:
            body = f"{sys.argv[2]}-{lane}-{number}"
            haste = list(Haste)[lane % 3]  # a kill of the process spares what is patient, too
            await writer.write(lambda tx: tx.execute("INSERT INTO rows (body) VALUES (?)", (body,)) and None, haste=haste)
            sys.stdout.write(body + "\\n")
            sys.stdout.flush()
            number += 1
    await asyncio.gather(*(stream(lane) for lane in range(16)))

asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is a POSIX signal")
def test_every_acknowledged_row_is_there_after_a_kill(tmp_path: Path) -> None:
    acknowledged: set[str] = set()
    for life in range(10):
        with subprocess.Popen(
            [sys.executable, "-c", CHILD, str(tmp_path / "data"), str(life)], stdout=subprocess.PIPE, text=True
        ) as child:
            assert child.stdout is not None
            acknowledged.add(child.stdout.readline().strip())  # it has begun
            threading.Timer(0.02 * (life + 1), os.kill, (child.pid, signal.SIGKILL)).start()
            lines = child.stdout.read().split("\n")
            acknowledged.update(lines[:-1])  # the last may be cut
    engine = SqliteEngine.open(tmp_path / "data")
    kept = {row[0] for row in engine.raw.execute("SELECT body FROM rows")}
    engine.close()
    assert len(acknowledged) > 500
    assert set() == acknowledged - kept


FAILS_TO_WRITE = """
import asyncio, os, resource, sys
from pathlib import Path
from stopwire.storage.sqlite import SqliteEngine, driver
from stopwire.storage.group import GroupWriter

def broken(fault):
    print("broken", type(fault).__name__, flush=True)
    os._exit(3)

async def main():
    engine = SqliteEngine.open(Path(sys.argv[1]))
    engine.raw.execute("CREATE TABLE rows (id INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT")
    writer = GroupWriter(engine, driver, on_broken=broken)
    writer.start()
    resource.setrlimit(resource.RLIMIT_FSIZE, (512 * 1024, 512 * 1024))  # the write of the log fails beyond it
    async def stream(lane):
        for number in range(10_000):
            body = f"{lane}-{number}"
            await writer.write(lambda tx: tx.execute("INSERT INTO rows (body) VALUES (?)", (body,)) and None)
            print(body, flush=True)
    await asyncio.gather(*(stream(lane) for lane in range(8)))

asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits of POSIX")
def test_a_write_that_fails_stops_the_process_and_costs_nothing_acknowledged(tmp_path: Path) -> None:
    child = subprocess.run(
        [sys.executable, "-c", FAILS_TO_WRITE, str(tmp_path / "data")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    *acknowledged, last = child.stdout.split("\n")[:-1]
    assert (3, "broken OperationalError") == (child.returncode, last)
    assert acknowledged
    engine = SqliteEngine.open(tmp_path / "data")
    kept = {row[0] for row in engine.raw.execute("SELECT body FROM rows")}
    engine.close()
    assert set() == set(acknowledged) - kept


async def test_a_thousand_units_wait_for_far_fewer_commits(engine: SqliteEngine) -> None:
    commits = 0

    def count(size: int, seconds: float) -> None:
        nonlocal commits
        commits += 1

    async with running(engine, on_batch=count) as writer:
        begun = time.perf_counter()
        await asyncio.gather(*(writer.write(adds(str(number))) for number in range(1_000)))
        assert time.perf_counter() - begun < 10
    assert commits < 100
