from datetime import datetime, timedelta

import pytest

from stopwire.core.consent import Act
from stopwire.core.message import Direction, Purpose, Status
from stopwire.storage import tallies
from stopwire.storage.store import SqlTx
from tests.storage.values import BOB, NOW, A, event, message, refusal, sid

MG = sid("MG", A)
HOUR = timedelta(hours=1)


@pytest.fixture
def past(tx: SqlTx) -> SqlTx:
    """A day of messages of every kind, refused sends and events, an hour between each two."""
    tx.messages.add(
        [
            message(
                number=n,
                recipient=(BOB, "+525555550133", "whatsapp:+4915112345678")[n % 3],
                service=MG if n % 2 else None,
                status=(Status.DELIVERED, Status.FAILED, Status.SENT)[n % 3],
                error_code=30003 if n % 3 == 1 else None,
                direction=Direction.INBOUND if n % 7 == 0 else Direction.API,
                purpose=Purpose.KEYWORD_REPLY if n % 5 == 0 else Purpose.MESSAGE,
                created_at=NOW + n * HOUR,
            )
            for n in range(24)
        ]
    )
    tx.messages.add_refusals([refusal(number=n, at=NOW + n * HOUR, service=MG if n % 2 else None) for n in range(7)])
    tx.consent.append(
        [
            event(number=n, act=(Act.OPT_OUT, Act.OPT_IN, Act.HELP)[n % 3], holder=MG if n % 2 else A, recorded_at=NOW + n * HOUR)
            for n in range(9)
        ]
    )
    return tx


def count_all(tx: SqlTx, now: datetime = NOW, *, rows: int) -> int:
    counted = 0
    while pieces := tallies.next_pieces(tx.unit, tx.account, now, 3, rows):
        for piece in pieces:
            tx.stats.keep(tx.stats.count(piece), now)
            counted += 1
    return counted


def told(tx: SqlTx) -> dict[str, object]:
    return {
        **{f"counts by {by}": tx.stats.counts(by, NOW) for by in ("day", "service", "country", "keyword", "rule")},
        **{f"rates by {by}": tx.stats.rates(by, NOW) for by in ("day", "hour", "service", "country", "moment", "week")},
        "rates of one service": tx.stats.rates("day", NOW, MG),
        "outcomes": tx.stats.outcomes(NOW),
        "outcomes of one service": tx.stats.outcomes(NOW, MG),
        "since noon": tx.stats.counts("day", NOW + 12 * HOUR),
    }


@pytest.mark.parametrize("rows", [1, 2, 5, 100])
def test_figures_are_the_same_whether_they_were_tallied_or_not(past: SqlTx, rows: int) -> None:
    expected = told(past)
    assert (rows < 100) == (count_all(past, rows=rows) > 0)
    assert expected == told(past)


def test_what_was_tallied_is_counted_again_after_its_messages_moved(past: SqlTx) -> None:
    now, later = NOW + 24 * HOUR, NOW + timedelta(days=4)
    before = past.stats.outcomes(NOW)["statuses"]
    count_all(past, now, rows=4)
    past.messages.move([message(number=2).sid], Status.DELIVERED, now=now)
    assert [] == tallies.next_pieces(past.unit, past.account, now, 9, rows=4)
    for piece in tallies.next_pieces(past.unit, past.account, later, 9, rows=4):
        past.stats.keep(past.stats.count(piece), later)
    expected = {**before, "sent": before["sent"] - 1, "delivered": before["delivered"] + 1}
    assert expected == past.stats.outcomes(NOW)["statuses"]


def test_messages_that_have_long_settled_are_not_counted_again(past: SqlTx) -> None:
    count_all(past, NOW + timedelta(days=30), rows=4)
    assert [] == tallies.next_pieces(past.unit, past.account, NOW + timedelta(days=300), 9, rows=4)
