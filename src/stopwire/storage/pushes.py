"""Pushes of providers that were refused, sealed, until the secret that refused them is put right. Nothing is opened here."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, insert, select, update

from stopwire.ports.push import RefusedPush
from stopwire.storage import tables
from stopwire.storage.hot import Noun
from stopwire.storage.rows import REFUSED_PUSH

_P = tables.refused_pushes.c
_C = tables.connections.c


class SqlPushes(Noun):
    """All but `keep` and `of` look across accounts: an engine serves all."""

    def keep(self, push: RefusedPush, *, at_most: int) -> None:
        """Keep one of a connection; the oldest beyond `at_most` make room."""
        self._check_own([push])
        self._change(insert(tables.refused_pushes).values(REFUSED_PUSH.row(push)))
        newest = select(_P.id).where(_P.connection == push.connection).order_by(_P.at.desc(), _P.id.desc()).limit(at_most)
        self._change(delete(tables.refused_pushes).where(_P.connection == push.connection, _P.id.not_in(newest)))

    def due(self, limit: int) -> list[RefusedPush]:
        """Those that their connection refused before it was last changed, the oldest first."""
        query = REFUSED_PUSH.select().join(tables.connections, _C.sid == _P.connection).where(_C.version > _P.version)
        return REFUSED_PUSH.each(self._rows(query.order_by(_P.at, _P.id).limit(limit)))

    def judge(self, id: str, *, version: int, problem: str) -> None:
        """It was refused again, by this version of its connection."""
        self._change(update(tables.refused_pushes).where(_P.id == id).values(version=version, problem=problem))

    def drop(self, id: str) -> None:
        self._change(delete(tables.refused_pushes).where(_P.id == id))

    def of(self, connection: str, limit: int) -> list[RefusedPush]:
        """The newest first."""
        mine = _P.account == self.account, _P.connection == connection
        return REFUSED_PUSH.each(self._rows(REFUSED_PUSH.select().where(*mine).order_by(_P.at.desc(), _P.id.desc()).limit(limit)))

    def forget(self, before: datetime, limit: int) -> int:
        """Forget at most `limit` that came before `before`; how many they were."""
        old = select(_P.id).where(_P.at < before).limit(limit)
        return self._change(delete(tables.refused_pushes).where(_P.id.in_(old)))
