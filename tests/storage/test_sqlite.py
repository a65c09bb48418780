"""The engine on a real directory: who may open it, with which pragmas, and what it says about the machine."""

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from stopwire.ports.faults import DatabaseDamaged, DirectoryInUse, DirectoryUnfit
from stopwire.storage import sqlite
from stopwire.storage.sqlite import SqliteEngine, driver, file_system_of, has_wal_reset_bug

posix = pytest.mark.skipif(sys.platform == "win32", reason="file modes and signals of POSIX")


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def engine(directory: Path) -> Iterator[SqliteEngine]:
    engine = SqliteEngine.open(directory)
    yield engine
    engine.close()


def in_another_process(code: str, directory: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, str(directory)], capture_output=True, text=True, timeout=30, check=False
    )


DIES = """
import os, sys
from pathlib import Path
from stopwire.storage.sqlite import SqliteEngine
engine = SqliteEngine.open(Path(sys.argv[1]))
engine.raw.execute("CREATE TABLE IF NOT EXISTS kept (n INTEGER) STRICT")
engine.raw.execute("INSERT INTO kept VALUES (1)")
os._exit(9)
"""


@pytest.mark.parametrize(
    ("pragma", "expected"),
    [
        ("journal_mode", "wal"),
        ("synchronous", 2),
        ("foreign_keys", 1),
        ("trusted_schema", 0),
        ("mmap_size", 0),
        ("wal_autocheckpoint", 0),
        ("temp_store", 2),
    ],
)
def test_every_connection_has_the_pragmas_our_promises_rest_on(
    engine: SqliteEngine, pragma: str, expected: object
) -> None:
    reader = engine.open_reader()
    found = [connection.execute(f"PRAGMA {pragma}").fetchone()[0] for connection in (engine.raw, driver(reader))]
    reader.close()
    assert [expected, expected] == found


def test_a_reader_sees_what_is_committed_and_cannot_write(engine: SqliteEngine) -> None:
    engine.raw.execute("CREATE TABLE rows (n INTEGER) STRICT")
    engine.raw.execute("INSERT INTO rows VALUES (1)")
    reader = engine.open_reader()
    assert [(1,)] == [tuple(row) for row in reader.exec_driver_sql("SELECT n FROM rows")]
    with pytest.raises(Exception, match="readonly"):
        reader.exec_driver_sql("INSERT INTO rows VALUES (2)")
    reader.close()


def test_a_second_process_is_refused_with_the_name_of_the_first(engine: SqliteEngine, directory: Path) -> None:
    second = in_another_process(
        "import sys; from pathlib import Path; from stopwire.storage.sqlite import SqliteEngine;"
        "SqliteEngine.open(Path(sys.argv[1]))",
        directory,
    )
    assert 1 == second.returncode
    assert f"DirectoryInUse: The data directory {directory} is in use by Stopwire (pid {os.getpid()}, started" in (
        second.stderr.splitlines()[-1]
    )


def test_a_second_opening_in_this_process_is_refused_too(engine: SqliteEngine, directory: Path) -> None:
    with pytest.raises(DirectoryInUse):
        SqliteEngine.open(directory)


@posix
def test_no_other_program_can_read_the_file_behind_our_back(engine: SqliteEngine, directory: Path) -> None:
    engine.raw.execute("CREATE TABLE rows (n INTEGER) STRICT")
    stranger = in_another_process(
        "import sqlite3, sys; sqlite3.connect(sys.argv[1] + '/stopwire.db', timeout=0).execute('SELECT * FROM rows')",
        directory,
    )
    assert "database is locked" in stranger.stderr


@posix
def test_the_directory_and_its_files_are_closed_to_other_users(engine: SqliteEngine, directory: Path) -> None:
    engine.raw.execute("CREATE TABLE rows (n INTEGER) STRICT")
    modes = {path.name: path.stat().st_mode & 0o777 for path in directory.iterdir()}
    assert 0o700 == directory.stat().st_mode & 0o777
    assert {"stopwire.db", "stopwire.db-wal", "stopwire.lock"} <= modes.keys()
    assert {0o600} == set(modes.values())


@posix
def test_a_file_left_open_to_others_is_closed_and_an_open_directory_is_told(directory: Path) -> None:
    SqliteEngine.open(directory).close()
    directory.chmod(0o755)
    (directory / "stopwire.db").chmod(0o644)
    engine = SqliteEngine.open(directory)
    assert 0o600 == (directory / "stopwire.db").stat().st_mode & 0o777
    assert any("chmod 700" in notice for notice in engine.notices())
    engine.close()


def test_a_clean_exit_leaves_an_empty_log_and_an_unsigned_lock(directory: Path) -> None:
    engine = SqliteEngine.open(directory)
    engine.raw.execute("CREATE TABLE rows (n INTEGER) STRICT")
    assert engine.log_file_bytes() > 0
    engine.close()
    engine.close()
    assert not (directory / "stopwire.db-wal").exists()
    assert "" == (directory / "stopwire.lock").read_text()


def test_after_a_death_everything_committed_is_there_and_the_file_is_looked_over(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[float] = []
    monkeypatch.setattr(SqliteEngine, "_look_over", lambda self, seconds: looked.append(seconds))
    for _ in range(2):
        assert 9 == in_another_process(DIES, directory).returncode
    engine = SqliteEngine.open(directory)
    assert [(2,)] == engine.raw.execute("SELECT count(*) FROM kept").fetchall()
    assert 1 == len(looked)
    engine.close()
    SqliteEngine.open(directory).close()
    assert 1 == len(looked)  # not after a clean exit


def test_the_look_after_a_death_stops_at_its_time_and_says_so(directory: Path) -> None:
    engine = SqliteEngine.open(directory)
    engine.raw.execute("CREATE TABLE rows (body TEXT) STRICT")
    engine.raw.execute(
        "INSERT INTO rows WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n LIMIT 50000) SELECT i FROM n"
    )
    engine.close()
    assert 9 == in_another_process(DIES, directory).returncode
    engine = SqliteEngine.open(directory, check_seconds=0.0)
    assert any("was not stopped cleanly" in notice for notice in engine.notices())
    engine.close()


def test_a_damaged_file_is_not_opened_after_a_death(directory: Path) -> None:
    engine = SqliteEngine.open(directory)
    engine.raw.execute("CREATE TABLE rows (n INTEGER, body TEXT) STRICT")
    engine.raw.execute("CREATE INDEX by_n ON rows (n)")
    engine.raw.executemany("INSERT INTO rows VALUES (?, ?)", [(n, "x" * 200) for n in range(500)])
    engine.sound = False  # as if it had died
    engine.close()
    path = directory / "stopwire.db"
    content = bytearray(path.read_bytes())
    content[3 * 4096 : 3 * 4096 + 200] = b"\xff" * 200
    path.write_bytes(content)
    for _ in range(2):  # the second time too: a refusal is no clean exit
        with pytest.raises(DatabaseDamaged, match="Restore a backup"):
            SqliteEngine.open(directory)


def test_a_file_that_is_no_database_is_named(directory: Path) -> None:
    directory.mkdir()
    (directory / "stopwire.db").write_bytes(b"not a database, whatever its name says " * 200)
    with pytest.raises(DatabaseDamaged, match=r"stopwire\.db cannot be opened"):
        SqliteEngine.open(directory)


def test_a_directory_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DirectoryUnfit, match="cannot be made"):
        SqliteEngine.open(tmp_path / "file" / "data")


def test_a_network_file_system_is_refused(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "file_system_of", lambda directory, mounts: "nfs4")
    if not Path("/proc/mounts").exists():
        pytest.skip("only Linux tells")
    with pytest.raises(DirectoryUnfit, match=r"network file system \(nfs4\)"):
        SqliteEngine.open(directory)


MOUNTS = "/dev/sda1 / ext4 rw 0 0\nhost:/home /home nfs4 rw 0 0\n/dev/sdb /home/ann/my\\040disk xfs rw 0 0\n"


@pytest.mark.parametrize(
    ("directory", "expected"),
    [
        pytest.param("/var/lib/stopwire", "ext4", id="the root"),
        pytest.param("/home/ann/stopwire", "nfs4", id="a network"),
        pytest.param("/home/ann/my disk/stopwire", "xfs", id="a disk within the network, with a space"),
        pytest.param("/homes/ann", "ext4", id="a name that only begins alike"),
    ],
)
@posix
def test_the_file_system_is_that_of_the_nearest_mount(directory: str, expected: str) -> None:
    assert expected == file_system_of(Path(directory), MOUNTS)


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ((3, 6, 23), False),
        ((3, 7, 0), True),
        ((3, 40, 1), True),
        ((3, 44, 5), True),
        ((3, 44, 6), False),
        ((3, 45, 0), True),
        ((3, 50, 6), True),
        ((3, 50, 7), False),
        ((3, 51, 2), True),
        ((3, 51, 3), False),
        ((3, 53, 0), False),
    ],
)
def test_the_versions_with_the_wal_reset_bug(version: tuple[int, int, int], expected: bool) -> None:
    assert expected == has_wal_reset_bug(version)


def test_this_machines_sqlite_is_warned_of_if_it_has_the_bug(engine: SqliteEngine) -> None:
    warned = any("written from two places" in notice for notice in engine.notices())
    assert has_wal_reset_bug(sqlite3.sqlite_version_info) == warned


def test_a_checkpoint_never_waits_for_a_reader(engine: SqliteEngine) -> None:
    engine.raw.execute("CREATE TABLE rows (n INTEGER) STRICT")
    reader = driver(connection := engine.open_reader())
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM rows").fetchall()
    engine.raw.execute("INSERT INTO rows VALUES (1)")
    begun = time.monotonic()
    assert engine.checkpoint(truncate=True).blocked
    assert time.monotonic() - begun < sqlite.BUSY_TIMEOUT_MS / 2_000
    reader.execute("ROLLBACK")
    connection.close()
    assert not engine.checkpoint(truncate=True).blocked
    assert 0 == engine.log_file_bytes()


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="a ballast needs real allocation")
def test_the_ballast_can_be_dropped_and_laid_in_again(engine: SqliteEngine, directory: Path) -> None:
    ballast = directory / "stopwire.ballast"
    assert 16 * 1024 * 1024 == ballast.stat().st_size
    assert engine.drop_ballast()
    assert not engine.drop_ballast()
    engine.restore_ballast()
    assert ballast.exists()
