"""Kill -9 in the middle of upkeep: steps of the schema, checkpoints, copies, keys, tokens. The next start opens, and nothing is lost.

Before each death something was promised: a message was accepted, a STOP acknowledged. Afterwards both hold, and the chain verifies.
"""

import itertools
import shutil
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import pytest

from stopwire import admin
from stopwire.storage import migrations
from stopwire.storage.sqlite import SqliteEngine
from stopwire.vault import Vault
from tests.gateway import eventually
from tests.world.test_points import Mortal

SENDER = "+14155550122"  # stands alone: a STOP to it holds for it alone
STEPS = [path.name[1:5] for path in sorted((Path(migrations.__file__).parent / "versions").glob("r*.py"))]
SECONDS = 15.0

pytestmark = pytest.mark.slow


class Promised:
    """What a gateway has acknowledged, one more of each at a time."""

    def __init__(self, gateway: Mortal) -> None:
        self.gateway = gateway
        self.accepted: list[str] = []
        self.stopped: list[str] = []

    def more(self) -> None:
        number = len(self.stopped)
        with self.gateway.customer() as customer:
            answer = customer.order(from_=SENDER, to=f"+1415801{number:04}", body="Hello")
            assert 201 == answer.status_code, answer.text
            self.accepted.append(answer.json()["sid"])
            person = f"+1415802{number:04}"
            assert 201 == customer.text(person, to=SENDER, body="STOP").status_code
            self.stopped.append(person)

    def hold(self) -> None:
        with self.gateway.customer(timeout=30) as customer:
            for sid in self.accepted:
                eventually(lambda sid=sid: customer.message(sid).json()["status"] == "delivered", seconds=SECONDS)  # type: ignore[misc]
            for person in self.stopped:
                refused = customer.order(from_=SENDER, to=person, body="later")
                assert (400, 21610) == (refused.status_code, refused.json()["code"]), person
            assert customer.get("/api/v1/ledger/verify").json()["ok"]


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Mortal]:
    running = Mortal(tmp_path / "data")
    running.start()
    yield running
    running.stop()


@pytest.fixture
def promised(gateway: Mortal) -> Promised:
    made = Promised(gateway)
    made.more()
    return made


def told(database: Path, query: str) -> list[tuple[Any, ...]]:
    """What a database that nobody has open says, with the log that a death left beside it. Asked of a copy: to look changes nothing."""
    with TemporaryDirectory() as folder:
        for part in (database, database.with_name(f"{database.name}-wal")):
            if part.exists():
                shutil.copy(part, Path(folder, part.name))
        with closing(sqlite3.connect(Path(folder, database.name))) as connection:
            return connection.execute(query).fetchall()


def sound(database: Path) -> bool:
    return told(database, "PRAGMA integrity_check") == [("ok",)]


# ── steps of the schema ──────────────────────────────────────────────────────────────────────────────────


def revision(database: Path) -> str:
    return str(told(database, "SELECT version_num FROM alembic_version")[0][0])


def back_to_the_first_schema(folder: Path) -> None:
    """Rewrite the store as the first version of the program kept it, with all that it had a place for."""
    scripts, today = folder.parent / "first", folder.parent / "today.db"
    (scripts / "versions").mkdir(parents=True)
    shutil.copy(Path(migrations.__file__).parent / "versions" / "r0001_first.py", scripts / "versions")
    (folder / "stopwire.db").rename(today)
    engine = SqliteEngine.open(folder)
    migrations.upgrade(engine.writer, scripts=scripts)
    engine.raw.execute("PRAGMA foreign_keys=OFF")
    engine.raw.execute("ATTACH ? AS today", (str(today),))
    tables = [name for (name,) in engine.raw.execute("SELECT name FROM main.sqlite_schema WHERE type = 'table'")]
    for table in tables:
        columns = [{row[1] for row in engine.raw.execute(f"PRAGMA {schema}.table_info({table})")} for schema in ("main", "today")]
        both = ", ".join(f'"{name}"' for name in sorted(columns[0] & columns[1]))
        if table != "alembic_version" and both:
            engine.raw.execute(f"INSERT INTO main.{table} ({both}) SELECT {both} FROM today.{table}")
    engine.raw.execute("DETACH today")
    engine.close()


def dies_starting(gateway: Mortal, *point: str) -> None:
    gateway.die_at(*point)
    with pytest.raises(AssertionError):
        gateway.start()
    assert gateway._process is not None
    assert -signal.SIGKILL == gateway._process.wait(timeout=SECONDS), point


def test_a_store_of_the_first_version_survives_a_death_in_every_step_to_this_one(gateway: Mortal, promised: Promised) -> None:
    folder, database = gateway.data_dir, gateway.data_dir / "stopwire.db"
    gateway.stop()
    back_to_the_first_schema(folder)
    for point in ("copy.pages:after", "copy:after", "copy.verify:after"):
        dies_starting(gateway, point)
        assert "0001" == revision(database)
        assert [] == [copy for copy in folder.glob("stopwire.db.before-*") if "partial" not in copy.name]
    dies_starting(gateway, "copy.finish:after")
    copy = folder / "stopwire.db.before-0001"
    assert ("0001", True) == (revision(copy), sound(copy))
    for before, step in itertools.pairwise(STEPS):
        dies_starting(gateway, f"step.{step}:inside")
        assert before == revision(database), "a step is whole or was not taken"
        dies_starting(gateway, f"step.{step}:after")
        assert step == revision(database)
    gateway.start()
    assert [] == list(folder.glob("*.partial*"))
    promised.more()
    promised.hold()


# ── checkpoints ──────────────────────────────────────────────────────────────────────────────────────────


def test_commits_outlive_a_death_around_a_checkpoint(gateway: Mortal, promised: Promised) -> None:
    for point in ("checkpoint:before", "checkpoint:inside", "checkpoint:after"):
        gateway.die_at(point)  # the log is written back once it has been quiet for a second
        with_promise = len(promised.stopped)
        promised.more()
        gateway.reborn()
        assert with_promise + 1 == len(promised.stopped)
        promised.hold()


# ── copies ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("point", "is_there"),
    [
        pytest.param("copy.pages:after", False, id="some pages are written"),
        pytest.param("copy:after", False, id="all pages are written"),
        pytest.param("copy.verify:after", False, id="it is verified and has no name"),
        pytest.param("copy.finish:after", True, id="it has its name, and nobody was told"),
    ],
)
def test_an_unfinished_copy_is_never_taken_for_a_whole_one(gateway: Mortal, promised: Promised, point: str, is_there: bool) -> None:
    copy = gateway.data_dir / "backups" / "copy.db"
    gateway.die_at(point)
    with pytest.raises(admin.NotRunning):
        admin.call(gateway.data_dir, "backup", target="copy.db")
    assert is_there is copy.exists()
    gateway.reborn()
    assert [copy] * is_there == list(copy.parent.iterdir())
    promised.hold()
    if not is_there:
        admin.call(gateway.data_dir, "backup", target="copy.db")
    assert sound(copy)
    assert [copy] == list(copy.parent.iterdir())


# ── the key of secrets ───────────────────────────────────────────────────────────────────────────────────

PASSWORDS = {"quay": "canary", "pier": "wren"}


@pytest.mark.parametrize(
    "point",
    [
        pytest.param(("vault.key:before",), id="the key is written, and not in its place"),
        pytest.param(("vault.key:after",), id="the key is in its place"),
        pytest.param(("rotate.reseal:before",), id="nothing is sealed anew"),
        pytest.param(("rotate.reseal:after",), id="one connection is sealed anew, the other is not"),
        pytest.param(("rotate._note:before",), id="all are sealed anew, and it is not noted"),
    ],
)
def test_a_half_rotated_key_loses_no_secret(gateway: Mortal, promised: Promised, point: tuple[str, ...]) -> None:
    settings = {"host": "127.0.0.1", "port": 9, "system_id": "stopwire"}
    with gateway.customer() as customer:
        for name, password in PASSWORDS.items():
            wanted = {"name": name, "type": "smpp", "settings": {**settings, "password": password}, "paused": True}
            assert 201 == customer.post("/api/v1/carriers", json=wanted).status_code
    gateway.die_at(*point)
    with pytest.raises(admin.NotRunning):
        admin.call(gateway.data_dir, "rotate_key")
    assert PASSWORDS == {name: password for name, password, _ in passwords(gateway)}
    gateway.reborn()
    promised.hold()
    assert [] == admin.call(gateway.data_dir, "rotate_key")["unreadable"]
    gateway.stop()
    assert {(name, password, True) for name, password in PASSWORDS.items()} == set(passwords(gateway))


def passwords(gateway: Mortal) -> Iterator[tuple[str, str, bool]]:
    """Each connection's, opened with the keys that are in the folder now; and whether today's sealed it."""
    vault = Vault.open(gateway.data_dir)
    query = "SELECT sid, name, json_extract(secrets, '$.password') FROM connections WHERE type = 'smpp'"
    for sid, name, sealed in told(gateway.data_dir / "stopwire.db", query):
        yield name, vault.open_sealed(sealed, purpose=f"{sid}:password"), vault.is_current(sealed)


# ── the auth token ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("point", "promoted"),
    [
        pytest.param("auth_token._promote:before", False, id="nothing is kept"),
        pytest.param("auth_token._promote:after", True, id="promoted, and nobody was told"),
        pytest.param("credentials.json:before", True, id="promoted, and not written down"),
        pytest.param("credentials.json:after", True, id="promoted and written down, and nobody was told"),
    ],
)
def test_a_promotion_happens_whole_or_not_at_all(gateway: Mortal, promised: Promised, point: str, promoted: bool) -> None:
    known = gateway.credentials
    sid, first = known["account_sid"], known["auth_token"]

    def opens(token: str) -> bool:
        return httpx.get(f"{gateway.url}/v1/Services", auth=(sid, token), timeout=SECONDS).status_code == 200

    with gateway.customer() as customer:
        second = customer.post("/v1/AuthTokens/Secondary").json()["secondary_auth_token"]
        gateway.die_at(point)
        with pytest.raises(httpx.TransportError):
            customer.post("/v1/AuthTokens/Promote")
    gateway.reborn()
    assert [not promoted, True] == [opens(first), opens(second)]
    assert (second if promoted else first) == gateway.credentials["auth_token"]
    promised.hold()
