import sqlite3
from dataclasses import replace

import pytest
from sqlalchemy.exc import IntegrityError

from stopwire.core.address import SenderKind
from stopwire.core.policy import standard_policy
from stopwire.core.senders import Webhook
from stopwire.storage.store import SqlTx
from tests.storage.values import ANN, A, B, account, later, sender, service, sid

MG = sid("MG", A)


def test_a_directory_holds_the_account_its_senders_and_its_services(tx: SqlTx) -> None:
    directory = tx.services.directory()
    assert account() == directory.account
    assert {s.sid: s for s in (sender(), sender(number=1))} == directory.senders
    assert {MG: service()} == directory.services


def test_a_directory_of_an_unknown_account_is_an_error(tx: SqlTx) -> None:
    with pytest.raises(LookupError, match="no account ACzzz"):
        tx.of("ACzzz").services.directory()


def test_every_field_of_a_sender_and_a_service_is_kept(tx: SqlTx) -> None:
    told = sender(
        service=MG,
        connection="smsc",
        inherited=("MG1", "MG2"),
        webhook=Webhook(url="https://example.com", method="GET", fallback_url="https://b.example.com"),
        default_opt_out=False,
        mms=False,
        mps=2.5,
        settings={"voice_url": "https://example.com"},
        joined_at=later(3),
        updated_at=later(4),
    )
    tx.services.save_sender(told)
    changed = service(friendly_name="Alerts", inbound_request_url="https://example.com/in", validity_period=60, smart_encoding=True)
    tx.services.save_service(changed)
    directory = tx.services.directory()
    assert told == directory.senders[told.sid]
    assert changed == directory.services[MG]


def test_a_directory_is_read_once_until_something_changes(tx: SqlTx) -> None:
    first = tx.services.directory()
    assert first is tx.services.directory()
    tx.services.save_sender(replace(sender(), friendly_name="Front desk"))
    assert "Front desk" == tx.services.directory().senders[sender().sid].friendly_name


def test_a_change_that_was_undone_was_never_there(tx: SqlTx) -> None:
    raw = tx.unit.raw
    before = tx.services.directory()
    for name in ("first", "second"):
        raw.execute("SAVEPOINT test")
        tx.services.save_sender(replace(sender(), friendly_name=name))
        assert name == tx.services.directory().senders[sender().sid].friendly_name
        raw.execute("ROLLBACK TO test")
        assert before == tx.services.directory()


def test_versions_of_a_policy_are_only_added(tx: SqlTx) -> None:
    changed = replace(service(), policy=replace(standard_policy(), enabled=True), policy_version=2, updated_at=later(9))
    tx.services.add_policy(changed, actor="api", note="switch it on")
    assert changed == tx.services.directory().services[MG]
    assert [2, 1] == [version.version for version in tx.services.policies(MG)]
    second = tx.services.policy(MG, 2)
    assert second is not None
    assert ("api", "switch it on", later(9), True) == (second.actor, second.note, second.created_at, second.policy.enabled)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        tx.unit.raw.execute("UPDATE policies SET actor = 'nobody'")


def test_a_service_goes_and_its_policies_stay(tx: SqlTx) -> None:
    tx.services.stick(MG, ANN, sender().sid)
    tx.services.delete_service(MG)
    assert {} == tx.services.directory().services
    assert tx.services.sticky(MG, ANN) is None
    assert [1] == [version.version for version in tx.services.policies(MG)]


def test_an_address_has_one_owner(tx: SqlTx) -> None:
    assert A == tx.services.account_of(sender().address)
    assert B == tx.services.account_of(sender(B).address)
    assert tx.services.account_of(ANN) is None
    assert {sender().address, sender(B).address} == tx.services.taken([sender().address, sender(B).address, ANN])
    with pytest.raises(IntegrityError):
        tx.services.add_sender(sender(number=7, address=sender(B).address))


def test_a_name_may_be_signed_by_many_and_then_has_no_owner(tx: SqlTx) -> None:
    name = {"address": "INFO", "kind": SenderKind.ALPHANUMERIC}
    tx.services.add_sender(sender(number=7, **name))
    assert A == tx.services.account_of("INFO")
    tx.of(B).services.add_sender(sender(B, 7, **name))
    assert tx.services.account_of("INFO") is None
    with pytest.raises(IntegrityError):
        tx.services.add_sender(sender(number=8, **name))


def test_who_gets_an_address_again_can_ask_what_it_answered_to(tx: SqlTx) -> None:
    tx.services.save_sender(sender(service=MG, inherited=("MG9",)))
    tx.services.delete_sender(sender().sid)
    assert ("MG9", MG, sender().sid) == tx.services.holders_before(sender().address)
    assert () == tx.of(B).services.holders_before(sender().address)
    tx.services.add_sender(sender(number=9, address=sender().address, inherited=("MG9", MG)))
    tx.services.delete_sender(sender(number=9).sid)
    assert ("MG9", MG, sender().sid, sender(number=9).sid) == tx.services.holders_before(sender().address)


def test_a_deleted_sender_is_free_again(tx: SqlTx) -> None:
    tx.services.delete_sender(sender().sid)
    assert tx.services.account_of(sender().address) is None
    assert sender().sid not in tx.services.directory().senders


def test_a_person_keeps_the_sender_they_know_until_it_leaves(tx: SqlTx) -> None:
    assert tx.services.sticky(MG, ANN) is None
    tx.services.stick(MG, ANN, sender().sid)
    tx.services.stick(MG, ANN, sender(number=1).sid)
    assert sender(number=1).sid == tx.services.sticky(MG, ANN)
    tx.services.unstick(sender(number=1).sid)
    assert tx.services.sticky(MG, ANN) is None
