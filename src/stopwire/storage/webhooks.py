"""Deliveries to the customer: the queue of events, and the log of each request made for one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from urllib.parse import urlsplit

from sqlalchemy import ColumnElement, String, bindparam, insert, literal_column, or_, select, update

from stopwire.core.jobs import Delivery, DeliveryAttempt
from stopwire.ports.store import Cut
from stopwire.storage import tables
from stopwire.storage.cuts import cut_of
from stopwire.storage.hot import Noun, Statement, as_list, listed
from stopwire.storage.rows import DELIVERY, DELIVERY_ATTEMPT

PENDING, SENDING = "pending", "sending"
AT_ONCE = 500  # rows a statement names

_D = tables.deliveries.c
_A = tables.delivery_attempts.c

_mine = _D.id == bindparam("named"), _D.account == bindparam("of")
_columns = [column.name for column in DELIVERY.columns]
_add = Statement(
    tables.deliveries.insert().values({name: bindparam(name) for name in (*_columns, "host")}), *_columns, "host"
)
_take = Statement(update(tables.deliveries).where(_D.id == bindparam("named")).values(state=SENDING), "named")
_other = tables.deliveries.alias("other")
_NO_LANE: ColumnElement[str] = literal_column("''")  # spelt out, or the index of lanes is not used: it leaves these out
_first_in_its_lane = ~(
    select(literal_column("1"))
    .where(_other.c.lane == _D.lane, _other.c.lane != _NO_LANE, _other.c.seq < _D.seq)
    .where(or_(_other.c.state == PENDING, _other.c.state == SENDING))
    .exists()
)
_its_turn = or_(_D.lane == _NO_LANE, _first_in_its_lane)
_free = _D.host.not_in(listed("busy"))
_next_due = Statement(
    select(_D.due_at).where(_D.state == PENDING, _its_turn, _free).order_by(_D.due_at).limit(literal_column("1")), "busy"
)
_claim = Statement(
    select(*(literal_column(f"'{SENDING}'", String) if column is _D.state else column for column in DELIVERY.columns))
    .where(_D.state == PENDING, _D.due_at <= bindparam("now"), _its_turn, _free)
    .order_by(_D.due_at, _D.seq)
    .limit(bindparam("room")),
    "now",
    "busy",
    "room",
)
_settle = Statement(
    update(tables.deliveries).where(*_mine).values(state=bindparam("now_is"), rounds=bindparam("took")),
    "now_is",
    "took",
    "named",
    "of",
)
_settle_due = Statement(
    update(tables.deliveries)
    .where(*_mine)
    .values(state=bindparam("now_is"), rounds=bindparam("took"), due_at=bindparam("due")),
    "now_is",
    "took",
    "due",
    "named",
    "of",
)
_first_answer = Statement(
    update(tables.deliveries).where(*_mine, _D.answered.is_(False)).values(answered=True), "named", "of"
)


def host_of(url: str) -> str:
    """The host that a delivery to `url` keeps busy: in lower case, without a port. "" where the URL has none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""

_attempt_columns = (*DELIVERY_ATTEMPT.columns, _A.account)
_add_attempts = Statement(
    insert(tables.delivery_attempts).values({column.name: bindparam(column.name, type_=column.type) for column in _attempt_columns}),
    *(column.name for column in _attempt_columns),
)

class SqlWebhooks(Noun):
    """`claim`, `interrupted` and `next_due` look across accounts: an engine serves all."""

    def add(self, deliveries: Sequence[Delivery]) -> None:
        self._check_own(deliveries)
        _add.many(self.unit, [(*DELIVERY.values(delivery), host_of(delivery.url)) for delivery in deliveries])

    def claim(self, room: int, now: datetime, busy: Sequence[str]) -> list[Delivery]:
        """At most `room` deliveries that are due, the oldest first, none to a host of `busy` (see `host_of`).

        Of a lane only the first that is not settled.

        They are `sending` from now on.
        """
        found = DELIVERY.each(_claim.all(self.unit, now, as_list(busy), room))
        _take.many(self.unit, [(delivery.id,) for delivery in found])
        return found

    def next_due(self, busy: Sequence[str] = ()) -> datetime | None:
        """When the next delivery whose turn it is falls due, or fell; none to a host of `busy`."""
        row = _next_due.first(self.unit, as_list(busy))
        return None if row is None else row[0]

    def interrupted(self, now: datetime) -> int:
        """At a start: what was being sent when the last process ended is due again. How many there are."""
        return self._change(update(tables.deliveries).where(_D.state == SENDING).values(state=PENDING, due_at=now))

    def hurry(self, url: str, now: datetime) -> int:
        """What waits for this URL is due now; how many there are."""
        mine = _D.account == self.account, _D.url == url, _D.state == PENDING
        return self._change(update(tables.deliveries).where(*mine).values(due_at=now))

    def settle(self, id: str, state: str, *, rounds: int, due_at: datetime | None = None) -> None:
        """Close a round. Where it is due again, what waits behind it in its lane is due no earlier."""
        if due_at is None:
            _settle.run(self.unit, state, rounds, id, self.account)
            return
        _settle_due.run(self.unit, state, rounds, due_at, id, self.account)
        row = self._row(select(_D.seq, _D.lane).where(_D.id == id, _D.account == self.account))
        if row is not None and row.lane:
            # Which of them wait is looked at here: asked for it, SQLite would search all that wait instead of the lane.
            behind = select(_D.seq, _D.state, _D.due_at).where(_D.lane == row.lane, _D.lane != _NO_LANE, _D.seq > row.seq)
            waiting = [each.seq for each in self._rows(behind) if each.state == PENDING and each.due_at < due_at]
            for start in range(0, len(waiting), AT_ONCE):
                some = _D.seq.in_(waiting[start : start + AT_ONCE])
                self._change(update(tables.deliveries).where(some).values(due_at=due_at))

    def first_answer(self, id: str) -> bool:
        """True exactly once a delivery: only the first answer is carried out."""
        return _first_answer.run(self.unit, id, self.account) == 1

    def add_attempts(self, attempts: Sequence[DeliveryAttempt]) -> None:
        _add_attempts.many(self.unit, [(*DELIVERY_ATTEMPT.values(attempt), self.account) for attempt in attempts])

    def page(
        self, cut: Cut, message: str | None = None, state: str | None = None, event: str | None = None, url: str | None = None
    ) -> list[Delivery]:
        """The newest first; a cut names a delivery by its id. `url`: how it begins."""
        query = DELIVERY.select().where(_D.account == self.account)
        for column, value in ((_D.message, message), (_D.state, state), (_D.event, event)):
            if value is not None:
                query = query.where(column == value)
        if url is not None:
            query = query.where(_D.url.startswith(url, autoescape=True))
        marks = select(_D.seq).where(_D.account == self.account)
        return DELIVERY.each(cut_of(self.unit, query, cut, order=(_D.seq,), marks=marks, id=_D.id))

    def get(self, id: str) -> Delivery | None:
        row = self._row(DELIVERY.select().where(_D.id == id, _D.account == self.account))
        return DELIVERY.value(row) if row else None

    def attempts(self, ids: Sequence[str]) -> dict[str, list[DeliveryAttempt]]:
        """The requests made for each of these deliveries, the first one first, with their parameters."""
        found: dict[str, list[DeliveryAttempt]] = {id: [] for id in ids}
        query = DELIVERY_ATTEMPT.select().add_columns(_D.params).join(tables.deliveries, _D.id == _A.delivery)
        for row in self._rows(query.where(_A.delivery.in_(ids), _A.account == self.account).order_by(_A.seq)):
            attempt = DELIVERY_ATTEMPT.value(row[:-1])
            found[attempt.delivery].append(replace(attempt, request={"params": row.params, **attempt.request}))
        return found
