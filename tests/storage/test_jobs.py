from dataclasses import replace
from datetime import datetime

import pytest

from stopwire.core.jobs import Job
from stopwire.core.message import Purpose, Status
from stopwire.core.outcomes import DeliveryReport
from stopwire.storage.jobs import _claim_due
from stopwire.storage.store import SqlTx
from tests.storage.values import ANN, BOB, NOW, A, B, add_attempts, attempt, job, later, message, sid

REPLY = Purpose.KEYWORD_REPLY
MG = sid("MG", A)


def claimed(tx: SqlTx, room: int = 100, now: datetime = NOW) -> list[int]:
    return [int(each.job.message[-4:]) for each in tx.jobs.claim("simulator", room, now)]


@pytest.mark.parametrize(
    ("waiting", "expected"),
    [
        pytest.param([job(), job(number=1, recipient=BOB)], [0, 1], id="two people do not wait for each other"),
        pytest.param([job(), job(number=1)], [0], id="one person gets one at a time"),
        pytest.param([job(), job(number=1, sender=sid("PN", A, 1))], [0, 1], id="another sender is another line"),
        pytest.param([job(state="written"), job(number=1)], [], id="behind a written one"),
        pytest.param([job(state="unknown"), job(number=1)], [1], id="not behind one whose answer is lost"),
        pytest.param([job(due_at=later(1)), job(number=1)], [1], id="not behind one of the future"),
        pytest.param([job(due_at=later(1))], [], id="not before it is due"),
        pytest.param([job(connection="smsc")], [], id="not another connection's"),
        pytest.param([job(), job(number=1, purpose=REPLY)], [1, 0], id="a keyword reply waits for nothing, and goes first"),
        pytest.param([job(purpose=REPLY), job(number=1)], [0], id="what comes after a keyword reply waits for it"),
        pytest.param([job(state="written"), job(number=1, purpose=REPLY)], [1], id="a keyword reply passes a written one"),
        pytest.param(
            [job(sender=None, service=MG), job(number=1, sender=None, service=MG)], [0], id="no sender yet: the service's line"
        ),
        pytest.param(
            [job(service=MG, state="written"), job(number=1, sender=None, service=MG)],
            [],
            id="no sender yet: behind one whose sender is chosen",
        ),
        pytest.param(
            [job(number=2, recipient=BOB, due_at=later(-5)), job(number=1, due_at=later(-9))], [1, 2], id="in the order they fell due"
        ),
    ],
)
def test_a_claim_takes_the_head_of_each_line(tx: SqlTx, waiting: list[Job], expected: list[int]) -> None:
    tx.jobs.add(waiting)
    assert expected == claimed(tx)


def test_a_claim_takes_no_more_than_there_is_room_for(tx: SqlTx) -> None:
    tx.jobs.add([job(number=n, recipient=f"+1415555{n:04d}") for n in range(5)])
    tx.jobs.add([job(number=9, purpose=REPLY)])
    assert [9, 0, 1] == claimed(tx, room=3)
    assert [9] == claimed(tx, room=1)


def test_a_claim_looks_across_accounts_and_changes_nothing(tx: SqlTx) -> None:
    tx.jobs.add([job()])
    tx.of(B).jobs.add([job(B)])
    for _ in range(2):
        assert [A, B] == [each.job.account for each in tx.of("").jobs.claim("simulator", 9, NOW)]


def test_a_line_moves_on_when_its_head_is_gone(tx: SqlTx) -> None:
    tx.jobs.add([job(number=n) for n in range(3)])
    assert [0] == claimed(tx)
    tx.jobs.write([attempt(number=0)])
    assert [] == claimed(tx)
    tx.jobs.remove([sid("SM", A, 0)])
    assert [1] == claimed(tx)


def test_a_job_walks_through_its_states(tx: SqlTx) -> None:
    tx.jobs.add([job(expires_at=later(60))])
    id = job().message
    tx.jobs.write([attempt()])
    tx.jobs.assign(id, sender="PN2", connection="smsc")
    found = tx.jobs.of_message(id)
    assert found is not None
    assert replace(job(), seq=found.seq, state="written", attempt=attempt().id, sender="PN2", connection="smsc", expires_at=later(60)) == found
    tx.jobs.requeue(id, later(5), tried=True)
    tx.jobs.requeue(id, later(6), tried=False)
    found = tx.jobs.of_message(id)
    assert found is not None
    assert ("queued", None, 1, later(6)) == (found.state, found.attempt, found.tries, found.due_at)
    tx.jobs.remove([id])
    assert tx.jobs.of_message(id) is None


def test_what_waits_for_a_person_is_found_by_its_state(tx: SqlTx) -> None:
    tx.jobs.add([job(), job(number=1, state="written"), job(number=2, state="unknown"), job(number=3, recipient=BOB)])
    found = tx.jobs.of_recipient(ANN, states=("queued", "written"))
    assert [sid("SM", A, 0), sid("SM", A, 1)] == [each.message for each in found]


def test_what_was_under_way_when_a_process_died_is_found(tx: SqlTx) -> None:
    states = ("queued", "written", "unknown")
    tx.jobs.add([job(number=n, state=state, recipient=f"+{n}") for n, state in enumerate(states)])
    assert list(states[1:]) == [each.state for each in tx.jobs.under_way("simulator")]
    assert [] == tx.jobs.under_way("smsc")


def test_the_next_due_is_the_earliest_that_is_queued(tx: SqlTx) -> None:
    assert tx.jobs.next_due("simulator") is None
    tx.jobs.add([job(due_at=later(9)), job(number=1, due_at=later(7)), job(number=2, due_at=later(1), state="written")])
    assert later(7) == tx.jobs.next_due("simulator")
    tx.jobs.add([job(number=3, due_at=later(5), purpose=REPLY)])
    assert later(5) == tx.jobs.next_due("simulator")


def test_an_attempt_keeps_what_it_learned(tx: SqlTx) -> None:
    add_attempts(tx, [attempt(), attempt(number=1, at=later(1), message=attempt().message)])
    assert not tx.unit.answered
    tx.jobs.answer_attempt(attempt().id, "accepted", later(2), reference="r1")
    assert tx.unit.answered
    tx.jobs.answer_attempt(attempt().id, "accepted", later(3), detail="ok")
    tx.jobs.race([attempt().id])
    expected = replace(attempt(), state="accepted", answered_at=later(3), reference="r1", form="r1", detail="ok", raced=True)
    assert expected == tx.jobs.attempt(attempt().id)
    assert [expected.id, sid("AT", A, 1)] == [each.id for each in tx.jobs.attempts(attempt().message)]


def test_a_report_finds_the_newest_attempt_of_its_reference_in_any_account(tx: SqlTx) -> None:
    add_attempts(tx, [attempt(reference="r1", form="r1")])
    add_attempts(tx.of(B), [attempt(B, reference="r1", form="r1", at=later(1))])
    for account in (A, B, ""):
        found = tx.of(account).jobs.by_reference("simulator", "r1")
        assert found is not None
        assert B == found.account
    assert tx.jobs.by_reference("smsc", "r1") is None
    engine = tx.of("").jobs.attempt(attempt().id)
    assert engine is not None
    assert A == engine.account


def test_reports_that_came_too_early_are_taken_once_in_their_order(tx: SqlTx) -> None:
    sent = DeliveryReport(connection="simulator", reference="r1", status=Status.SENT)
    lost = DeliveryReport(connection="simulator", reference="r1", status=Status.UNDELIVERED, error_code=30003, at=later(2))
    tx.jobs.add_orphan(sent, later(1))
    tx.jobs.add_orphan(lost, later(9))
    assert [replace(sent, at=later(1)), lost] == tx.jobs.take_orphans("simulator", "r1")
    assert [] == tx.jobs.take_orphans("simulator", "r1")


def test_a_claim_walks_its_index_however_long_the_queue_is(tx: SqlTx) -> None:
    tx.jobs.claim("simulator", 1, NOW)
    sql = _claim_due.sql(tx.unit)
    plan = str(tx.unit.raw.execute(f"EXPLAIN QUERY PLAN {sql}", [None] * sql.count("?")).fetchall())
    assert "ix_jobs_connection_state_purpose_due" in plan
    assert "ix_jobs_account_recipient" in plan
    assert "TEMP B-TREE" not in plan


def test_what_falls_due_on_a_connection_is_what_was_scheduled_and_came_since(tx: SqlTx) -> None:
    tx.messages.add([message(number=n, status=Status.QUEUED if n == 3 else Status.SCHEDULED) for n in range(5)])
    tx.of(B).messages.add([message(B, status=Status.SCHEDULED)])
    dues = {0: later(-9), 1: later(-5), 2: later(5), 3: later(-5)}
    tx.jobs.add([job(number=n, connection="smsc", due_at=at) for n, at in dues.items()])
    tx.jobs.add([job(number=4, due_at=later(-5))])  # elsewhere
    tx.of(B).jobs.add([job(B, connection="smsc", due_at=later(-1))])
    engine = tx.of("").jobs

    def due(since: float | None, limit: int = 9) -> list[str]:
        found = engine.fallen_due("smsc", None if since is None else later(since), NOW, limit)
        return [each.job.message for each in found]

    assert [sid("SM", A, 0), sid("SM", A, 1), sid("SM", B, 0)] == due(None)
    assert [sid("SM", A, 1), sid("SM", B, 0)] == due(-9)
    assert [sid("SM", A, 1)] == due(-9, limit=1)
    assert [] == due(-1)


def test_only_what_is_due_or_was_tried_is_moved_where_a_time_is_given(tx: SqlTx) -> None:
    tx.jobs.add([job(), job(number=1, due_at=later(9)), job(number=2, due_at=later(9)), job(number=3, state="written")])
    tx.jobs.requeue(sid("SM", A, 2), later(9), tried=True)
    assert 2 == tx.jobs.reroute(job().sender or "", connection="smsc", now=NOW)
    assert 1 == tx.jobs.reroute(job().sender or "", connection="smsc")


def test_what_waits_is_counted_by_its_sender(tx: SqlTx) -> None:
    tx.jobs.add([job(number=n, recipient=f"+1415555000{n}") for n in range(3)])
    tx.jobs.add([job(number=4, sender=sid("PN", A, 1)), job(number=5, sender=None, service=MG)])
    tx.jobs.add([job(number=6, due_at=later(9)), job(number=7, state="written"), job(number=8, due_at=later(9), tries=1)])
    tx.of(B).jobs.add([job(B)])
    expected = {(A, sid("PN", A)): 4, (A, sid("PN", A, 1)): 1, (B, sid("PN", B)): 1}
    assert expected == {(account, sender): many for account, sender, many in tx.of("").jobs.waiting(NOW)}
