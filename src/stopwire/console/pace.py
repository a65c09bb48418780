"""Carriers › Pace: what a connection had answered each second of the last hour, against its limit.

Counted in memory since the gateway started; chart and table are drawn of the same rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from stopwire.console.listing import Column, listing, table
from stopwire.console.plots import CSP, Point, columns, paper_of
from stopwire.console.render import HEADERS, N_, say, teller
from stopwire.console.session import house_of, shows, visitor_of
from stopwire.console.short_lists import piece
from stopwire.flows import connect, health
from stopwire.flows.connect import Seen
from stopwire.flows.health import Paced
from stopwire.ports.store import Cut

SPAN = timedelta(hours=1)
STEP = timedelta(seconds=30)  # of a column of the chart, and a row of the table
STEPS = SPAN // STEP


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Thirty seconds: how many parts were answered in all, and in the busiest second of them."""

    at: datetime
    parts: int
    busiest: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """The last hour, the oldest first. `limit` a second, where one is set; `alt` tells it in a sentence."""

    stretches: tuple[Stretch, ...]
    limit: float | None
    since: datetime
    alt: str

    @property
    def quiet(self) -> bool:
        return not any(each.parts for each in self.stretches)


COLUMNS: tuple[Column[Stretch], ...] = (
    Column(name="at", value=lambda each: each.at, title=N_("From")),
    Column(name="parts", value=lambda each: each.parts, title=N_("Parts answered"), figure=True),
    Column(name="busiest_second", value=lambda each: each.busiest, title=N_("In the busiest second"), figure=True),
)


async def pace_of(request: Request, seen: Seen) -> Pace:
    paced: Paced = await house_of(request)(health.pace, connection=seen.connection.sid)
    now = visitor_of(request).now
    last = now - timedelta(seconds=now.second % STEP.seconds, microseconds=now.microsecond)  # where the newest begins
    first = last - STEP * (STEPS - 1)
    counted: list[list[int]] = [[] for _ in range(STEPS)]
    for at, parts in paced.seconds:
        place = (at - first) // STEP
        if 0 <= place < STEPS:
            counted[place].append(parts)
    stretches = tuple(
        Stretch(at=first + STEP * place, parts=sum(each), busiest=max(each, default=0)) for place, each in enumerate(counted)
    )
    limit = seen.connection.settings.get("throughput")
    limit = float(limit) if isinstance(limit, (int, float)) and limit else None
    return Pace(stretches=stretches, limit=limit, since=paced.since, alt=_alt(request, stretches, limit))


def _alt(request: Request, stretches: Sequence[Stretch], limit: float | None) -> str:
    told, most = teller(request), max(stretches, key=lambda each: each.busiest)
    values: dict[str, Any] = {"parts": told.figure(sum(each.parts for each in stretches)), "most": told.figure(most.busiest)}
    if not most.busiest:
        return say(request, N_("Nothing was answered in the last hour."))
    values["time"] = told.clock(most.at)
    if limit is None:
        return say(request, N_("%(parts)s parts in the last hour, %(most)s in the busiest second, near %(time)s; no limit is set."), **values)
    sentence = N_("%(parts)s parts in the last hour, %(most)s in the busiest second, near %(time)s, of %(limit)s allowed.")
    return say(request, sentence, limit=told.figure(limit), **values)


async def _found(request: Request) -> Seen:
    seen = await house_of(request)(connect.connection, account=visitor_of(request).account, name=request.path_params["name"])
    if seen is None:
        raise HTTPException(404)
    return seen


async def draw(request: Request) -> Response:
    pace, told = await pace_of(request, await _found(request)), teller(request)
    points = [
        Point(name=each.at.astimezone(told.zone).strftime("%H:%M"), value=each.busiest, told=told.figure(each.busiest)) for each in pace.stretches
    ]
    line = (pace.limit, say(request, N_("limit %(limit)s a second"), limit=told.figure(pace.limit))) if pace.limit else None
    svg = columns(points, paper_of(request.query_params), series=0, line=line)
    return Response(svg, media_type="image/svg+xml", headers={**HEADERS, "Content-Security-Policy": CSP})


async def index(request: Request) -> Response:
    seen = await _found(request)
    pace = await pace_of(request, seen)
    rows = [each for each in pace.stretches[::-1] if each.parts]

    async def ask(cut: Cut) -> list[Stretch]:
        return piece(rows, cut, lambda each: each.at.isoformat())

    return await listing(
        request, "carrier_pace.html", columns=COLUMNS, ask=ask, id_of=lambda each: each.at.isoformat(), size=STEPS, own=seen.connection, pace=pace
    )


routes = [
    shows("/console/carriers/{name}/pace.svg", draw),
    *table("/console/carriers/{name}/pace", index),
]
