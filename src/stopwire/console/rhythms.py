"""More rows for Analytics: the hours of a week, the block list day by day, how connections answer, webhooks by try.

Each is read at a bounded cost, and drawn and shown by `analytics.py`; nothing here knows of a page.
"""

import math
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

from babel.dates import format_date
from starlette.requests import Request

from stopwire.console import words
from stopwire.console.plots import Paper, Point, bars, columns
from stopwire.console.render import N_, say, teller
from stopwire.console.session import house_of, visitor_of
from stopwire.core.localtime import HOURS_OF_WEEK
from stopwire.flows import connect
from stopwire.ports.store import Stats

Row = dict[str, Any]
SURE_FROM = 20  # delivered messages; a rate of fewer has no colour
HEATS = 7
_MONDAY = date(2026, 1, 5)


async def by_hour(request: Request, since: datetime, service: str | None) -> dict[int, Row]:
    """Opt-outs and deliveries by the hour of the viewer's day."""
    found: dict[int, Row] = {}
    zone = teller(request).zone
    for row in await house_of(request).read(visitor_of(request).account, Stats.rates, "moment", since, service):
        hour = _local(row["key"], zone).hour
        counts = found.setdefault(hour, {"stops": 0, "delivered": 0})
        counts["stops"] += row["stops"]
        counts["delivered"] += row["delivered"]
    return found


def _local(hour: int, zone: tzinfo) -> datetime:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(hours=hour)).astimezone(zone)


async def by_week(request: Request, since: datetime, service: str | None) -> list[Row]:
    """168 rows, Monday first, each with the `heat` of its rate, 1 to 7; 0 where too little was delivered, or nobody stopped."""
    found = {row["key"]: row for row in await house_of(request).read(visitor_of(request).account, Stats.rates, "week", since, service)}
    rows: list[Row] = []
    for place in range(HOURS_OF_WEEK):
        told = found.get(place, {"stops": 0, "delivered": 0})
        stops, delivered = told["stops"], told["delivered"]
        rate = round(1000 * stops / delivered, 2) if delivered else None
        name = f"{day_name(request, place // 24)} {place % 24:02}:00"
        rows.append({"key": str(place), "name": name, "stops": stops, "delivered": delivered, "per_1000": rate})
    most = max((row["per_1000"] for row in rows if _sure(row)), default=1)
    return [{**row, "heat": math.ceil(HEATS * row["per_1000"] / most) if _sure(row) else 0} for row in rows]


def _sure(row: Row) -> bool:
    return bool(row["stops"]) and row["delivered"] >= SURE_FROM


def day_name(request: Request, place: int) -> str:
    locale = words.locale_of(teller(request).prefs.language)
    return str(format_date(_MONDAY + timedelta(days=place), "EEE", locale=locale))


async def blocks(request: Request, since: datetime, service: str | None, days: int) -> list[Row]:
    """Blocks added and lifted, a UTC day each."""
    found = {row["key"]: row for row in await house_of(request).read(visitor_of(request).account, Stats.counts, "day", since, service)}
    locale = words.locale_of(teller(request).prefs.language)
    rows = []
    for day in ((since + timedelta(days=place)).date() for place in range(days)):
        told = found.get(day.isoformat(), {})
        added, lifted = told.get("opt_outs", 0), told.get("opt_ins", 0)
        rows.append(
            {"key": day.isoformat(), "name": str(format_date(day, "d MMM", locale=locale)), "added": added, "lifted": lifted, "net": added - lifted,
             "count": added + lifted}
        )  # fmt: skip
    return rows


async def links(request: Request) -> list[Row]:
    house, account = house_of(request), visitor_of(request).account
    known = {each.connection.sid: each.connection for each in await house(connect.connections, account=account)}
    rows = []
    for row in await house.read(account, Stats.links):
        connection = known.get(row["key"])
        limit = connection.settings.get("throughput") if connection else None
        rows.append({**row, "name": connection.name if connection else row["key"], "limit": limit, "count": row["attempts"]})
    return rows


async def tries(request: Request) -> list[Row]:
    rows = []
    for row in await house_of(request).read(visitor_of(request).account, Stats.tries):
        oldest = row.pop("oldest_at")
        waited = round((visitor_of(request).now - oldest) / timedelta(minutes=1)) if oldest else None
        total = row["delivered"] + row["failed"] + row["waiting"]
        name = say(request, N_("not tried yet")) if row["key"] == 0 else say(request, N_("try %(number)s"), number=row["key"])
        rows.append({**row, "key": str(row["key"]), "name": name, "waited_minutes": waited, "count": total})
    return rows


# ── charts, and their sentences ──────────────────────────────────────────────────────────────────────────


def draw_blocks(request: Request, rows: list[Row], paper: Paper) -> str:
    told = teller(request)
    return columns([Point(name=row["name"], value=row["added"], told=told.figure(row["added"])) for row in rows], paper)


def draw_links(request: Request, rows: list[Row], paper: Paper) -> str:
    told = teller(request)
    points = [
        Point(
            name=row["name"],
            value=row["answer_ms_p95"],
            told="–" if row["answer_ms_p95"] is None else f"{told.figure(row['answer_ms_p95'])} ms",
            detail="" if row["answer_ms_p50"] is None else say(request, N_("half within %(ms)s ms"), ms=told.figure(row["answer_ms_p50"])),
        )
        for row in rows
    ]
    return bars(points, paper, series=0)


def draw_tries(request: Request, rows: list[Row], paper: Paper) -> str:
    told = teller(request)
    points = [Point(name=row["name"], value=row["delivered"], told=told.figure(row["delivered"])) for row in rows if row["key"] != "0"]
    return bars(points, paper, series=0)


def alt_blocks(request: Request, rows: list[Row]) -> str:
    told = teller(request)
    sums = {name: told.figure(sum(row[name] for row in rows)) for name in ("added", "lifted")}
    return say(request, N_("%(added)s blocks were added and %(lifted)s lifted."), **sums)


def alt_links(request: Request, rows: list[Row]) -> str:
    slowest = max((row for row in rows if row["answer_ms_p95"] is not None), key=lambda row: int(row["answer_ms_p95"]), default=None)
    if slowest is None:
        return say(request, N_("No connection has answered yet."))
    sentence = N_("95 of 100 parts were answered within %(ms)s ms, on the slowest connection: %(name)s.")
    return say(request, sentence, ms=teller(request).figure(slowest["answer_ms_p95"]), name=slowest["name"])


def alt_tries(request: Request, rows: list[Row]) -> str:
    told = teller(request)
    whole = sum(row["delivered"] for row in rows)
    first = sum(row["delivered"] for row in rows if row["key"] == "1")
    waiting = sum(row["waiting"] for row in rows)
    sentence = N_("%(whole)s webhooks arrived, %(first)s of them at the first try; %(waiting)s wait.")
    return say(request, sentence, whole=told.figure(whole), first=told.figure(first), waiting=told.figure(waiting))
