"""Letting go of old records: only those that have ended, with all that hangs on them, a stretch at a time. Never consent."""

from collections.abc import Callable
from typing import Any

import pytest

from stopwire.core.jobs import DeliveryAttempt
from stopwire.core.message import Direction, Media, Purpose, Status, emptied_at
from stopwire.core.receipts import Segment
from stopwire.ports.store import Cut
from stopwire.storage.store import SqlTx
from tests.storage.values import (
    ANN,
    NOW,
    A,
    add_attempts,
    attempt,
    delivery,
    event,
    handset_message,
    job,
    later,
    message,
    refusal,
    review,
    sender,
    sid,
)

SM = sid("SM", A)
SOON = later(60)


def go(tx: SqlTx, kind: str) -> int:
    """Let go of all that is of this kind and older than a minute from now."""
    return tx.retention.forget(kind, tx.retention.look(kind, 0, SOON, 100).ids, SOON)


def test_a_text_goes_and_its_message_says_when(tx: SqlTx) -> None:
    tx.messages.add([message(status=Status.DELIVERED, options={"Tags": "{}"})])
    tx.webhooks.add([delivery()])
    tx.webhooks.settle(delivery().id, "delivered", rounds=1)
    tx.webhooks.add_attempts([DeliveryAttempt(delivery=delivery().id, at=NOW, ms=1, request={"Body": "hello"})])
    tx.messages.add_media([Media(sid="ME1", message=SM, content_type="image/png", bytes_=b"png", created_at=NOW)])
    assert 1 == go(tx, "texts")
    kept = tx.messages.get(SM)
    assert kept is not None
    assert ("", "{}", ANN, Status.DELIVERED) == (kept.body, kept.options["Tags"], kept.recipient, kept.status)
    assert SOON.replace(microsecond=0) == emptied_at(kept)
    assert message().updated_at == kept.updated_at, "the explanation looks at who was blocked when the message last changed"
    assert [] == tx.webhooks.page(Cut()), "a webhook has a copy of the text"
    assert [] == tx.messages.media(SM)
    assert () == tx.retention.look("texts", 0, SOON, 100).ids


@pytest.mark.parametrize("kind", ["texts", "messages"])
@pytest.mark.parametrize(
    "lay",
    [
        pytest.param(lambda tx: tx.messages.add([message(status=Status.SCHEDULED)]), id="scheduled"),
        pytest.param(lambda tx: tx.messages.add([message(status=Status.SENDING)]), id="at the carrier, who has not answered"),
        pytest.param(lambda tx: (tx.messages.add([message(status=Status.DELIVERED)]), tx.webhooks.add([delivery()])), id="its webhook is not told"),
    ],
)
def test_what_has_not_ended_stays(tx: SqlTx, kind: str, lay: Callable[[SqlTx], Any]) -> None:
    lay(tx)
    assert 0 == go(tx, kind)
    kept = tx.messages.get(SM)
    assert kept is not None
    assert message().body == kept.body


def test_what_began_anew_between_look_and_act_stays(tx: SqlTx) -> None:
    tx.messages.add([message(status=Status.SENT)])
    found = tx.retention.look("messages", 0, SOON, 100).ids
    tx.jobs.add([job()])
    assert 0 == tx.retention.forget("messages", found, SOON)


def test_a_message_goes_with_all_that_hangs_on_it(tx: SqlTx) -> None:
    tx.messages.add([message(status=Status.DELIVERED), message(number=1, status=Status.RECEIVED, direction=Direction.INBOUND)])
    tx.messages.add([message(number=2, status=Status.SENT, purpose=Purpose.KEYWORD_REPLY, direction=Direction.REPLY)])
    add_attempts(tx, [attempt(reference="r1")])
    two: dict[str, Any] = {"number": 1, "total": 2, "reference": "1", "form": "1"}
    tx.jobs.add_segments([Segment(attempt=sid("AT", A), account=A, connection="c", sender="+1", recipient=ANN, created_at=NOW, **two)])
    tx.replies.add(sid("SM", A, 2), sid("CE", A), "STOP", sender().address, ANN, "bye", NOW)
    tx.webhooks.add([delivery()])
    tx.webhooks.settle(delivery().id, "failed", rounds=9)
    assert 3 == go(tx, "messages")
    for table in ("messages", "attempts", "segments", "replies", "deliveries"):
        assert 0 == tx.unit.raw.execute(f"SELECT count(*) FROM {table}").fetchone()[0], table


def test_consent_stays_whatever_goes(tx: SqlTx) -> None:
    tx.messages.add([message(number=1, status=Status.RECEIVED, direction=Direction.INBOUND)])
    tx.consent.append([event(message=sid("SM", A, 1), text="Stop.")])
    for kind in ("texts", "messages", "webhooks", "refusals", "suggestions", "suggested", "handsets"):
        go(tx, kind)
    assert ["Stop."] == [each.event.text for each in tx.consent.events(Cut())]
    assert 1 == len(tx.consent.blocks(Cut()))
    assert tx.consent.verify().ok


def test_refusals_suggestions_and_handsets_go(tx: SqlTx) -> None:
    tx.messages.add_refusals([refusal()])
    tx.suggestions.add([review(), review(number=1)])
    tx.suggestions.decide(review().id, "dismissed", by="Ana", now=NOW, note=None)
    tx.handsets.keep([handset_message()])
    assert 1 == go(tx, "suggested")
    assert ["", review().body] == sorted(each.body for each in tx.suggestions.page(Cut()))
    assert (1, 1, 1) == (go(tx, "refusals"), go(tx, "suggestions"), go(tx, "handsets"))
    assert ["open"] == [each.state for each in tx.suggestions.page(Cut())], "what waits for a person waits on"


def test_a_look_goes_on_where_the_last_one_ended_and_stops_at_what_is_young(tx: SqlTx) -> None:
    old = [message(number=number, status=Status.DELIVERED) for number in range(5)]
    tx.messages.add([*old, message(number=9, status=Status.DELIVERED, created_at=later(120))])
    first = tx.retention.look("texts", 0, SOON, 3)
    assert (tuple(each.sid for each in old[:3]), True) == (first.ids, first.more)
    second = tx.retention.look("texts", first.seen_to, SOON, 3)
    assert (tuple(each.sid for each in old[3:]), False) == (second.ids, second.more)


@pytest.mark.parametrize("kind", ["texts", "messages", "refusals", "webhooks", "suggestions", "suggested", "handsets"])
def test_a_look_sorts_nothing_and_scans_no_table(tx: SqlTx, kind: str) -> None:
    asked: list[str] = []
    tx.unit.raw.set_trace_callback(asked.append)
    tx.retention.look(kind, 5, SOON, 100)
    tx.unit.raw.set_trace_callback(None)
    plans = [str(row) for query in asked for row in tx.unit.raw.execute("EXPLAIN QUERY PLAN " + query)]
    assert 2 <= len(plans)
    assert [] == [step for step in plans if "SCAN" in step or "TEMP B-TREE" in step]


@pytest.mark.parametrize("kind", ["texts", "messages", "refusals", "webhooks", "suggestions", "suggested", "handsets"])
def test_letting_go_never_walks_along_all_that_an_account_has(tx: SqlTx, kind: str) -> None:
    tx.messages.add([message(status=Status.DELIVERED)])
    ids = [SM, delivery().id, review().id, handset_message().id, refusal().id, *(f"x{number}" for number in range(100))]
    asked: list[str] = []
    tx.unit.raw.set_trace_callback(asked.append)
    tx.retention.forget(kind, ids, SOON)
    tx.unit.raw.set_trace_callback(None)
    plans = [str(row) for query in asked for row in tx.unit.raw.execute("EXPLAIN QUERY PLAN " + query)]
    assert plans
    assert [] == [step for step in plans if "_account" in step or "SCAN" in step]


def test_the_oldest_of_each_kind_is_known(tx: SqlTx) -> None:
    assert {} == tx.retention.oldest()
    tx.messages.add([message(), message(number=1, created_at=later(5))])
    tx.webhooks.add([delivery()])
    assert {"messages": NOW, "webhooks": NOW} == tx.retention.oldest()
