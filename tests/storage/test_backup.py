"""Copies of a database in use: whole, verified, private, and never over something else."""

import asyncio
import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from stopwire.ports.faults import CopyRefused, DirectoryInUse
from stopwire.storage import backup as module
from stopwire.storage.backup import Backup, backup, backup_live, clear_leftovers, keep_copy_before, restore
from stopwire.storage.group import GroupWriter
from stopwire.storage.sqlite import DirectoryLock, SqliteEngine, driver


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[SqliteEngine]:
    engine = SqliteEngine.open(tmp_path / "data")
    engine.raw.execute("CREATE TABLE rows (id INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT")
    engine.raw.execute("BEGIN")  # else each row is a commit of its own, and waits for the disk
    engine.raw.executemany("INSERT INTO rows (body) VALUES (?)", [("x" * 500,)] * 2_000)
    engine.raw.execute("COMMIT")
    yield engine
    engine.close()


def bodies(path: Path) -> list[str]:
    connection = sqlite3.connect(path)
    try:
        return [row[0] for row in connection.execute("SELECT body FROM rows ORDER BY id")]
    finally:
        connection.close()


def test_a_backup_is_whole_private_and_counted(engine: SqliteEngine, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    done = backup(engine, target)
    assert Backup(path=target, size_bytes=target.stat().st_size, rows={"rows": 2_000}) == done
    assert 2_000 == len(bodies(target))
    assert 0o600 == target.stat().st_mode & 0o777
    assert [] == list(tmp_path.glob("*.partial*"))


async def test_a_backup_of_a_busy_gateway_lets_units_pass_and_holds_what_they_wrote(
    engine: SqliteEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "STEP_PAGES", 1)
    writer = GroupWriter(engine, driver)
    writer.start()
    done = False
    during = 0

    def change(tx: sqlite3.Connection) -> None:
        tx.execute("INSERT INTO rows (body) VALUES ('new')")
        tx.execute("UPDATE rows SET body = 'changed' WHERE id = 1")

    async def keep_writing() -> None:
        nonlocal during
        while not done:
            await writer.write(change)
            during += 1

    writing = asyncio.ensure_future(keep_writing())
    while not during:
        await asyncio.sleep(0)
    before = during
    copy = await backup_live(writer, engine, tmp_path / "copy.db")
    assert during > before, "units passed between the steps of the copy"
    done = True
    await writing
    await writer.close()
    kept = bodies(copy.path)
    assert len(kept) == copy.rows["rows"]
    assert "changed" == kept[0]
    assert "new" in kept


def test_a_backup_overwrites_nothing(engine: SqliteEngine, tmp_path: Path) -> None:
    target = tmp_path / "precious.db"
    target.write_text("precious")
    with pytest.raises(CopyRefused, match="exists already"):
        backup(engine, target)
    assert "precious" == target.read_text()


@pytest.mark.parametrize("target", ["no/such/directory/copy.db"])
def test_a_backup_that_cannot_be_written_is_told(engine: SqliteEngine, tmp_path: Path, target: str) -> None:
    with pytest.raises(CopyRefused, match="cannot be written: No such file"):
        backup(engine, tmp_path / target)


def test_a_name_left_by_a_backup_cut_short_is_told(engine: SqliteEngine, tmp_path: Path) -> None:
    (tmp_path / "copy.db.partial").write_text("half")
    with pytest.raises(CopyRefused, match="was cut short"):
        backup(engine, tmp_path / "copy.db")


def test_a_copy_that_is_not_sound_is_not_kept(
    engine: SqliteEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish = module._finish

    def after_damage(copied: tuple[Path, sqlite3.Connection], target: Path) -> Backup:
        content = bytearray(copied[0].read_bytes())
        content[8192:8400] = b"\xff" * 208
        copied[0].write_bytes(content)
        return finish(copied, target)

    monkeypatch.setattr(module, "_finish", after_damage)
    with pytest.raises(CopyRefused, match=r"damaged|not a sound"):
        backup(engine, tmp_path / "copy.db")
    assert ["data"] == [path.name for path in tmp_path.iterdir()]


def test_a_restore_is_refused_while_a_gateway_runs(engine: SqliteEngine, tmp_path: Path) -> None:
    copy = backup(engine, tmp_path / "copy.db")
    with pytest.raises(DirectoryInUse):
        restore(copy.path, engine.directory)


def test_a_restore_puts_the_copy_in_place_and_keeps_what_was_there(engine: SqliteEngine, tmp_path: Path) -> None:
    copy = backup(engine, tmp_path / "copy.db")
    engine.raw.execute("INSERT INTO rows (body) VALUES ('later')")
    engine.close()

    first = restore(copy.path, engine.directory)
    second = restore(copy.path, engine.directory)

    assert ("stopwire.db.replaced", "stopwire.db.replaced-2") == (first and first.name, second and second.name)
    assert first is not None
    assert "later" == bodies(first)[-1]
    again = SqliteEngine.open(engine.directory)
    assert (2_000,) == again.raw.execute("SELECT count(*) FROM rows").fetchone()
    again.close()
    assert copy.path.exists()


def test_the_last_commits_of_a_gateway_that_died_move_aside_with_their_database(
    engine: SqliteEngine, tmp_path: Path
) -> None:
    copy = backup(engine, tmp_path / "copy.db")
    engine.close()
    log = engine.path.with_name("stopwire.db-wal")
    log.write_bytes(b"last commits")
    replaced = restore(copy.path, engine.directory)
    assert replaced is not None
    assert b"last commits" == replaced.with_name(f"{replaced.name}-wal").read_bytes()
    assert not log.exists()


def test_a_restore_into_an_empty_place_makes_the_directory(engine: SqliteEngine, tmp_path: Path) -> None:
    copy = backup(engine, tmp_path / "copy.db")
    assert None is restore(copy.path, tmp_path / "new")
    again = SqliteEngine.open(tmp_path / "new")
    assert (2_000,) == again.raw.execute("SELECT count(*) FROM rows").fetchone()
    again.close()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(None, "no backup file", id="no file"),
        pytest.param(b"something else entirely " * 100, "not a sound SQLite database", id="no database"),
    ],
)
def test_what_is_no_backup_is_not_restored(tmp_path: Path, content: bytes | None, expected: str) -> None:
    source = tmp_path / "copy.db"
    if content is not None:
        source.write_bytes(content)
    with pytest.raises(CopyRefused, match=expected):
        restore(source, tmp_path / "data")
    assert not (tmp_path / "data").exists()


def test_a_database_in_use_is_no_backup(tmp_path: Path) -> None:
    engine = SqliteEngine.open(tmp_path / "other")
    engine.raw.execute("CREATE TABLE rows (n INTEGER) STRICT")
    with pytest.raises(CopyRefused, match="in use, not a backup"):
        restore(engine.path, tmp_path / "data")
    engine.close()


# ── cut short ────────────────────────────────────────────────────────────────────────────────────────────


class Killed(BaseException):
    """The process ends here, and nothing after it is done."""


def restore_until(step: int, copy: Path, directory: Path, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Restore, and die before the renaming that is the `step`th. Whether it died."""
    rename, done = Path.rename, 0

    def renaming(path: Path, target: Path) -> Path:
        nonlocal done
        if done == step:
            raise Killed
        done += 1
        return rename(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", renaming)
        patch.setattr(DirectoryLock, "release", lambda lock, clean: os.close(lock._descriptor))
        try:
            restore(copy, directory)
        except Killed:
            return True
    return False


@pytest.mark.parametrize("log", [pytest.param(True, id="with last commits in its log"), pytest.param(False, id="closed in order")])
@pytest.mark.parametrize("step", range(5))
def test_a_restore_that_was_cut_short_leaves_the_one_database_or_the_other(
    engine: SqliteEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int, log: bool
) -> None:
    copy = backup(engine, tmp_path / "copy.db")
    engine.raw.execute("INSERT INTO rows (body) VALUES ('later')")
    directory = engine.directory
    if log:  # as a gateway that was killed leaves it
        directory = tmp_path / "killed"
        directory.mkdir()
        for name in ("stopwire.db", "stopwire.db-wal"):
            shutil.copy(engine.directory / name, directory / name)
        assert (directory / "stopwire.db-wal").stat().st_size
    engine.close()
    restore_until(step, copy.path, directory, monkeypatch)
    again = SqliteEngine.open(directory)
    last = again.raw.execute("SELECT body FROM rows ORDER BY id DESC LIMIT 1").fetchone()[0]
    again.close()
    replaced = directory / "stopwire.db.replaced"
    if replaced.exists():
        assert ["x" * 500, "later"] == [last, bodies(replaced)[-1]]
    else:
        assert "later" == last


def test_what_a_copy_cut_short_left_is_cleared_away_by_whoever_opens_the_folder_next(engine: SqliteEngine) -> None:
    folder = engine.directory / "backups"
    folder.mkdir()
    (folder / "whole.db").write_bytes(b"whole")
    left = [folder / "a.db.partial", folder / "a.db.partial-journal", engine.path.with_name("stopwire.db.before-0001.partial")]
    for each in left:
        each.write_bytes(b"half")
    clear_leftovers(engine)
    assert [False, False, False] == [each.exists() for each in left]
    assert (folder / "whole.db").exists()
    assert "stopwire.db.before-0001" == keep_copy_before(engine)("0001").path.name
