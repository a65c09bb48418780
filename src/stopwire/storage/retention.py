"""Let go of what an account has kept long enough: texts, messages, refused sends, webhooks, decided suggestions.

Records are looked at in the order they were made, a stretch at a time, so that no look is long whatever the past is.
How long something is kept is not decided here. Blocks, the ledger and the audit log are out of reach.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Table, bindparam, delete, or_, select, update

from stopwire.core.message import EMPTIED, SETTLED
from stopwire.ports.store import Stretch
from stopwire.storage import tables
from stopwire.storage.hot import Noun, Statement, filtered
from stopwire.storage.leftovers import SqlLeftovers
from stopwire.storage.rows import DELETED

_M = tables.messages.c
_D = tables.deliveries.c
_A = tables.attempts.c
_S = tables.suggestions.c
_UNTOLD = ("pending", "sending")

_settled = or_(_M.status.in_([status.value for status in SETTLED]), _M.purpose == DELETED)
_told = ~select(_D.seq).where(_D.message == _M.sid, _D.state.in_(_UNTOLD)).exists()
_readable = or_(_M.body != "", (_M.media > 0) & ~_M.options.contains(f'"{EMPTIED}"', autoescape=True))
_empty = Statement(
    update(tables.messages)
    .where(_M.sid == bindparam("id"), _M.account == bindparam("of"))
    .values(body=bindparam("body"), options=bindparam("options")),
    "body",
    "options",
    "id",
    "of",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """Where a kind of record stands. `ready`: which of them have ended. `indexed`: whether an index leads along an account's."""

    table: Table
    id: ColumnElement[Any]
    at: ColumnElement[Any]
    ready: tuple[ColumnElement[bool], ...] = ()
    indexed: bool = True


_KINDS: dict[str, _Kind] = {
    "texts": _Kind(table=tables.messages, id=_M.sid, at=_M.created_at, ready=(_settled, _readable)),
    "messages": _Kind(table=tables.messages, id=_M.sid, at=_M.created_at, ready=(_settled,)),
    "refusals": _Kind(table=tables.refusals, id=tables.refusals.c.id, at=tables.refusals.c.at),
    "webhooks": _Kind(table=tables.deliveries, id=_D.id, at=_D.created_at, ready=(_D.state.not_in(_UNTOLD),)),
    "suggestions": _Kind(table=tables.suggestions, id=_S.id, at=_S.created_at, ready=(_S.state != "open",)),
    "suggested": _Kind(table=tables.suggestions, id=_S.id, at=_S.created_at, ready=(_S.state != "open", _S.body != "")),
    "handsets": _Kind(table=tables.handset_messages, id=tables.handset_messages.c.id, at=tables.handset_messages.c.at, indexed=False),
}


class SqlRetention(Noun):
    def look(self, kind: str, after: int, before: datetime, rows: int) -> Stretch:
        """Two questions along the primary key or the index of the account: where the stretch ends, and what of it may go."""
        source = _KINDS[kind]
        table = source.table.c
        # Where no index leads along the account's rows, it is kept from one that would have to be sorted.
        own = table.account == self.account if source.indexed else filtered(table.account, self.account)
        beyond = [table.seq > after, own] if source.indexed else [table.seq > after]
        last = self._row(select(table.seq, source.at.label("made_at")).where(*beyond).order_by(table.seq).offset(rows - 1).limit(1))
        within = [own, table.seq > after, source.at < before, *source.ready]
        if last is not None:
            within.append(table.seq <= last.seq)
        found = self._rows(select(source.id, table.seq).where(*within).order_by(table.seq))
        seen_to = last.seq if last is not None else max((row.seq for row in found), default=after)
        return Stretch(ids=tuple(row[0] for row in found), seen_to=seen_to, more=last is not None and last.made_at < before)

    def forget(self, kind: str, ids: Sequence[str], now: datetime) -> int:
        forget: dict[str, Callable[[Sequence[str], datetime], int]] = {
            "texts": self._texts,
            "messages": self._messages,
            "webhooks": self._webhooks,
            "suggested": self._suggested,
        }
        if kind in forget:
            return forget[kind](ids, now)
        return self._change(delete(_KINDS[kind].table).where(*self._mine(kind, ids)))

    def oldest(self) -> dict[str, datetime]:
        found = {}
        for kind in ("messages", "refusals", "webhooks", "suggestions"):
            source = _KINDS[kind]
            own = source.table.c.account == self.account
            row = self._row(select(source.at).where(own).order_by(source.table.c.seq).limit(1))
            if row is not None:
                found[kind] = row[0]
        return found

    def _mine(self, kind: str, ids: Sequence[str]) -> tuple[ColumnElement[bool], ...]:
        source = _KINDS[kind]
        return filtered(source.table.c.account, self.account), source.id.in_(ids), *source.ready

    def _texts(self, ids: Sequence[str], now: datetime) -> int:
        """Empty texts, and whatever has a copy of them; when that was is noted. The time of the last change stays: an
        explanation looks at who was blocked then.
        """
        found = self._rows(select(_M.sid, _M.options).where(*self._mine("texts", ids), _told))
        sids = [row.sid for row in found]
        if not sids:
            return 0
        noted = now.isoformat(timespec="seconds")
        _empty.many(self.unit, [("", {**row.options, EMPTIED: noted}, row.sid, self.account) for row in found])
        SqlLeftovers(self.unit, self.account).forget_webhooks(sids)
        media, replies = tables.media.c, tables.replies.c
        self._change(delete(tables.media).where(media.account == self.account, media.message.in_(sids)))
        self._change(update(tables.replies).where(filtered(replies.account, self.account), replies.message.in_(sids)).values(body=""))
        return len(sids)

    def _messages(self, ids: Sequence[str], now: datetime) -> int:
        """The messages, and all that hangs on them."""
        waits = select(tables.jobs.c.seq).where(tables.jobs.c.message == _M.sid).exists()
        found = self._rows(select(_M.sid).where(*self._mine("messages", ids), _told, ~waits))
        sids = [row.sid for row in found]
        if not sids:
            return 0
        SqlLeftovers(self.unit, self.account).forget_webhooks(sids)
        sent, segments = select(_A.id).where(_A.account == self.account, _A.message.in_(sids)), tables.segments.c
        self._change(delete(tables.segments).where(segments.account == self.account, segments.attempt.in_(sent)))
        for table in (tables.attempts, tables.media, tables.feedback, tables.replies):
            self._change(delete(table).where(filtered(table.c.account, self.account), table.c.message.in_(sids)))
        return self._change(delete(tables.messages).where(filtered(_M.account, self.account), _M.sid.in_(sids)))

    def _webhooks(self, ids: Sequence[str], now: datetime) -> int:
        mine, tried = self._mine("webhooks", ids), tables.delivery_attempts.c
        self._change(delete(tables.delivery_attempts).where(tried.account == self.account, tried.delivery.in_(select(_D.id).where(*mine))))
        return self._change(delete(tables.deliveries).where(*mine))

    def _suggested(self, ids: Sequence[str], now: datetime) -> int:
        return self._change(update(tables.suggestions).where(*self._mine("suggested", ids)).values(body=""))
