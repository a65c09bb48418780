from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from stopwire.core.alerts import Alert, Change, Kind, Mute, State
from stopwire.core.message import Direction, Purpose
from stopwire.ports.store import Backlog, Cut, Replied, Spread
from stopwire.storage.store import SqlTx
from tests.storage.values import ANN, BOB, NOW, A, B, account, delivery, later, message, review, sid

OLD = NOW - timedelta(days=2)


def alert(number: int = 0, **changes: object) -> Alert:
    facts = {"id": sid("AL", A, number), "account": A, "kind": Kind.LINK_DOWN, "subject": f"CN{number}", "state": State.FIRING,
             "since": NOW, "figures": {"name": "acme", "minutes": 7}}  # fmt: skip
    return Alert(**{**facts, **changes})  # type: ignore[arg-type]  # a test says what it is about


def test_alerts_are_listed_newest_first_and_narrowed(tx: SqlTx) -> None:
    told = [alert(0, state=State.OVER, over_at=later(1)), alert(1), alert(2, kind=Kind.FAILURES, state=State.TAKEN, taken_by="ana", taken_at=NOW)]
    for each in told:
        tx.alerts.add(each)
    assert told[::-1] == tx.alerts.page(Cut())
    assert [told[0]] == tx.alerts.page(Cut(after=told[1].id))
    assert [told[2], told[1]] == tx.alerts.standing() == tx.alerts.page(Cut(), [State.FIRING, State.TAKEN])
    assert [told[2]] == tx.alerts.page(Cut(), kind=Kind.FAILURES)
    assert {told[1].id, told[2].id} == {each.id for each in tx.alerts.every_standing()}


def test_of_one_thing_there_is_one_alert_at_a_time(tx: SqlTx) -> None:
    tx.alerts.add(alert())
    with pytest.raises(IntegrityError):
        tx.alerts.add(alert(1, subject="CN0"))
    tx.alerts.save(alert(state=State.OVER))
    tx.alerts.add(alert(1, subject="CN0"))
    assert [sid("AL", A, 1)] == [each.id for each in tx.alerts.standing()]


def test_only_alerts_that_are_over_are_forgotten(tx: SqlTx) -> None:
    for each in (alert(0), alert(1, state=State.OVER, over_at=OLD), alert(2, state=State.OVER, over_at=later(9))):
        tx.alerts.add(each)
    assert 1 == tx.alerts.forget(NOW, 10)
    assert [sid("AL", A, 2), sid("AL", A, 0)] == [each.id for each in tx.alerts.page(Cut())]


def test_a_change_replaces_the_one_before_and_can_be_taken_back(tx: SqlTx) -> None:
    change = Change(account=A, kind=Kind.FAILURES, threshold=2.5, window_minutes=120, actor="ana", updated_at=NOW)
    tx.alerts.put_change(change)
    tx.alerts.put_change(changed := replace(change, on=False))
    assert [changed] == tx.alerts.changes() == tx.alerts.every_change()
    assert [True, False] == [tx.alerts.drop_change(Kind.FAILURES) for _ in range(2)]
    assert [] == tx.alerts.changes()


def test_a_mute_counts_until_its_end(tx: SqlTx) -> None:
    mute = Mute(account=A, kind=Kind.LOOP, subject="+1", until=later(60), actor="ana", at=NOW)
    tx.alerts.put_mute(replace(mute, until=later(30)))
    tx.alerts.put_mute(mute)
    assert [mute] == tx.alerts.mutes(later(59)) == tx.alerts.every_mute(later(59))
    assert [] == tx.alerts.mutes(later(60))
    assert [True, False] == [tx.alerts.drop_mute(Kind.LOOP, "+1") for _ in range(2)]


def test_accounts_are_active_by_their_newest_message(tx: SqlTx) -> None:
    tx.messages.add([message(created_at=NOW)])
    tx.of(B).messages.add([message(B, created_at=OLD)])
    assert [A] == tx.alerts.active(NOW)
    assert [A, B] == tx.alerts.active(OLD)


def test_what_waits_is_told_by_account(tx: SqlTx) -> None:
    states = ("pending", "sending", "delivered")
    tx.webhooks.add([delivery(number=n, state=state, created_at=later(n)) for n, state in enumerate(states)])
    assert [Backlog(account=A, count=2, oldest_at=NOW)] == tx.alerts.waiting()


def test_what_is_late_is_told_by_account(tx: SqlTx) -> None:
    tx.suggestions.add([review(number=0, due_at=later(5)), review(number=1, due_at=later(9)), review(number=2, due_at=later(1))])
    tx.suggestions.decide(sid("SG", A, 2), "dismissed", by="ana", now=NOW, note=None)
    assert [] == tx.alerts.overdue(later(5))
    assert [Backlog(account=A, count=1, oldest_at=later(5))] == tx.alerts.overdue(later(6))


def _texts(numbers: Sequence[str], **changes: object) -> list[object]:
    return [message(number=100 + n, recipient=number, direction=Direction.API, **changes) for n, number in enumerate(numbers)]


def test_blocks_of_numbers_are_told_by_how_many_of_them_got_texts(tx: SqlTx) -> None:
    tx.messages.add(_texts(["+37060012001", "+37060012002", "+37060012002", "+14155550101", "whatsapp:+37060012003"]))  # type: ignore[arg-type]
    assert [Spread(block="+37060012", numbers=2, texts=3)] == tx.alerts.spreads(NOW, 2)
    assert [] == tx.alerts.spreads(NOW, 3)
    assert [] == tx.alerts.spreads(later(1), 2)


@pytest.mark.parametrize(
    ("block", "before", "expected"),
    [
        pytest.param("+37060012", later(1), True, id="a number of the block had one"),
        pytest.param("+37060012", NOW, False, id="but not before"),
        pytest.param("+37060013", later(1), False, id="the neighbours had none"),
    ],
)
def test_a_block_was_written_to_before_or_not(tx: SqlTx, block: str, before: object, expected: bool) -> None:
    tx.messages.add(_texts(["+37060012999"], created_at=NOW))  # type: ignore[arg-type]
    assert expected == tx.alerts.written_before(block, before)  # type: ignore[arg-type]


def test_replies_are_told_by_pair_whoever_wrote_them(tx: SqlTx) -> None:
    replies = [
        message(number=n, recipient=ANN, direction=Direction.REPLY, purpose=purpose)
        for n, purpose in enumerate((Purpose.MESSAGE, Purpose.MESSAGE, Purpose.KEYWORD_REPLY))
    ]
    tx.messages.add([*replies, message(number=9, recipient=BOB, direction=Direction.REPLY), message(number=10, recipient=ANN)])
    assert [Replied(sender=message().sender or "", recipient=ANN, replies=3)] == tx.alerts.replied(NOW, 3)
    assert [] == tx.alerts.replied(later(1), 1)


@pytest.mark.parametrize(
    ("what", "index"),
    [
        pytest.param("waiting", "ix_deliveries_state_due", id="webhooks"),
        pytest.param("overdue", "ix_suggestions_due", id="suggestions"),
        pytest.param("active", "ix_messages_account_seq", id="accounts"),
        pytest.param("every_standing", "ix_alerts_standing", id="alerts"),
        pytest.param("spreads", "ix_messages_account_seq", id="blocks of numbers"),
        pytest.param("replied", "ix_messages_account_seq", id="replies"),
        pytest.param("written_before", "ix_messages_account_recipient", id="a block"),
    ],
)
def test_each_look_goes_along_an_index_and_is_one_statement(tx: SqlTx, what: str, index: str) -> None:
    asked: dict[str, tuple[object, ...]] = {"spreads": (NOW, 1), "replied": (NOW, 1), "written_before": ("+37060012", NOW)}
    seen: list[str] = []
    tx.unit.raw.set_trace_callback(seen.append)
    getattr(tx.alerts, what)(*asked.get(what, () if what in ("waiting", "every_standing") else (NOW,)))
    tx.unit.raw.set_trace_callback(None)
    plan = [str(row[3]) for query in seen for row in tx.unit.raw.execute("EXPLAIN QUERY PLAN " + query)]
    assert any(index in line for line in plan), plan
    assert 1 == len(seen)


def test_a_stranger_is_no_account_here(tx: SqlTx) -> None:
    with pytest.raises(AssertionError):
        tx.of(B).alerts.add(alert())
    assert account().sid == alert().account
