"""Messages and refused sends as one log. Each table is read along its own order, and the two are merged by time.

Nobody waits for a search through years: `look` ends after so many rows and says where it ended, so that it can go on.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, and_, false, or_, select, type_coerce

from stopwire.core.jobs import Refusal
from stopwire.core.message import Direction, Message, Purpose
from stopwire.ports.store import Cut, Entry, EntryFilter, Look
from stopwire.storage import tables
from stopwire.storage.hot import Unit
from stopwire.storage.rows import MESSAGE, REFUSAL

_M = tables.messages.c
_R = tables.refusals.c
REFUSED = "refused"
LOOK_ROWS = 50_000  # of messages, and of refusals, that one look goes through: some 100 ms
# Rows are numbered in the order they were kept, and made a little before. A step back of the clock may add to that.
SLACK = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where one entry stands in the log."""

    id: str
    seq: int
    at: datetime
    of_refusal: bool


def entries(unit: Unit, account: str, wanted: EntryFilter, cut: Cut) -> list[Entry]:
    messages = [_M.account == account, _M.purpose == Purpose.MESSAGE, *_of_messages(wanted)]
    return _merged(unit, account, messages, [_R.account == account, *_of_refusals(wanted)], cut)


def look(unit: Unit, account: str, wanted: EntryFilter, cut: Cut, rows: int = LOOK_ROWS) -> Look:
    """The piece that `cut` asks for, or what of it lies among the next `rows` of each table."""
    person = _person(unit, account, wanted)
    messages = [_M.account == account, _M.purpose == Purpose.MESSAGE, *_of_messages(wanted)]
    refusals = [_R.account == account, *_of_refusals(wanted)]
    if person is not None:
        messages.append(_M.recipient == person)
    of_time = _of_time(unit, account, wanted)
    messages += of_time
    if person is not None or replace(wanted, since=None, until=None) == EntryFilter():
        return Look(entries=tuple(_merged(unit, account, messages, refusals, cut)))  # an index leads there
    backwards = cut.before is not None and cut.after is None
    end = _end(unit, account, of_time, cut, rows, backwards=backwards)
    if end is not None:
        messages.append(_up_to(_M, _M.created_at, end, own=not end.of_refusal, newer=not backwards, ties=True))
        refusals.append(_up_to(_R, _R.at, end, own=end.of_refusal, newer=not backwards, ties=False))
    found = tuple(_merged(unit, account, messages, refusals, cut))
    if end is None or len(found) >= cut.limit:
        return Look(entries=found)
    return Look(entries=found, seen_to=end.id, seen_at=end.at)


def _person(unit: Unit, account: str, wanted: EntryFilter) -> str | None:
    """The one person that is asked for by a whole number, if it is a person's: their messages are few and have an index."""
    if wanted.person is not None and "*" not in wanted.person:
        return wanted.person
    for named in (wanted.to, wanted.from_):
        if named is not None and "*" not in named:
            ours = select(_M.seq).where(_M.account == account, _M.sender == named).limit(1)
            if unit.connection.execute(ours).first() is None:
                return named
    return None


def _of_time(unit: Unit, account: str, wanted: EntryFilter) -> list[ColumnElement[bool]]:
    """Row numbers between which the messages lie that were made between two instants."""
    found: list[ColumnElement[bool]] = []
    if wanted.since is not None:
        found.append(_M.seq >= seq_at(unit, account, wanted.since - SLACK))
    if wanted.until is not None:
        found.append(_M.seq < seq_at(unit, account, wanted.until + SLACK))
    return found


def seq_at(unit: Unit, account: str, at: datetime) -> int:
    """The number of about the first message made at `at` or later, or one beyond the last. A few look-ups, no scan."""
    mine = select(_M.seq).where(_M.account == account).limit(1)
    first, last = (unit.connection.execute(mine.order_by(order)).scalar() for order in (_M.seq.asc(), _M.seq.desc()))
    if first is None or last is None:
        return 0
    low, high = int(first), int(last) + 1
    probe = select(_M.seq, _M.created_at).where(_M.account == account).order_by(_M.seq.desc()).limit(1)
    while low < high:
        middle = (low + high) // 2
        row = unit.connection.execute(probe.where(_M.seq <= middle)).one()
        if row.created_at < at:
            low = middle + 1
        else:
            high = int(row.seq)
    return low


def _end(
    unit: Unit, account: str, of_time: Sequence[ColumnElement[bool]], cut: Cut, rows: int, *, backwards: bool
) -> _Place | None:
    """Where a look ends that goes through `rows` of each table; None if it comes to the end of both before."""
    named = cut.after or cut.before
    place = _place(unit, account, named) if named else None
    ends = []
    for table, at_column, id, of_refusal, more in ((_M, _M.created_at, _M.sid, False, of_time), (_R, _R.at, _R.id, True, ())):
        query = select(id, table.seq, at_column).where(table.account == account, *more)
        if place is not None:
            own = place.of_refusal is of_refusal
            query = query.where(_beyond(table, at_column, place.seq, place.at, own=own, newer=backwards, ties=not of_refusal))
        # The number comes from the index alone; only the row itself is read whole.
        row = unit.connection.execute(_ordered(query, table.seq, 1, backwards).offset(rows - 1)).first()
        if row is not None:
            ends.append(_Place(row[0], row[1], row[2], of_refusal))
    nearest = min if backwards else max
    return nearest(ends, key=lambda end: (end.at, end.of_refusal), default=None)


def _up_to(
    table: Any, at_column: Any, end: _Place, *, own: bool, newer: bool, ties: bool
) -> ColumnElement[bool]:
    """The entry at `end`, and what is newer (or older) than that."""
    if not own:
        return _beyond(table, at_column, end.seq, end.at, own=False, newer=newer, ties=ties)
    kept: ColumnElement[bool] = table.seq >= end.seq if newer else table.seq <= end.seq
    return kept


def between(unit: Unit, account: str, sender: str, recipient: str, cut: Cut) -> list[Entry]:
    messages = [_M.account == account, _M.recipient == recipient, _M.sender == sender]
    refusals = [_R.account == account, _R.recipient == recipient, _R.sender == sender]
    return _merged(unit, account, messages, refusals, cut)


def _merged(
    unit: Unit, account: str, messages: Sequence[ColumnElement[bool]], refusals: Sequence[ColumnElement[bool]], cut: Cut
) -> list[Entry]:
    """The piece that `cut` asks for. Of one instant, a refusal counts as newer than a message."""
    backwards = cut.before is not None and cut.after is None
    named = cut.after or cut.before
    limit = cut.limit + (0 if named else cut.offset)
    found_messages, found_refusals = MESSAGE.select().where(*messages), REFUSAL.select().where(*refusals)
    if named:
        place = _place(unit, account, named)
        if place is None:
            return []
        seq, at = place.seq, place.at
        found_messages = found_messages.where(_beyond(_M, _M.created_at, seq, at, own=not place.of_refusal, newer=backwards, ties=True))
        found_refusals = found_refusals.where(_beyond(_R, _R.at, seq, at, own=place.of_refusal, newer=backwards, ties=False))
    lists = (
        [_of_message(message) for message in MESSAGE.each(unit.connection.execute(_ordered(found_messages, _M.seq, limit, backwards)).all())],
        [_of_refusal(refusal) for refusal in REFUSAL.each(unit.connection.execute(_ordered(found_refusals, _R.seq, limit, backwards)).all())],
    )
    merged: Iterable[Entry] = heapq.merge(*lists, key=_place_in_time, reverse=not backwards)
    whole = list(merged)[:limit]
    return whole[::-1] if backwards else whole[0 if named else cut.offset :]


def _ordered(query: Select[Any], seq: ColumnElement[int], limit: int, backwards: bool) -> Select[Any]:
    return query.order_by(seq.asc() if backwards else seq.desc()).limit(limit)


def _place(unit: Unit, account: str, id: str) -> _Place | None:
    of_refusal = id.startswith("RF")
    query = (
        select(_R.seq, _R.at).where(_R.id == id, _R.account == account)
        if of_refusal
        else select(_M.seq, _M.created_at).where(_M.sid == id, _M.account == account)
    )
    row = unit.connection.execute(query).first()
    return None if row is None else _Place(id, row[0], row[1], of_refusal)


def _beyond(
    table: Any, at_column: Any, seq: int, at: datetime, *, own: bool, newer: bool, ties: bool
) -> ColumnElement[bool]:
    """What lies beyond a place: in its own table by the row number, in the other by the time. `ties`: of one instant, it is the older."""
    if own:
        found: ColumnElement[bool] = table.seq > seq if newer else table.seq < seq
    elif newer:
        found = at_column > at if ties else at_column >= at
    else:
        found = at_column <= at if ties else at_column < at
    return found


def _place_in_time(entry: Entry) -> tuple[datetime, bool]:
    return entry.at, entry.refusal is not None


def _of_message(message: Message) -> Entry:
    return Entry(id=message.sid, at=message.created_at, message=message)


def _of_refusal(refusal: Refusal) -> Entry:
    return Entry(id=refusal.id, at=refusal.at, refusal=refusal)


# ── what is wanted ───────────────────────────────────────────────────────────────────────────────────────


def _of_messages(wanted: EntryFilter) -> list[ColumnElement[bool]]:
    if wanted.status == REFUSED:
        return [false()]
    inbound = _M.direction == Direction.INBOUND
    found: list[ColumnElement[bool]] = []
    if wanted.to is not None:
        found.append(or_(and_(~inbound, _like(_M.recipient, wanted.to)), and_(inbound, _like(_M.sender, wanted.to))))
    if wanted.from_ is not None:
        found.append(or_(and_(~inbound, _like(_M.sender, wanted.from_)), and_(inbound, _like(_M.recipient, wanted.from_))))
    if wanted.person is not None:
        found.append(_like(_M.recipient, wanted.person))
    if wanted.sender is not None:
        found.append(_like(_M.sender, wanted.sender))
    if wanted.status is not None:
        found.append(_M.status == wanted.status)
    if wanted.code is not None:
        found.append(_M.error_code == wanted.code)
    if wanted.service is not None:
        found.append(_M.service == wanted.service)
    if wanted.text is not None:
        found.append(_M.body.icontains(wanted.text, autoescape=True))
    if wanted.keyword is not None:  # as the decision is kept
        found.append(type_coerce(_M.decision, Text).contains(f'"keyword":"{wanted.keyword}"', autoescape=True))
    if wanted.inbound is not None:
        found.append(inbound if wanted.inbound else ~inbound)
    if wanted.since is not None:
        found.append(_M.created_at >= wanted.since)
    if wanted.until is not None:
        found.append(_M.created_at <= wanted.until)
    if wanted.media:
        found.append(_M.media > 0)
    if wanted.error:
        found.append(_M.error_code.is_not(None))
    return found


def _of_refusals(wanted: EntryFilter) -> list[ColumnElement[bool]]:
    if (
        not wanted.refusals
        or wanted.inbound
        or wanted.media
        or wanted.text is not None
        or wanted.keyword is not None
        or wanted.status not in (None, REFUSED)
    ):
        return [false()]  # nothing of this is kept of a refused send
    found: list[ColumnElement[bool]] = []
    for pattern, column in (
        (wanted.to, _R.recipient),
        (wanted.person, _R.recipient),
        (wanted.from_, _R.sender),
        (wanted.sender, _R.sender),
    ):
        if pattern is not None:
            found.append(_like(column, pattern))
    if wanted.code is not None:
        found.append(_R.code == wanted.code)
    if wanted.service is not None:
        found.append(_R.service == wanted.service)
    if wanted.since is not None:
        found.append(_R.at >= wanted.since)
    if wanted.until is not None:
        found.append(_R.at <= wanted.until)
    return found


def _like(column: Any, pattern: str) -> ColumnElement[bool]:
    """Equal; or, where the pattern has stars, alike."""
    if "*" not in pattern:
        equal: ColumnElement[bool] = column == pattern
        return equal
    escaped = pattern.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_").replace("*", "%")
    alike: ColumnElement[bool] = column.like(escaped, escape="\\")
    return alike
