"""Copies of a SQLite database: made while it is in use, verified before they are called a backup, and put back.

Works on files as a whole; it never looks at what a row means.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stopwire.ports.faults import CopyRefused
from stopwire.storage import exchange
from stopwire.storage.group import GroupWriter
from stopwire.storage.sqlite import DATABASE_NAME, DirectoryLock, SqliteEngine

FOLDER = "backups"  # in the data folder
ROOM = 2  # a copy is made there only where this many of it would fit: a full disk takes no opt-out
STEP_PAGES = 512  # 2 MiB between two looks at who waits to write


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """A verified copy: where, how large, and how many rows each table has."""

    path: Path
    size_bytes: int
    rows: dict[str, int]


def backup(engine: SqliteEngine, target: Path) -> Backup:
    """Copy the database to the new file `target` and verify the copy. For an engine whose writer nobody else uses.

    Raises CopyRefused; `target` then does not exist.
    """
    copied = _copy(engine, target, let_units_pass=None)
    return _finish(copied, target)


async def backup_live(writer: GroupWriter[Any], engine: SqliteEngine, target: Path) -> Backup:
    """As `backup`, while the gateway works: units pass between the steps, and the copy holds all that committed."""
    copied = await writer.alone(lambda let_units_pass: _copy(engine, target, let_units_pass=let_units_pass))
    return await asyncio.to_thread(_finish, copied, target)


def folder_for(database: Path, free_bytes: int) -> Path:
    """Where copies of `database` stand. Raises CopyRefused where a disk with `free_bytes` has no room for one."""
    size = sum(part.stat().st_size for part in (database, database.with_name(f"{database.name}-wal")) if part.exists())
    if free_bytes < ROOM * size:
        raise CopyRefused(
            f"The disk has {free_bytes:,} bytes free, and a copy needs {size:,} and as much again to stay safe: "
            "write it to another disk with `stopwire db backup`."
        )
    folder = database.with_name(FOLDER)
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as fault:
        raise CopyRefused(f"The folder {folder} cannot be made: {fault.strerror}.") from fault
    return folder


def clear_leftovers(engine: SqliteEngine) -> None:
    """Clear away what copies left that were cut short. Nobody makes one now: `engine` has the folder."""
    folder = engine.path.parent
    for left in (*folder.glob(f"{DATABASE_NAME}*.partial*"), *(folder / FOLDER).glob("*.partial*")):
        left.unlink(missing_ok=True)


def keep_copy_before(engine: SqliteEngine) -> Callable[[str], Backup]:
    """For `migrations.upgrade`: copies the database to `stopwire.db.before-<revision>` beside it."""
    return lambda revision: backup(engine, exchange.free_name(engine.path.with_name(f"{DATABASE_NAME}.before-{revision}")))


def restore(source: Path, directory: Path) -> Path | None:
    """Make the backup `source` the database of `directory`; returns where the one it replaces was put.

    Raises DirectoryInUse while a Stopwire runs there, CopyRefused if the backup is not sound. What the replaced
    database knew and the backup does not (opt-outs since then) must be brought over by whoever calls this.
    """
    if not source.is_file():
        raise CopyRefused(f"There is no backup file {source}.")
    _verify(source)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = DirectoryLock(directory)
    try:
        current = directory / DATABASE_NAME
        exchange.complete(current)  # one that was cut short comes to its end before another begins
        copied = exchange.draft_of(current.with_name(f"{current.name}.copied"))
        _copy_bytes(source, copied)
        copied.rename(exchange.draft_of(current))  # whole from here on
        replaced = exchange.exchange(current)
    finally:
        lock.release(clean=not lock.died_before)
    return replaced


def _copy(
    engine: SqliteEngine, target: Path, *, let_units_pass: Callable[[], None] | None
) -> tuple[Path, sqlite3.Connection]:
    """The copy, not verified yet, and a reader that sees the database exactly as it was copied."""
    if target.exists():
        raise CopyRefused(f"{target} exists already: choose a new name, a backup overwrites nothing.")
    partial = exchange.draft_of(target)
    passing: list[BaseException] = []  # a fault of the units that passed, which is not the copy's
    reader = engine.connect_reader()
    try:
        os.close(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except OSError as fault:
        reader.close()
        raise CopyRefused(_why_not_written(partial, fault)) from fault
    copy = sqlite3.connect(partial, isolation_level=None)

    def between(_status: int, remaining: int, _total: int) -> None:
        if let_units_pass is not None and remaining:
            try:
                let_units_pass()
            except BaseException as fault:
                passing.append(fault)
                raise

    try:
        copy.execute("PRAGMA synchronous=OFF")  # it is brought to the disk as a whole before it gets its name
        engine.raw.backup(copy, pages=STEP_PAGES, progress=between)
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM sqlite_schema").fetchone()  # the snapshot begins with the first read
    except BaseException as fault:
        reader.close()
        partial.unlink(missing_ok=True)
        if isinstance(fault, sqlite3.Error) and not passing:
            raise CopyRefused(f"The backup {target} cannot be written ({fault}): nothing was kept of it.") from fault
        raise
    finally:
        copy.close()
    return partial, reader


def _finish(copied: tuple[Path, sqlite3.Connection], target: Path) -> Backup:
    """Verify the copy against the snapshot, bring it to the disk, give it its name."""
    partial, snapshot = copied
    try:
        rows = _verify(partial)
        if rows != (expected := _rows(snapshot)):
            raise CopyRefused(f"The copy has other rows than the database ({rows}, not {expected}): try again.")
        exchange.sync(partial)
        if target.exists():
            raise CopyRefused(f"{target} has appeared in the meantime: a backup overwrites nothing.")
        partial.rename(target)
        exchange.sync(target.parent)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    finally:
        snapshot.close()
    return Backup(path=target, size_bytes=target.stat().st_size, rows=rows)


def _verify(path: Path) -> dict[str, int]:
    """Check every page of a database nobody has open, and count its rows. Raises CopyRefused."""
    log = path.with_name(f"{path.name}-wal")
    if log.exists() and log.stat().st_size:
        raise CopyRefused(f"{path} has a write-ahead log beside it: it is a database in use, not a backup.")
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
    try:
        found = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(5)")]
        if found != ["ok"]:
            raise CopyRefused(f"{path} is damaged: {'; '.join(found)}. Use another backup.")
        return _rows(connection)
    except sqlite3.DatabaseError as fault:
        raise CopyRefused(f"{path} is not a sound SQLite database ({fault}). Use another backup.") from fault
    finally:
        connection.close()


def _rows(connection: sqlite3.Connection) -> dict[str, int]:
    """Rows of each ordinary table."""
    tables = connection.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!' "
        "AND sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY name"
    ).fetchall()
    quoted = {name: '"' + name.replace('"', '""') + '"' for (name,) in tables}
    return {
        name: int(connection.execute(f"SELECT count(*) FROM {sql}").fetchone()[0])  # noqa: S608  names of the schema
        for name, sql in quoted.items()
    }


def _copy_bytes(source: Path, target: Path) -> None:
    """A private copy on the disk."""
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with source.open("rb") as reader, os.fdopen(descriptor, "wb") as writer:
        while block := reader.read(1024 * 1024):
            writer.write(block)
        writer.flush()
        os.fsync(writer.fileno())


def _why_not_written(partial: Path, fault: OSError) -> str:
    if isinstance(fault, FileExistsError):
        return f"{partial} is in the way: a backup of that name is being made, or was cut short. If so, remove it."
    return f"The backup {partial} cannot be written: {fault.strerror}."
