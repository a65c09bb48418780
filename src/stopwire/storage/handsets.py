"""The simulator's memory: what each handset sent and received, and the toll-free network's own list."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, bindparam, delete, exists, func, or_, select, update

from stopwire.core.chaos import USUAL, Reception
from stopwire.core.jobs import HandsetMessage, Transit
from stopwire.storage import tables
from stopwire.storage.hot import Adding, Noun, Statement, insert, upsert
from stopwire.storage.rows import HANDSET_MESSAGE, RECEPTION, TRANSIT

_H = tables.handset_messages.c
_T = tables.handset_transit.c
_R = tables.receptions.c
_N = tables.network_blocks.c

_keep = Adding(HANDSET_MESSAGE, or_ignore=True)  # a part handed over twice reaches the handset once
_hold = Adding(TRANSIT, or_ignore=True)
_held = Statement(select(_T.attempt).where(_T.attempt == bindparam("named")), "named")
_put_reception = upsert(tables.receptions, key=("account", "handset"))
_off = exists().where(_R.account == _T.account, _R.handset == _T.handset, _R.switched_on.is_(False))
_known = Statement(select(_H.attempt).where(_H.attempt == bindparam("named")), "named")
_blocked = Statement(
    select(_N.sender).where(_N.sender == bindparam("ours"), _N.handset == bindparam("theirs")), "ours", "theirs"
)
_reported = Statement(update(tables.handset_messages).where(_H.attempt == bindparam("named")).values(report=None), "named")
_block = Statement(
    lambda dialect: insert(dialect, tables.network_blocks)
    .values(sender=bindparam("ours"), handset=bindparam("theirs"))
    .on_conflict_do_nothing(),
    "ours",
    "theirs",
)


class SqlHandsets(Noun):
    """What a customer looks at is scoped by account (`of`, `all`).

    The network below them knows no accounts: `keep` puts each message under its own, the others ask for all.
    """

    def keep(self, messages: Sequence[HandsetMessage]) -> None:
        """Keep each once, however often its attempt arrives."""
        _keep.many(self.unit, messages)

    def of(self, handset: str, after: str | None, limit: int) -> list[HandsetMessage]:
        """At most `limit` messages of a handset after the one with id `after`, in the order they happened."""
        query = HANDSET_MESSAGE.select().where(
            _H.account == self.account, _H.handset == handset, _H.direction != "held"
        )
        if after is not None:
            mark = select(_H.seq).where(_H.id == after, _H.account == self.account).scalar_subquery()
            query = query.where(_H.seq > mark)
        return HANDSET_MESSAGE.each(self._rows(query.order_by(_H.seq).limit(limit)))

    def latest(self, handset: str, limit: int) -> list[HandsetMessage]:
        """The newest `limit` messages of a handset, in the order they happened."""
        query = HANDSET_MESSAGE.select().where(
            _H.account == self.account, _H.handset == handset, _H.direction != "held"
        )
        return HANDSET_MESSAGE.each(self._rows(query.order_by(_H.seq.desc()).limit(limit)))[::-1]

    def known(self, attempts: Sequence[str]) -> set[str]:
        """Those of `attempts` that the network has taken: they have reached their handset, or are on the way to it."""
        return {
            attempt
            for attempt in attempts
            if _known.first(self.unit, attempt) is not None or _held.first(self.unit, attempt) is not None
        }

    def unreported(self) -> list[HandsetMessage]:
        """What the network has taken and not reported yet, oldest first."""
        return HANDSET_MESSAGE.each(self._rows(HANDSET_MESSAGE.select().where(_H.report.is_not(None)).order_by(_H.seq)))

    def set_reported(self, attempts: Sequence[str]) -> None:
        for attempt in attempts:
            _reported.run(self.unit, attempt)

    def all(self) -> list[str]:
        """The handsets of this account, by number."""
        query = select(_H.handset).where(_H.account == self.account).distinct().order_by(_H.handset)
        return [row.handset for row in self._rows(query)]

    def network_blocked(self, sender: str, handset: str) -> bool:
        return _blocked.first(self.unit, sender, handset) is not None

    def network_set(self, sender: str, handset: str, *, blocked: bool) -> None:
        if blocked:
            _block.run(self.unit, sender, handset)
        else:
            self._change(delete(tables.network_blocks).where(_N.sender == sender, _N.handset == handset))

    def hold(self, texts: Sequence[Transit]) -> None:
        """The network still has these, each once."""
        _hold.many(self.unit, texts)

    def due(self, now: datetime, dead: Sequence[str], limit: int) -> list[Transit]:
        """What the network can carry on now: due and its handset on, or expired. Nothing of the accounts `dead`."""
        query = TRANSIT.select().where(
            _T.account.not_in(dead), or_((_T.due_at <= now) & _passes(), _T.expires_at <= now)
        )
        return TRANSIT.each(self._rows(query.order_by(_T.due_at, _T.seq).limit(limit)))

    def next_due(self, dead: Sequence[str]) -> datetime | None:
        """When the network can carry on the next text, or gives up on one."""
        alive = _T.account.not_in(dead)
        found = [
            self._scalar(select(func.min(_T.due_at)).where(alive, _passes())),
            self._scalar(select(func.min(_T.expires_at)).where(alive)),
        ]
        return min((at for at in found if at is not None), default=None)

    def carried(self, ids: Sequence[str]) -> None:
        """The network has these no longer."""
        self._change(delete(tables.handset_transit).where(_T.id.in_(ids)))

    def waiting(self) -> dict[str, int]:
        """How many texts wait for, or are on their way to, each handset of this account that has any."""
        query = select(_T.handset, func.count().label("texts")).where(_T.account == self.account, _T.direction == "in")
        return {row.handset: row.texts for row in self._rows(query.group_by(_T.handset))}

    def receptions(self) -> dict[str, Reception]:
        """The handsets of this account that are not reached as usual."""
        query = RECEPTION.select().add_columns(_R.handset).where(_R.account == self.account)
        return {row.handset: RECEPTION.value(row[:-1]) for row in self._rows(query)}

    def every_reception(self) -> list[tuple[str, str, Reception]]:
        """Account, handset and reception of every handset that is not reached as usual."""
        query = RECEPTION.select().add_columns(_R.account, _R.handset)
        return [(row.account, row.handset, RECEPTION.value(row[:-2])) for row in self._rows(query)]

    def set_reception(self, handset: str, reception: Reception) -> None:
        if reception == USUAL:
            self._change(delete(tables.receptions).where(_R.account == self.account, _R.handset == handset))
        else:
            _put_reception.run(self.unit, self.account, handset, *RECEPTION.values(reception))


def _passes() -> ColumnElement[bool]:
    """A text of a handset goes on whatever its handset does; one to it waits until it is on."""
    return or_(_T.direction == "out", ~_off)
