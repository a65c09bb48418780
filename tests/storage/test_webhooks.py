from dataclasses import replace

import pytest

from stopwire.core.jobs import DeliveryAttempt
from stopwire.ports.store import Cut
from stopwire.storage.store import SqlTx
from stopwire.storage.webhooks import host_of
from tests.storage.values import NOW, A, B, delivery, later, sid


def numbers(found: list[object]) -> list[int]:
    return [int(each.id[-4:]) for each in found]  # type: ignore[attr-defined]


def test_a_claim_takes_what_is_due_the_oldest_first_and_only_once(tx: SqlTx) -> None:
    tx.webhooks.add(
        [delivery(number=0, due_at=later(-1)), delivery(number=1, due_at=later(-2)), delivery(number=2, due_at=later(1))]
    )
    tx.of(B).webhooks.add([delivery(B, 3)])
    assert later(-2) == tx.webhooks.next_due()
    first = tx.of("").webhooks.claim(2, NOW, [])
    assert [replace(delivery(number=1, due_at=later(-2)), state="sending"), 0] == [first[0], int(first[1].id[-4:])]
    assert [3] == numbers(tx.webhooks.claim(9, NOW, []))
    assert [] == tx.webhooks.claim(9, NOW, [])
    assert later(1) == tx.webhooks.next_due()


def test_a_claim_passes_by_hosts_that_are_busy(tx: SqlTx) -> None:
    tx.webhooks.add([delivery(number=0), delivery(number=1, url="http://other.example.com/")])
    assert [1] == numbers(tx.webhooks.claim(9, NOW, ["example.com", "third.example.com"]))
    assert [0] == numbers(tx.webhooks.claim(9, NOW, []))


def test_of_a_lane_only_the_first_is_claimed_until_it_is_settled(tx: SqlTx) -> None:
    tx.webhooks.add([delivery(number=n, lane=lane) for n, lane in enumerate(["ann", "ann", "bob", "ann", ""])])
    assert [0, 2, 4] == numbers(tx.webhooks.claim(9, NOW, []))
    assert [] == tx.webhooks.claim(9, NOW, [])
    assert tx.webhooks.next_due() is None  # nothing can be done before one of them has its answer
    tx.webhooks.settle(delivery(number=0).id, "delivered", rounds=1)
    assert [1] == numbers(tx.webhooks.claim(9, NOW, []))
    tx.webhooks.settle(delivery(number=1).id, "pending", rounds=1, due_at=later(5))
    assert [] == tx.webhooks.claim(9, NOW, [])
    assert later(5) == tx.webhooks.next_due()
    assert [1] == numbers(tx.webhooks.claim(9, later(5), []))
    tx.webhooks.settle(delivery(number=1).id, "expired", rounds=2)
    assert [3] == numbers(tx.webhooks.claim(9, later(5), []))


def test_what_waits_for_a_url_is_hurried_in_its_order(tx: SqlTx) -> None:
    late = [delivery(number=n, url="smpp://ac1", lane="ann", due_at=later(60 - n)) for n in range(2)]
    tx.webhooks.add([*late, delivery(number=2, due_at=later(60))])
    assert 2 == tx.webhooks.hurry("smpp://ac1", NOW)
    assert [0] == numbers(tx.webhooks.claim(9, NOW, []))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        pytest.param("https://Example.COM:8443/x", "example.com", id="case and port"),
        pytest.param("http://user:pw@a.example/", "a.example", id="credentials"),
        pytest.param("http://[::1]:80/", "::1", id="IPv6"),
        pytest.param("http://[::1", "", id="no URL at all"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_a_host_is_what_a_delivery_keeps_busy(url: str, expected: str) -> None:
    assert expected == host_of(url)


def test_what_was_interrupted_is_due_again(tx: SqlTx) -> None:
    tx.webhooks.add([delivery(number=0), delivery(number=1)])
    tx.webhooks.claim(1, NOW, [])
    assert 1 == tx.webhooks.interrupted(later(9))
    assert [1, 0] == numbers(tx.webhooks.claim(9, later(9), []))


def test_a_round_is_settled_with_or_without_a_next_one(tx: SqlTx) -> None:
    tx.webhooks.add([delivery()])
    tx.webhooks.settle(delivery().id, "pending", rounds=1, due_at=later(60))
    assert replace(delivery(), rounds=1, due_at=later(60)) == tx.webhooks.get(delivery().id)
    tx.webhooks.settle(delivery().id, "delivered", rounds=2)
    assert replace(delivery(), rounds=2, due_at=later(60), state="delivered") == tx.webhooks.get(delivery().id)


def test_only_the_first_answer_is_carried_out(tx: SqlTx) -> None:
    tx.webhooks.add([delivery()])
    assert [True, False] == [tx.webhooks.first_answer(delivery().id) for _ in range(2)]
    assert not tx.webhooks.first_answer("WD-nobody")


def test_the_log_is_narrowed_and_cut(tx: SqlTx) -> None:
    tx.webhooks.add([delivery(number=n, event=("inbound", "status")[n % 2]) for n in range(4)])
    assert [3, 2] == numbers(tx.webhooks.page(Cut(limit=2)))
    assert [1, 0] == numbers(tx.webhooks.page(Cut(limit=2, after=sid("WD", A, 2))))
    assert [3, 1] == numbers(tx.webhooks.page(Cut(), event="status"))
    assert [2] == numbers(tx.webhooks.page(Cut(), message=sid("SM", A, 2), state="pending"))
    assert [] == tx.webhooks.page(Cut(), state="failed")


def test_each_request_of_a_delivery_is_kept(tx: SqlTx) -> None:
    tx.webhooks.add([delivery()])
    made = {"url": "https://example.com", "params": {"Body": "another"}}
    asked = DeliveryAttempt(delivery=delivery().id, at=NOW, ms=12, request=made, error="timeout", code=11200)
    answered = replace(asked, at=later(1), response={"status": 200, "headers": {}, "body": ""}, error=None, code=None)
    tx.webhooks.add_attempts([asked, answered])
    assert {delivery().id: [asked, answered], "WD-nobody": []} == tx.webhooks.attempts([delivery().id, "WD-nobody"])


def test_a_request_without_parameters_had_those_of_its_delivery(tx: SqlTx) -> None:
    tx.webhooks.add([delivery()])
    tx.webhooks.add_attempts([DeliveryAttempt(delivery=delivery().id, at=NOW, ms=12, request={"url": "https://example.com"})])
    ((attempt,),) = tx.webhooks.attempts([delivery().id]).values()
    assert {"url": "https://example.com", "params": dict(delivery().params)} == attempt.request
