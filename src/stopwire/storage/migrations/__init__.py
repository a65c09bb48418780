"""The schema's way forward: one file a step in `versions/`, each step one transaction, never back.

Alembic keeps the order and the version; there is no ini file and no environment script, `upgrade` is all of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Connection

from stopwire.ports.faults import DatabaseDamaged, DatabaseTooNew

HERE = Path(__file__).parent


def upgrade(
    connection: Connection, *, keep_copy: Callable[[str], object] | None = None, scripts: Path = HERE
) -> tuple[str, ...]:
    """Bring the database to this program's schema; returns the revisions it went through, () if it was there.

    An existing database is first given to `keep_copy` with the revision it is about to leave. A step that fails leaves
    the database at the step before. Raises DatabaseTooNew. No transaction may be open on `connection`.
    """
    directory = ScriptDirectory(str(scripts))
    steps = {step.revision: step for step in directory.walk_revisions()}
    current = revision_of(connection)
    if current is not None and current not in steps:
        raise DatabaseTooNew(
            f"The database is at schema {current}, which this Stopwire does not know: a newer version wrote it. "
            "Run that version, or restore the copy that was made beside the database before the upgrade."
        )
    ahead = list(_ahead(directory, current))
    if ahead and current is not None and keep_copy is not None:
        keep_copy(current)
    for step in ahead:
        with _step_transaction(connection):
            _take(directory, connection, step)
    return tuple(step.revision for step in ahead)


def revision_of(connection: Connection) -> str | None:
    """The schema revision of a database; None for an empty one."""
    connection.rollback()
    revision = MigrationContext.configure(connection).get_current_revision()
    connection.rollback()
    return revision


def _ahead(directory: ScriptDirectory, current: str | None) -> Iterator[Script]:
    steps = list(directory.walk_revisions())  # newest first
    known = [step.revision for step in steps]
    yield from reversed(steps if current is None else steps[: known.index(current)])


def _take(directory: ScriptDirectory, connection: Connection, step: Script) -> None:
    def to_step(heads: Any, _: MigrationContext) -> Any:
        return directory._upgrade_revs(step.revision, heads)  # what Alembic's own `command.upgrade` calls

    context = MigrationContext.configure(connection, opts={"fn": to_step})
    with Operations.context(context):
        context.run_migrations()


@contextmanager
def _step_transaction(connection: Connection) -> Iterator[None]:
    """One transaction around one step: all of it, or nothing."""
    if connection.dialect.name != "sqlite":
        with connection.begin():
            yield
        return
    # Our SQLite connections leave transactions to us, and a table that is rebuilt is dropped while others point at
    # it: https://www.sqlite.org/lang_altertable.html#otheralter
    connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
    connection.rollback()
    try:
        with connection.begin():
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield
            astray = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
            if astray:
                tables = ", ".join(sorted({str(row[0]) for row in astray}))
                raise DatabaseDamaged(f"Rows of {tables} point at rows that are not there: the upgrade was undone.")
    finally:
        connection.exec_driver_sql("PRAGMA foreign_keys=ON")
        connection.rollback()
