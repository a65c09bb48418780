"""Carriers: the connections, how each is, its log; add one of any kind, try, change, pause, resume and remove it.

A secret goes in by its form and comes out nowhere: a page tells only that it is set.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from stopwire.console.listing import Column, listing, table
from stopwire.console.pace import pace_of
from stopwire.console.render import N_, done, page, say
from stopwire.console.session import acts, asks, form_of, house_of, shows, visitor_of
from stopwire.console.short_lists import piece
from stopwire.console.snippets import curl_of
from stopwire.core.connections import SIMULATOR, LinkState, OptOutBy
from stopwire.core.policy import Problem
from stopwire.core.roles import Role
from stopwire.flows import connect
from stopwire.flows.connect import Changed, Seen, Wanted
from stopwire.ports.carrier import CarrierType, Field
from stopwire.ports.store import Cut, Pushes, Services

REFUSED_SHOWN = 20
# Figures of a connection, in the order they are told, with what they count.
FIGURES = {
    "per_second": N_("messages a second"),
    "sent": N_("handed over"),
    "failed": N_("rejected"),
    "unknown": N_("without an answer"),
    "waiting": N_("wait for an answer"),
    "under_way": N_("under way"),
    "queued": N_("queued here"),
    "received": N_("texts received"),
    "reports": N_("delivery reports"),
    "throttled": N_("asked to slow down"),
    "binds": N_("binds up"),
    "window": N_("window"),
    "rate": N_("most a second"),
}

COLUMNS: tuple[Column[Seen], ...] = (
    Column(name="sid", value=lambda s: s.connection.sid),
    Column(name="name", title=N_("Name"), value=lambda s: s.connection.name),
    Column(name="state", title=N_("State"), value=lambda s: s.state.status.value),
    Column(name="says", title=N_("What it says"), value=lambda s: s.state.says, priority=2),
    Column(name="type", title=N_("Kind"), value=lambda s: s.connection.type, priority=3),
    Column(name="senders", title=N_("Senders"), value=lambda s: len(s.senders), figure=True, priority=2),
    Column(name="per_second", title=N_("A second"), value=lambda s: s.state.figures.get("per_second"), figure=True, priority=3),
    Column(name="sent", title=N_("Handed over"), value=lambda s: s.state.figures.get("sent"), figure=True, priority=3),
    Column(name="failed", title=N_("Rejected"), value=lambda s: s.state.figures.get("failed"), figure=True, priority=3),
    Column(name="opt_out_by", value=lambda s: s.connection.opt_out_by.value),
)


async def index(request: Request) -> Response:
    seen = await house_of(request)(connect.connections, account=visitor_of(request).account)

    async def ask(cut: Cut) -> list[Seen]:
        return piece(seen, cut, lambda each: each.connection.sid)

    return await listing(request, "carriers.html", columns=COLUMNS, ask=ask, id_of=lambda each: each.connection.sid)


# ── a new one ────────────────────────────────────────────────────────────────────────────────────────────


async def new(request: Request) -> Response:
    return await _new(request, request.query_params.get("type", ""))


async def _new(request: Request, type_: str, status: int = 200, **values: Any) -> Response:
    kinds = await house_of(request)(connect.types)
    kind = next((each for each in kinds if each.name == type_), None)
    return page(request, "carriers_new.html", status=status, kinds=kinds, kind=kind, settings={}, secrets=(), **values)


async def add(request: Request) -> Response:
    form, house, visitor = await form_of(request), house_of(request), visitor_of(request)
    type_ = str(form.get("type", ""))
    kind = await _kind(request, type_)
    settings, problems = _settings(kind, form, (), {})
    if problems:
        return await _new(request, type_, 422, given=form, wrong=_wrong(problems))
    wanted = Wanted(
        name=_text(form, "name"),
        settings=settings,
        senders=_words(form, "senders"),
        failover=_words(form, "failover") or None,
        opt_out_by=OptOutBy(_text(form, "opt_out_by")) if _text(form, "opt_out_by") in list(OptOutBy) else None,
    )
    changed = await house(connect.add, account=visitor.account, type=type_, wanted=wanted, origin="api")
    if changed.seen is None:
        return await _new(request, type_, 422, given=form, wrong=_wrong(changed.problems))
    made = changed.seen.connection
    request.state.subject, request.state.detail = made.sid, {"name": made.name, "type": made.type}
    return done(request, f"/console/carriers/{made.sid}", say(request, N_("%(name)s is there and is being opened."), name=made.name))


# ── one connection ───────────────────────────────────────────────────────────────────────────────────────


async def show(request: Request) -> Response:
    return await _shown(request, await _found(request))


async def _found(request: Request) -> Seen:
    name = request.path_params["name"]
    seen = await house_of(request)(connect.connection, account=visitor_of(request).account, name=name)
    if seen is None:
        raise HTTPException(404)
    return seen


async def _shown(request: Request, seen: Seen, status: int = 200, tested: LinkState | None = None, **values: Any) -> Response:
    house, account, own = house_of(request), visitor_of(request).account, seen.connection
    log = await house(connect.log, account=account, name=own.sid) or []
    directory = await house.read(account, Services.directory)
    is_simulator = own.sid == SIMULATOR
    kind = None if is_simulator else await _kind(request, own.type)
    refused = [] if is_simulator else await house.read(account, Pushes.of, own.sid, REFUSED_SHOWN)
    return page(
        request,
        "carrier.html",
        status=status,
        seen=seen,
        own=own,
        kind=kind,
        settings=dict(own.settings),
        secrets=seen.secrets,
        log=log[::-1],
        refused=refused,
        tested=tested,
        figures=[(told, seen.state.figures[name]) for name, told in FIGURES.items() if name in seen.state.figures],
        speaking=[directory.sender_at(address) for address in seen.senders],
        calls=_calls(request, seen, kind),
        pace=await pace_of(request, seen),
        **values,
    )


async def try_it(request: Request) -> Response:
    seen = await _found(request)
    state = await house_of(request)(connect.test, account=visitor_of(request).account, name=seen.connection.sid)
    return await _shown(request, await _found(request), tested=state)


async def pause(request: Request) -> Response:
    told = N_("%(name)s is paused. What waits keeps waiting, or leaves by another connection where its sender has one.")
    return await _set(request, Wanted(paused=True), told)


async def resume(request: Request) -> Response:
    return await _set(request, Wanted(paused=False), N_("%(name)s is being opened again."))


async def _set(request: Request, wanted: Wanted, told: str) -> Response:
    seen = await _found(request)
    changed = await _change(request, seen, wanted)
    if changed.seen is None:
        return await _shown(request, seen, 422, wrong=_wrong(changed.problems))
    return done(request, f"/console/carriers/{seen.connection.sid}", say(request, told, name=seen.connection.name))


async def change(request: Request) -> Response:
    seen, form = await _found(request), await form_of(request)
    settings, problems = _settings(await _kind(request, seen.connection.type), form, seen.secrets, seen.connection.settings)
    if problems:
        return await _shown(request, seen, 422, given=form, wrong=_wrong(problems))
    wanted = Wanted(
        name=_text(form, "name") or None,
        settings=settings,
        senders=_words(form, "senders"),
        failover=_words(form, "failover") or None,
        opt_out_by=OptOutBy(_text(form, "opt_out_by")) if _text(form, "opt_out_by") in list(OptOutBy) else None,
    )
    changed = await _change(request, seen, wanted)
    if changed.seen is None:
        return await _shown(request, seen, 422, given=form, wrong=_wrong(changed.problems))
    request.state.detail = {"name": changed.seen.connection.name}
    return done(request, f"/console/carriers/{seen.connection.sid}", say(request, N_("%(name)s is changed."), name=changed.seen.connection.name))


async def _change(request: Request, seen: Seen, wanted: Wanted) -> Changed:
    request.state.subject = seen.connection.sid
    return await house_of(request)(connect.change, account=visitor_of(request).account, name=seen.connection.sid, wanted=wanted, origin="api")


async def remove(request: Request) -> Response:
    seen, form = await _found(request), await form_of(request)
    name = seen.connection.name
    if _text(form, "typed") != name:
        sentence = say(request, N_("Type the name of the connection, as it stands above, to remove it."))
        return await _shown(request, seen, 422, given=form, wrong={"typed": sentence})
    changed = await house_of(request)(connect.remove, account=visitor_of(request).account, name=seen.connection.sid)
    if changed.seen is None:
        return await _shown(request, seen, 422, given=form, wrong={"typed": changed.problems[0].message if changed.problems else ""})
    request.state.subject, request.state.detail = seen.connection.sid, {"name": name}
    return done(request, "/console/carriers", say(request, N_("%(name)s is removed."), name=name))


# ── forms ────────────────────────────────────────────────────────────────────────────────────────────────


async def _kind(request: Request, name: str) -> CarrierType:
    kinds = await house_of(request)(connect.types)
    kind = next((each for each in kinds if each.name == name), None)
    if kind is None:
        raise HTTPException(404)
    return kind


def _text(form: FormData, name: str) -> str:
    value = form.get(name, "")
    return value.strip() if isinstance(value, str) else ""


def _words(form: FormData, name: str) -> tuple[str, ...]:
    """What stands between commas, or one a line."""
    return tuple(word.strip() for word in _text(form, name).replace(",", "\n").splitlines() if word.strip())


def _settings(
    kind: CarrierType, form: FormData, secrets: Sequence[str], current: Mapping[str, Any]
) -> tuple[dict[str, Any], list[Problem]]:
    """The settings that a form gives; None for one that it empties. A secret left empty stays as it is."""
    settings: dict[str, Any] = {}
    problems: list[Problem] = []
    for each in kind.fields:
        name, text = each.name, _text(form, f"settings.{each.name}")
        if isinstance(each.default, bool):
            given = form.get(f"settings.{name}") == "on"
            if given != each.default or name in current:
                settings[name] = given
        elif each.secret:
            if text:
                settings[name] = text
            elif each.required and name not in secrets:
                problems.append(Problem(path=f"settings.{name}", message=f"{name} is needed."))
        elif not text:
            if name in current:
                settings[name] = None
        elif isinstance(each.default, Mapping):
            try:
                settings[name] = json.loads(text)
            except ValueError:
                problems.append(Problem(path=f"settings.{name}", message=f'{name} is no JSON: write it as {{"code": "cause"}}.'))
        elif name in current or not _is_default(each, text):
            settings[name] = text
    return settings, problems


def _is_default(each: Field, text: str) -> bool:
    return each.default is not None and str(each.default) == text


def _wrong(problems: Sequence[Problem]) -> dict[str, str]:
    """Each sentence at its field; what has none, above the form."""
    wrong: dict[str, str] = {}
    for problem in problems:
        at = ".".join(problem.path.split(".")[:2]) if problem.path.startswith("settings.") else problem.path.split(".")[0]
        wrong.setdefault(at, problem.message)
    return wrong


def _calls(request: Request, seen: Seen, kind: CarrierType | None) -> dict[str, str]:
    own = seen.connection
    base = house_of(request).choices.public_url
    if kind is None:
        return {"curl": curl_of("GET", f"{base}/api/v1/carriers", own.account), "CLI": "stopwire carrier list"}
    return {
        "curl": curl_of("POST", f"{base}/api/v1/carriers/{own.name}/test", own.account),
        "CLI": f"stopwire carrier test {own.name}\nstopwire carrier pause {own.name}\nstopwire carrier log {own.name}",
    }


_ONE = "/console/carriers/{name}"
routes = [
    *table("/console/carriers", index),
    shows("/console/carriers/new", new, role=Role.ADMIN),
    acts("/console/carriers", add, role=Role.ADMIN, act="carrier.added"),
    shows(_ONE, show),
    asks(f"{_ONE}/test", try_it, role=Role.OPERATOR),
    acts(f"{_ONE}/pause", pause, role=Role.ADMIN, act="carrier.paused"),
    acts(f"{_ONE}/resume", resume, role=Role.ADMIN, act="carrier.resumed"),
    acts(_ONE, change, role=Role.ADMIN, act="carrier.changed"),
    acts(f"{_ONE}/remove", remove, role=Role.ADMIN, act="carrier.removed"),
]
