import pytest

from stopwire.core.chaos import USUAL, Reception
from stopwire.storage.store import SqlTx
from tests.storage.values import ANN, BOB, NOW, A, B, handset_message, later, sender, sid, transit


def test_a_handset_tells_what_it_sent_and_received_in_order(tx: SqlTx) -> None:
    told = [handset_message(number=n, direction=("in", "out")[n % 2]) for n in range(3)]
    tx.handsets.keep([*told, handset_message(number=9, handset=BOB)])
    assert told == tx.handsets.of(ANN, None, 10)
    assert told[1:2] == tx.handsets.of(ANN, told[0].id, 1)
    assert [] == tx.handsets.of(ANN, "HM-nobody", 10)
    assert [ANN, BOB] == tx.handsets.all()


def test_a_part_handed_over_twice_reaches_the_handset_once(tx: SqlTx) -> None:
    tx.handsets.keep([handset_message()])
    tx.handsets.keep([handset_message(number=1, attempt=handset_message().attempt), handset_message(number=2, attempt=None)])
    tx.handsets.keep([handset_message(number=3, attempt=None)])
    assert [0, 2, 3] == [int(m.id[-4:]) for m in tx.handsets.of(ANN, None, 10)]
    assert {sid("AT", A)} == tx.handsets.known([sid("AT", A), "AT-nobody"])


def test_the_network_serves_all_accounts_and_each_sees_its_own(tx: SqlTx) -> None:
    tx.of("").handsets.keep([handset_message(), handset_message(B, 1)])
    assert [handset_message(B, 1)] == tx.of(B).handsets.of(ANN, None, 10)


def test_the_networks_own_list_is_by_pair(tx: SqlTx) -> None:
    ours = sender().address
    for _ in range(2):
        tx.handsets.network_set(ours, ANN, blocked=True)
    assert [True, False] == [tx.handsets.network_blocked(ours, handset) for handset in (ANN, BOB)]
    tx.handsets.network_set(ours, ANN, blocked=False)
    assert not tx.handsets.network_blocked(ours, ANN)


CARRIED = [
    pytest.param({}, [], True, id="due"),
    pytest.param({"due_at": later(1)}, [], False, id="late"),
    pytest.param({"handset": BOB}, [], False, id="its handset is off"),
    pytest.param({"handset": BOB, "expires_at": NOW}, [], True, id="its handset is off and the message centre gives up"),
    pytest.param({"handset": BOB, "direction": "out"}, [], True, id="from a handset that is off by now"),
    pytest.param({}, [A], False, id="the message centre is dead"),
    pytest.param({}, [B], True, id="another account's message centre is dead"),
]


@pytest.mark.parametrize(("changes", "dead", "carried"), CARRIED)
def test_the_network_carries_on_what_can_arrive(tx: SqlTx, changes: dict[str, object], dead: list[str], carried: bool) -> None:
    tx.handsets.set_reception(BOB, Reception(on=False))
    tx.handsets.hold([transit(**changes)])
    assert ([transit(**changes)] if carried else []) == tx.handsets.due(NOW, dead, 10)


def test_the_next_text_is_the_one_that_can_be_carried_first(tx: SqlTx) -> None:
    tx.handsets.set_reception(BOB, Reception(on=False))
    assert None is tx.handsets.next_due([])
    tx.handsets.hold([transit(handset=BOB, expires_at=later(9)), transit(number=1, due_at=later(5)), transit(number=2, due_at=later(7))])
    assert [later(5), None] == [tx.handsets.next_due(dead) for dead in ([], [A])]
    tx.handsets.carried([transit(number=n).id for n in (1, 2)])
    assert later(9) == tx.handsets.next_due([])
    tx.handsets.set_reception(BOB, USUAL)
    assert NOW == tx.handsets.next_due([])


def test_what_is_on_its_way_is_kept_once_and_known(tx: SqlTx) -> None:
    for _ in range(2):
        tx.handsets.hold([transit(onward={"parts": 2})])
    assert {"parts": 2} == tx.handsets.due(NOW, [], 10)[0].onward
    assert ({ANN: 1}, {sid("AT", A)}) == (tx.handsets.waiting(), tx.handsets.known([sid("AT", A), "AT-nobody"]))


def test_a_handset_is_reached_as_usual_until_it_is_set_otherwise(tx: SqlTx) -> None:
    odd = Reception(on=False, delay_seconds=1.5, loss=0.25, duplicates=1)
    for reception in (Reception(loss=1), odd):
        tx.handsets.set_reception(ANN, reception)
    assert ({ANN: odd}, [(A, ANN, odd)]) == (tx.handsets.receptions(), tx.handsets.every_reception())
    tx.handsets.set_reception(ANN, USUAL)
    assert {} == tx.handsets.receptions()
