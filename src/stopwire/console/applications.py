"""Applications: who is bound to the gateway by SMPP right now, how busy each is, and ending a bind.

It stands beside the connections: those are where we bind, these are who binds to us.
"""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from stopwire.console.listing import Column, listing, table
from stopwire.console.render import N_, done, say
from stopwire.console.session import acts, house_of, visitor_of
from stopwire.console.short_lists import piece
from stopwire.console.snippets import curl_of
from stopwire.core.bound import LiveBind, system_id
from stopwire.core.roles import Role
from stopwire.flows import bind
from stopwire.ports.store import Cut

PATH = "/console/carriers/applications"

COLUMNS: tuple[Column[LiveBind], ...] = (
    Column(name="id", value=lambda b: b.id),
    Column(name="system_id", title=N_("Name"), value=lambda b: b.system_id),
    Column(name="key", value=lambda b: b.key),
    Column(name="how", title=N_("Bound as"), value=lambda b: b.how),
    Column(name="address", title=N_("From address"), value=lambda b: b.address, priority=2),
    Column(name="since", title=N_("Since"), value=lambda b: b.since, priority=2),
    Column(name="submitted", title=N_("Submitted"), value=lambda b: b.taken, figure=True, priority=2),
    Column(name="declined", title=N_("Refused"), value=lambda b: b.declined, figure=True, priority=3),
    Column(name="told", title=N_("Told"), value=lambda b: b.told, figure=True, priority=3),
    Column(name="waiting", title=N_("In the window"), value=lambda b: b.waiting, figure=True, priority=3),
    Column(name="window", value=lambda b: b.window),
    Column(name="in_work", value=lambda b: b.in_work),
    Column(name="end", title=N_("End"), value=lambda b: None, figure=True),
)


async def index(request: Request) -> Response:
    house, account = house_of(request), visitor_of(request).account
    live = await house(bind.live, account=account)

    async def ask(cut: Cut) -> list[LiveBind]:
        return piece(live, cut, lambda each: each.id)

    base = house.choices.public_url
    calls = {"curl": curl_of("GET", f"{base}/api/v1/smpp-binds", account), "CLI": "stopwire bind list"}
    return await listing(
        request,
        "applications.html",
        columns=COLUMNS,
        ask=ask,
        id_of=lambda each: each.id,
        name=system_id(account),
        calls=calls,
    )


async def end(request: Request) -> Response:
    id = request.path_params["id"]
    was = await house_of(request)(bind.unbind, account=visitor_of(request).account, id=id)
    if was is None:
        raise HTTPException(404)
    request.state.subject, request.state.detail = id, {"system_id": was.system_id, "address": was.address}
    sentence = say(request, N_("%(name)s from %(address)s is no longer bound."), name=was.system_id, address=was.address)
    return done(request, PATH, sentence)


routes = [
    *table(PATH, index),
    acts(f"{PATH}/{{id}}/end", end, role=Role.OPERATOR, act="bind.ended"),
]
