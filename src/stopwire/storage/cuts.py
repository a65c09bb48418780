"""Pieces of long lists: after an item, before an item, or from an offset. One way for every noun."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, tuple_

from stopwire.ports.store import Cut
from stopwire.storage.hot import Unit


def cut_of(
    unit: Unit,
    query: Select[Any],
    cut: Cut,
    *,
    order: Sequence[ColumnElement[Any]],
    marks: Select[Any],
    id: ColumnElement[Any],
    newest_first: bool = True,
) -> Sequence[Row[Any]]:
    """The rows of `query` that `cut` asks for, in the direction of `order`.

    `marks` finds the place (the values of `order`) of an item by its `id`. A piece before an item ends right before
    it. Where the named item is no longer there, the offset serves instead; without one, nothing follows.
    """
    named = cut.after or cut.before
    backwards = cut.before is not None and cut.after is None
    falling = newest_first != backwards
    place = unit.connection.execute(marks.where(id == named)).first() if named else None
    if place is not None:
        mark, at = (order[0], place[0]) if len(order) == 1 else (tuple_(*order), tuple(place))
        query = query.where(mark < at if falling else mark > at)
    elif named and (backwards or not cut.offset):
        return []
    else:
        query = query.offset(cut.offset)
    query = query.order_by(*(c.desc() if falling else c.asc() for c in order)).limit(cut.limit)
    rows = unit.connection.execute(query).all()
    return rows[::-1] if backwards else rows
