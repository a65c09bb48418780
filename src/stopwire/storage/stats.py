"""The figures behind the plots: counts, opt-outs against deliveries, and what went before a STOP. Read-only, never on a hot path."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, case, func, select, type_coerce

from stopwire.core.address import country_of
from stopwire.core.consent import Act
from stopwire.core.message import Direction, Purpose, Status
from stopwire.storage import tables
from stopwire.storage.hot import Noun
from stopwire.storage.tables import from_millis

DAY_MILLIS = 86_400_000
HOUR_MILLIS = 3_600_000
PREFIX_CHARS = 5  # of a number: its country, and in North America its area code

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


def _hour(column: ColumnElement[Any]) -> ColumnElement[int]:
    return type_coerce(column, BigInteger) // HOUR_MILLIS % 24


# An opt-out of a messaging service belongs to it; one of a sender, or of the whole account, to none.
_SERVICE = case((_E.holder.startswith("MG"), _E.holder), else_=None)
_BEFORE = tables.consent_events.join(
    tables.messages, (_M.sid == _E.previous) & (_M.account == _E.account) & (_M.purpose == Purpose.MESSAGE)
)

_BY = {
    "day": _Keys(message=_day(_M.created_at), event=_day(_E.recorded_at), refusal=_day(_R.at)),
    "service": _Keys(message=_M.service, event=_E.holder, refusal=_R.service),
    "country": _Keys(event=_E.country),
    "keyword": _Keys(event=case(*((_E.act.in_(acts), keyword) for keyword, acts in _KEYWORDS.items()), else_=None)),
    "rule": _Keys(event=func.coalesce(_E.rule, _E.word)),
}


# Opt-outs and deliveries under one key. A message has no word and no language of its own.
_RATES = {
    "day": (_day(_M.created_at), _day(_E.recorded_at)),
    "hour": (_hour(_M.created_at), _hour(_E.recorded_at)),
    "service": (_M.service, _SERVICE),
    "country": (None, _E.country),
    "word": (None, func.upper(_E.word)),
    "language": (None, _E.language),
}


class SqlStats(Noun):
    def rates(self, by: str, since: datetime, service: str | None = None) -> list[dict[str, Any]]:
        """Opt-outs of persons and delivered messages by day, hour (of the UTC day), service, country, word or language.

        `delivered` is missing where a message cannot be told by that key. Raises ValueError for another `by`.
        """
        if by not in _RATES:
            raise ValueError(f"There are no rates by {by!r}: choose one of {', '.join(_RATES)}.")
        of_message, of_event = _RATES[by]
        found: dict[Any, dict[str, int]] = {}
        stops = select(of_event.label("key"), func.count().label("n")).where(*self._stops(since, service)).group_by(of_event)
        for row in self._rows(stops):
            found.setdefault(row.key, {})["stops"] = int(row.n)
        if by == "country":
            self._gather_countries(found, since, service)
        elif of_message is not None:
            sent = select(of_message.label("key"), func.count().label("n")).where(*self._delivered(since, service)).group_by(of_message)
            for row in self._rows(sent):
                found.setdefault(row.key, {})["delivered"] = int(row.n)
        names = ("stops", "delivered") if of_message is not None or by == "country" else ("stops",)
        told = {_name(by, key): {name: counts.get(name, 0) for name in names} for key, counts in found.items()}
        return [{"key": key, **told[key]} for key in sorted(told, key=lambda key: (key is None, key))]

    def waits(self, since: datetime, bounds: Sequence[int], service: str | None = None) -> list[int]:
        """How many opt-outs came within each of `bounds` (milliseconds, rising) of the last message before; last, those later."""
        waited = type_coerce(_E.occurred_at, BigInteger) - type_coerce(func.coalesce(_M.sent_at, _M.created_at), BigInteger)
        bucket = case(*((waited < bound, place) for place, bound in enumerate(bounds)), else_=len(bounds))
        query = select(bucket.label("place"), func.count().label("n")).select_from(_BEFORE).where(*self._stops(since, service))
        counted = {int(row.place): int(row.n) for row in self._rows(query.group_by(bucket))}
        return [counted.get(place, 0) for place in range(len(bounds) + 1)]

    def provoking(self, since: datetime, limit: int, service: str | None = None) -> list[dict[str, Any]]:
        """Texts that were the last before most opt-outs: `body`, `stops`, how often it was sent, and one `message` of it."""
        count = func.count().label("stops")
        query = (
            select(_M.body, count, func.min(_M.sid).label("message"))
            .select_from(_BEFORE)
            .where(*self._stops(since, service))
            .group_by(_M.body)
            .order_by(count.desc(), _M.body)
            .limit(limit)
        )
        rows = self._rows(query)
        sent_like = select(_M.body, func.count().label("n")).where(
            _M.account == self.account, _M.created_at >= since, _M.direction != Direction.INBOUND, _M.body.in_([row.body for row in rows])
        )
        sent = {row.body: int(row.n) for row in self._rows(sent_like.group_by(_M.body))} if rows else {}
        return [
            {"body": row.body, "stops": int(row.stops), "sent": max(sent.get(row.body, 0), int(row.stops)), "message": row.message}
            for row in rows
        ]

    def outcomes(self, since: datetime, service: str | None = None) -> dict[str, dict[str, int]]:
        """What became of sends: messages by status, those that failed by code, and refused ones by code."""
        mine = [_M.account == self.account, _M.created_at >= since, _M.purpose == Purpose.MESSAGE, _M.direction != Direction.INBOUND]
        refused = [_R.account == self.account, _R.at >= since]
        if service is not None:
            mine.append(_M.service == service)
            refused.append(_R.service == service)
        by_status = select(_M.status.label("key"), func.count().label("n")).where(*mine).group_by(_M.status)
        by_code = select(_M.error_code.label("key"), func.count().label("n")).where(*mine, _M.error_code.is_not(None)).group_by(_M.error_code)
        by_refusal = select(_R.code.label("key"), func.count().label("n")).where(*refused).group_by(_R.code)
        return {
            name: {str(row.key): int(row.n) for row in self._rows(query)}
            for name, query in (("statuses", by_status), ("codes", by_code), ("refusals", by_refusal))
        }

    def _stops(self, since: datetime, service: str | None) -> list[ColumnElement[bool]]:
        """A person's own opt-out, by keyword, phrase or recorded wish; what a colleague or an import blocked is none."""
        mine = [_E.account == self.account, _E.recorded_at >= since, _E.act == Act.OPT_OUT]
        return mine if service is None else [*mine, _E.holder == service]

    def _delivered(self, since: datetime, service: str | None) -> list[ColumnElement[bool]]:
        arrived = _M.status.in_((Status.DELIVERED, Status.READ))
        mine = [_M.account == self.account, _M.created_at >= since, _M.purpose == Purpose.MESSAGE, arrived]
        return mine if service is None else [*mine, _M.service == service]

    def _gather_countries(self, found: dict[Any, dict[str, int]], since: datetime, service: str | None) -> None:
        """By the first digits of numbers, of which one tells the country of all."""
        number = func.replace(_M.recipient, "whatsapp:", "")
        prefix = func.substr(number, 1, PREFIX_CHARS)
        columns: Iterable[ColumnElement[Any]] = func.min(number).label("one"), func.count().label("n")
        for row in self._rows(select(*columns).where(*self._delivered(since, service)).group_by(prefix)):
            counts = found.setdefault(country_of(row.one), {})
            counts["delivered"] = counts.get("delivered", 0) + int(row.n)

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
