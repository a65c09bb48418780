"""Alerts, their rules and mutes; and the few looks over many accounts by which is known what to look at.

What the engine of alerts asks for each minute is asked of all accounts together, along an index each. No decision here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, delete, func, insert, literal, select, union_all, update

from stopwire.core.alerts import BLOCK_DIGITS, Alert, Change, Kind, Mute, State
from stopwire.core.message import Direction, Purpose
from stopwire.ports.store import Backlog, Cut, Replied, Spread
from stopwire.storage import tables
from stopwire.storage.cuts import cut_of
from stopwire.storage.hot import Noun
from stopwire.storage.rows import ALERT, ALERT_MUTE, ALERT_RULE

LOOKED_AT = 20_000  # the newest messages, in which blocks of numbers and loops are looked for
WAITING_MAX = 20_000  # webhooks that wait, by when they are due; of more, the rest is not counted
FOUND_MAX = 50  # blocks and pairs at once: more would say the same

_A = tables.alerts.c
_R = tables.alert_rules.c
_X = tables.alert_mutes.c
_M = tables.messages.c
_D = tables.deliveries.c
_S = tables.suggestions.c
_how_many = func.count().label("n")


class SqlAlerts(Noun):
    """`active`, `waiting`, `overdue`, `every_…` and `forget` look across accounts: an engine serves all."""

    # ── what the engine looks at ─────────────────────────────────────────────────────────────────────

    def active(self, since: datetime) -> list[str]:
        """Accounts whose newest message was made since. One step down an index an account, whatever they have sent."""
        accounts = tables.accounts.c
        newest = select(_M.created_at).where(_M.account == accounts.sid).order_by(_M.seq.desc()).limit(1).scalar_subquery()
        return [row.sid for row in self._rows(select(accounts.sid).where(newest >= since).order_by(accounts.sid))]

    def waiting(self) -> list[Backlog]:
        """Webhooks that wait, by account. Those under way wait too."""
        pending, sending = (
            select(_D.account, _D.created_at).where(_D.state == state).order_by(_D.due_at, _D.seq).limit(WAITING_MAX).subquery()
            for state in ("pending", "sending")
        )
        both: Any = union_all(select(pending), select(sending)).subquery().c
        return self._backlogs(select(both.account, _how_many, func.min(both.created_at).label("oldest")).group_by(both.account))

    def overdue(self, now: datetime) -> list[Backlog]:
        """Suggestions that are open past their date, by account."""
        late = _S.state == literal("open", literal_execute=True), _S.due_at < now  # the index is of those that are open
        return self._backlogs(select(_S.account, _how_many, func.min(_S.due_at).label("oldest")).where(*late).group_by(_S.account))

    def _backlogs(self, query: Select[Any]) -> list[Backlog]:
        return [Backlog(account=row.account, count=int(row.n), oldest_at=row.oldest) for row in self._rows(query)]

    def every_standing(self) -> list[Alert]:
        return ALERT.each(self._rows(ALERT.select().where(_A.state != literal(State.OVER.value, literal_execute=True))))

    def every_change(self) -> list[Change]:
        return ALERT_RULE.each(self._rows(ALERT_RULE.select()))

    def every_mute(self, now: datetime) -> list[Mute]:
        return ALERT_MUTE.each(self._rows(ALERT_MUTE.select().where(_X.until > now)))

    def spreads(self, since: datetime, numbers: int) -> list[Spread]:
        """Blocks of numbers of which at least so many got texts since, the most first; among the newest `LOOKED_AT` messages."""
        newest = self._newest(Direction.API)
        block = func.substr(newest.recipient, 1, func.length(newest.recipient) - BLOCK_DIGITS).label("block")
        different = func.count(newest.recipient.distinct()).label("numbers")
        query = select(block, different, func.count().label("texts"))
        query = query.where(newest.created_at >= since, newest.recipient.like("+%")).group_by(block)
        rows = self._rows(query.having(different >= numbers).order_by(different.desc(), block).limit(FOUND_MAX))
        return [Spread(block=row.block, numbers=int(row.numbers), texts=int(row.texts)) for row in rows]

    def written_before(self, block: str, before: datetime) -> bool:
        """Whether any number that begins so had a message before."""
        within = _M.recipient >= block, _M.recipient < block + ":"  # the character behind 9
        query = select(_M.seq).where(_M.account == self.account, *within, _M.created_at < before).limit(1)
        return self._row(query) is not None

    def replied(self, since: datetime, replies: int) -> list[Replied]:
        """Pairs between which so many replies went since, automatic ones and the application's, the most first."""
        newest = self._newest(Direction.REPLY)
        query = select(newest.sender, newest.recipient, _how_many).where(newest.created_at >= since, newest.sender.is_not(None))
        query = query.group_by(newest.sender, newest.recipient).having(_how_many >= replies).order_by(_how_many.desc(), newest.sender)
        return [Replied(sender=row.sender, recipient=row.recipient, replies=int(row.n)) for row in self._rows(query.limit(FOUND_MAX))]

    def _newest(self, direction: Direction) -> Any:
        rows = (
            select(_M.sender, _M.recipient, _M.created_at, _M.direction, _M.purpose)
            .where(_M.account == self.account)
            .order_by(_M.seq.desc())
            .limit(LOOKED_AT)
            .subquery()
        )
        purposes = [purpose.value for purpose in Purpose]  # and so not of a message that was deleted
        return select(rows).where(rows.c.direction == direction, rows.c.purpose.in_(purposes)).subquery().c

    # ── alerts of an account ─────────────────────────────────────────────────────────────────────────

    def standing(self) -> list[Alert]:
        """What is not over, the newest first."""
        mine = _A.account == self.account, _A.state != literal(State.OVER.value, literal_execute=True)
        return ALERT.each(self._rows(ALERT.select().where(*mine).order_by(_A.seq.desc())))

    def page(self, cut: Cut, states: Sequence[str] = (), kind: str | None = None) -> list[Alert]:
        """The newest first; a cut names an alert by its id."""
        query = ALERT.select().where(_A.account == self.account)
        if states:
            query = query.where(_A.state.in_(list(states)))
        if kind is not None:
            query = query.where(_A.kind == kind)
        marks = select(_A.seq).where(_A.account == self.account)
        return ALERT.each(cut_of(self.unit, query, cut, order=(_A.seq,), marks=marks, id=_A.id))

    def get(self, id: str) -> Alert | None:
        row = self._row(ALERT.select().where(_A.id == id, _A.account == self.account))
        return ALERT.value(row) if row else None

    def add(self, alert: Alert) -> None:
        self._check_own([alert])
        self._change(insert(tables.alerts).values(ALERT.row(alert)))

    def save(self, alert: Alert) -> None:
        self._change(update(tables.alerts).where(_A.id == alert.id, _A.account == self.account).values(ALERT.row(alert)))

    def forget(self, before: datetime, limit: int) -> int:
        old = select(_A.seq).where(_A.state == State.OVER.value, _A.over_at < before).order_by(_A.seq).limit(limit)
        return self._change(delete(tables.alerts).where(_A.seq.in_(old)))

    # ── rules and mutes of an account ────────────────────────────────────────────────────────────────

    def changes(self) -> list[Change]:
        """The rules that differ from their default."""
        return ALERT_RULE.each(self._rows(ALERT_RULE.select().where(_R.account == self.account)))

    def put_change(self, change: Change) -> None:
        self._check_own([change])
        self.drop_change(change.kind)
        self._change(insert(tables.alert_rules).values(ALERT_RULE.row(change)))

    def drop_change(self, kind: Kind) -> bool:
        """The default holds again; whether it did not before."""
        return self._change(delete(tables.alert_rules).where(_R.account == self.account, _R.kind == kind)) > 0

    def mutes(self, now: datetime) -> list[Mute]:
        """Those that have not ended."""
        return ALERT_MUTE.each(self._rows(ALERT_MUTE.select().where(_X.account == self.account, _X.until > now)))

    def put_mute(self, mute: Mute) -> None:
        self._check_own([mute])
        self.drop_mute(mute.kind, mute.subject)
        self._change(insert(tables.alert_mutes).values(ALERT_MUTE.row(mute)))

    def drop_mute(self, kind: Kind, subject: str) -> bool:
        mine = _X.account == self.account, _X.kind == kind, _X.subject == subject
        return self._change(delete(tables.alert_mutes).where(*mine)) > 0
