"""The console as one ASGI application: its rooms, its error pages, its files."""

from types import ModuleType

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from stopwire.console import (
    activity,
    alerts,
    analytics,
    applications,
    as_test,
    blocks,
    carriers,
    developers,
    events,
    health,
    home,
    hours,
    imports,
    inspector,
    ledger,
    messages,
    onward,
    opt_out,
    pace,
    preferences,
    recipients,
    requests,
    retention,
    review,
    search,
    senders,
    service_sending,
    service_webhooks,
    services,
    settings,
    sign_in,
    simulator,
    webhook_events,
    webhooks,
)
from stopwire.console.render import HEADERS, page
from stopwire.console.session import find_visitor, is_piece
from stopwire.console.static import Static
from stopwire.log import get_logger
from stopwire.ports.faults import StoreFault
from stopwire.ports.house import House

log = get_logger(__name__)

# Each room is a module with `routes`.
ROOMS: tuple[ModuleType, ...] = (
    sign_in,
    events,
    home,
    onward,
    search,
    preferences,
    settings,
    retention,
    health,
    simulator,
    messages,
    as_test,
    webhook_events,
    webhooks,
    inspector,
    developers,
    requests,
    services,
    service_webhooks,
    service_sending,
    activity,
    opt_out,
    blocks,
    imports,
    recipients,
    review,
    senders,
    applications,  # before what would take its address for a connection's name
    carriers,
    pace,
    ledger,
    hours,
    analytics,
    alerts,
)


def create(house: House) -> Starlette:
    """The application; it answers under `/console`, and leads `/` there."""
    static = Static()
    routes: list[BaseRoute] = [Route("/", _home), Route("/console", _home), static.route()]
    for room in ROOMS:
        routes += room.routes
    app = Starlette(
        routes=routes,
        exception_handlers={HTTPException: _on_http, StoreFault: _on_fault, Exception: _on_bug},
    )
    app.router.redirect_slashes = False
    app.state.house, app.state.static = house, static
    return app


async def _home(request: Request) -> Response:
    return RedirectResponse("/console/", 303)


_SENTENCES = {
    404: "There is nothing at this address. It may have been removed, or belongs to another account.",
    405: "This address does not do that.",
}


async def _on_http(request: Request, fault: Exception) -> Response:
    assert isinstance(fault, HTTPException)
    own = fault.detail if fault.detail and fault.status_code not in _SENTENCES else ""
    return await _told(request, fault.status_code, own or _SENTENCES.get(fault.status_code, fault.detail))


async def _on_fault(request: Request, fault: Exception) -> Response:
    log.warning("console.store_fault", error=str(fault))
    return await _told(request, 503, str(fault))


async def _on_bug(request: Request, fault: Exception) -> Response:
    log.exception("console.failed", method=request.method, path=request.url.path)
    return await _told(request, 500, "This page failed, and the fault is noted in the log. Nothing you see here depends on trying again.")


async def _told(request: Request, status: int, sentence: str) -> Response:
    if is_piece(request) or request.url.path.endswith((".json", ".csv")):
        return JSONResponse({"error": sentence}, status, headers=HEADERS)
    try:
        await find_visitor(request)
    except StoreFault:
        request.state.visitor = None
    return page(request, "error.html", status=status, code=status, sentence=sentence)
