"""Home: the state in one sentence, what to fix, the first steps, the days' figures, and what happens now."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from stopwire.console import alerts
from stopwire.console.as_test import SAVED
from stopwire.console.messages import Line, line_of
from stopwire.console.render import N_, done, page, set_cookie
from stopwire.console.session import asks, house_of, shows, visitor_of
from stopwire.core.alerts import State
from stopwire.core.connections import SIMULATOR
from stopwire.flows import connect, health
from stopwire.flows.overview import NEWEST, Overview, overview
from stopwire.ports.store import Entry, Services

STEPS_HIDDEN = "stopwire_steps"
_UP = ("up", "connecting")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    title: str
    href: str
    done: bool


async def show(request: Request) -> Response:
    house, account = house_of(request), visitor_of(request).account
    seen = await house(overview, account=account)
    links = await house(connect.connections, account=account)
    state = await house(health.ready)
    directory = await house.read(account, Services.directory)
    names = {service.sid: service.friendly_name for service in directory.services.values()}
    down = [link for link in links if link.state.status.value not in _UP]
    # A connection that is down stands there by itself.
    wrong = [each for each in await alerts.standing(request) if each.alert.subject not in {link.connection.sid for link in down}]
    wrong = [each for each in wrong if each.alert.state is not State.MUTED]
    return page(
        request,
        "home.html",
        seen=seen,
        today=seen.days[-1],
        steps=[] if request.cookies.get(STEPS_HIDDEN) else _steps(seen, saved=SAVED in request.cookies),
        lines=_lines(seen),
        names=names,
        links_up=len(links) - len(down),
        down=down,
        alerts=wrong,
        notices=state["store"].get("notices", []),
        waiting=state["store"].get("waiting", 0),
        simulated=any(sender.connection == SIMULATOR for sender in directory.senders.values()),
        problems=len(wrong) + len(down) + len(seen.failing) + (1 if seen.to_review else 0),
        spark=_spark,
    )


def _steps(seen: Overview, *, saved: bool) -> list[Step]:
    steps = seen.steps
    return [
        Step(title=N_("Sign in"), href="/console/", done=True),
        Step(title=N_("Text STOP from a handset"), href="/console/simulator", done=steps.stopped),
        Step(title=N_("Send to that person, and be refused"), href="/console/simulator", done=steps.refused),
        Step(title=N_("Text START, and send again"), href="/console/simulator", done=steps.came_back),
        Step(title=N_("Opt out in Spanish: ALTO"), href="/console/services", done=steps.spanish),
        Step(title=N_("Save it as a test"), href="/console/simulator", done=saved),
    ]


def _lines(seen: Overview) -> list[Line]:
    """Messages and refusals together, the newest first."""
    entries = [Entry(id=each.sid, at=each.created_at, message=each) for each in seen.newest]
    entries += [Entry(id=each.id, at=each.at, refusal=each) for each in seen.refusals]
    return sorted(map(line_of, entries), key=lambda line: line.at, reverse=True)[:NEWEST]


def _spark(values: list[int]) -> str:
    """The points of a sparkline in a box of 100 × 24, its floor at zero."""
    top = max([*values, 1])
    step = 100 / max(1, len(values) - 1)
    return " ".join(f"{i * step:.1f},{22 - 20 * value / top:.1f}" for i, value in enumerate(values))


async def hide_steps(request: Request) -> Response:
    answer = done(request, "/console/")
    set_cookie(request, answer, STEPS_HIDDEN, "hidden", seconds=365 * 86_400)
    return answer


routes = [shows("/console/", show), asks("/console/steps/hide", hide_steps)]
