"""One database takes the place of another, so that whoever opens the folder next finds the one or the other, whole.

The folder's lock must be held. Files are renamed here; what is in them is never looked at.
"""

import os
from pathlib import Path

REPLACED = "replaced"


def draft_of(database: Path) -> Path:
    """The name under which a database waits until it is whole."""
    return database.with_name(f"{database.name}.partial")


def exchange(database: Path) -> Path | None:
    """Put the draft, which is whole and on the disk, in the place of `database`; where that one now is."""
    replaced: Path | None = None
    if database.exists():
        replaced = free_name(database.with_name(f"{database.name}.{REPLACED}"))
        database.with_name(f"{database.name}-shm").unlink(missing_ok=True)
        # The database first: one that is found without its log would pass for whole, and lack its last commits.
        database.rename(replaced)
        sync(database.parent)
        _move_log(database, replaced)
    draft_of(database).rename(database)
    sync(database.parent)
    return replaced


def is_open_ended(database: Path) -> bool:
    """Whether an exchange was cut short: the one is put aside, and the other not yet in its place."""
    return not database.exists() and draft_of(database).exists() and _newest_replaced(database) is not None


def complete(database: Path) -> bool:
    """Bring an exchange that was cut short to its end. Whether there was one."""
    replaced = _newest_replaced(database)
    if replaced is None or not is_open_ended(database):
        return False
    _move_log(database, replaced)
    draft_of(database).rename(database)
    sync(database.parent)
    return True


def free_name(wanted: Path) -> Path:
    """`wanted`, or with the first number that is free: an older copy is never overwritten."""
    number, name = 1, wanted
    while name.exists():
        number += 1
        name = wanted.with_name(f"{wanted.name}-{number}")
    return name


def sync(path: Path) -> None:
    """Bring a file, or a directory's names, to the disk."""
    if path.is_dir() and os.name == "nt":
        return  # Windows has no such thing
    descriptor = os.open(path, os.O_RDWR if path.is_file() else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _move_log(database: Path, replaced: Path) -> None:
    """The log belongs to the database that was put aside, and may hold its last commits; beside another it would spoil that."""
    log = database.with_name(f"{database.name}-wal")
    if log.exists():
        log.rename(replaced.with_name(f"{replaced.name}-wal"))
        sync(database.parent)


def _newest_replaced(database: Path) -> Path | None:
    """The one that was put aside last, by its number."""
    newest: Path | None = None
    number, name = 1, database.with_name(f"{database.name}.{REPLACED}")
    while name.exists():
        newest = name
        number += 1
        name = database.with_name(f"{database.name}.{REPLACED}-{number}")
    return newest
