from dataclasses import replace

from stopwire.ports.store import Cut
from stopwire.storage.store import SqlTx
from tests.storage.values import BOB, A, later, review, sid


def test_suggestions_are_listed_newest_first_and_narrowed(tx: SqlTx) -> None:
    told = [review(number=n, recipient=BOB if n == 1 else review().recipient) for n in range(3)]
    tx.suggestions.add(told)
    assert told[::-1] == tx.suggestions.page(Cut())
    assert [told[0]] == tx.suggestions.page(Cut(after=sid("SG", A, 1)))
    assert [told[1]] == tx.suggestions.page(Cut(), state="open", recipient=BOB)
    assert [] == tx.suggestions.page(Cut(), state="confirmed")


def test_a_suggestion_is_decided_once(tx: SqlTx) -> None:
    tx.suggestions.add([review()])
    tx.suggestions.decide(review().id, "confirmed", by="eve", now=later(1), note="clear")
    tx.suggestions.decide(review().id, "dismissed", by="mallory", now=later(2), note=None)
    expected = replace(review(), state="confirmed", decided_by="eve", decided_at=later(1), note="clear")
    assert expected == tx.suggestions.get(review().id)
