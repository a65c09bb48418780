"""The figures behind the plots: counts, opt-outs against deliveries, and what went before a STOP. Read-only, never on a hot path."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Row, case, func, select, type_coerce

from stopwire.core.consent import Act
from stopwire.core.localtime import local_hour_of_week
from stopwire.core.message import Direction, Purpose, Status
from stopwire.ports.store import TALLIED_MAX, Piece
from stopwire.storage import tables, tallies
from stopwire.storage.hot import Noun
from stopwire.storage.tables import from_millis
from stopwire.storage.tallies import HOUR_MILLIS

LOOKED_AT = 2_000  # the newest, by which connections and webhooks are judged
VOLUME_ROWS = 20_000  # the newest, by which the senders of a service are compared
PROVOKING_ROWS = 100_000  # of the newest messages, among which texts are compared

_M = tables.messages.c
_E = tables.consent_events.c
_A = tables.attempts.c
_D = tables.deliveries.c

SHARES = (50, 95, 99)  # percentiles that are told
_KEYWORDS = {  # which keyword a person wrote, by what it did
    "STOP": (Act.OPT_OUT, Act.REPEAT),
    "START": (Act.OPT_IN, Act.LIFT_REFUSED, Act.NO_CHANGE),
    "HELP": (Act.HELP,),
}


_BEFORE = tables.consent_events.join(
    tables.messages, (_M.sid == _E.previous) & (_M.account == _E.account) & (_M.purpose == Purpose.MESSAGE)
)


def _day(hour: int) -> str:
    return from_millis(hour * HOUR_MILLIS).date().isoformat()


def _service(holder: str | None) -> str | None:
    """An opt-out of a messaging service belongs to it; one of a sender, or of the whole account, to none."""
    return holder if holder is not None and holder.startswith("MG") else None


def _keyword(act: str) -> str | None:
    return next((keyword for keyword, acts in _KEYWORDS.items() if act in acts), None)


# What figures are counted by in the tallies, and how the key is told.
_BY = {"day": "hour", "service": "service", "country": "country", "keyword": "state", "rule": ""}
_NAMES: dict[str, Callable[[Any, str], Any]] = {
    "day": lambda hour, act: _day(hour),
    "keyword": lambda state, act: _keyword(state),
    **{each: lambda key, act: key for each in ("service", "country", "rule")},
}
_RATES = {
    "day": ("hour",), "hour": ("hour",), "service": ("service",), "country": ("country",), "moment": ("hour",), "week": ("hour", "zone"),
}  # fmt: skip
_RATE_KEYS: dict[str, Callable[..., Any]] = {
    "day": _day, "hour": lambda hour: hour % 24, "service": _service, "country": lambda country: country,
    "moment": lambda hour: hour, "week": local_hour_of_week,
}  # fmt: skip
_WORDS = {"word": func.upper(_E.word), "language": _E.language}  # a message has none of its own
_STOPS_AND_DELIVERED: tuple[tuple[str, str, Sequence[str], bool | None], ...] = (
    ("stops", "events", (Act.OPT_OUT,), None),
    ("delivered", "messages", (Status.DELIVERED, Status.READ), None),
)


class SqlStats(Noun):
    def next_pieces(self, now: datetime, limit: int) -> list[Piece]:
        return tallies.next_pieces(self.unit, self.account, now, limit)

    def count(self, piece: Piece) -> Piece:
        return tallies.count(self.unit, self.account, piece)

    def keep(self, piece: Piece, now: datetime) -> None:
        tallies.keep(self.unit, self.account, piece, now)

    def rates(self, by: str, since: datetime, service: str | None = None) -> list[dict[str, Any]]:
        """Opt-outs of persons and delivered messages by day, hour (of the UTC day), service, country, word, language,
        moment (hours since 1970 UTC) or week (hours since Monday where the person is by their number; -1 where nothing tells).

        `delivered` is missing where a message cannot be told by that key. Raises ValueError for another `by`.
        """
        if by not in _RATES and by not in _WORDS:
            raise ValueError(f"There are no rates by {by!r}: choose one of {', '.join((*_RATES, *_WORDS))}.")
        found: dict[Any, dict[str, int]] = {}
        if by in _WORDS:
            stops = select(_WORDS[by].label("key"), func.count().label("n")).where(*self._stops(since, service)).group_by(_WORDS[by])
            for row in self._rows(stops):
                found[row.key] = {"stops": int(row.n)}
            names: tuple[str, ...] = ("stops",)
        else:
            names = ("stops", "delivered")
            for name, kind, states, inbound in _STOPS_AND_DELIVERED:
                counted = tallies.figures(self.unit, self.account, kind, _RATES[by], since, service=service, states=states, inbound=inbound)
                for key, n in counted.items():
                    counts = found.setdefault(_RATE_KEYS[by](*key), {})
                    counts[name] = counts.get(name, 0) + n
        told = {key: {name: counts.get(name, 0) for name in names} for key, counts in found.items()}
        return [{"key": key, **told[key]} for key in sorted(told, key=lambda key: (key is None, key))]

    def waits(self, since: datetime, bounds: Sequence[int], service: str | None = None) -> list[int]:
        """How many opt-outs came within each of `bounds` (milliseconds, rising) of the last message before; last, those later."""
        waited = type_coerce(_E.occurred_at, BigInteger) - type_coerce(func.coalesce(_M.sent_at, _M.created_at), BigInteger)
        bucket = case(*((waited < bound, place) for place, bound in enumerate(bounds)), else_=len(bounds))
        query = select(bucket.label("place"), func.count().label("n")).select_from(_BEFORE).where(*self._stops(since, service))
        counted = {int(row.place): int(row.n) for row in self._rows(query.group_by(bucket))}
        return [counted.get(place, 0) for place in range(len(bounds) + 1)]

    def provoking(self, since: datetime, limit: int, service: str | None = None) -> list[dict[str, Any]]:
        """Texts that were the last before most opt-outs: `body`, `stops`, how often it was sent, and one `message` of it.

        Among the newest `PROVOKING_ROWS` messages, since there are as many texts as somebody likes to write.
        """
        mine = _M.account == self.account
        far = self._scalar(select(_M.seq).where(mine).order_by(_M.seq.desc()).offset(PROVOKING_ROWS - 1).limit(1))
        looked_at = [mine, _M.seq >= (far or 0), _M.created_at >= since, _M.direction != Direction.INBOUND]
        count = func.count().label("stops")
        query = (
            select(_M.body, count, func.min(_M.sid).label("message"))
            .select_from(_BEFORE)
            .where(*self._stops(since, service), _M.seq >= (far or 0))
            .group_by(_M.body)
            .order_by(count.desc(), _M.body)
            .limit(limit)
        )
        rows = self._rows(query)
        sent_like = select(_M.body, func.count().label("n")).where(*looked_at, _M.body.in_([row.body for row in rows]))
        sent = {row.body: int(row.n) for row in self._rows(sent_like.group_by(_M.body))} if rows else {}
        return [
            {"body": row.body, "stops": int(row.stops), "sent": max(sent.get(row.body, 0), int(row.stops)), "message": row.message}
            for row in rows
        ]

    def outcomes(self, since: datetime, service: str | None = None) -> dict[str, dict[str, int]]:
        """What became of sends: messages by status, those that failed by code, and refused ones by code."""
        sent = tallies.figures(self.unit, self.account, "messages", ("state", "code"), since, service=service, inbound=False)
        refused = tallies.figures(self.unit, self.account, "refusals", ("code",), since, service=service)
        found: dict[str, dict[str, int]] = {"statuses": {}, "codes": {}, "refusals": {str(key[0]): n for key, n in refused.items()}}
        for (state, code), n in sent.items():
            found["statuses"][state] = found["statuses"].get(state, 0) + n
            if code is not None:
                found["codes"][str(code)] = found["codes"].get(str(code), 0) + n
        return found

    def links(self, rows: int = LOOKED_AT) -> list[dict[str, Any]]:
        """How connections do, by the newest `rows` messages: milliseconds until a carrier's answer and until its last report, as
        `answer_ms_p50`, `answer_ms_p95`, `answer_ms_p99` and `report_ms_…`; `reported_percent` of those it took; `busiest_second`.
        """
        outbound = _M.account == self.account, _M.direction != Direction.INBOUND
        newest = select(_M.sid, _M.status, _millis(_M.sent_at), _millis(_M.updated_at)).where(*outbound)
        sent = newest.order_by(_M.seq.desc()).limit(rows).subquery().c
        query = select(_A.connection, _millis(_A.at), _millis(_A.answered_at), sent.status, sent.sent_at, sent.updated_at).where(
            _A.message == sent.sid, _A.account == self.account
        )
        found: dict[str, list[Row[Any]]] = {}
        for row in self._rows(query):
            found.setdefault(row.connection, []).append(row)
        return [{"key": connection, **_link(attempts)} for connection, attempts in sorted(found.items())]

    def waiting(self, now: datetime) -> dict[str, int]:
        """Texts that wait for a carrier or its answer and are due, and webhooks that are not told, of all accounts."""
        jobs = tables.jobs.c
        queues = {"texts": select(jobs.seq).where(jobs.due_at <= now), "webhooks": select(_D.seq).where(_D.state.in_(("pending", "sending")))}
        return {name: int(self._scalar(select(func.count()).select_from(query.limit(TALLIED_MAX + 1).subquery()))) for name, query in queues.items()}

    def senders(self, service: str, rows: int = VOLUME_ROWS) -> list[dict[str, Any]]:
        """Of the newest `rows` messages those sent through a messaging service: `sent`, `delivered` and `failed` of each sender."""
        columns = (_M.sender, _M.status, _M.service, _M.direction, _M.purpose)
        newest = select(*columns).where(_M.account == self.account).order_by(_M.seq.desc()).limit(rows).subquery().c
        query = select(newest.sender, newest.status, func.count().label("n")).where(
            newest.service == service, newest.direction != Direction.INBOUND, newest.purpose == Purpose.MESSAGE, newest.sender.is_not(None)
        )
        found: dict[str, dict[str, Any]] = {}
        for row in self._rows(query.group_by(newest.sender, newest.status)):
            counts = found.setdefault(row.sender, {"sent": 0, "delivered": 0, "failed": 0})
            counts["sent"] += int(row.n)
            if row.status in (Status.DELIVERED, Status.READ):
                counts["delivered"] += int(row.n)
            elif row.status in (Status.FAILED, Status.UNDELIVERED):
                counts["failed"] += int(row.n)
        return [{"key": sender, **counts} for sender, counts in sorted(found.items())]

    def tries(self, rows: int = LOOKED_AT) -> list[dict[str, Any]]:
        """Of the newest `rows` webhooks: how many were `delivered`, `failed` and `waiting` after so many tries; `oldest_at` of those waiting."""
        newest = select(_D.rounds, _D.state, _D.created_at).where(_D.account == self.account).order_by(_D.seq.desc()).limit(rows).subquery().c
        query = select(newest.rounds, newest.state, func.count().label("n"), func.min(newest.created_at).label("oldest_at"))
        found: dict[int, dict[str, Any]] = {}
        for row in self._rows(query.group_by(newest.rounds, newest.state)):
            told = found.setdefault(int(row.rounds), {"delivered": 0, "failed": 0, "waiting": 0, "oldest_at": None})
            name = _TRIED.get(row.state, "waiting")
            told[name] += int(row.n)
            if name == "waiting":
                told["oldest_at"] = min(filter(None, (told["oldest_at"], row.oldest_at)))
        return [{"key": tries, **told} for tries, told in sorted(found.items())]

    def _stops(self, since: datetime, service: str | None) -> list[ColumnElement[bool]]:
        """A person's own opt-out, by keyword, phrase or recorded wish; what a colleague or an import blocked is none."""
        mine = [_E.account == self.account, _E.recorded_at >= since, _E.act == Act.OPT_OUT]
        return mine if service is None else [*mine, _E.holder == service]

    def counts(self, by: str, since: datetime, service: str | None = None) -> list[dict[str, Any]]:
        """One row a key, with what the tables can tell by it; the key is None where a row has none.

        `by`: day, keyword, country, service or rule. Raises ValueError for another.
        """
        if by not in _BY:
            raise ValueError(f"There are no figures by {by!r}: choose one of {', '.join(_BY)}.")
        found: dict[Any, dict[str, int]] = {}
        events = (
            self._rules(since, service)
            if by == "rule"
            else tallies.figures(self.unit, self.account, "events", (_BY[by], "state"), since, service=service)
        )
        for (key, act), n in events.items():
            self._add(found, _NAMES[by](key, act), _EVENTS, act, n)
        if by in ("day", "service"):
            sent = tallies.figures(self.unit, self.account, "messages", (_BY[by], "inbound", "state"), since, service=service)
            for (key, inbound, state), n in sent.items():
                name = _NAMES[by](key, "")
                self._add(found, name, {"inbound": (True,), "messages": (False,)}, bool(inbound), n)
                self._add(found, name, _MESSAGES, state, n)
            for key_of_one, n in tallies.figures(self.unit, self.account, "refusals", (_BY[by],), since, service=service).items():
                self._add(found, _NAMES[by](key_of_one[0], ""), {"refused": (None,)}, None, n)
        return [{"key": key, **found[key]} for key in sorted(found, key=lambda key: (key is None, key))]

    def _rules(self, since: datetime, service: str | None) -> Counter[tuple[Any, ...]]:
        rule = func.coalesce(_E.rule, _E.word).label("rule")
        query = select(rule, _E.act, func.count().label("n")).where(_E.account == self.account, _E.recorded_at >= since)
        query = (query if service is None else query.where(_E.holder == service)).group_by(rule, _E.act)
        return Counter({(row.rule, row.act): int(row.n) for row in self._rows(query)})

    def _add(self, found: dict[Any, dict[str, int]], key: Any, names: Mapping[str, Sequence[Any]], value: Any, n: int) -> None:
        """Every name is told under every key, be it as nothing."""
        counts = found.setdefault(key, {})
        for name, values in names.items():
            counts[name] = counts.get(name, 0) + (n if value in values else 0)


_TRIED = {"delivered": "delivered", "failed": "failed", "expired": "failed"}
_REPORTED = (Status.DELIVERED, Status.READ, Status.UNDELIVERED)


def _link(attempts: Sequence[Row[Any]]) -> dict[str, Any]:
    answers = sorted(max(0, row.answered_at - row.at) for row in attempts if row.answered_at is not None)
    taken = [row for row in attempts if row.sent_at is not None]
    reports = sorted(max(0, row.updated_at - row.sent_at) for row in taken if row.status in _REPORTED)
    busiest = Counter(row.at // 1000 for row in attempts).most_common(1)
    return {
        "attempts": len(attempts),
        **{f"answer_ms_p{share}": percentile(answers, share) for share in SHARES},
        "reported_percent": round(100 * len(reports) / len(taken), 1) if taken else None,
        **{f"report_ms_p{share}": percentile(reports, share) for share in SHARES},
        "busiest_second": busiest[0][1],
    }


def _millis(column: Any) -> ColumnElement[int]:
    """An instant as it is kept: thousands of them need not become datetimes to be subtracted."""
    return type_coerce(column, BigInteger).label(column.name)


def percentile(values: Sequence[int], share: int) -> int | None:
    """The value that `share` of 100 of these, which rise, do not exceed."""
    return values[max(0, -(-len(values) * share // 100) - 1)] if values else None


_MESSAGES = {"delivered": (Status.DELIVERED, Status.READ), "failed": (Status.FAILED, Status.UNDELIVERED)}
_EVENTS = {"opt_outs": (Act.OPT_OUT, Act.BLOCK), "opt_ins": (Act.OPT_IN, Act.LIFT), "helps": (Act.HELP,)}
