"""What happens, for the pages that are open: topic and ids, never a number, a text or a piece of a page.

Server-sent events (WHATWG HTML), resumed by Last-Event-ID. A page that hears of something asks its own address again.
"""

import json
from collections.abc import AsyncIterator

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from stopwire.console.session import COOKIE, house_of, shows, visitor_of
from stopwire.flows import tail, visit
from stopwire.ports.faults import StoreFault
from stopwire.ports.house import House

HEARTBEAT_SECONDS = 15.0  # proxies close what is silent for half a minute
BEATS = 40  # then the browser comes back by itself, and shows its session again
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no", "X-Content-Type-Options": "nosniff"}
_IDS = ("sid", "id", "message")  # facts that are ours; the others may name a person


async def follow(request: Request) -> Response:
    # A page of ours names no origin when it asks for events; a browser that tells no site tells at least another origin.
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none") or "origin" in request.headers:
        raise HTTPException(403, "Events are told to this console's own pages.")
    topics = tuple(topic for topic in request.query_params.get("topics", "").split(",") if topic)
    known = request.headers.get("last-event-id") or request.query_params.get("after", "")
    house = house_of(request)
    newest = await house(tail.newest)
    # Somebody may know of more than there is: the clock that ids grow from can have been set back while we were away.
    after = min(int(known), newest) if known.isascii() and known.isdigit() and len(known) < 19 else newest
    lines = _lines(house, visitor_of(request).account, request.cookies.get(COOKIE, ""), after, topics)
    return StreamingResponse(lines, media_type="text/event-stream", headers=_HEADERS)


async def _lines(house: House, account: str, token: str, after: int, topics: tuple[str, ...]) -> AsyncIterator[str]:
    yield f": connected\nretry: 1000\nid: {after}\n\n"
    for _ in range(BEATS):
        try:
            found = await house(tail.follow, account=account, after=after, seconds=HEARTBEAT_SECONDS)
            if not found and await house(visit.visitor, token=token) is None:
                return  # signed out meanwhile
        except StoreFault:
            return  # the gateway stops; whoever listens comes back by itself
        told = ""
        for event in found:
            after = event.id
            if not topics or event.event.startswith(topics):
                facts = {name: event.facts[name] for name in _IDS if isinstance(event.facts.get(name), str)}
                told += f"id: {event.id}\ndata: {json.dumps({'topic': event.event, **facts})}\n\n"
        yield told or ": still here\n\n"


routes = [shows("/console/events", follow)]
