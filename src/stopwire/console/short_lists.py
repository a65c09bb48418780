"""Cut a list that is whole in memory as the store would cut a long one: configuration is small, and is paged all the same."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from stopwire.ports.store import Cut

T = TypeVar("T")


def piece(rows: Sequence[T], cut: Cut, id_of: Callable[[T], str]) -> list[T]:
    """The rows that `cut` names; a place that is gone is the end of the list."""
    ids = [id_of(row) for row in rows]
    if cut.after is not None:
        start = ids.index(cut.after) + 1 if cut.after in ids else len(rows)
        return list(rows[start : start + cut.limit])
    if cut.before is not None:
        end = ids.index(cut.before) if cut.before in ids else 0
        return list(rows[max(0, end - cut.limit) : end])
    return list(rows[cut.offset : cut.offset + cut.limit])
