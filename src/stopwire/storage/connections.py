"""Connections to carriers, and their secrets as the vault sealed them. Nothing is opened here."""

from __future__ import annotations

import builtins

from sqlalchemy import Select, delete, insert, select, update

from stopwire.core.connections import Sealed
from stopwire.storage import tables
from stopwire.storage.hot import Noun
from stopwire.storage.rows import CONNECTION

_C = tables.connections.c


class SqlConnections(Noun):
    """`every` and `find` look across accounts: engines serve all. A change wakes whoever keeps them running."""

    def every(self) -> builtins.list[Sealed]:
        """All connections of all accounts, the oldest first."""
        return self._each(_query())

    def find(self, sid: str) -> Sealed | None:
        return next(iter(self._each(_query().where(_C.sid == sid))), None)

    def list(self) -> builtins.list[Sealed]:
        return self._each(_query().where(_C.account == self.account))

    def named(self, name: str) -> Sealed | None:
        """By its name, or by its SID."""
        mine = _C.account == self.account, (_C.name == name) | (_C.sid == name)
        return next(iter(self._each(_query().where(*mine))), None)

    def add(self, sealed: Sealed) -> None:
        """A new connection. A name that the account has already is refused by the database."""
        self._check_own([sealed.connection])
        self.unit.wakes.add("connections")
        self._change(insert(tables.connections).values(self._row_of(sealed)))

    def save(self, sealed: Sealed) -> None:
        self._check_own([sealed.connection])
        self.unit.wakes.add("connections")
        mine = _C.sid == sealed.connection.sid, _C.account == self.account
        self._change(update(tables.connections).where(*mine).values(self._row_of(sealed)))

    def delete(self, sid: str) -> None:
        self.unit.wakes.add("connections")
        self._change(delete(tables.connections).where(_C.sid == sid, _C.account == self.account))

    def _each(self, query: Select[tuple[object, ...]]) -> builtins.list[Sealed]:
        rows = self._rows(query)
        return [Sealed(connection=CONNECTION.value(row[:-1]), secrets=row[-1]) for row in rows]

    @staticmethod
    def _row_of(sealed: Sealed) -> dict[str, object]:
        return {**CONNECTION.row(sealed.connection), "secrets": dict(sealed.secrets)}


def _query() -> Select[tuple[object, ...]]:
    return select(*CONNECTION.columns, _C.secrets).order_by(_C.created_at, _C.sid)
