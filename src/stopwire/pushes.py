"""The door for providers: `/carriers/{connection}/…`. One push in, its texts and reports to their flows, one answer out.

What is acknowledged here is on disk. Nothing of a provider's wire is known here: the carrier translates.
"""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from stopwire.flows import push, receive, report
from stopwire.flows.push import Verdict
from stopwire.log import get_logger
from stopwire.ports.faults import StoreFault
from stopwire.ports.house import House
from stopwire.ports.push import HttpPush

log = get_logger(__name__)
BODY_BYTES_MAX = 256 * 1024  # many reports in one push, and room to spare
RETRY_SECONDS = 5


def create(house: House) -> Starlette:
    """The door. Any path below a connection is its own: providers like to be given several URLs."""

    async def take(request: Request) -> Response:
        heard = await _read(request)
        if heard is None:
            return PlainTextResponse("The push is too large.\n", 413)
        try:
            return await _take(house, request.path_params["connection"], heard)
        except StoreFault as fault:
            log.warning("push.put_off", error=str(fault))
            again = "We cannot keep this now: bring it again.\n"
            return PlainTextResponse(again, 503, headers={"Retry-After": str(RETRY_SECONDS)})

    methods = ["GET", "POST"]
    return Starlette(
        routes=[
            Route("/carriers/{connection}", take, methods=methods),
            Route("/carriers/{connection}/{rest:path}", take, methods=methods),
        ]
    )


async def _take(house: House, connection: str, heard: HttpPush) -> Response:
    told = await house(push.translate, connection=connection, push=heard)
    if told.verdict is Verdict.UNKNOWN:
        return PlainTextResponse("There is no connection of this name that could be called.\n", 404)
    if told.verdict is Verdict.REFUSED:
        # Why stands in the connection's log: it is the operator's to know, not a stranger's.
        return PlainTextResponse("The signature of this push does not hold. See the log of the connection.\n", 403)
    for one in told.received:
        await house(receive.receive, heard=one)
    if told.reports:
        await house(report.report, reports=told.reports)
    return Response(told.reply.body, told.reply.status, media_type=told.reply.content_type or None)


async def _read(request: Request) -> HttpPush | None:
    """The push to the byte, or None where it is too large."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > BODY_BYTES_MAX:
            return None
    raw_path = request.scope.get("raw_path") or request.scope["path"].encode()
    query = request.scope["query_string"]
    target = raw_path + b"?" + query if query else raw_path
    headers: dict[str, str] = {}
    for name, value in request.headers.items():
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return HttpPush(method=request.method, target=target.decode("latin-1"), headers=headers, body=bytes(body))
