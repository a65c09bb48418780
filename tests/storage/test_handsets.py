from stopwire.storage.store import SqlTx
from tests.storage.values import ANN, BOB, A, B, handset_message, sender, sid


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
