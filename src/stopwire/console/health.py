"""Settings, Health: how the gateway is now and has been since it started: its disk, its queues, its log, its clock.

The past is kept in memory, a beat a minute for a day; charts and their table are drawn of the same rows.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from stopwire.console.listing import Column, listing, table
from stopwire.console.plots import CSP, Point, columns, paper_of
from stopwire.console.render import HEADERS, N_, Teller, page, say, teller
from stopwire.console.session import house_of, shows
from stopwire.console.settings import TABS
from stopwire.console.short_lists import piece
from stopwire.flows import health
from stopwire.ports.store import Cut
from stopwire.ports.world import Beat

PATH = "/console/settings/health"
STEPS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15))  # what one column of a chart stands for
COLUMNS_MAX = 96
MIB, GIB = 1 << 20, 1 << 30
DRIFT_SECONDS = 2.0  # a clock that was set by more is told of


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """One curve. `of` a beat its value; of several beats in a column the `pick` counts. `alt`: now, most, when."""

    name: str
    title: str
    of: Callable[[Beat], float]
    pick: Callable[[Sequence[float]], float]
    alt: str


PLOTS = {
    plot.name: plot
    for plot in (
        Plot(
            name="database", title=N_("Database and its log, MiB"), of=lambda beat: (beat.database_bytes + beat.log_bytes) / MIB,
            pick=max, alt=N_("%(now)s MiB now; at %(time)s it was the most, %(most)s MiB."),
        ),
        Plot(
            name="free", title=N_("Free on the disk, GiB"), of=lambda beat: beat.free_bytes / GIB,
            pick=min, alt=N_("%(now)s GiB are free now; at %(time)s it was the least, %(most)s GiB."),
        ),
        Plot(
            name="texts", title=N_("Texts that wait for a carrier"), of=lambda beat: beat.texts_waiting,
            pick=max, alt=N_("%(now)s texts wait now; at %(time)s it was the most, %(most)s."),
        ),
        Plot(
            name="webhooks", title=N_("Webhooks that wait for an application"), of=lambda beat: beat.webhooks_waiting,
            pick=max, alt=N_("%(now)s webhooks wait now; at %(time)s it was the most, %(most)s."),
        ),
    )
}  # fmt: skip

BEATS: tuple[Column[Beat], ...] = (
    Column(name="at", value=lambda beat: beat.at, title=N_("Time")),
    Column(name="database_mib", value=lambda beat: round(beat.database_bytes / MIB, 1), title=N_("Database, MiB"), figure=True),
    Column(name="log_mib", value=lambda beat: round(beat.log_bytes / MIB, 1), title=N_("Log, MiB"), figure=True),
    Column(name="free_gib", value=lambda beat: round(beat.free_bytes / GIB, 2), title=N_("Free, GiB"), figure=True),
    Column(name="texts_waiting", value=lambda beat: beat.texts_waiting, title=N_("Texts wait"), figure=True),
    Column(name="webhooks_waiting", value=lambda beat: beat.webhooks_waiting, title=N_("Webhooks wait"), figure=True),
    Column(name="writes_waiting", value=lambda beat: beat.writes_waiting, title=N_("Writes wait"), figure=True, priority=2),
)


async def show(request: Request) -> Response:
    house = house_of(request)
    heard = await house(health.heard)
    return page(
        request,
        "settings_health.html",
        tabs=TABS,
        tab="health",
        state=await house(health.ready),
        heard=heard,
        last=heard.beats[-1] if heard.beats else None,
        drift=round(heard.drift_seconds) if abs(heard.drift_seconds) >= DRIFT_SECONDS else 0,
        plots=[(plot, _alt(request, plot, heard.beats)) for plot in PLOTS.values()] if heard.beats else [],
    )


def _alt(request: Request, plot: Plot, beats: Sequence[Beat]) -> str:
    told = teller(request)
    extreme = next(beat for beat in beats if plot.of(beat) == plot.pick([plot.of(each) for each in beats]))
    if plot.pick is max and not plot.of(extreme):
        return say(request, N_("Nothing has waited since it started."))
    values = {"now": _figure(told, plot.of(beats[-1])), "most": _figure(told, plot.of(extreme)), "time": told.clock(extreme.at)}
    return say(request, plot.alt, **values)


def _figure(told: Teller, value: float) -> str:
    return told.figure(round(value, 1) if value < 100 else round(value))


def _points(told: Teller, plot: Plot, beats: Sequence[Beat]) -> list[Point]:
    """The beats put together, so that a day fits."""
    span = beats[-1].at - beats[0].at
    step = next((each for each in STEPS if span <= each * COLUMNS_MAX), STEPS[-1])
    gathered: dict[int, list[Beat]] = {}
    for beat in beats:
        gathered.setdefault((beat.at - beats[0].at) // step, []).append(beat)
    points = []
    for each in gathered.values():
        value = plot.pick([plot.of(beat) for beat in each])
        points.append(Point(name=each[0].at.astimezone(told.zone).strftime("%H:%M"), value=value, told=_figure(told, value)))
    return points


async def draw(request: Request) -> Response:
    plot = PLOTS.get(request.path_params["plot"])
    beats = (await house_of(request)(health.heard)).beats
    if plot is None or not beats:
        raise HTTPException(404)
    svg = columns(_points(teller(request), plot, beats), paper_of(request.query_params), series=0)
    return Response(svg, media_type="image/svg+xml", headers={**HEADERS, "Content-Security-Policy": CSP})


async def beats(request: Request) -> Response:
    found = (await house_of(request)(health.heard)).beats[::-1]

    async def ask(cut: Cut) -> list[Beat]:
        return piece(found, cut, lambda beat: beat.at.isoformat())

    return await listing(
        request, "settings_health_beats.html", columns=BEATS, ask=ask, id_of=lambda beat: beat.at.isoformat(), tabs=TABS, tab="health"
    )


routes = [
    shows(PATH, show),
    *table(PATH + "/beats", beats),
    shows(PATH + "/{plot}.svg", draw),
]
