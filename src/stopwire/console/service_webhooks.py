"""Messaging Services › Webhooks: where a service's texts and statuses are told, how that goes lately, and a test of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from starlette.requests import Request
from starlette.responses import Response

from stopwire.console.render import N_, done, say, teller
from stopwire.console.services import found, refused_at, shown
from stopwire.console.session import acts, form_of, house_of, shows, visitor_of
from stopwire.console.webhook_events import KIND_NAMES
from stopwire.console.webhooks import Row, rows_of
from stopwire.core.roles import Role
from stopwire.core.senders import Directory, Service
from stopwire.flows import configure
from stopwire.flows.configure import ServiceChange
from stopwire.flows.sample import KINDS, sample
from stopwire.ports.store import Cut, Webhooks

PATH = "/console/services/{service}/webhooks"
LOOKED_AT = 300  # the newest deliveries of the account, among which those of a service are
SHOWN = 20
METHODS = ("POST", "GET")


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How the deliveries of a service go, in a sentence and as a state that chips know."""

    state: str
    sentence: str


async def show(request: Request) -> Response:
    directory, service = await found(request)
    return await _shown(request, directory, service)


async def _shown(request: Request, directory: Directory, service: Service, status: int = 200, **values: object) -> Response:
    newest = await house_of(request).read(visitor_of(request).account, Webhooks.page, Cut(limit=LOOKED_AT))
    rows = await rows_of(request, [each for each in newest if each.params.get("MessagingServiceSid") == service.sid])
    pool = directory.pool(service.sid)
    return shown(
        request,
        "services_webhooks.html",
        "/webhooks",
        service,
        status,
        pool=pool,
        called=sorted({each.webhook.url for each in pool if each.webhook.url}),
        health=_health(request, service, rows, any(each.webhook.url for each in pool)),
        rows=rows[:SHOWN],
        methods=METHODS,
        kinds=KIND_NAMES,
        retries=directory.account.settings.webhook_retries,
        **values,
    )


def _health(request: Request, service: Service, rows: Sequence[Row], senders_call: bool) -> Health:
    told = teller(request)
    calls = service.status_callback or (senders_call if service.use_inbound_webhook_on_number else service.inbound_request_url)
    if not rows:
        if not calls:
            return Health(state="none", sentence=say(request, N_("No webhook is set: STOP, START and HELP work without one.")))
        sentence = N_("Nothing was told lately: none of the newest %(number)s webhooks of this account is about this messaging service.")
        return Health(state="none", sentence=say(request, sentence, number=LOOKED_AT))
    last = rows[0]
    waiting = sum(1 for row in rows if row.delivery.state in ("pending", "sending"))
    if _fails(last):
        since = _failing_since(rows)
        sentence = N_("The last one was answered “%(says)s”; none has arrived since %(time)s. %(waiting)s wait, and opt-outs do not depend on it.")
        return Health(state="failing", sentence=say(request, sentence, says=last.says, time=told.clock(since), waiting=waiting))
    arrived = [row for row in rows if row.delivery.state == "delivered"]
    if not arrived:
        return Health(state="pending", sentence=say(request, N_("%(waiting)s wait for their first try."), waiting=waiting))
    values = {"number": len(rows), "arrived": len(arrived), "ms": told.figure(round(median(row.last.ms for row in arrived if row.last)))}
    sentence = N_("Of the newest %(number)s about it %(arrived)s have arrived, half of them within %(ms)s ms.")
    return Health(state="ok", sentence=say(request, sentence, **values))


def _fails(row: Row) -> bool:
    return row.delivery.state in ("failed", "expired") or (row.delivery.state == "pending" and row.delivery.rounds > 0)


def _failing_since(rows: Sequence[Row]) -> datetime:
    """When the oldest was made of those that fail without one between that arrived."""
    since = rows[0].delivery.created_at
    for row in rows:
        if row.delivery.state == "delivered":
            break
        since = row.delivery.created_at
    return since


async def change(request: Request) -> Response:
    directory, service = await found(request)
    form = await form_of(request)

    def text(name: str) -> str:
        return str(form.get(name, "")).strip()

    inbound = text("inbound")
    wanted = ServiceChange(
        inbound_request_url="" if inbound == "drop" else text("inbound_request_url"),
        inbound_method=text("inbound_method") or None,
        fallback_url=text("fallback_url"),
        fallback_method=text("fallback_method") or None,
        status_callback=text("status_callback"),
        use_inbound_webhook_on_number=inbound == "number",
    )
    if inbound == "service" and not wanted.inbound_request_url:
        sentence = say(request, N_("Texts that came in go here: write an address, or let them go nowhere."))
        return await _shown(request, directory, service, 422, given=form, wrong={"inbound_request_url": sentence})
    changed = await house_of(request)(configure.update_service, account=visitor_of(request).account, service=service.sid, change=wanted)
    if changed.service is None:
        return await _shown(request, directory, service, 422, given=form, wrong=refused_at(request, changed.refused, wanted))
    request.state.detail = {"inbound": inbound, "url": wanted.inbound_request_url, "status_callback": wanted.status_callback}
    told = say(request, N_("%(name)s is changed."), name=changed.service.friendly_name)
    return done(request, f"/console/services/{service.sid}/webhooks", told)


async def try_it(request: Request) -> Response:
    """Call the application with an invented event about the first sender, and show the delivery."""
    directory, service = await found(request)
    form = await form_of(request)
    pool, kind = directory.pool(service.sid), str(form.get("kind", ""))
    if not pool:
        return await _shown(request, directory, service, 422, given=form, wrong={"kind": say(request, N_("It has no sender yet: add one first."))})
    kind = kind if kind in KINDS else "text"
    made = await house_of(request)(sample, account=visitor_of(request).account, sender=pool[0].sid, kind=kind)
    if made.delivery is None:
        return await _shown(request, directory, service, 422, given=form, wrong={"kind": made.problem or say(request, N_("Choose a sender."))})
    request.state.subject, request.state.detail = made.delivery.id, {"kind": kind}
    told = say(request, N_("A test is on its way: what it answers is not carried out."))
    return done(request, f"/console/webhooks/deliveries/{made.delivery.id}", told)


routes = [
    shows(PATH, show),
    acts(PATH, change, role=Role.ADMIN, act="service.changed"),
    acts(PATH + "/test", try_it, role=Role.ADMIN, act="webhook.tested"),
]
