"""The figures behind the plots: counts by day, keyword, country, service or rule. Read-only, and never on a hot path."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, case, func, select, type_coerce

from stopwire.core.consent import Act
from stopwire.core.message import Direction, Purpose, Status
from stopwire.storage import tables
from stopwire.storage.hot import Noun
from stopwire.storage.tables import from_millis

DAY_MILLIS = 86_400_000

_M = tables.messages.c
_E = tables.consent_events.c
_R = tables.refusals.c

_KEYWORDS = {  # which keyword a person wrote, by what it did
    "STOP": (Act.OPT_OUT, Act.REPEAT),
    "START": (Act.OPT_IN, Act.LIFT_REFUSED, Act.NO_CHANGE),
    "HELP": (Act.HELP,),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Keys:
    """What a row of each table is counted under; None where the table cannot tell."""

    message: ColumnElement[Any] | None = None
    event: ColumnElement[Any]
    refusal: ColumnElement[Any] | None = None


def _day(column: ColumnElement[Any]) -> ColumnElement[int]:
    return type_coerce(column, BigInteger) // DAY_MILLIS


_BY = {
    "day": _Keys(message=_day(_M.created_at), event=_day(_E.recorded_at), refusal=_day(_R.at)),
    "service": _Keys(message=_M.service, event=_E.holder, refusal=_R.service),
    "country": _Keys(event=_E.country),
    "keyword": _Keys(event=case(*((_E.act.in_(acts), keyword) for keyword, acts in _KEYWORDS.items()), else_=None)),
    "rule": _Keys(event=func.coalesce(_E.rule, _E.word)),
}


class SqlStats(Noun):
    def counts(self, by: str, since: datetime) -> list[dict[str, Any]]:
        """One row a key, with what the tables can tell by it; the key is None where a row has none.

        `by`: day, keyword, country, service or rule. Raises ValueError for another.
        """
        if by not in _BY:
            raise ValueError(f"There are no figures by {by!r}: choose one of {', '.join(_BY)}.")
        keys = _BY[by]
        found: dict[Any, dict[str, int]] = {}
        if keys.message is not None:
            self._gather(found, keys.message, _MESSAGES, _M.account, _M.created_at, since, _M.purpose == Purpose.MESSAGE)
        if keys.refusal is not None:
            self._gather(found, keys.refusal, {"refused": func.count()}, _R.account, _R.at, since)
        self._gather(found, keys.event, _EVENTS, _E.account, _E.recorded_at, since)
        told = dict.fromkeys((name for counts in found.values() for name in counts), 0)
        named = {_name(by, key): told | counts for key, counts in found.items()}
        return [{"key": key, **named[key]} for key in sorted(named, key=lambda key: (key is None, key))]

    def _gather(
        self,
        found: dict[Any, dict[str, int]],
        key: ColumnElement[Any],
        counts: dict[str, ColumnElement[Any]],
        account: ColumnElement[Any],
        at: ColumnElement[Any],
        since: datetime,
        *more: ColumnElement[bool],
    ) -> None:
        columns: Iterable[ColumnElement[Any]] = (count.label(name) for name, count in counts.items())
        query = select(key.label("key"), *columns).where(account == self.account, at >= since, *more).group_by(key)
        for row in self._rows(query):
            found.setdefault(row.key, {}).update({name: int(getattr(row, name)) for name in counts})


def _sum(condition: ColumnElement[bool]) -> ColumnElement[Any]:
    return func.sum(case((condition, 1), else_=0))


_MESSAGES: dict[str, ColumnElement[Any]] = {
    "messages": _sum(_M.direction != Direction.INBOUND),
    "delivered": _sum(_M.status.in_((Status.DELIVERED, Status.READ))),
    "failed": _sum(_M.status.in_((Status.FAILED, Status.UNDELIVERED))),
    "inbound": _sum(_M.direction == Direction.INBOUND),
}
_EVENTS: dict[str, ColumnElement[Any]] = {
    "opt_outs": _sum(_E.act.in_((Act.OPT_OUT, Act.BLOCK))),
    "opt_ins": _sum(_E.act.in_((Act.OPT_IN, Act.LIFT))),
    "helps": _sum(_E.act == Act.HELP),
}


def _name(by: str, key: Any) -> Any:
    return from_millis(key * DAY_MILLIS).date().isoformat() if by == "day" and key is not None else key
