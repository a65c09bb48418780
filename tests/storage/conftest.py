"""A store on a temporary directory, and a transaction by itself; both with two accounts that are strangers to each other."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from stopwire.ports.store import Tx
from stopwire.storage import migrations
from stopwire.storage.directories import Directories
from stopwire.storage.hot import Unit
from stopwire.storage.sqlite import SqliteEngine
from stopwire.storage.store import SqlStore, SqlTx
from tests.empty_store import lay_in
from tests.storage.values import A, B, account, sender, service


def settle_in(tx: Tx) -> None:
    """Accounts A and B, each with a messaging service and two senders."""
    for name in (A, B):
        own = tx.of(name)
        own.accounts.add(account(name))
        own.services.add_service(service(name), actor="operator")
        own.services.add_sender(sender(name))
        own.services.add_sender(sender(name, 1))


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlStore]:
    lay_in(tmp_path / "data")
    opened = await SqlStore.open(tmp_path / "data")
    await opened.write(settle_in, account=A)
    yield opened
    await opened.close()


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteEngine]:
    opened = SqliteEngine.open(tmp_path_factory.mktemp("storage") / "data")
    migrations.upgrade(opened.writer)
    yield opened
    opened.close()


@pytest.fixture
def tx(engine: SqliteEngine) -> Iterator[SqlTx]:
    """One transaction of account A, undone at the end of the test."""
    engine.raw.execute("BEGIN IMMEDIATE")
    begun = SqlTx(Unit(engine.writer, Directories(newest=0)), A)
    settle_in(begun)
    yield begun
    if engine.raw.in_transaction:
        engine.raw.execute("ROLLBACK")
    engine.writer.rollback()
