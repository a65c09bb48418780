"""The SQLite engine: one file, one lock, one writer connection, readers that may only look.

Opens connections with the pragmas our promises rest on, checkpoints the write-ahead log, and says what is odd about
this machine. The schema never appears here, and no thread is started: `group.py` owns the threads.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from sqlalchemy import Connection, Engine, NullPool, create_engine

from stopwire.ports.faults import DatabaseDamaged, DirectoryInUse, DirectoryUnfit
from stopwire.storage import exchange

DATABASE_NAME = "stopwire.db"
LOCK_NAME = "stopwire.lock"
BALLAST_NAME = "stopwire.ballast"

BALLAST_BYTES = 16 * 1024 * 1024  # given back to a full disk, so that STOPs still fit
BUSY_TIMEOUT_MS = 5_000  # nobody else may hold the file, so this is only met when something is wrong
CHECK_SECONDS = 2.0  # of the five seconds in which a start after a crash has to be ready
CHECK_STEP_OPS = 20_000  # how often a long check looks at the clock, in instructions of SQLite's machine
STATEMENTS_CACHED = 512  # the statements of the whole house, so that none is compiled twice

# Locking and fsync over a network are promises nobody keeps: https://www.sqlite.org/faq.html#q5
NETWORK_FILE_SYSTEMS = frozenset(
    {"afs", "ceph", "cifs", "coda", "davfs", "glusterfs", "lustre", "ncpfs", "nfs", "nfs4", "smb3", "smbfs"}
    | {"fuse.ceph", "fuse.davfs2", "fuse.gcsfuse", "fuse.glusterfs", "fuse.rclone", "fuse.s3fs", "fuse.sshfs"}
)

# SQLite's result codes: https://www.sqlite.org/rescode.html
_FULL = sqlite3.SQLITE_FULL
_BROKEN = frozenset(
    {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_READONLY}
    | {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PROTOCOL}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """What one checkpoint did: frames in the log, and how many of them are in the database file now."""

    frames: int
    moved: int
    blocked: bool

    @property
    def log_bytes(self) -> int:
        """Size of the log's live part, at the default page size of 4,096 bytes."""
        return self.frames * 4_096


class DirectoryLock:
    """The lock file of a data directory: held while a process uses it, naming that process.

    The file stays when the lock is let go (to remove a lock file is a race). It is emptied by a clean exit, so a
    name left in a file that nobody holds means that the last process died.
    """

    def __init__(self, directory: Path) -> None:
        """Take the lock, or raise DirectoryInUse naming the process that has it."""
        self.path = directory / LOCK_NAME
        self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _lock(self._descriptor)
        except OSError:
            holder = " ".join(self._text().split()) or "another process"
            os.close(self._descriptor)
            raise DirectoryInUse(
                f"The data directory {directory} is in use by Stopwire ({holder}). "
                "Stop that process, or choose another directory with --data-dir."
            ) from None
        self.died_before = self._text() != ""
        self._write(f"pid {os.getpid()}")
        # The file system's stamp of that write is the start time: this floor has no clock.
        started_at = datetime.fromtimestamp(os.fstat(self._descriptor).st_mtime, UTC)
        self._write(f"pid {os.getpid()}, started {started_at:%Y-%m-%d %H:%M:%S} UTC\n")

    def release(self, *, clean: bool) -> None:
        """Let the directory go; `clean` also takes our name off it."""
        if clean:
            self._write("")
        os.close(self._descriptor)

    def _text(self) -> str:
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        return os.read(self._descriptor, 200).decode("ascii", "replace")

    def _write(self, text: str) -> None:
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        os.ftruncate(self._descriptor, 0)
        os.write(self._descriptor, text.encode("ascii"))


class SqliteEngine:
    """The database of one data directory, opened for this process alone.

    `writer` is used by one thread at a time, handed over in the order: whoever opens (checks, migrations), the writer
    thread, whoever closes. Writing and checkpointing from one thread is what keeps us clear of the WAL-reset bug.
    """

    def __init__(self, directory: Path, lock: DirectoryLock) -> None:
        """Use `SqliteEngine.open`."""
        self.directory = directory
        self.path = directory / DATABASE_NAME
        self.sound = True  # set to False after a fault of the disk: the next start then checks the file
        self._lock = lock
        self._notices: list[str] = []
        self._readers = _engine(self.connect_reader)
        self._exclusive = _has_exclusive_vfs()
        _create_private(self.path)
        self.writer = _engine(self._connect_writer).connect()
        self.raw = driver(self.writer)
        self._synced = True

    @classmethod
    def open(cls, directory: Path, *, check_seconds: float = CHECK_SECONDS) -> Self:
        """Open or create the database in `directory`; after a crash, look it over for at most `check_seconds`.

        Raises DirectoryInUse, DirectoryUnfit, DatabaseDamaged.
        """
        loose = _prepare(directory)
        lock = DirectoryLock(directory)
        engine: Self | None = None
        try:
            completed = exchange.complete(directory / DATABASE_NAME)
            engine = cls(directory, lock)
            if completed:
                engine.notice("A restore that was cut short was brought to its end: the database is the restored one.")
            engine._notices += [*loose, *_version_notices(sqlite3.sqlite_version_info)]
            engine.checkpoint(truncate=True)
            if lock.died_before:
                engine._look_over(check_seconds)
            engine.restore_ballast()
        except BaseException as fault:
            if engine is not None:
                engine.writer.close()
            lock.release(clean=not lock.died_before)
            if isinstance(fault, Exception) and is_broken(fault):
                raise DatabaseDamaged(
                    f"The database {directory / DATABASE_NAME} cannot be opened ({fault.__cause__ or fault}). "
                    "Restore a backup with `stopwire db restore`, and check the disk."
                ) from fault
            raise
        return engine

    def open_reader(self) -> Connection:
        """A connection that can only look and never checkpoints. Close it before the engine."""
        return self._readers.connect()

    def sync(self, on: bool) -> None:
        """Whether the commits that come are on the disk when they return (`on`), or as soon as a later one is.

        Only between transactions. Either way the file is sound after a loss of power.
        """
        if on is not self._synced:
            self._synced = on
            self.raw.execute(f"PRAGMA synchronous={'FULL' if on else 'NORMAL'}")

    def checkpoint(self, *, truncate: bool) -> Checkpoint:
        """Move the log into the database file: as far as readers allow, and with `truncate` empty the log as well.

        Only the thread that has the writer may call this. It never waits for a reader.
        """
        if not truncate:
            row = self.raw.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        else:
            self.raw.execute("PRAGMA busy_timeout=0")
            row = self.raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            self.raw.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        blocked, frames, moved = row
        return Checkpoint(frames=max(frames, 0), moved=max(moved, 0), blocked=bool(blocked))

    def log_file_bytes(self) -> int:
        """Size of the log's file, which a passive checkpoint reuses and does not shrink."""
        try:
            return os.stat(f"{self.path}-wal").st_size
        except FileNotFoundError:
            return 0

    def database_bytes(self) -> int:
        """Size of the database's file, without its log."""
        return os.stat(self.path).st_size

    def free_bytes(self) -> int:
        """What this user may still write to the disk of the data directory."""
        return shutil.disk_usage(self.directory).free

    def drop_ballast(self) -> bool:
        """Give the ballast back to a full disk. True if there was one."""
        try:
            (self.directory / BALLAST_NAME).unlink()
        except FileNotFoundError:
            return False
        return True

    def restore_ballast(self) -> None:
        """Lay in the ballast again, if it is missing and the disk has room for it several times over."""
        path = self.directory / BALLAST_NAME
        if path.exists() or self.free_bytes() < 8 * BALLAST_BYTES or not hasattr(os, "posix_fallocate"):
            return
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, BALLAST_BYTES)
        except OSError:  # a disk that is full after all, or a file system without allocation: no ballast, then
            path.unlink(missing_ok=True)
        finally:
            os.close(descriptor)

    def notices(self) -> tuple[str, ...]:
        """What the operator should know about this machine and this file, in sentences."""
        return tuple(self._notices)

    def notice(self, sentence: str) -> None:
        """Add to the notices, once."""
        if sentence not in self._notices:
            self._notices.append(sentence)

    def close(self) -> None:
        """Empty the log, close the file and let the directory go. Readers must be closed before. May be called twice."""
        if self.writer.closed:
            return
        clean = self.sound
        if clean:
            try:
                self.checkpoint(truncate=True)
            except sqlite3.Error:
                clean = False  # nothing is lost: the next start reads the log again, and looks the file over
        self.writer.close()
        self._lock.release(clean=clean)

    def _look_over(self, seconds: float) -> None:
        """SQLite's quick check, for as long as a start may take. Raises DatabaseDamaged."""
        until = time.monotonic() + seconds
        self.raw.set_progress_handler(lambda: time.monotonic() > until, CHECK_STEP_OPS)
        try:
            found = [str(row[0]) for row in self.raw.execute("PRAGMA quick_check(5)")]
        except sqlite3.OperationalError as fault:
            if fault.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
                raise
            self.notice(
                "Stopwire was not stopped cleanly last time. The database is too large to be checked at every such "
                f"start: what was checked in {seconds:g} s is sound. `stopwire db check` checks all of it."
            )
            return
        finally:
            self.raw.set_progress_handler(None, 0)
        if found != ["ok"]:
            raise DatabaseDamaged(
                f"The database {self.path} is damaged: {'; '.join(found)}. "
                "Restore a backup with `stopwire db restore`, and check the disk."
            )

    def _connect_writer(self) -> sqlite3.Connection:
        connection = self._connect()
        mode = connection.execute("PRAGMA journal_mode=WAL").fetchone()[0]
        if mode != "wal":
            raise DirectoryUnfit(
                f"The file system of {self.directory} cannot hold SQLite's write-ahead log (it stays in mode {mode}). "
                "Choose a directory on a local disk."
            )
        return connection

    def connect_reader(self) -> sqlite3.Connection:
        """As `open_reader`, without SQLAlchemy around it."""
        connection = self._connect()
        connection.execute("PRAGMA query_only=ON")
        return connection

    def _connect(self) -> sqlite3.Connection:
        vfs = "&vfs=unix-excl" if self._exclusive else ""
        connection = sqlite3.connect(
            f"{self.path.absolute().as_uri()}?mode=rw{vfs}",
            uri=True,
            isolation_level=None,  # transactions are ours to open: the module's own would hide them
            check_same_thread=False,  # one thread at a time, see the class
            cached_statements=STATEMENTS_CACHED,
        )
        for pragma in _pragmas():
            connection.execute(f"PRAGMA {pragma}")
        return connection


def driver(connection: Connection) -> sqlite3.Connection:
    """The standard library's connection inside `connection`, for transactions, pragmas and hot statements."""
    raw = connection.connection.driver_connection
    assert isinstance(raw, sqlite3.Connection)
    return raw


def is_full(fault: BaseException) -> bool:
    """Did SQLite find no room for a page?"""
    return _code(fault) == _FULL


def is_broken(fault: BaseException) -> bool:
    """Is this a fault of the disk or the file, after which nothing SQLite says about a commit can be trusted?"""
    return _code(fault) in _BROKEN


def is_read_only(fault: BaseException) -> bool:
    """Was a write tried where none is allowed?"""
    return _code(fault) == sqlite3.SQLITE_READONLY


def has_wal_reset_bug(version: tuple[int, int, int]) -> bool:
    """Can this SQLite damage a file that two connections write or checkpoint at one instant?

    3.7.0 to 3.51.2 can, but for the repaired 3.44.6 and 3.50.7. https://www.sqlite.org/wal.html
    """
    repaired = (3, 44, 6) <= version < (3, 45, 0) or (3, 50, 7) <= version < (3, 51, 0)
    return (3, 7, 0) <= version < (3, 51, 3) and not repaired


def file_system_of(directory: Path, mounts: str) -> str:
    """The type of the file system that holds `directory`, by the text of /proc/mounts; "" if it names none."""
    best, found = -1, ""
    for line in mounts.splitlines():
        _, point, kind, *_ = line.split(" ")
        mount = Path(point.encode().decode("unicode_escape"))  # a space is \040 there
        if directory.is_relative_to(mount) and len(mount.parts) >= best:
            best, found = len(mount.parts), kind
    return found


def _code(fault: BaseException) -> int | None:
    """SQLite's primary result code behind `fault`, also when SQLAlchemy has wrapped it."""
    inner = getattr(fault, "orig", None) or fault
    code = getattr(inner, "sqlite_errorcode", None)
    return code & 0xFF if isinstance(code, int) else None


def _engine(connect: Callable[[], sqlite3.Connection]) -> Engine:
    return create_engine("sqlite+pysqlite://", creator=connect, poolclass=NullPool)


def _pragmas() -> tuple[str, ...]:
    always = (
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        "synchronous=FULL",  # NORMAL keeps the file sound and loses acknowledged commits with the power
        "foreign_keys=ON",
        "trusted_schema=OFF",
        "temp_store=MEMORY",  # what is sorted are people's messages: not in /tmp
        "mmap_size=0",  # a mapped file turns a small inconsistency into damage of the structure
        "wal_autocheckpoint=0",  # only the writer's thread checkpoints, when it has time
    )
    apple = ("fullfsync=1", "checkpoint_fullfsync=1")  # fsync alone does not reach the platter there
    return always + apple if sys.platform == "darwin" else always


def _prepare(directory: Path) -> list[str]:
    """Make the data directory, private to us. Returns notices; raises DirectoryUnfit."""
    try:
        new = not directory.exists()
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as fault:
        raise DirectoryUnfit(
            f"The data directory {directory} cannot be made: {fault.strerror}. Choose another with --data-dir."
        ) from fault
    if not os.access(directory, os.W_OK | os.X_OK):
        raise DirectoryUnfit(
            f"The data directory {directory} is not writable by this user. Change its owner, or choose another."
        )
    mounts = Path("/proc/mounts")
    kind = file_system_of(directory.resolve(), mounts.read_text()) if mounts.exists() else ""
    if kind in NETWORK_FILE_SYSTEMS:
        raise DirectoryUnfit(
            f"The data directory {directory} is on a network file system ({kind}), where SQLite can lose data. "
            "Choose a directory on a local disk with --data-dir, or use PostgreSQL."
        )
    if new:
        directory.chmod(0o700)
    elif sys.platform != "win32" and directory.stat().st_mode & 0o077:
        return [f"Other users of this machine may list {directory}: `chmod 700` closes it. The files in it are closed."]
    return []


def _create_private(path: Path) -> None:
    """Create the database file for its owner's eyes only; SQLite gives the log the same mode.

    This must come before SQLite opens the file: closing any descriptor of it would drop SQLite's locks.
    """
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    if sys.platform != "win32" and path.stat().st_mode & 0o077:
        path.chmod(0o600)


def library() -> tuple[str, list[str]]:
    """The version of the SQLite library, and what the operator should know of it."""
    return sqlite3.sqlite_version, _version_notices(sqlite3.sqlite_version_info)


def _version_notices(version: tuple[int, int, int]) -> list[str]:
    if not has_wal_reset_bug(version):
        return []
    return [
        f"SQLite {'.'.join(map(str, version))} has a bug that damages files written from two places at once "
        "(repaired in 3.51.3). Stopwire writes from one place; let no other program open the file while it runs."
    ]


def _has_exclusive_vfs() -> bool:
    """Can this SQLite keep every other process out (and the log's index in our memory)?"""
    try:
        sqlite3.connect("file::memory:?vfs=unix-excl", uri=True).close()
    except sqlite3.OperationalError:
        return False
    return True


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        os.lseek(descriptor, 1 << 30, os.SEEK_SET)  # a byte nobody reads: Windows locks are mandatory
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
