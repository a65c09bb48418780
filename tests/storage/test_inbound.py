from dataclasses import replace

from stopwire.core.outcomes import Received
from stopwire.ports.store import Seen
from stopwire.storage.store import SqlTx
from tests.storage.values import ANN, NOW, B, later, sender


def part(number: int, body: str, *, of: int = 3, reference: int = 7) -> Received:
    return Received(
        connection="simulator",
        sender=sender().address,
        recipient=ANN,
        body=body,
        part_reference=reference,
        part=number,
        parts=of,
    )


def test_deliveries_are_remembered_with_what_came_last(tx: SqlTx) -> None:
    first, second = Seen(reference="r1", message="SM1", at=NOW), Seen(reference="r2", message=None, at=NOW, said="digest")
    assert {} == tx.inbound.seen("simulator", ["r1", "r2"])
    tx.inbound.remember("simulator", [first, second])
    assert {"r1": first, "r2": second} == tx.inbound.seen("simulator", ["r1", "r2", "r3"])
    assert {"r1": first} == tx.inbound.seen("simulator", ["r1"])
    assert {} == tx.inbound.seen("smsc", ["r1"])
    again = Seen(reference="r2", message="SM2", at=later(9), said="another")
    tx.inbound.remember("simulator", [again])
    assert {"r2": again} == tx.inbound.seen("simulator", ["r2"])


def test_nothing_to_remember_is_nothing_done(tx: SqlTx) -> None:
    tx.inbound.remember("simulator", [])
    assert {} == tx.inbound.seen("simulator", [])


def test_parts_join_in_whatever_order_they_come(tx: SqlTx) -> None:
    for number, body in ((3, "c"), (1, "a")):
        assert tx.inbound.add_part(part(number, body), NOW)
        assert tx.inbound.joined(part(number, body)) is None
    assert tx.inbound.add_part(part(2, "b"), NOW)
    assert "abc" == tx.inbound.joined(part(2, "b"))
    tx.inbound.drop_parts(part(2, "b"))
    assert tx.inbound.joined(part(2, "b")) is None


def test_the_same_part_again_is_no_part(tx: SqlTx) -> None:
    assert tx.inbound.add_part(part(1, "a"), NOW)
    assert not tx.inbound.add_part(part(1, "a"), later(1))


def test_other_bytes_under_a_part_number_begin_a_new_text(tx: SqlTx) -> None:
    tx.inbound.add_part(part(1, "old", of=2), NOW)
    assert tx.inbound.add_part(part(1, "new", of=2), later(1))
    tx.inbound.add_part(part(2, "er", of=2), later(2))
    assert "newer" == tx.inbound.joined(part(1, "new", of=2))


def test_references_totals_people_and_accounts_do_not_mix(tx: SqlTx) -> None:
    tx.inbound.add_part(part(1, "a", of=2), NOW)
    for other in (part(2, "x", of=2, reference=8), replace(part(2, "x", of=2), recipient="+1"), part(2, "x")):
        tx.inbound.add_part(other, NOW)
    assert tx.inbound.joined(part(1, "a", of=2)) is None
    assert tx.of(B).inbound.joined(part(1, "a", of=2)) is None


def test_overdue_groups_are_told_by_the_first_part_that_is_there(tx: SqlTx) -> None:
    tx.inbound.add_part(part(3, "c"), NOW)
    tx.inbound.add_part(part(2, "b"), later(5))
    tx.of(B).inbound.add_part(part(1, "x", reference=8), NOW)
    assert [] == tx.inbound.overdue_parts(NOW)
    assert [part(1, "x", reference=8)] == tx.inbound.overdue_parts(later(5))
    assert {2, 1} == {found.part for found in tx.of("").inbound.overdue_parts(later(6))}
