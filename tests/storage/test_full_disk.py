"""A disk that is really full, and one that really fails to sync; skipped where the machine does not let us stage it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from stopwire.storage.sqlite import SqliteEngine

FULL = """
import asyncio, sys
from pathlib import Path
from stopwire.ports.faults import StoreFull
from stopwire.ports.store import Haste
from stopwire.storage import sqlite
from stopwire.storage.group import GroupWriter

sqlite.BALLAST_BYTES = 256 * 1024

async def main():
    home = Path(sys.argv[1])
    engine = sqlite.SqliteEngine.open(home / "data")
    engine.raw.execute("CREATE TABLE rows (id INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT")
    writer = GroupWriter(engine, sqlite.driver, free_space_floor_mib=0)
    writer.start()
    def add(body):
        return lambda tx: tx.execute("INSERT INTO rows (body) VALUES (?)", (body,)) and None
    await writer.write(add("x" * 10_000))
    with open(home / "of others", "wb", buffering=0) as others:
        try:
            while True:
                others.write(b"x" * 4096)
        except OSError:
            pass
    taken = 1
    try:
        while True:
            await writer.write(add("x" * 10_000))
            taken += 1
    except StoreFull:
        print("full")
    await writer.write(add("stop"), haste=Haste.URGENT)
    print("stop kept, ballast", (home / "data" / sqlite.BALLAST_NAME).exists())
    (home / "of others").unlink()
    await writer.write(add("room again"))
    rows = await writer.read(lambda tx: tx.execute("SELECT body FROM rows ORDER BY id").fetchall())
    print(len(rows) == taken + 2, [body for (body,) in rows[-2:]])
    await writer.close()
    engine.close()

asyncio.run(main())
"""

FAILS_TO_SYNC = """
import asyncio, os, sys
from pathlib import Path
from stopwire.storage.sqlite import SqliteEngine, driver
from stopwire.storage.group import GroupWriter

def broken(fault):
    print("broken", flush=True)
    os._exit(3)

async def main():
    engine = SqliteEngine.open(Path(sys.argv[1]))
    engine.raw.execute("CREATE TABLE rows (id INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT")
    writer = GroupWriter(engine, driver, on_broken=broken)
    writer.start()
    for number in range(1_000):
        await writer.write(lambda tx: tx.execute("INSERT INTO rows (body) VALUES (?)", (str(number),)) and None)
        print(number, flush=True)

asyncio.run(main())
"""


def works(*command: str) -> bool:
    """Can this machine run that?"""
    if shutil.which(command[0]) is None:
        return False
    return subprocess.run(command, capture_output=True, check=False, timeout=20).returncode == 0


def test_on_a_full_disk_sends_are_refused_and_a_stop_is_kept_in_the_room_of_the_ballast(tmp_path: Path) -> None:
    mount = f"mount -t tmpfs -o size=4m,mode=700 none {tmp_path}"
    if not works("unshare", "-Urm", "sh", "-c", mount):
        pytest.skip("needs a mount of our own: unshare -Urm")
    script = f'{mount} && exec "$0" -c "$1" {tmp_path}'
    child = subprocess.run(
        ["unshare", "-Urm", "sh", "-c", script, sys.executable, FULL],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    expected = ["full", "stop kept, ballast False", "True ['stop', 'room again']"]
    assert ("", expected) == (child.stderr, child.stdout.splitlines())


def test_a_failed_sync_stops_the_process_and_costs_nothing_acknowledged(tmp_path: Path) -> None:
    if not works("strace", "-f", "-o", "/dev/null", "true"):
        pytest.skip("needs strace, allowed to trace")
    fails = ("strace", "-f", "-o", "/dev/null", "-e", "inject=fdatasync,fsync:error=EIO:when=40+")
    child = subprocess.run(
        [*fails, sys.executable, "-c", FAILS_TO_SYNC, str(tmp_path / "data")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    *acknowledged, last = child.stdout.split("\n")[:-1]
    assert (3, "broken") == (child.returncode, last)
    assert len(acknowledged) > 10
    engine = SqliteEngine.open(tmp_path / "data")
    kept = {row[0] for row in engine.raw.execute("SELECT body FROM rows")}
    engine.close()
    assert set() == set(acknowledged) - kept
