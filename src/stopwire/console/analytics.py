"""Analytics: opt-outs per 1,000 delivered over time and by what they hang on, what went before them, what became of sends.

Every plot is a list of rows first: its table, its twins, and the chart drawn of the same rows.
"""

import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from babel.dates import format_date
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from stopwire.console import rhythms, words
from stopwire.console.listing import Column, listing, table
from stopwire.console.plots import CSP, Paper, Point, bars, columns, paper_of
from stopwire.console.render import HEADERS, N_, page, say, teller
from stopwire.console.session import house_of, shows, visitor_of
from stopwire.console.short_lists import piece
from stopwire.core.errors import CATALOGUE
from stopwire.core.senders import Directory
from stopwire.ports.store import Cut, Services, Stats

DAYS = (7, 28, 90, 365)
DAYS_FIRST = 28
BARS_MAX = 12
EXITS_MAX = 5  # of the ways out of the funnel, in the chart
SURE_FROM = 20  # delivered messages; a rate of fewer is drawn pale
TEXTS_MAX = 200
CONFIDENCE = 1.96  # standard deviations that hold 95 of 100
MINUTE = 60_000
WAITS = (  # buckets of the time before an opt-out: where each ends, and what it is called
    (MINUTE, N_("under 1 minute")),
    (5 * MINUTE, N_("1 to 5 minutes")),
    (30 * MINUTE, N_("5 to 30 minutes")),
    (120 * MINUTE, N_("30 minutes to 2 hours")),
    (720 * MINUTE, N_("2 to 12 hours")),
    (1440 * MINUTE, N_("12 to 24 hours")),
    (4320 * MINUTE, N_("1 to 3 days")),
    (10_080 * MINUTE, N_("3 to 7 days")),
)
LATER = N_("over 7 days")
AT_CARRIER = ("sent", "delivered", "read", "undelivered")

Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """What is looked at: so many UTC days until now, of one messaging service or of all."""

    days: int
    since: datetime
    service: str | None
    directory: Directory


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """One plot. `rows` are its table; `draw` makes the chart of them, `alt` its sentence. None: it is a table alone."""

    name: str
    title: str
    says: str
    columns: Sequence[Column[Row]]
    rows: Callable[[Request, Span], Awaitable[list[Row]]]
    draw: Callable[[Request, list[Row], Paper], str] | None
    alt: Callable[[Request, list[Row]], str]


async def span_of(request: Request) -> Span:
    visitor, query = visitor_of(request), request.query_params
    days = next((each for each in DAYS if query.get("days") == str(each)), DAYS_FIRST)
    directory = await house_of(request).read(visitor.account, Services.directory)
    today = visitor.now.replace(hour=0, minute=0, second=0, microsecond=0)
    service = query.get("service") or None
    return Span(
        days=days,
        since=today - timedelta(days=days - 1),
        service=service if service in directory.services else None,
        directory=directory,
    )


# ── rows ─────────────────────────────────────────────────────────────────────────────────────────────────


async def _rates(request: Request, by: str, since: datetime, service: str | None) -> list[Row]:
    found = await house_of(request).read(visitor_of(request).account, Stats.rates, by, since, service)
    return [{**row, "per_1000": _rate(row["stops"], row.get("delivered"))} for row in found]


def _rate(stops: int, delivered: int | None) -> float | None:
    return round(1000 * stops / delivered, 2) if delivered else None


async def by_day(request: Request, span: Span) -> list[Row]:
    found = {row["key"]: row for row in await _rates(request, "day", span.since, span.service)}
    days = [(span.since + timedelta(days=place)).date() for place in range(span.days)]
    locale = words.locale_of(teller(request).prefs.language)
    return [
        {"key": day.isoformat(), "name": str(format_date(day, "d MMM", locale=locale)), **_figures(found.get(day.isoformat()))}
        for day in days
    ]


async def by_hour(request: Request, span: Span) -> list[Row]:
    counted = await rhythms.by_hour(request, span.since, span.service)
    found = {hour: {**row, "per_1000": _rate(row["stops"], row["delivered"])} for hour, row in counted.items()}
    return [{"key": f"{hour:02}", "name": f"{hour:02}:00", **_figures(found.get(hour))} for hour in range(24)]


async def by_week(request: Request, span: Span) -> list[Row]:
    return await rhythms.by_week(request, span.since, span.service)


async def by_blocks(request: Request, span: Span) -> list[Row]:
    return await rhythms.blocks(request, span.since, span.service, span.days)


async def by_link(request: Request, span: Span) -> list[Row]:
    return await rhythms.links(request)


async def by_try(request: Request, span: Span) -> list[Row]:
    return await rhythms.tries(request)


def _figures(row: Row | None) -> Row:
    """Those of a day or an hour, in which there may be nothing."""
    return {"stops": 0, "delivered": 0, "per_1000": None} if row is None else {k: row[k] for k in ("stops", "delivered", "per_1000")}


def _by(by: str, nameless: str) -> Callable[[Request, Span], Awaitable[list[Row]]]:
    async def rows(request: Request, span: Span) -> list[Row]:
        found = await _rates(request, by, span.since, span.service)
        total = sum(row["stops"] for row in found)
        named = [
            {
                **row,
                "key": row["key"] or "-",
                "name": _named(by, row["key"], span.directory) or say(request, nameless),
                "share": round(100 * row["stops"] / total, 1) if total else None,
            }
            for row in found
        ]
        return sorted(named, key=lambda row: (-row["stops"], -(row.get("delivered") or 0), row["name"]))

    return rows


def _named(by: str, key: str | None, directory: Directory) -> str:
    if by == "service" and key and (service := directory.services.get(key)):
        return service.friendly_name
    return key or ""


async def by_wait(request: Request, span: Span) -> list[Row]:
    bounds = [bound for bound, _ in WAITS]
    counted = await house_of(request).read(visitor_of(request).account, Stats.waits, span.since, bounds, span.service)
    total = sum(counted)
    names = [*(told for _, told in WAITS), LATER]
    return [
        {"key": str(place), "name": say(request, told), "stops": count, "share": round(100 * count / total, 1) if total else None}
        for place, (told, count) in enumerate(zip(names, counted, strict=True))
    ]


async def by_text(request: Request, span: Span) -> list[Row]:
    found = await house_of(request).read(visitor_of(request).account, Stats.provoking, span.since, TEXTS_MAX, span.service)
    rows = []
    for row in found:
        low, high = interval(row["stops"], row["sent"])
        rows.append({"key": row["message"], "name": row["body"], "stops": row["stops"], "sent": row["sent"],
                     "per_1000": _rate(row["stops"], row["sent"]), "from": low, "to": high})  # fmt: skip
    return rows


def interval(some: int, of: int) -> tuple[float, float]:
    """What the share per 1,000 lies between, with 95 % certainty. Wilson's score interval, which holds for small counts too."""
    share, z = some / of, CONFIDENCE
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    half = z / (1 + z * z / of) * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    return round(1000 * max(0.0, middle - half), 1), round(1000 * min(1.0, middle + half), 1)


async def funnel(request: Request, span: Span) -> list[Row]:
    found = await house_of(request).read(visitor_of(request).account, Stats.outcomes, span.since, span.service)
    statuses, refused = found["statuses"], sum(found["refusals"].values())
    accepted = sum(statuses.values())
    steps = (
        ("asked", N_("asked"), accepted + refused),
        ("accepted", N_("accepted"), accepted),
        ("at_carrier", N_("at a carrier"), sum(statuses.get(each, 0) for each in AT_CARRIER)),
        ("delivered", N_("delivered"), statuses.get("delivered", 0) + statuses.get("read", 0)),
    )
    rows: list[Row] = [{"key": key, "name": say(request, told), "count": count, "exit": False} for key, told, count in steps]
    for kind, word in (("refusals", N_("refused: %(title)s")), ("codes", N_("failed: %(title)s"))):
        for code, count in sorted(found[kind].items(), key=lambda each: -each[1]):
            entry = CATALOGUE.get(int(code))
            told = say(request, word, title=entry.title if entry else code)
            rows.append({"key": f"{kind}-{code}", "name": told, "count": count, "code": int(code), "exit": True})
    for status in ("scheduled", "queued", "canceled"):
        if statuses.get(status):
            rows.append({"key": status, "name": say(request, status), "count": statuses[status], "exit": True})
    asked = rows[0]["count"]
    return [{**row, "share": round(100 * row["count"] / asked, 1) if asked else None} for row in rows]


# ── charts ───────────────────────────────────────────────────────────────────────────────────────────────


def _draw_rates(request: Request, rows: list[Row], paper: Paper) -> str:
    rates = [row["per_1000"] for row in rows if row["per_1000"] is not None and not _faint(row)]
    middle = median(rates) if len(rates) > 2 else None
    line = (middle, say(request, N_("median %(rate)s"), rate=teller(request).figure(round(middle, 1)))) if middle else None
    points = [Point(name=row["name"], value=row["per_1000"], told=_per(request, row), faint=_faint(row)) for row in rows]
    return columns(points, paper, line=line)


def _draw_bars(request: Request, rows: list[Row], paper: Paper) -> str:
    told = teller(request)
    by_rate = any(row.get("delivered") for row in rows)
    points = [
        Point(
            name=row["name"],
            value=row["per_1000"] if by_rate else row["stops"],
            told=_per(request, row) if by_rate else told.figure(row["stops"]),
            detail="" if by_rate or not row["share"] else f"{told.figure(row['share'])} %",
            faint=by_rate and _faint(row),
        )
        for row in rows[:BARS_MAX]
    ]
    return bars(points, paper)


def _draw_funnel(request: Request, rows: list[Row], paper: Paper) -> str:
    told = teller(request)
    shown = rows[: 4 + EXITS_MAX]
    share = {row["key"]: f"{told.figure(row['share'])} %" if row["share"] else "" for row in shown}
    points = [
        Point(name=row["name"], value=row["count"], told=told.figure(row["count"]), detail=share[row["key"]], series=1 if row["exit"] else None)
        for row in shown
    ]
    return bars(points, paper, series=0)


def _faint(row: Row) -> bool:
    return (row.get("delivered") or 0) < SURE_FROM


def _per(request: Request, row: Row) -> str:
    told = teller(request)
    if row["per_1000"] is None:
        return say(request, N_("%(stops)s, none delivered"), stops=told.figure(row["stops"]))
    values = {"rate": told.figure(row["per_1000"]), "stops": told.figure(row["stops"]), "delivered": told.figure(row["delivered"])}
    return say(request, N_("%(rate)s (%(stops)s of %(delivered)s)"), **values)


def _alt_rates(request: Request, rows: list[Row]) -> str:
    told, totals = teller(request), _totals(rows)
    rate = "–" if totals["per_1000"] is None else told.figure(totals["per_1000"])
    sentence = N_("%(rate)s opt-outs per 1,000 delivered: %(stops)s opt-outs, %(delivered)s delivered.")
    return say(request, sentence, rate=rate, stops=told.figure(totals["stops"]), delivered=told.figure(totals["delivered"]))


def _totals(rows: Sequence[Row]) -> Row:
    stops, delivered = sum(row["stops"] for row in rows), sum(row.get("delivered") or 0 for row in rows)
    return {"stops": stops, "delivered": delivered, "per_1000": _rate(stops, delivered)}


def _alt_most(request: Request, rows: list[Row]) -> str:
    first = max(rows, key=lambda row: int(row["stops"]), default=None)
    if first is None or not first["stops"]:
        return say(request, N_("No opt-out yet."))
    return say(request, N_("Most opt-outs: %(name)s, %(stops)s."), name=first["name"][:60], stops=teller(request).figure(first["stops"]))


def _alt_funnel(request: Request, rows: list[Row]) -> str:
    told = teller(request)
    counts = {row["key"]: told.figure(row["count"]) for row in rows[:4]}
    return say(request, N_("%(asked)s asked, %(accepted)s accepted, %(at_carrier)s at a carrier, %(delivered)s delivered."), **counts)


# ── the plots ────────────────────────────────────────────────────────────────────────────────────────────

_STOPS: Column[Row] = Column(name="opt_outs", title=N_("Opt-outs"), value=lambda row: row["stops"], figure=True)
_DELIVERED: Column[Row] = Column(name="delivered", title=N_("Delivered"), value=lambda row: row.get("delivered"), figure=True)
_PER: Column[Row] = Column(name="per_1000", title=N_("Per 1,000 delivered"), value=lambda row: row["per_1000"], figure=True)
_SHARE: Column[Row] = Column(name="share_percent", title=N_("Of 100"), value=lambda row: row["share"], figure=True)


def _figure(name: str, title: str, *, priority: int = 1) -> Column[Row]:
    return Column(name=name, title=title, value=lambda row: row[name], figure=True, priority=priority)


def _key(name: str) -> Column[Row]:
    return Column(name=name, value=lambda row: row["key"])


def _name(title: str) -> Column[Row]:
    return Column(name="name", title=title, value=lambda row: row["name"])


_PLOTS = (
    Plot(
        name="rate", title=N_("Opt-outs per 1,000 delivered"),
        says=N_("By UTC day; above 20 carriers look closer. Pale: fewer than 20 were delivered."),
        columns=(_key("day"), _name(N_("Day")), _STOPS, _DELIVERED, _PER), rows=by_day, draw=_draw_rates, alt=_alt_rates,
    ),
    Plot(
        name="funnel", title=N_("From asked to delivered"), says=N_("What became of sends; what left the way is in the table."),
        columns=(
            _key("step"), _name(N_("Step")), Column(name="count", title=N_("Messages"), value=lambda row: row["count"], figure=True),
            Column(name="share_percent", title=N_("Of 100 asked"), value=lambda row: row["share"], figure=True),
        ),
        rows=funnel, draw=_draw_funnel, alt=_alt_funnel,
    ),
    Plot(
        name="wait", title=N_("From the last text to the STOP"), says=N_("How long after our last text to them people opted out."),
        columns=(_key("bucket"), _name(N_("After")), _STOPS, _SHARE), rows=by_wait, draw=_draw_bars, alt=_alt_most,
    ),
    Plot(
        name="hour", title=N_("By hour of the day"),
        says=N_("Opt-outs per 1,000 delivered, by the hour of your day. Pale: fewer than 20 were delivered."),
        columns=(_key("hour"), _name(N_("Hour")), _STOPS, _DELIVERED, _PER), rows=by_hour, draw=_draw_rates, alt=_alt_most,
    ),
    Plot(
        name="word", title=N_("By keyword"), says=N_("The words that people stopped with."),
        columns=(_key("word"), _name(N_("Word")), _STOPS, _SHARE), rows=_by("word", N_("in their own words")), draw=_draw_bars, alt=_alt_most,
    ),
    Plot(
        name="language", title=N_("By language"), says=N_("The language of the word that was read."),
        columns=(_key("language"), _name(N_("Language")), _STOPS, _SHARE), rows=_by("language", N_("not known")), draw=_draw_bars, alt=_alt_most,
    ),
    Plot(
        name="country", title=N_("By country"), says=N_("Opt-outs per 1,000 delivered, by the country of the person's number."),
        columns=(_key("country"), _name(N_("Country")), _STOPS, _DELIVERED, _PER),
        rows=_by("country", N_("not known")), draw=_draw_bars, alt=_alt_most,
    ),
    Plot(
        name="service", title=N_("By messaging service"), says=N_("Opt-outs per 1,000 delivered, by the service that was stopped."),
        columns=(_key("service"), _name(N_("Messaging service")), _STOPS, _DELIVERED, _PER),
        rows=_by("service", N_("in no service")), draw=_draw_bars, alt=_alt_most,
    ),
    Plot(
        name="week", title=N_("By hour of the week"),
        says=N_("Where the person is, by their number. Darker: more opt-outs per 1,000 delivered, where at least 20 were delivered."),
        columns=(_key("hour"), _name(N_("Hour")), _STOPS, _DELIVERED, _PER), rows=by_week, draw=None, alt=_alt_most,
    ),
    Plot(
        name="blocks", title=N_("Block list, day by day"), says=N_("Blocks added each UTC day, by whomever; what was lifted is in the table."),
        columns=(
            _key("day"), _name(N_("Day")), _figure("added", N_("Added")), _figure("lifted", N_("Lifted")), _figure("net", N_("More or fewer")),
        ),
        rows=by_blocks, draw=rhythms.draw_blocks, alt=rhythms.alt_blocks,
    ),
    Plot(
        name="connections", title=N_("How quickly connections answer"),
        says=N_("Milliseconds within which 95 of 100 parts were answered; of the newest 2,000 messages, whatever the days."),
        columns=(
            _key("connection"), _name(N_("Connection")), _figure("attempts", N_("Parts")),
            _figure("answer_ms_p50", N_("Answer, half")), _figure("answer_ms_p95", N_("Answer, 95 of 100")),
            _figure("answer_ms_p99", N_("Answer, 99 of 100"), priority=2),
            _figure("reported_percent", N_("Reported, of 100")),
            _figure("report_ms_p50", N_("Report, half"), priority=2),
            _figure("report_ms_p95", N_("Report, 95 of 100"), priority=3),
            _figure("report_ms_p99", N_("Report, 99 of 100"), priority=3),
            _figure("busiest_second", N_("In the busiest second")), _figure("limit", N_("Limit a second"), priority=2),
        ),
        rows=by_link, draw=rhythms.draw_links, alt=rhythms.alt_links,
    ),
    Plot(
        name="tries", title=N_("Webhooks by try"), says=N_("How many arrived at which try; of the newest 2,000 webhooks, whatever the days."),
        columns=(
            _key("tries"), _name(N_("Try")), _figure("delivered", N_("Arrived")), _figure("failed", N_("Given up")),
            _figure("waiting", N_("Waiting")), _figure("waited_minutes", N_("Oldest waits, minutes"), priority=2),
        ),
        rows=by_try, draw=rhythms.draw_tries, alt=rhythms.alt_tries,
    ),
    Plot(
        name="texts", title=N_("Texts that people stopped after"),
        says=N_("The last text before each opt-out. The range holds the true rate 95 times of 100: a wide one says little."),
        columns=(
            _key("message_sid"), _name(N_("Text")), _STOPS, Column(name="sent", title=N_("Sent"), value=lambda row: row["sent"], figure=True),
            Column(name="per_1000", title=N_("Per 1,000 sent"), value=lambda row: row["per_1000"], figure=True),
            Column(name="from", title=N_("At least"), value=lambda row: row["from"], figure=True, priority=3),
            Column(name="to", title=N_("At most"), value=lambda row: row["to"], figure=True, priority=3),
        ),
        rows=by_text, draw=None, alt=_alt_most,
    ),
)  # fmt: skip
PLOTS: Mapping[str, Plot] = {plot.name: plot for plot in _PLOTS}


# ── pages ────────────────────────────────────────────────────────────────────────────────────────────────


async def index(request: Request) -> Response:
    span = await span_of(request)
    rows = {plot.name: await plot.rows(request, span) for plot in PLOTS.values()}
    before = await _rates(request, "day", span.since - timedelta(days=span.days), span.service)
    return page(
        request,
        "analytics.html",
        plots=PLOTS,
        rows=rows,
        alts={name: plot.alt(request, rows[name]) for name, plot in PLOTS.items()},
        empty={name for name in PLOTS if not any(row.get(each) for row in rows[name] for each in ("stops", "delivered", "count"))},
        totals=_totals(rows["rate"]),
        before=_totals([row for row in before if row["key"] < span.since.date().isoformat()]),
        span=span,
        periods=DAYS,
        texts=rows["texts"][:5],
        week=[(rhythms.day_name(request, day), rows["week"][24 * day : 24 * day + 24]) for day in range(7)],
    )


def _plot(request: Request) -> Plot:
    plot = PLOTS.get(request.path_params["plot"])
    if plot is None:
        raise HTTPException(404)
    return plot


async def show(request: Request) -> Response:
    plot, span = _plot(request), await span_of(request)
    rows = await plot.rows(request, span)

    async def ask(cut: Cut) -> list[Row]:
        return piece(rows, cut, lambda row: str(row["key"]))

    return await listing(
        request,
        "analytics_plot.html",
        columns=plot.columns,
        ask=ask,
        id_of=lambda row: str(row["key"]),
        size=400,
        plot=plot,
        alt=plot.alt(request, rows),
        span=span,
        periods=DAYS,
    )


async def draw(request: Request) -> Response:
    plot, span = _plot(request), await span_of(request)
    if plot.draw is None:
        raise HTTPException(404)
    svg = plot.draw(request, await plot.rows(request, span), paper_of(request.query_params))
    return Response(svg, media_type="image/svg+xml", headers={**HEADERS, "Content-Security-Policy": CSP})


routes = [
    shows("/console/analytics", index),
    shows("/console/analytics/{plot}.svg", draw),
    *table("/console/analytics/{plot}", show),
]
