import pytest
from sqlalchemy.exc import IntegrityError

from stopwire.storage.store import SqlTx
from tests.storage.values import ANN, BOB, NOW, later, sender


def test_recent_replies_to_a_person_come_newest_first(tx: SqlTx) -> None:
    for number, (to, keyword) in enumerate([(ANN, "STOP"), (BOB, "STOP"), (ANN, "HELP")]):
        tx.replies.add(f"SM{number}", f"CE{number}", keyword, sender().address, to, f"text {number}", later(number))
    ours = sender().address
    assert [("HELP", "text 2", later(2)), ("STOP", "text 0", NOW)] == tx.replies.recent(ours, ANN, NOW)
    assert [("HELP", "text 2", later(2))] == tx.replies.recent(ours, ANN, later(1))
    assert [] == tx.replies.recent("+14155550999", ANN, NOW)


def test_a_transition_is_confirmed_once(tx: SqlTx) -> None:
    tx.replies.add("SM1", "CE1", "STOP", sender().address, ANN, "bye", NOW)
    with pytest.raises(IntegrityError):
        tx.replies.add("SM2", "CE1", "STOP", sender().address, ANN, "bye", NOW)
