"""Backing up into the data folder: a checked copy, told of in the audit log, and never the last of the disk."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from stopwire.flows import backup
from stopwire.ports.faults import CopyRefused
from stopwire.storage.backup import folder_for
from tests.gateway import Gateway


def test_the_copy_is_a_sound_database_in_the_data_folder(fresh_gateway: Gateway) -> None:
    made = fresh_gateway.run(backup.back_up_here(fresh_gateway.world, actor="console:Ana"))
    assert "" == made.problem
    assert Path(fresh_gateway.settings.data_dir) / "backups" == Path(made.path).parent
    with closing(sqlite3.connect(made.path)) as copy:
        assert ("ok",) == copy.execute("PRAGMA integrity_check").fetchone()


def test_a_disk_without_room_takes_no_copy(tmp_path: Path) -> None:
    database = tmp_path / "stopwire.db"
    database.write_bytes(b"x" * 1000)
    with pytest.raises(CopyRefused, match="1,999 bytes free"):
        folder_for(database, 1999)
    assert tmp_path / "backups" == folder_for(database, 2000)
