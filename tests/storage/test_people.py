"""The team, its sessions and the audit log."""

from dataclasses import replace
from sqlite3 import IntegrityError as Raw

import pytest
from sqlalchemy.exc import IntegrityError

from stopwire.core.roles import Role
from stopwire.ports.store import AuditRow, Cut, Session, User
from stopwire.storage.store import SqlTx
from tests.storage.values import NOW, A, B, later, sid


def user(number: int = 0, of: str = A, **changes: object) -> User:
    made = User(
        sid=sid("US", of, number),
        account=of,
        name=f"Ana {number}",
        password="hash",
        role=Role.OPERATOR,
        reveal=False,
        created_at=later(number),
        updated_at=later(number),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def session(number: int = 0, of: str = A, **changes: object) -> Session:
    made = Session(
        id=sid("SE", of, number),
        digest=f"{number}{of}",
        account=of,
        kind="session",
        created_at=NOW,
        seen_at=later(number),
        expires_at=later(100),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def row(number: int, act: str = "sign_in.failed", subject: str = "ana", address: str = "10.0.0.1") -> AuditRow:
    return AuditRow(id=sid("AU", A, number), account=A, at=later(number), actor="nobody", act=act, subject=subject, address=address)


def test_a_person_comes_back_as_saved_and_is_found_by_name_in_any_case(tx: SqlTx) -> None:
    tx.people.add_user(user())
    changed = user(role=Role.ADMIN, reveal=True)
    tx.people.save_user(changed)
    assert changed == tx.people.user(changed.sid) == tx.of(B).people.find_user("aNA 0")
    assert [changed] == tx.people.users()


def test_a_name_has_one_owner_in_the_whole_gateway(tx: SqlTx) -> None:
    tx.people.add_user(user())
    with pytest.raises(IntegrityError):
        tx.of(B).people.add_user(user(of=B, name="ANA 0"))


def test_a_person_who_is_removed_takes_their_sessions_along(tx: SqlTx) -> None:
    tx.people.add_user(user())
    tx.people.add_session(session(user=user().sid))
    assert (True, False) == (tx.people.delete_user(user().sid), tx.people.delete_user(user().sid))
    assert [] == tx.people.sessions(NOW)


def test_sessions_are_listed_the_last_seen_first_without_links_and_expired_ones(tx: SqlTx) -> None:
    first, second = session(0), session(1)
    for each in (first, second, session(2, kind="sign_in"), session(3, expires_at=NOW)):
        tx.people.add_session(each)
    assert [second, first] == tx.people.sessions(NOW)
    assert 1 == tx.people.forget_sessions(later(1), 10)
    assert first == tx.people.find_session(first.digest)


def test_all_sessions_of_a_person_end_but_the_one_that_goes_on(tx: SqlTx) -> None:
    for number in range(3):
        tx.people.add_session(session(number, user="US1"))
    assert 2 == tx.people.end_sessions_of("US1", session(1).id)
    assert [session(1, user="US1")] == tx.people.sessions(NOW)


def test_the_audit_log_pages_the_newest_first_and_counts_tries(tx: SqlTx) -> None:
    rows = [row(0), row(1, act="user.added"), row(2, subject="ben")]
    tx.audit.add(rows)
    assert rows[::-1] == tx.audit.page(Cut())
    assert [rows[1]] == tx.audit.page(Cut(limit=1, after=rows[2].id))
    assert [rows[1]] == tx.audit.page(Cut(), act="user")
    assert 2 == tx.of(B).audit.tries("sign_in.failed", NOW, address="10.0.0.1")
    assert 1 == tx.audit.tries("sign_in.failed", NOW, subject="ben")
    assert 1 == tx.audit.tries("sign_in.failed", later(1), address="10.0.0.1")


@pytest.mark.parametrize("change", ["UPDATE audit SET actor = 'somebody'", "DELETE FROM audit"])
def test_the_audit_log_cannot_be_rewritten(tx: SqlTx, change: str) -> None:
    tx.audit.add([row(0)])
    with pytest.raises(Raw, match="append-only"):
        tx.unit.raw.execute(change)
