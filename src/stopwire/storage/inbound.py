"""What carriers delivered: references already seen, and the parts of long texts until all are there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, bindparam, delete, func, insert, select, tuple_

from stopwire.core.alphabets import join
from stopwire.core.outcomes import Received
from stopwire.ports.store import Seen
from stopwire.storage import tables
from stopwire.storage.hot import Noun, Statement, as_list, listed, upsert

_R = tables.received.c
_P = tables.parts.c

_seen = Statement(
    select(_R.reference, _R.message, _R.at, _R.said).where(
        _R.connection == bindparam("link"), _R.reference.in_(listed("named")), _R.account == bindparam("of")
    ),
    "link",
    "named",
    "of",
)
_remember = upsert(tables.received, key=("connection", "reference", "account"))


class SqlInbound(Noun):
    """Scoped by connection, then account. `overdue_parts` looks across accounts: an engine serves all."""

    def seen(self, connection: str, references: Sequence[str]) -> dict[str, Seen]:
        """By reference what came under it last; what is new is not in it."""
        rows = _seen.all(self.unit, connection, as_list(references), self.account)
        return {row[0]: Seen(reference=row[0], message=row[1], at=row[2], said=row[3]) for row in rows}

    def remember(self, connection: str, deliveries: Sequence[Seen]) -> None:
        """Note deliveries, each in place of what came under its reference before."""
        rows = [(connection, each.reference, self.account, each.message, each.at, each.said) for each in deliveries]
        _remember.many(self.unit, rows)

    def add_part(self, heard: Received, now: datetime) -> bool:
        """Keep one part. False: it is there already, with these bytes.

        Other bytes under the same number are a new text whose reference has wrapped round: they replace the old group.
        """
        query = select(_P.body, _P.octets).where(*self._group(heard), _P.part == heard.part)
        row = self._row(query)
        if row is not None and (row.body, row.octets) == (heard.body, heard.octets):
            return False
        if row is not None:
            self.drop_parts(heard)
        part = {
            "account": self.account,
            "connection": heard.connection,
            "sender": heard.sender,
            "recipient": heard.recipient,
            "reference": heard.part_reference or 0,
            "total": heard.parts,
            "part": heard.part,
            "body": heard.body,
            "octets": heard.octets,
            "alphabet": heard.alphabet,
            "at": now,
        }
        self._change(insert(tables.parts).values(part))
        return True

    def joined(self, heard: Received) -> str | None:
        """The whole text that `heard` is a part of, or None while parts are missing."""
        rows = self._rows(select(_P.part, _P.body, _P.octets, _P.alphabet).where(*self._group(heard)).order_by(_P.part))
        if [row.part for row in rows] != list(range(1, heard.parts + 1)):
            return None
        return join([(row.body, row.octets, row.alphabet) for row in rows])

    def overdue_parts(self, before: datetime) -> list[Received]:
        """Of each group whose newest part came before `before`, the first part that is there, with its number."""
        group = (_P.account, _P.connection, _P.recipient, _P.sender, _P.reference, _P.total)
        overdue = select(*group, func.min(_P.part)).group_by(*group).having(func.max(_P.at) < before)
        query = select(tables.parts).where(tuple_(*group, _P.part).in_(overdue)).order_by(_P.at)
        return [
            Received(
                connection=row.connection,
                sender=row.sender,
                recipient=row.recipient,
                body=row.body,
                part_reference=row.reference,
                part=row.part,
                parts=row.total,
            )
            for row in self._rows(query)
        ]

    def drop_parts(self, heard: Received) -> None:
        """All parts of the text that `heard` is one of."""
        self._change(delete(tables.parts).where(*self._group(heard)))

    def _group(self, heard: Received) -> tuple[ColumnElement[bool], ...]:
        return (
            _P.account == self.account,
            _P.connection == heard.connection,
            _P.recipient == heard.recipient,
            _P.sender == heard.sender,
            _P.reference == (heard.part_reference or 0),
            _P.total == heard.parts,
        )

    def forget(self, before: datetime, limit: int) -> int:
        """Forget at most `limit` references last heard before `before`, of all accounts; how many they were."""
        key = (_R.connection, _R.reference, _R.account)
        old = select(*key).where(_R.at < before).limit(limit)
        return self._change(delete(tables.received).where(tuple_(*key).in_(old)))
