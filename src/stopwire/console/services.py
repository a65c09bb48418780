"""Messaging services: the list, a new one, their senders, name and purpose. The other tabs of a service are rooms beside this one."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from stopwire.console.listing import Column, listing, table
from stopwire.console.render import N_, done, page, say
from stopwire.console.session import acts, form_of, house_of, shows, visitor_of
from stopwire.console.short_lists import piece
from stopwire.core.errors import Refused
from stopwire.core.roles import Role
from stopwire.core.senders import Directory, Sender, Service
from stopwire.flows import configure
from stopwire.flows.configure import ServiceChange
from stopwire.ports.store import Cut, Services

TABS = (
    ("", N_("Senders")),
    ("/opt-out", N_("Opt-Out Management")),
    ("/webhooks", N_("Webhooks")),
    ("/sending", N_("Sending")),
    ("/activity", N_("Activity")),
    ("/settings", N_("Settings")),
)
USECASES = {
    "undeclared": N_("not said"),
    "notifications": N_("notifications"),
    "marketing": N_("marketing"),
    "verification": N_("verification codes"),
    "discussion": N_("conversations"),
    "poll": N_("polls"),
}
# Which field a refusal speaks of; 21402 may mean either URL.
_FIELDS = {20001: "friendly_name", 20002: "friendly_name", 21402: "inbound_request_url", 21609: "status_callback", 21624: "validity_period"}


async def directory_of(request: Request) -> Directory:
    return await house_of(request).read(visitor_of(request).account, Services.directory)


async def found(request: Request) -> tuple[Directory, Service]:
    """The service that the address names, or 404."""
    directory = await directory_of(request)
    service = directory.services.get(request.path_params["service"])
    if service is None:
        raise HTTPException(404)
    return directory, service


def shown(request: Request, template: str, tab: str, service: Service, status: int = 200, **values: object) -> Response:
    """A tab of a service. `step`: it was just made, and is being set up step by step."""
    step = {"2": 2, "3": 3}.get(request.query_params.get("step", ""), 0)
    return page(request, template, status=status, tabs=TABS, tab=tab, service=service, step=step, **values)


# ── the list, and a new one ──────────────────────────────────────────────────────────────────────────────


async def index(request: Request) -> Response:
    directory = await directory_of(request)
    services = sorted(directory.services.values(), key=lambda each: each.created_at, reverse=True)
    pools = {service.sid: directory.pool(service.sid) for service in services}
    columns: list[Column[Service]] = [
        Column(name="sid", value=lambda s: s.sid),
        Column(name="name", title=N_("Name"), value=lambda s: s.friendly_name),
        Column(name="senders", title=N_("Senders"), value=lambda s: len(pools[s.sid]), figure=True),
        Column(name="advanced_opt_out", title=N_("Advanced Opt-Out"), value=lambda s: s.policy.enabled),
        Column(name="matching", title=N_("Matching"), value=lambda s: s.policy.matching.value, priority=2),
        Column(name="version", title=N_("Version"), value=lambda s: s.policy_version, figure=True, priority=3),
        Column(name="webhook", title=N_("Inbound texts go to"), value=lambda s: s.inbound_request_url, priority=3),
    ]

    async def ask(cut: Cut) -> list[Service]:
        return piece(services, cut, lambda each: each.sid)

    return await listing(request, "services.html", columns=columns, ask=ask, id_of=lambda each: each.sid, pools=pools)


async def new(request: Request) -> Response:
    return await _new(request)


async def _new(request: Request, status: int = 200, **values: object) -> Response:
    """The first of three steps; with `from` in the address it begins as a copy of that service."""
    directory = await directory_of(request)
    source = directory.services.get(request.query_params.get("from", ""))
    return page(request, "services_new.html", status=status, usecases=USECASES, source=source, step=1, **values)


async def create(request: Request) -> Response:
    form = await form_of(request)
    change = ServiceChange(
        friendly_name=str(form.get("friendly_name", "")).strip(),
        usecase=str(form.get("usecase", "undeclared")),
        inbound_request_url=str(form.get("inbound_request_url", "")).strip(),
    )
    visitor, like = visitor_of(request), request.query_params.get("from") or None
    changed = await house_of(request)(configure.create_service, account=visitor.account, change=change, actor=visitor.actor, like=like)
    if changed.service is None:
        return await _new(request, 422, given=form, wrong=refused_at(request, changed.refused, change))
    service = changed.service
    request.state.subject, request.state.detail = service.sid, {"name": service.friendly_name, **({"like": like} if like else {})}
    told = say(request, N_("%(name)s is there. Give it senders next."), name=service.friendly_name)
    return done(request, f"/console/services/{service.sid}?step=2", told)


def refused_at(request: Request, refused: Refused | None, change: ServiceChange) -> dict[str, str]:
    """The sentence at its field, in words for a person; the wire's own words where we have none."""
    if refused is None:
        return {"": say(request, N_("Nothing was changed."))}
    sentences = {
        20001: N_("A messaging service has a name: write one."),
        20002: N_("The name is longer than 64 characters: shorten it."),
        21609: N_("Status callbacks cannot go there: it takes an http or https address that may be called."),
        21624: N_("A text is worth between 1 and 36,000 seconds."),
    }
    at = _FIELDS.get(refused.code, "")
    if refused.code == 21402 and change.fallback_url and not change.inbound_request_url:
        at = "fallback_url"
    sentence = say(request, sentences[refused.code]) if refused.code in sentences else refused.message
    return {at: f"{sentence} [{refused.code}]"}


# ── senders ──────────────────────────────────────────────────────────────────────────────────────────────


async def show_senders(request: Request) -> Response:
    directory, service = await found(request)
    return _senders(request, directory, service)


def _senders(request: Request, directory: Directory, service: Service, status: int = 200, **values: object) -> Response:
    pool = directory.pool(service.sid)
    others = sorted((s for s in directory.senders.values() if s.service != service.sid), key=lambda s: (s.service is not None, s.created_at))
    names = {each.sid: each.friendly_name for each in directory.services.values()}
    return shown(request, "services_senders.html", "", service, status, pool=pool, others=others, names=names, **values)


async def join(request: Request) -> Response:
    directory, service = await found(request)
    form, account = await form_of(request), visitor_of(request).account
    chosen, name = [str(each) for each in form.getlist("sender")], str(form.get("name", "")).strip()
    house, joined = house_of(request), list[Sender]()
    if name:
        changed = await house(configure.add_alpha, account=account, service=service.sid, name=name)
        if changed.sender is None:
            sentence = f"{changed.refused.message} [{changed.refused.code}]" if changed.refused else ""
            return _senders(request, directory, service, 422, given=form, wrong={"name": sentence})
        joined.append(changed.sender)
    for sid in chosen:
        changed = await house(configure.join, account=account, service=service.sid, sender=sid, move=form.get("move") == "on")
        if changed.sender is not None:
            joined.append(changed.sender)
        elif changed.refused is not None:
            sentence = f"{changed.refused.message} [{changed.refused.code}]"
            if changed.refused.code == 21712:
                sentence = say(request, N_("It is in another messaging service: tick “also out of another service” to move it. [21712]"))
            return _senders(request, await directory_of(request), service, 422, given=form, wrong={"sender": sentence})
    if not joined:
        return _senders(request, directory, service, 422, given=form, wrong={"sender": say(request, N_("Choose at least one sender."))})
    request.state.detail = {"senders": " ".join(each.address for each in joined)}
    step = "?step=2" if request.query_params.get("step") == "2" else ""
    told = say(request, N_("%(senders)s joined %(service)s."), senders=", ".join(each.address for each in joined), service=service.friendly_name)
    return done(request, f"/console/services/{service.sid}{step}", told)


async def leave(request: Request) -> Response:
    _, service = await found(request)
    form = await form_of(request)
    changed = await house_of(request)(
        configure.leave, account=visitor_of(request).account, service=service.sid, sender=str(form.get("sender", ""))
    )
    if changed.sender is None:
        raise HTTPException(404)
    request.state.detail = {"sender": changed.sender.address}
    told = N_("%(sender)s left %(service)s. It keeps every block of %(service)s: who said STOP there is not reachable through it.")
    return done(
        request,
        f"/console/services/{service.sid}",
        say(request, told, sender=changed.sender.address, service=service.friendly_name),
    )


# ── settings ─────────────────────────────────────────────────────────────────────────────────────────────


async def show_settings(request: Request) -> Response:
    directory, service = await found(request)
    return _settings(request, directory, service)


def _settings(request: Request, directory: Directory, service: Service, status: int = 200, **values: object) -> Response:
    pool = directory.pool(service.sid)
    return shown(request, "services_settings.html", "/settings", service, status, usecases=USECASES, pool=pool, **values)


async def change(request: Request) -> Response:
    directory, service = await found(request)
    form = await form_of(request)
    wanted = ServiceChange(friendly_name=str(form.get("friendly_name", "")).strip(), usecase=str(form.get("usecase", "")) or None)
    changed = await house_of(request)(configure.update_service, account=visitor_of(request).account, service=service.sid, change=wanted)
    if changed.service is None:
        return _settings(request, directory, service, 422, given=form, wrong=refused_at(request, changed.refused, wanted))
    return done(
        request, f"/console/services/{service.sid}/settings", say(request, N_("%(name)s is changed."), name=changed.service.friendly_name)
    )


async def delete(request: Request) -> Response:
    directory, service = await found(request)
    form = await form_of(request)
    if str(form.get("typed", "")).strip() != service.friendly_name:
        sentence = say(request, N_("Type the name of the messaging service, as it stands above, to delete it."))
        return _settings(request, directory, service, 422, given=form, wrong={"typed": sentence})
    await house_of(request)(configure.delete_service, account=visitor_of(request).account, service=service.sid)
    request.state.detail = {"name": service.friendly_name}
    told = say(request, N_("%(name)s is deleted. Its blocks stay, and its senders keep answering to them."), name=service.friendly_name)
    return done(request, "/console/services", told)


_ONE = "/console/services/{service}"
routes = [
    *table("/console/services", index),
    shows("/console/services/new", new, role=Role.ADMIN),
    acts("/console/services", create, role=Role.ADMIN, act="service.created"),
    shows(_ONE, show_senders),
    acts(f"{_ONE}/senders", join, role=Role.ADMIN, act="service.joined"),
    acts(f"{_ONE}/senders/leave", leave, role=Role.ADMIN, act="service.left"),
    shows(f"{_ONE}/settings", show_settings),
    acts(f"{_ONE}/settings", change, role=Role.ADMIN, act="service.changed"),
    acts(f"{_ONE}/delete", delete, role=Role.ADMIN, act="service.deleted"),
]
