"""The live tail as server-sent events (WHATWG HTML, "Server-sent events"): resumed by Last-Event-ID, kept alive by comments."""

import json
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, Request
from fastapi.responses import StreamingResponse

from stopwire.api.door import CarefulRoute, TheCaller, TheHouse
from stopwire.flows import tail
from stopwire.ports.faults import StoreFault
from stopwire.ports.house import House
from stopwire.ports.values import to_plain
from stopwire.ports.world import TailEvent

router = APIRouter(tags=["Live tail"], route_class=CarefulRoute)
HEARTBEAT_SECONDS = 15.0  # proxies close what is silent for half a minute
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


@router.get(
    "/events",
    summary="What happens, as it happens",
    response_class=StreamingResponse,
    responses={200: {"description": "Events without an end.", "content": {"text/event-stream": {"schema": {"type": "string"}}}}},
)
async def events(
    request: Request,
    house: TheHouse,
    who: TheCaller,
    last_event_id: Annotated[str | None, Header(alias="Last-Event-ID", description="Go on behind this one.")] = None,
) -> StreamingResponse:
    """Each event has `id`, `event` and, as JSON in `data`, its facts and time. The last few thousand can be resumed from."""
    known = int(last_event_id) if last_event_id and last_event_id.isascii() and last_event_id.isdigit() and len(last_event_id) < 19 else None
    after = await house(tail.newest) if known is None else known
    return StreamingResponse(_lines(request, house, who.account, after), media_type="text/event-stream", headers=HEADERS)


async def _lines(request: Request, house: House, account: str, after: int) -> AsyncIterator[str]:
    yield f": connected\nretry: 1000\nid: {after}\n\n"
    while True:
        try:
            found = await house(tail.follow, account=account, after=after, seconds=HEARTBEAT_SECONDS)
        except StoreFault:
            return  # the gateway stops; whoever listens comes back by itself
        for event in found:
            after = event.id
            yield _line(event)
        if not found:
            yield ": still here\n\n"


def _line(event: TailEvent) -> str:
    facts = {name.removesuffix("_"): value for name, value in event.facts.items()}  # `from_` is `from` to everybody else
    data = json.dumps({"at": to_plain(event.at), **to_plain(facts)}, ensure_ascii=True)
    return f"id: {event.id}\nevent: {event.event}\ndata: {data}\n\n"
