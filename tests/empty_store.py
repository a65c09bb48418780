"""An empty store at today's schema, laid in where a test would otherwise walk all migrations first.

The walk itself is proved in tests/storage/test_migrations.py, and by every test that starts the gateway as a process.
"""

import os
import tempfile
from functools import cache
from pathlib import Path

from stopwire.storage import migrations
from stopwire.storage.sqlite import BALLAST_NAME, DATABASE_NAME, SqliteEngine


def lay_in(data_dir: Path) -> None:
    """Make `data_dir` a data folder with an empty store; a store that is there stays."""
    if (data_dir / DATABASE_NAME).exists():
        return
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    (data_dir / BALLAST_NAME).touch(mode=0o600)  # of no weight: 16 MiB in each test's folder would be gigabytes
    descriptor = os.open(data_dir / DATABASE_NAME, os.O_WRONLY | os.O_CREAT, 0o600)
    with open(descriptor, "wb") as file:
        file.write(_store())


@cache
def _store() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        engine = SqliteEngine.open(Path(folder))
        migrations.upgrade(engine.writer)
        engine.close()
        return (Path(folder) / DATABASE_NAME).read_bytes()
