"""Messaging Services › Activity: what one service did lately, in figures and message by message."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import Response

from stopwire.console.listing import listing, table
from stopwire.console.messages import COLUMNS, Line, line_of
from stopwire.console.render import N_
from stopwire.console.services import TABS, found
from stopwire.console.session import house_of, visitor_of
from stopwire.ports.store import Cut, Entry, EntryFilter, Messages, Stats

SPAN = timedelta(days=7)


async def index(request: Request) -> Response:
    house, account = house_of(request), visitor_of(request).account
    _, service = await found(request)

    async def ask(cut: Cut) -> Sequence[Line]:
        return [line_of(entry) for entry in await house.read(account, Messages.entries, EntryFilter(service=service.sid), cut)]

    async def many(ids: list[str]) -> Sequence[Line]:
        messages = await house.read(account, Messages.many, [sid for sid in ids if not sid.startswith("RF")])
        mine = [each for each in messages if each.service == service.sid]
        return [line_of(Entry(id=message.sid, at=message.created_at, message=message)) for message in mine]

    outcomes = await house.read(account, Stats.outcomes, visitor_of(request).now - SPAN, service.sid)
    statuses = outcomes["statuses"]
    figures = (
        (N_("accepted"), sum(statuses.values()), ""),
        (N_("delivered"), statuses.get("delivered", 0) + statuses.get("read", 0), "status:delivered"),
        (N_("not delivered"), statuses.get("failed", 0) + statuses.get("undelivered", 0), "status:failed"),
        (N_("refused"), sum(outcomes["refusals"].values()), "status:refused"),
    )
    columns = [replace(each, title="") if each.name == "service" else each for each in COLUMNS]
    return await listing(
        request, "services_activity.html", columns=columns, ask=ask, id_of=lambda line: line.id, many=many, topics="message.",
        tabs=TABS, tab="/activity", service=service, figures=figures,
        urls=[each for each in (service.inbound_request_url, service.status_callback) if each],
    )  # fmt: skip


routes = table("/console/services/{service}/activity", index)
