"""What a message costs, counted: statements, never seconds."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from stopwire.core.message import Status
from stopwire.storage.store import SqlTx
from tests.storage.values import ANN, NOW, A, add_attempts, attempt, delivery, event, handset_message, job, message, sender, sid

SM, AT, MG = sid("SM", A), sid("AT", A), sid("MG", A)
PEOPLE = [f"+1415555{n:04d}" for n in range(100)]


def accept(tx: SqlTx, people: list[str]) -> None:
    tx.services.directory()
    tx.consent.blocks_of_many(people)
    tx.messages.add([message(number=n, recipient=to) for n, to in enumerate(people)])
    tx.jobs.add([job(number=n, recipient=to) for n, to in enumerate(people)])


def hand_over(tx: SqlTx) -> None:
    """Claim and settle what waits."""
    due = tx.of("").jobs.claim("simulator", 100, NOW)
    tx.services.directory()
    tx.consent.blocks_of_many([each.job.recipient for each in due if each.blocked])
    attempts = [attempt(number=n, message=each.job.message) for n, each in enumerate(due)]
    sids = [each.job.message for each in due]
    tx.jobs.write(attempts)
    tx.messages.move(sids, Status.SENDING, now=NOW)
    tx.jobs.has_orphans("simulator")
    assert len(due) == len(tx.jobs.awaited([each.id for each in attempts]))
    tx.jobs.accept([(each.id, "r1") for each in attempts], NOW)
    tx.messages.move(sids, Status.SENT, now=NOW, sent=True)
    tx.jobs.remove(sids)


def statements(tx: SqlTx, unit: Callable[[], Any]) -> list[str]:
    heard: list[str] = []
    tx.unit.raw.set_trace_callback(heard.append)
    try:
        unit()
    finally:
        tx.unit.raw.set_trace_callback(None)
    return heard


@pytest.mark.parametrize("count", [1, 100])
def test_accepting_costs_a_message_and_a_job_each_and_one_check(tx: SqlTx, count: int) -> None:
    tx.services.directory()  # read once, then known
    assert 2 + 2 * count == len(statements(tx, lambda: accept(tx, PEOPLE[:count])))


@pytest.mark.parametrize("count", [1, 100])
def test_handing_over_costs_six_statements_each_and_five_that_are_shared(tx: SqlTx, count: int) -> None:
    tx.services.directory()
    accept(tx, PEOPLE[:count])
    heard = statements(tx, lambda: hand_over(tx))
    assert len(heard) <= 6 * count + 5, heard
    assert [] == tx.of("").jobs.under_way("simulator")


def test_an_opt_out_costs_four_writes_and_two_reads_at_most(tx: SqlTx) -> None:
    assert len(statements(tx, lambda: tx.consent.append([event()]))) <= 6


@pytest.mark.parametrize(
    "run",
    [
        pytest.param(lambda tx: tx.consent.blocks_of_many([ANN]), id="blocks_of_many"),
        pytest.param(lambda tx: tx.consent.blocks_of_many(PEOPLE), id="blocks_of_many of many"),
        pytest.param(lambda tx: tx.messages.get(SM), id="messages.get"),
        pytest.param(lambda tx: tx.messages.move([SM], Status.SENT, now=NOW), id="messages.move"),
        pytest.param(lambda tx: tx.messages.choose(SM, sender="+1", segments=1, now=NOW), id="messages.choose"),
        pytest.param(lambda tx: tx.messages.last_outbound(ANN), id="last_outbound"),
        pytest.param(lambda tx: tx.messages.replies_since(sender().address, ANN, NOW), id="replies_since"),
        pytest.param(lambda tx: tx.messages.kept("k", NOW), id="kept"),
        pytest.param(lambda tx: tx.jobs.of_message(SM), id="jobs.of_message"),
        pytest.param(lambda tx: tx.jobs.awaiting(PEOPLE), id="jobs.awaiting"),
        pytest.param(lambda tx: tx.jobs.of_recipient(ANN, states=("queued",)), id="jobs.of_recipient"),
        pytest.param(lambda tx: tx.jobs.lose(SM), id="jobs.lose"),
        pytest.param(lambda tx: tx.jobs.awaited([AT, SM]), id="jobs.awaited"),
        pytest.param(lambda tx: tx.jobs.segments_named("simulator", ("1", "a"), NOW), id="segments_named"),
        pytest.param(lambda tx: tx.jobs.next_due("simulator"), id="jobs.next_due"),
        pytest.param(lambda tx: tx.jobs.claim("simulator", 9, NOW), id="jobs.claim"),
        pytest.param(lambda tx: tx.jobs.fallen_due("smsc", NOW, NOW, 9), id="jobs.fallen_due"),
        pytest.param(lambda tx: tx.jobs.remove([SM]), id="jobs.remove"),
        pytest.param(lambda tx: tx.jobs.answer_attempt(AT, "accepted", NOW), id="answer_attempt"),
        pytest.param(lambda tx: tx.jobs.by_reference("simulator", "r1"), id="by_reference"),
        pytest.param(lambda tx: tx.jobs.take_orphans("simulator", "r1"), id="take_orphans"),
        pytest.param(lambda tx: tx.services.sticky(MG, ANN), id="sticky"),
        pytest.param(lambda tx: tx.services.account_of(sender().address), id="account_of"),
        pytest.param(lambda tx: tx.services.unstick("PN1"), id="unstick"),
        pytest.param(lambda tx: tx.inbound.seen("simulator", ["r1", "r2"]), id="inbound.seen"),
        pytest.param(lambda tx: tx.replies.recent(sender().address, ANN, NOW), id="replies.recent"),
        pytest.param(lambda tx: tx.webhooks.claim(9, NOW, []), id="webhooks.claim"),
        pytest.param(lambda tx: tx.webhooks.claim(9, NOW, ["example.com"]), id="webhooks.claim past busy hosts"),
        pytest.param(lambda tx: tx.webhooks.next_due(), id="webhooks.next_due"),
        pytest.param(lambda tx: tx.webhooks.settle("WD1", "failed", rounds=1), id="webhooks.settle"),
        pytest.param(lambda tx: tx.handsets.known([AT]), id="handsets.known"),
        pytest.param(lambda tx: tx.handsets.network_blocked("+1", ANN), id="network_blocked"),
    ],
)
def test_no_hot_statement_scans_a_table_or_sorts(tx: SqlTx, run: Callable[[SqlTx], Any]) -> None:
    heard = statements(tx, lambda: run(tx))
    assert heard
    for sql in heard:
        plan = [row[3] for row in tx.unit.raw.execute(f"EXPLAIN QUERY PLAN {sql}")]
        plan = [step for step in plan if "VIRTUAL TABLE" not in step]  # a list that the caller gave
        assert not any("(account=?)" in step for step in plan), (sql, plan)  # all rows of an account
        assert [] == [step for step in plan if step.startswith("SCAN") or "TEMP B-TREE" in step], (sql, plan)


def test_many_rows_of_each_kind_go_in_at_once(tx: SqlTx) -> None:
    tx.webhooks.add([delivery(number=n) for n in range(3)])
    tx.handsets.keep([handset_message(number=n) for n in range(3)])
    add_attempts(tx, [replace(attempt(number=n), raced=n == 1) for n in range(3)])
    raced = [tx.jobs.attempt(sid("AT", A, n)) for n in range(3)]
    assert [False, True, False] == [each is not None and each.raced for each in raced]
