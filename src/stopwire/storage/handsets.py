"""The simulator's memory: what each handset sent and received, and the toll-free network's own list."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam, delete, select, update

from stopwire.core.jobs import HandsetMessage
from stopwire.storage import tables
from stopwire.storage.hot import Adding, Noun, Statement, insert
from stopwire.storage.rows import HANDSET_MESSAGE

_H = tables.handset_messages.c
_N = tables.network_blocks.c

_keep = Adding(HANDSET_MESSAGE, or_ignore=True)  # a part handed over twice reaches the handset once
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
        """Those of `attempts` that have reached their handset."""
        return {attempt for attempt in attempts if _known.first(self.unit, attempt) is not None}

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
