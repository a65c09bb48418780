"""The schema's way forward: each step whole or not at all, no database of the future, a copy before a change."""

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from stopwire.core.receipts import canonical
from stopwire.ports.faults import DatabaseDamaged, DatabaseTooNew
from stopwire.storage import migrations, tables
from stopwire.storage.backup import keep_copy_before
from stopwire.storage.migrations import revision_of, upgrade
from stopwire.storage.sqlite import SqliteEngine

# Append-only by trigger: a bug may not edit the past either.
TRIGGERS = {
    "sqlite": [
        f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        for table, verb in (
            ("consent_events", "UPDATE"),
            ("consent_events", "DELETE"),
            ("policies", "UPDATE"),
            ("audit", "UPDATE"),
            ("audit", "DELETE"),
        )
    ]
}

STEP = """
from alembic import op
revision = {revision!r}
down_revision = {down!r}
def upgrade():
    {body}
"""


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[SqliteEngine]:
    engine = SqliteEngine.open(tmp_path / "data")
    yield engine
    engine.close()


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    (tmp_path / "scripts" / "versions").mkdir(parents=True)
    return tmp_path / "scripts"


def step(scripts: Path, revision: str, down: str | None, body: str) -> None:
    path = scripts / "versions" / f"r{revision}.py"
    path.write_text(STEP.format(revision=revision, down=down, body=body.replace("\n", "\n    ")))


def table_names(engine: SqliteEngine) -> set[str]:
    return {row[0] for row in engine.raw.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}


def test_an_empty_database_gets_the_schema_and_a_second_start_changes_nothing(engine: SqliteEngine) -> None:
    assert None is revision_of(engine.writer)
    went = upgrade(engine.writer)
    assert went[-1] == revision_of(engine.writer)
    assert set(tables.metadata.tables) <= table_names(engine)
    assert () == upgrade(engine.writer)
    assert not engine.raw.in_transaction
    assert (1,) == engine.raw.execute("PRAGMA foreign_keys").fetchone()


@pytest.mark.filterwarnings("ignore:.*expression-based index")  # SQLite cannot tell of one; it is looked for by its name below
def test_the_steps_lead_to_the_schema_the_program_speaks(engine: SqliteEngine) -> None:
    upgrade(engine.writer)
    context = MigrationContext.configure(engine.writer)
    differences = [
        difference
        for difference in compare_metadata(context, tables.metadata)
        if difference[0] not in ("remove_table", "remove_index")  # what SQLite keeps for a full-text index
    ]
    engine.writer.rollback()
    assert [] == differences
    assert "ix_blocks_account_ending" in {row[0] for row in engine.raw.execute("SELECT name FROM sqlite_schema WHERE type = 'index'")}
    assert "ok" == engine.raw.execute("PRAGMA integrity_check").fetchone()[0]


def test_the_triggers_of_the_schema_are_there(engine: SqliteEngine) -> None:
    upgrade(engine.writer)
    triggers = {row[0] for row in engine.raw.execute("SELECT sql FROM sqlite_schema WHERE type = 'trigger'")}
    assert set(TRIGGERS["sqlite"]) <= triggers


def test_steps_are_taken_in_order_from_where_the_database_is(engine: SqliteEngine, scripts: Path) -> None:
    step(scripts, "a", None, 'op.execute("CREATE TABLE one (n INTEGER)")')
    assert ("a",) == upgrade(engine.writer, scripts=scripts)
    step(scripts, "b", "a", 'op.execute("INSERT INTO one VALUES (1)")')
    step(scripts, "c", "b", 'op.execute("UPDATE one SET n = n + 1")')
    assert ("b", "c") == upgrade(engine.writer, scripts=scripts)
    assert [(2,)] == engine.raw.execute("SELECT n FROM one").fetchall()


def test_a_step_that_fails_leaves_the_step_before_whole(engine: SqliteEngine, scripts: Path) -> None:
    step(scripts, "a", None, 'op.execute("CREATE TABLE one (n INTEGER)")')
    step(scripts, "b", "a", 'op.execute("CREATE TABLE two (n INTEGER)")\nraise LookupError("half-way")')
    with pytest.raises(LookupError):
        upgrade(engine.writer, scripts=scripts)
    assert "a" == revision_of(engine.writer)
    assert not engine.raw.in_transaction
    assert {"one", "alembic_version"} == table_names(engine)
    assert (1,) == engine.raw.execute("PRAGMA foreign_keys").fetchone()


def test_a_step_may_rebuild_a_table_others_point_at_but_not_lose_their_rows(
    engine: SqliteEngine, scripts: Path
) -> None:
    step(
        scripts,
        "a",
        None,
        'op.execute("CREATE TABLE one (n INTEGER PRIMARY KEY)")\n'
        'op.execute("CREATE TABLE two (n INTEGER REFERENCES one (n))")\n'
        'op.execute("INSERT INTO one VALUES (1)")\n'
        'op.execute("INSERT INTO two VALUES (1)")',
    )
    step(scripts, "b", "a", 'with op.batch_alter_table("one", recreate="always"):\n    pass')
    step(scripts, "c", "b", 'op.execute("DELETE FROM one")')
    with pytest.raises(DatabaseDamaged, match="Rows of two"):
        upgrade(engine.writer, scripts=scripts)
    assert "b" == revision_of(engine.writer)
    assert [(1,)] == engine.raw.execute("SELECT n FROM one").fetchall()


def test_a_database_of_a_newer_version_is_refused(engine: SqliteEngine, scripts: Path) -> None:
    step(scripts, "a", None, "pass")
    step(scripts, "b", "a", "pass")
    upgrade(engine.writer, scripts=scripts)
    (scripts / "versions" / "rb.py").unlink()
    with pytest.raises(DatabaseTooNew, match="schema b"):
        upgrade(engine.writer, scripts=scripts)


def test_a_copy_is_made_before_an_existing_database_is_changed(engine: SqliteEngine, scripts: Path) -> None:
    step(scripts, "a", None, 'op.execute("CREATE TABLE one (n INTEGER)")')
    keep_copy = keep_copy_before(engine)
    upgrade(engine.writer, keep_copy=keep_copy, scripts=scripts)
    assert [] == list(engine.directory.glob("*.before-*"))  # there was nothing to keep

    step(scripts, "b", "a", 'op.execute("DROP TABLE one")')
    upgrade(engine.writer, keep_copy=keep_copy, scripts=scripts)
    copy = sqlite3.connect(engine.directory / "stopwire.db.before-a")
    assert [("a",)] == copy.execute("SELECT version_num FROM alembic_version").fetchall()
    assert [] == copy.execute("SELECT n FROM one").fetchall()
    copy.close()


def test_what_an_older_program_had_claimed_goes_back_into_the_queue_and_ids_keep_their_form(
    engine: SqliteEngine, scripts: Path
) -> None:
    steps = Path(migrations.__file__).parent / "versions"
    shutil.copy(steps / "r0001_first.py", scripts / "versions")
    upgrade(engine.writer, scripts=scripts)
    ids = ("0x-1A", "00012", "000", " AB ", None)
    for n, reference in enumerate(ids):
        engine.raw.execute(
            "INSERT INTO attempts (id, account, message, connection, state, at, reference, raced) VALUES (?, 'AC', 'SM', 'up', 'claimed', 0, ?, 0)",
            (f"AT{n}", reference),
        )
    engine.raw.execute(
        "INSERT INTO jobs (message, account, connection, recipient, purpose, due_at, state, attempt, tries)"
        " VALUES ('SM', 'AC', 'up', '+1', 'message', 0, 'claimed', 'AT0', 0)"
    )
    shutil.copy(steps / "r0002_single_segments.py", scripts / "versions")
    assert ("0002",) == upgrade(engine.writer, scripts=scripts)
    forms = [row[0] for row in engine.raw.execute("SELECT form FROM attempts ORDER BY id")]
    assert [None if reference is None else canonical(reference) for reference in ids] == forms
    assert [("queued", None)] == engine.raw.execute("SELECT state, attempt FROM jobs").fetchall()
    assert [("released",)] == engine.raw.execute("SELECT DISTINCT state FROM attempts").fetchall()
