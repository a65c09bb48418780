"""Messaging Services › Sending: how a sender is chosen, what may happen to a text on its way, and who spoke how often."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from stopwire.console.plots import CSP, Point, bars, paper_of
from stopwire.console.render import HEADERS, N_, done, say, teller
from stopwire.console.services import found, refused_at, shown
from stopwire.console.session import acts, form_of, house_of, shows, visitor_of
from stopwire.core.optout import opted_out_send
from stopwire.core.roles import Role
from stopwire.core.senders import Directory, Service
from stopwire.flows import configure
from stopwire.flows.configure import VALIDITY_SECONDS_MAX, ServiceChange
from stopwire.ports.store import Stats

PATH = "/console/services/{service}/sending"
BARS_MAX = 12
# Each switch, what it is called, and what it does.
SWITCHES = (
    ("sticky_sender", N_("Sticky sender"), N_("Who was written to before hears from the same sender again, as long as it serves their country.")),
    (
        "area_code_geomatch", N_("Area code match"),
        N_("In the US and Canada a sender with the person's area code goes first, if there is one."),
    ),
    ("mms_converter", N_("Media as links"), N_("Where a sender has no MMS, pictures become links in the text; off, such a send is refused.")),
    (
        "smart_encoding", N_("Smart encoding"),
        N_("Letters that make a text longer, such as ’ and –, are replaced by plain ones before it is counted and sent."),
    ),
)  # fmt: skip
# What Twilio's API stores and nothing here acts upon.
IDLE = ("fallback_to_long_code", "scan_message_content", "synchronous_validation")

Row = dict[str, Any]


async def show(request: Request) -> Response:
    directory, service = await found(request)
    return await _shown(request, directory, service)


async def _shown(request: Request, directory: Directory, service: Service, status: int = 200, **values: object) -> Response:
    rows = await _volume(request, directory, service)
    return shown(
        request,
        "services_sending.html",
        "/sending",
        service,
        status,
        switches=SWITCHES,
        idle=IDLE,
        pool=directory.pool(service.sid),
        rows=rows,
        alt=_alt(request, rows),
        opted_out_send=opted_out_send(service.policy.opted_out_send, directory.account.settings.opted_out_send),
        of_account=service.policy.opted_out_send is None,
        **values,
    )


async def _volume(request: Request, directory: Directory, service: Service) -> list[Row]:
    """The senders of the pool and those that spoke for it before, the busiest first."""
    counted = await house_of(request).read(visitor_of(request).account, Stats.senders, service.sid)
    total = sum(row["sent"] for row in counted)
    members = {each.address: each for each in directory.pool(service.sid)}
    silent = [{"key": each, "sent": 0, "delivered": 0, "failed": 0} for each in members if each not in {row["key"] for row in counted}]
    rows = [{**row, "share": round(100 * row["sent"] / total, 1) if total else None, "member": row["key"] in members} for row in [*counted, *silent]]
    return sorted(rows, key=lambda row: (-row["sent"], row["key"]))


def _alt(request: Request, rows: list[Row]) -> str:
    first = rows[0] if rows else None
    if first is None or not first["sent"]:
        return say(request, N_("Nothing was sent through it lately."))
    values = {"sender": first["key"], "share": teller(request).figure(first["share"]), "number": sum(1 for row in rows if row["sent"])}
    return say(request, N_("%(number)s senders spoke; %(sender)s most often, with %(share)s %% of the texts."), **values)


async def draw(request: Request) -> Response:
    directory, service = await found(request)
    told = teller(request)
    points = [
        Point(name=row["key"], value=row["sent"], told=told.figure(row["sent"]), detail=f"{told.figure(row['share'])} %" if row["share"] else "")
        for row in (await _volume(request, directory, service))[:BARS_MAX]
    ]
    svg = bars(points, paper_of(request.query_params), series=0, names=180)
    return Response(svg, media_type="image/svg+xml", headers={**HEADERS, "Content-Security-Policy": CSP})


async def change(request: Request) -> Response:
    directory, service = await found(request)
    form = await form_of(request)
    seconds = str(form.get("validity_period", "")).strip()
    if not (seconds.isascii() and seconds.isdigit() and len(seconds) < 8):
        sentence = say(request, N_("Seconds are a whole number between 1 and 36,000."))
        return await _shown(request, directory, service, 422, given=form, wrong={"validity_period": sentence})
    switched = {name: form.get(name) == "on" for name, *_ in SWITCHES}
    wanted = ServiceChange(
        validity_period=int(seconds),
        sticky_sender=switched["sticky_sender"],
        area_code_geomatch=switched["area_code_geomatch"],
        mms_converter=switched["mms_converter"],
        smart_encoding=switched["smart_encoding"],
    )
    changed = await house_of(request)(configure.update_service, account=visitor_of(request).account, service=service.sid, change=wanted)
    if changed.service is None:
        return await _shown(request, directory, service, 422, given=form, wrong=refused_at(request, changed.refused, wanted))
    request.state.detail = {"validity_period": int(seconds), **switched}
    told = say(request, N_("%(name)s is changed."), name=changed.service.friendly_name)
    return done(request, f"/console/services/{service.sid}/sending", told)


assert VALIDITY_SECONDS_MAX == 36_000, "two sentences name it"

routes = [
    shows(PATH, show),
    shows(PATH + ".svg", draw),
    acts(PATH, change, role=Role.ADMIN, act="service.changed"),
]
