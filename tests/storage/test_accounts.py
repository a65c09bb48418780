from dataclasses import replace

from stopwire.ports.store import Cut, Key
from stopwire.storage.store import SqlTx
from tests.storage.values import NOW, A, B, account, later, sid


def key(number: int = 0, of: str = A) -> Key:
    return Key(
        sid=sid("SK", of, number),
        account=of,
        friendly_name="ci",
        secret_digest="d" * 64,
        created_at=later(number),
        updated_at=NOW,
    )


def test_an_account_comes_back_as_it_was_saved(tx: SqlTx) -> None:
    changed = replace(account(), friendly_name="Renamed", settings=replace(account().settings, opt_out_scope="account"))
    tx.accounts.save(changed)
    assert changed == tx.accounts.find(A)
    assert changed == tx.accounts.find_test(changed.test_sid)
    assert [changed, account(B)] == tx.accounts.every()


def test_settings_of_another_version_are_read_as_far_as_they_are_known(tx: SqlTx) -> None:
    tx.unit.raw.execute("UPDATE accounts SET settings = '{\"opt_out_scope\": \"account\", \"of_tomorrow\": 1}'")
    found = tx.accounts.find(A)
    assert found is not None
    assert ("account", "reject") == (found.settings.opt_out_scope, found.settings.opted_out_send)


def test_keys_are_listed_newest_first_and_deleted_once(tx: SqlTx) -> None:
    keys = [key(number) for number in range(3)]
    for each in keys:
        tx.accounts.add_key(each)
    renamed = replace(keys[1], friendly_name="laptop")
    tx.accounts.save_key(renamed)
    assert [keys[2], renamed] == tx.accounts.keys(Cut(limit=2))
    assert [keys[0]] == tx.accounts.keys(Cut(limit=2, after=renamed.sid))
    assert [keys[2]] == tx.accounts.keys(Cut(limit=2, before=renamed.sid))
    assert renamed == tx.accounts.key(renamed.sid) == tx.accounts.find_key(renamed.sid)
    assert (True, False) == (tx.accounts.delete_key(renamed.sid), tx.accounts.delete_key(renamed.sid))
    assert tx.accounts.key(renamed.sid) is None
