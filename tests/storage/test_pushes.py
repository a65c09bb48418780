from dataclasses import replace

from stopwire.core.connections import Connection, Sealed
from stopwire.ports.push import RefusedPush
from stopwire.storage.store import SqlTx
from tests.storage.values import NOW, A, later, sid

CONNECTION = Connection(sid=sid("CN", A), account=A, name="up", type="twilio", created_at=NOW, updated_at=NOW)


def refused(number: int = 0) -> RefusedPush:
    return RefusedPush(
        id=sid("RP", A, number),
        account=A,
        connection=CONNECTION.sid,
        at=later(number),
        version=1,
        problem="The signature does not fit.",
        sealed="v1.key.text",
    )


def test_the_newest_refused_pushes_of_a_connection_are_kept(tx: SqlTx) -> None:
    for number in range(5):
        tx.pushes.keep(refused(number), at_most=3)
    assert [refused(4), refused(3), refused(2)] == tx.pushes.of(CONNECTION.sid, 10)


def test_a_refused_push_is_due_once_its_connection_has_changed(tx: SqlTx) -> None:
    tx.connections.add(Sealed(connection=CONNECTION))
    tx.pushes.keep(refused(), at_most=3)
    assert [] == tx.pushes.due(10)
    tx.connections.save(Sealed(connection=replace(CONNECTION, version=2)))
    assert [refused()] == tx.pushes.due(10)
    tx.pushes.judge(refused().id, version=2, problem="still")
    assert [] == tx.pushes.due(10)
    assert [replace(refused(), version=2, problem="still")] == tx.pushes.of(CONNECTION.sid, 10)


def test_refused_pushes_are_dropped_and_forgotten(tx: SqlTx) -> None:
    for number in range(3):
        tx.pushes.keep(refused(number), at_most=3)
    tx.pushes.drop(refused(1).id)
    assert 1 == tx.pushes.forget(later(1), 10)
    assert [refused(2)] == tx.pushes.of(CONNECTION.sid, 10)
