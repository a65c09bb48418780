"""A store on a temporary directory, with two accounts that are strangers to each other."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from stopwire.storage.store import SqlStore
from tests.storage.values import A, B, account, sender, service


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlStore]:
    """Accounts A and B, each with a messaging service and two senders."""
    opened = await SqlStore.open(tmp_path / "data")
    for name in (A, B):
        await opened.write(
            lambda tx: (
                tx.accounts.add(account(tx.account)),
                tx.services.add_service(service(tx.account), actor="operator"),
                tx.services.add_sender(sender(tx.account)),
                tx.services.add_sender(sender(tx.account, number=1)),
            ),
            account=name,
        )
    yield opened
    await opened.close()
