from datetime import timedelta

import pytest

from stopwire.core.consent import Act
from stopwire.core.message import Direction, Purpose, Status
from stopwire.storage.store import SqlTx
from tests.storage.values import BOB, NOW, A, event, later, message, refusal, sid

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
