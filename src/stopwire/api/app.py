"""The native API as one ASGI application: its rooms, its error pages, its description."""

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from stopwire.api import (
    account,
    alerts,
    binds,
    blocks,
    carriers,
    consent,
    events,
    imports,
    links,
    messages,
    policy,
    requests,
    simulator,
    stats,
    suggestions,
    viewer,
    webhooks,
)
from stopwire.api.describe import operation_id
from stopwire.api.problems import on_bug, on_fault, on_http, on_invalid
from stopwire.ports.faults import StoreFault
from stopwire.ports.house import House

PREFIX = "/api/v1"
ROOMS: tuple[APIRouter, ...] = (
    policy.router,
    imports.router,
    blocks.router,
    links.router,
    messages.router,
    consent.router,
    suggestions.router,
    alerts.router,
    webhooks.router,
    simulator.router,
    account.router,
    carriers.router,
    binds.router,
    stats.router,
    requests.router,
    events.router,
)


def create(house: House) -> FastAPI:
    """The application; it answers under `/api/v1`."""
    app = FastAPI(
        title="Stopwire",
        version=house.choices.version,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=operation_id,
        exception_handlers={
            HTTPException: on_http,
            RequestValidationError: on_invalid,
            StoreFault: on_fault,
            Exception: on_bug,
        },
    )
    app.state.house = house
    app.state.description = viewer.Description(app)
    for room in (*ROOMS, viewer.router):
        app.include_router(room, prefix=PREFIX)
    return app
