"""Tallies: how many messages, refused sends and events there were each hour, counted once, a piece of the table at a time.

A figure is the sum of the tallies and of what came after the last piece, which is little and counted on the spot. So it
costs the same whatever the past is, and no message pays for it: nothing here is written by the paths that carry messages.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, FromClause, delete, func, insert, literal, null, select, type_coerce

from stopwire.core.address import country_of, time_zones
from stopwire.core.message import Direction, Purpose
from stopwire.ports.store import Piece
from stopwire.storage import tables
from stopwire.storage.hot import Unit
from stopwire.storage.tables import to_millis

HOUR_MILLIS = 3_600_000
PREFIX_CHARS = 5  # of a number: its country, and in North America its area code
PIECE_ROWS = 20_000
FIRST_AGAIN = timedelta(minutes=2)  # messages still move; a piece is counted again, ever more rarely
AGAIN_FACTOR = 4
SETTLED = timedelta(days=4)  # a carrier that has not reported by then will not

_M = tables.messages.c
_E = tables.consent_events.c
_P = tables.consent_people.c
_R = tables.refusals.c
_T = tables.tallies.c
_PIECES = tables.tally_pieces.c


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """What is counted: a table in its own order, and what each column of a tally is taken from."""

    table: Any
    rows: FromClause
    at: ColumnElement[Any]
    person: ColumnElement[Any] | None
    columns: Mapping[str, ColumnElement[Any]]
    only: tuple[ColumnElement[bool], ...] = ()
    moves: bool = False  # its rows may change after they were kept


_SOURCES = {
    "messages": _Source(
        table=_M, rows=tables.messages, at=_M.created_at, person=func.replace(_M.recipient, "whatsapp:", ""),
        columns={"inbound": _M.direction == Direction.INBOUND, "service": _M.service, "state": _M.status, "code": _M.error_code},
        only=(_M.purpose == Purpose.MESSAGE,), moves=True,
    ),
    "refusals": _Source(
        table=_R, rows=tables.refusals, at=_R.at, person=None,
        columns={"inbound": literal(value=False), "service": _R.service, "state": literal("refused"), "code": _R.code},
    ),
    "events": _Source(
        table=_E, rows=tables.consent_events.outerjoin(tables.consent_people, (_P.account == _E.account) & (_P.seq == _E.seq)),
        at=_E.recorded_at, person=func.replace(_P.recipient, "whatsapp:", ""),
        columns={"inbound": literal(value=False), "service": _E.holder, "state": _E.act, "code": null(), "country": _E.country},
    ),
}  # fmt: skip
KINDS = tuple(_SOURCES)
_KEYS = ("hour", "inbound", "service", "state", "code", "country", "zone")


def figures(
    unit: Unit,
    account: str,
    kind: str,
    keys: Sequence[str],
    since: datetime,
    *,
    service: str | None = None,
    inbound: bool | None = None,
    states: Sequence[str] = (),
) -> Counter[tuple[Any, ...]]:
    """How many there were since an instant under each combination of `keys`; in the tallies, since the hour it lies in.

    A key is one of hour (since 1970 UTC), inbound, service, state, code, country, zone.
    """
    wanted = {"service": service, "inbound": inbound}
    source = _SOURCES[kind]

    def narrowed(columns: Any) -> list[ColumnElement[bool]]:
        found = [columns[name] == value for name, value in wanted.items() if value is not None]
        return [*found, columns["state"].in_(list(states))] if states else found

    kept = [_T[name] for name in keys]
    query = select(*kept, func.sum(_T["count"])).where(
        _T.account == account, _T.kind == kind, _T.hour >= to_millis(since) // HOUR_MILLIS, *narrowed(_T)
    )
    found: Counter[tuple[Any, ...]] = Counter()
    for row in unit.connection.execute(query.group_by(*kept)):
        found[tuple(row[:-1])] += int(row[-1])
    beyond = [source.table.seq > _counted_to(unit, account, kind), source.at >= since, *narrowed(source.columns)]
    return found + _count(unit, account, source, keys, beyond)


def next_pieces(unit: Unit, account: str, now: datetime, limit: int, rows: int = PIECE_ROWS) -> list[Piece]:
    """What is to be counted next: pieces that are full and were not counted yet, then those whose messages may have moved."""
    found: list[Piece] = []
    for kind, source in _SOURCES.items():
        table, first = source.table, _counted_to(unit, account, kind) + 1
        while len(found) < limit:
            beyond = select(table.seq, source.at).where(table.account == account, table.seq >= first).order_by(table.seq)
            last = unit.connection.execute(beyond.offset(rows - 1).limit(1)).first()
            if last is None:
                break
            found.append(Piece(kind=kind, first=first, last=last[0], newest_at=last[1]))
            first = last[0] + 1
    due = select(_PIECES.kind, _PIECES.first, _PIECES.last, _PIECES.newest_at).where(_PIECES.account == account, _PIECES.due_at <= now)
    again = unit.connection.execute(due.order_by(_PIECES.due_at).limit(max(0, limit - len(found))))
    return [*found, *(Piece(kind=row[0], first=row[1], last=row[2], newest_at=row[3]) for row in again)]


def count(unit: Unit, account: str, piece: Piece) -> Piece:
    """The piece with what is in it."""
    source = _SOURCES[piece.kind]
    within = [source.table.seq >= piece.first, source.table.seq <= piece.last]
    counted = _count(unit, account, source, _KEYS, within)
    return replace(piece, counts=tuple((*key, n) for key, n in counted.items()))


def keep(unit: Unit, account: str, piece: Piece, now: datetime) -> None:
    """Put what was counted in the place of what this piece had before."""
    mine = _T.account == account, _T.kind == piece.kind, _T.first == piece.first
    unit.connection.execute(delete(tables.tallies).where(*mine))
    if piece.counts:
        own = {"account": account, "kind": piece.kind, "first": piece.first}
        unit.connection.execute(insert(tables.tallies), [{**own, **dict(zip((*_KEYS, "count"), row, strict=True))} for row in piece.counts])
    age = max(now - piece.newest_at, timedelta(0))
    again = _SOURCES[piece.kind].moves and age < SETTLED
    row = {
        "account": account, "kind": piece.kind, "first": piece.first, "last": piece.last, "newest_at": piece.newest_at,
        "due_at": now + max(FIRST_AGAIN, age * (AGAIN_FACTOR - 1)) if again else None,
    }  # fmt: skip
    same = _PIECES.account == account, _PIECES.kind == piece.kind, _PIECES.first == piece.first
    unit.connection.execute(delete(tables.tally_pieces).where(*same))
    unit.connection.execute(insert(tables.tally_pieces).values(row))


def _counted_to(unit: Unit, account: str, kind: str) -> int:
    last = select(_PIECES.last).where(_PIECES.account == account, _PIECES.kind == kind).order_by(_PIECES.first.desc()).limit(1)
    return int(unit.connection.execute(last).scalar() or 0)


def _count(
    unit: Unit, account: str, source: _Source, keys: Sequence[str], where: Sequence[ColumnElement[bool]]
) -> Counter[tuple[Any, ...]]:
    """Countries and zones are told by the first digits of numbers, of which one speaks for all."""
    columns = {"hour": type_coerce(source.at, BigInteger) // HOUR_MILLIS, **source.columns}
    plain = [name for name in keys if name in columns]
    by_person = [name for name in keys if name not in columns]
    grouped = [columns[name].label(f"by_{name}") for name in plain]
    # The person is known by another table where events are: it is only looked up if somebody asks.
    rows = source.rows if by_person and source.person is not None else source.table.account.table
    asked: list[Any] = [func.count()]
    if by_person and source.person is not None:
        grouped.append(func.substr(source.person, 1, PREFIX_CHARS).label("prefix"))
        asked.append(func.min(source.person))
    query = select(*grouped, *asked).select_from(rows).where(source.table.account == account, *source.only, *where)
    if grouped:
        query = query.group_by(*(each.name for each in grouped))
    found: Counter[tuple[Any, ...]] = Counter()
    for row in unit.connection.execute(query):
        told = dict(zip(plain, row, strict=False))
        for name in by_person:
            told[name] = _told(name, row[-1] if source.person is not None else None)
        found[tuple(told[name] for name in keys)] += int(row[len(grouped)])
    return found


def _told(name: str, number: str | None) -> str | None:
    if number is None:
        return None
    return country_of(number) if name == "country" else next(iter(time_zones(number)), None)
