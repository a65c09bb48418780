from datetime import timedelta

import pytest

from stopwire.core.consent import Act
from stopwire.core.message import Direction, Purpose, Status
from stopwire.storage.stats import percentile
from stopwire.storage.store import SqlTx
from tests.storage.values import BOB, NOW, A, B, add_attempts, attempt, delivery, event, later, message, refusal, sid

TOMORROW = NOW + timedelta(days=1)
MG = sid("MG", A)


@pytest.fixture
def busy(tx: SqlTx) -> SqlTx:
    tx.messages.add(
        [
            message(number=0, status=Status.DELIVERED, service=MG),
            message(number=1, status=Status.FAILED),
            message(number=2, status=Status.READ, created_at=TOMORROW),
            message(number=3, direction=Direction.INBOUND, status=Status.RECEIVED),
            message(number=4, purpose=Purpose.KEYWORD_REPLY),
            message(number=5, created_at=later(-1)),
        ]
    )
    tx.messages.add_refusals([refusal(), refusal(number=1, at=TOMORROW, service=MG)])
    tx.consent.append(
        [
            event(),
            event(number=1, act=Act.REPEAT, reason=None, rule="courtesy"),
            event(number=2, act=Act.OPT_IN, word="START", recorded_at=TOMORROW),
            event(number=3, act=Act.HELP, reason=None, word="HELP", country="MX"),
            event(number=4, act=Act.BLOCK, recipient=BOB, word=None, country=None),
        ]
    )
    return tx


def figures(row: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in row.items() if value not in (0,)}


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        pytest.param(
            "day",
            [
                {"key": "2026-03-01", "messages": 2, "delivered": 1, "failed": 1, "inbound": 1, "refused": 1, "opt_outs": 2, "helps": 1},
                {"key": "2026-03-02", "messages": 1, "delivered": 1, "refused": 1, "opt_ins": 1},
            ],
            id="day",
        ),
        pytest.param(
            "service",
            [
                {"key": MG, "messages": 1, "delivered": 1, "refused": 1, "opt_outs": 2, "opt_ins": 1, "helps": 1},
                {"key": None, "messages": 2, "delivered": 1, "failed": 1, "inbound": 1, "refused": 1},
            ],
            id="service",
        ),
        pytest.param(
            "country", [{"key": "MX", "helps": 1}, {"key": "US", "opt_outs": 1, "opt_ins": 1}, {"key": None, "opt_outs": 1}], id="country"
        ),
        pytest.param(
            "keyword",
            [{"key": "HELP", "helps": 1}, {"key": "START", "opt_ins": 1}, {"key": "STOP", "opt_outs": 1}, {"key": None, "opt_outs": 1}],
            id="keyword",
        ),
        pytest.param(
            "rule",
            [
                {"key": "HELP", "helps": 1},
                {"key": "START", "opt_ins": 1},
                {"key": "STOP", "opt_outs": 1},
                {"key": "courtesy"},
                {"key": None, "opt_outs": 1},
            ],
            id="rule",
        ),
    ],
)
def test_figures_are_counted_by(busy: SqlTx, by: str, expected: list[dict[str, object]]) -> None:
    assert expected == [figures(row) for row in busy.stats.counts(by, NOW)]


def test_every_row_has_every_figure_that_its_table_can_tell(busy: SqlTx) -> None:
    names = {"key", "messages", "delivered", "failed", "inbound", "refused", "opt_outs", "opt_ins", "helps"}
    assert [names, names] == [set(row) for row in busy.stats.counts("day", NOW)]


def test_figures_by_nothing_known_are_an_error(tx: SqlTx) -> None:
    with pytest.raises(ValueError, match="choose one of day"):
        tx.stats.counts("moon", NOW)


@pytest.fixture
def provoked(tx: SqlTx) -> SqlTx:
    """Two texts of one body, after which Ann stopped at once and Bob a day later; and an import, which is nobody's wish."""
    tx.messages.add(
        [
            message(number=0, status=Status.DELIVERED, service=MG, body="Sale"),
            message(number=1, status=Status.READ, service=MG, body="Sale", recipient=BOB),
            message(number=2, status=Status.DELIVERED, body="Code 1"),
            message(number=3, status=Status.FAILED, error_code=30005, body="Sale"),
        ]
    )
    tx.messages.add_refusals([refusal()])
    first, second = message(number=0).sid, message(number=1).sid
    tx.consent.append(
        [
            event(holder=MG, previous=first, occurred_at=NOW + timedelta(seconds=20)),
            event(number=1, holder=MG, recipient=BOB, previous=second, occurred_at=TOMORROW, recorded_at=TOMORROW, word="alto", language="es"),
            event(number=2, act=Act.BLOCK, recipient="+525555550133", word=None),
        ]
    )
    return tx


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        pytest.param("day", [("2026-03-01", 1, 3), ("2026-03-02", 1, 0)], id="day"),
        pytest.param("service", [(MG, 2, 2), (None, 0, 1)], id="service"),
        pytest.param("country", [("US", 2, 3)], id="country"),
        pytest.param("word", [("ALTO", 1, None), ("STOP", 1, None)], id="word"),
        pytest.param("language", [("es", 1, None), (None, 1, None)], id="language"),
    ],
)
def test_opt_outs_stand_against_deliveries(provoked: SqlTx, by: str, expected: list[tuple[str, int, int]]) -> None:
    assert expected == [(row["key"], row["stops"], row.get("delivered")) for row in provoked.stats.rates(by, NOW)]


def test_rates_are_those_of_one_service_where_it_is_named(provoked: SqlTx) -> None:
    assert [(NOW.hour, 2, 2)] == [(row["key"], row["stops"], row["delivered"]) for row in provoked.stats.rates("hour", NOW, MG)]


def test_the_time_before_an_opt_out_falls_into_its_bucket(provoked: SqlTx) -> None:
    assert [1, 0, 1] == provoked.stats.waits(NOW, [60_000, 3_600_000])


def test_texts_that_provoke_are_counted_by_their_body(provoked: SqlTx) -> None:
    assert [("Sale", 2, 3)] == [(row["body"], row["stops"], row["sent"]) for row in provoked.stats.provoking(NOW, 10)]


def test_what_became_of_sends_is_told_by_status_and_code(provoked: SqlTx) -> None:
    found = provoked.stats.outcomes(NOW)
    assert ({"delivered": 2, "read": 1, "failed": 1}, {"30005": 1}) == (found["statuses"], found["codes"])
    assert 1 == sum(found["refusals"].values())


def test_rates_of_another_account_are_not_mine(provoked: SqlTx) -> None:
    other = provoked.of(B)
    assert ([], [0, 0]) == (other.stats.rates("day", NOW), other.stats.waits(NOW, [60_000]))


def test_connections_are_judged_by_their_newest_messages(tx: SqlTx) -> None:
    millis = (100, 200, 300, 400)
    tx.messages.add(
        [
            message(number=n, status=Status.DELIVERED if n else Status.SENT, sent_at=NOW, updated_at=NOW + timedelta(seconds=n))
            for n in range(4)
        ]
    )
    add_attempts(tx,
        [attempt(number=n, at=NOW, answered_at=NOW + timedelta(milliseconds=each)) for n, each in enumerate(millis)]
    )
    (told,) = tx.stats.links()
    assert (4, 200, 400, 400) == tuple(told[name] for name in ("attempts", "answer_ms_p50", "answer_ms_p95", "answer_ms_p99"))
    assert (75.0, 2000, 4) == (told["reported_percent"], told["report_ms_p50"], told["busiest_second"])


def test_webhooks_are_counted_by_their_tries(tx: SqlTx) -> None:
    tx.webhooks.add([delivery(number=n) for n in range(3)])
    tx.webhooks.settle(delivery(number=0).id, "delivered", rounds=1)
    tx.webhooks.settle(delivery(number=1).id, "failed", rounds=3)
    assert [(0, 0, 0, 1), (1, 1, 0, 0), (3, 0, 1, 0)] == [(row["key"], row["delivered"], row["failed"], row["waiting"]) for row in tx.stats.tries()]


@pytest.mark.parametrize(("share", "expected"), [(50, 2), (95, 4), (99, 4), (1, 1)])
def test_a_percentile_is_one_of_the_values(share: int, expected: int) -> None:
    assert expected == percentile([1, 2, 3, 4], share)


def test_senders_of_a_service_are_told_by_what_they_sent_through_it(tx: SqlTx) -> None:
    ours, other = message().sender, "+14155550111"
    tx.messages.add(
        [
            *(message(number=number, status=status, service=MG) for number, status in enumerate((Status.DELIVERED, Status.READ, Status.FAILED))),
            message(number=3, status=Status.SENT, service=MG, sender=other),
            message(number=4, status=Status.DELIVERED),
            message(number=5, status=Status.RECEIVED, service=MG, direction=Direction.INBOUND),
            message(number=6, status=Status.SENT, service=MG, purpose=Purpose.KEYWORD_REPLY),
            message(number=7, status=Status.ACCEPTED, service=MG, sender=None),
        ]
    )
    expected = [
        {"key": ours, "sent": 3, "delivered": 2, "failed": 1},
        {"key": other, "sent": 1, "delivered": 0, "failed": 0},
    ]
    assert sorted(expected, key=lambda row: str(row["key"])) == tx.stats.senders(MG)
    assert [{"key": other, "sent": 1, "delivered": 0, "failed": 0}] == tx.stats.senders(MG, rows=5), "the newest alone"
