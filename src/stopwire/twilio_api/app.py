"""The Twilio-compatible API as one ASGI application: which resources it has, in the order they are tried."""

from collections.abc import Callable
from typing import Final

from starlette.routing import Route, Router
from starlette.types import ASGIApp

from stopwire.ports.house import House
from stopwire.twilio_api import (
    alpha_senders,
    auth_tokens,
    consents,
    deactivations,
    geo_permissions,
    keys,
    lookups,
    media,
    messages,
    numbers,
    registrations,
    services,
)
from stopwire.twilio_api.auth import serves
from stopwire.twilio_api.calls import Outermost, not_found

# Messages first: they are asked for most.
_RESOURCES: Final[tuple[Callable[[House], list[Route]], ...]] = (
    messages.routes,
    media.routes,
    registrations.routes,  # before services: "PreregisteredUsa2p" is none of them
    services.routes,
    alpha_senders.routes,
    numbers.routes,
    keys.routes,
    auth_tokens.routes,
    consents.routes,
    geo_permissions.routes,
    deactivations.routes,
    lookups.routes,
)


def create(house: House) -> ASGIApp:
    """The application: `/2010-04-01/…`, `/v1/…`, `/v2/…`. It keeps nothing but a count of requests under way."""
    routes = [route for routes in _RESOURCES for route in routes(house)]
    return Outermost(Router(routes, redirect_slashes=False, default=not_found), serves)
