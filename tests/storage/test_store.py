import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from stopwire.ports.store import Store, Tx
from stopwire.storage.store import SqlStore
from tests.storage.conftest import settle_in
from tests.storage.values import ANN, NOW, A, B, add_attempts, attempt, message, sender


def rename(tx: Tx, name: str) -> None:
    tx.services.save_sender(replace(sender(), friendly_name=name))


async def name_of(store: Store) -> str:
    return (await store.directory(A)).senders[sender().sid].friendly_name


async def test_what_was_written_is_there_after_a_new_start(tmp_path: Path) -> None:
    for times in range(2):
        store = await SqlStore.open(tmp_path)
        if times == 0:
            await store.write(settle_in, account=A)
            await store.write(lambda tx: tx.messages.add([message()]), account=A)
        assert message() == await store.read(lambda tx: tx.messages.get(message().sid), account=A)
        await store.close()


async def test_a_unit_that_fails_leaves_nothing_and_says_why(store: SqlStore) -> None:
    def fail(tx: Tx) -> None:
        tx.messages.add([message()])
        tx.tell("message.accepted")
        raise KeyError("no such thing")

    told: list[Any] = []
    store.on_tell = lambda *line: told.append(line)
    with pytest.raises(KeyError, match="no such thing"):
        await store.write(fail, account=A)
    assert await store.read(lambda tx: tx.messages.get(message().sid), account=A) is None
    assert [] == told


async def test_wakes_and_tells_come_after_the_commit_and_before_the_caller(store: SqlStore) -> None:
    heard: list[Any] = []
    store.on_wake = heard.append
    store.on_tell = lambda account, event, facts: heard.append((account, event, facts))

    def unit(tx: Tx) -> None:
        tx.wake("dispatch")
        tx.wake("dispatch")
        tx.tell("message.accepted", sid="SM1")
        tx.of(B).tell("message.received", sid="SM2")
        assert [] == heard

    await store.write(unit, account=A)
    assert [(A, "message.accepted", {"sid": "SM1"}), (B, "message.received", {"sid": "SM2"}), "dispatch"] == heard


async def test_a_view_of_another_account_is_made_once(store: SqlStore) -> None:
    def same(tx: Tx) -> bool:
        return tx.of(B) is tx.of(B) and tx.of(A) is tx and tx.of(B).of(A) is tx and tx.messages is tx.messages

    assert await store.write(same, account=A)


async def test_a_directory_is_the_last_committed_one(store: SqlStore) -> None:
    first = await store.directory(A)
    assert first is await store.directory(A)
    await store.write(lambda tx: rename(tx, "Front desk"), account=A)
    assert "Front desk" == await name_of(store)


async def test_units_of_one_commit_see_each_others_configuration(store: SqlStore) -> None:
    def look(tx: Tx) -> str:
        return tx.services.directory().senders[sender().sid].friendly_name

    names = [f"name {n}" for n in range(20)]
    writes = [store.write(unit, account=A) for name in names for unit in (lambda tx, name=name: rename(tx, name), look)]
    assert names == (await asyncio.gather(*writes))[1::2]
    assert names[-1] == await name_of(store)


async def test_a_configuration_that_was_undone_is_never_seen(store: SqlStore) -> None:
    def undone(tx: Tx) -> None:
        rename(tx, "never")
        assert "never" == tx.services.directory().senders[sender().sid].friendly_name
        raise ValueError

    results = await asyncio.gather(
        store.write(undone, account=A),
        store.write(lambda tx: tx.services.directory().senders[sender().sid].friendly_name, account=A),
        return_exceptions=True,
    )
    assert "" == results[1]
    assert "" == await name_of(store)


async def test_the_owner_of_an_address_is_known_until_it_changes(store: SqlStore) -> None:
    address = sender().address
    assert [A, A, None] == [await store.account_of(a) for a in (address, address, ANN)]
    await store.write(lambda tx: tx.services.delete_sender(sender().sid), account=A)
    assert await store.account_of(address) is None
    await store.write(lambda tx: tx.services.add_sender(sender(B, 5, address=ANN)), account=B)
    assert B == await store.account_of(ANN)


async def test_an_unknown_account_has_no_directory(store: SqlStore) -> None:
    with pytest.raises(LookupError, match="no account"):
        await store.directory("ACzzz")


async def test_a_wait_ends_when_the_carriers_have_answered(store: SqlStore) -> None:
    written = [attempt(number=n, state="written") for n in range(3)]
    await store.write(lambda tx: add_attempts(tx, written), account=A)
    wait = asyncio.create_task(store.drained(A, ANN, [a.id for a in written], seconds=30))
    for each, answer in zip(written, ("accepted", "unknown", "rejected"), strict=True):
        assert not wait.done()
        await store.write(lambda tx, each=each, answer=answer: tx.jobs.answer_attempt(each.id, answer, NOW), account=A)
    assert [written[1].id] == await asyncio.wait_for(wait, 5)


async def test_a_wait_gives_up_and_names_what_is_still_under_way(store: SqlStore) -> None:
    told = [attempt(state="written"), attempt(number=1, state="accepted"), attempt(number=2, state="claimed")]
    await store.write(lambda tx: add_attempts(tx, told), account=A)
    assert [told[0].id] == await store.drained(A, ANN, [a.id for a in told], seconds=0)
    assert [] == await store.drained(A, ANN, [], seconds=30)


async def test_a_backup_is_a_store_of_its_own(store: SqlStore, tmp_path: Path) -> None:
    (tmp_path / "copy").mkdir()
    made = await store.backup(str(tmp_path / "copy" / "stopwire.db"))
    assert 2 == made["rows"]["accounts"]
    copy = await SqlStore.open(tmp_path / "copy")
    assert await store.directory(A) == await copy.directory(A)
    await copy.close()


async def test_a_state_tells_where_the_data_are(store: SqlStore, tmp_path: Path) -> None:
    state = store.state()
    assert ("sqlite", str(tmp_path / "data" / "stopwire.db"), 0) == (state["engine"], state["path"], state["waiting"])


async def test_it_is_a_store(store: SqlStore) -> None:
    as_port: Store = store  # the type checker holds the rest
    assert await as_port.directory(A)
