"""Who is at the console: the cookie, the guard on every route, and the two proofs that an act was meant.

Three kinds of routes: `shows` (GET), `acts` (POST, in the audit log) and `asks` (POST that changes nothing). Each names
the role it needs, so no route can be made without one.
"""

import hashlib
import hmac
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any
from urllib.parse import quote

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from stopwire.core.roles import Role
from stopwire.flows import visit
from stopwire.flows.visit import Visitor
from stopwire.ports.house import House

Handler = Callable[[Request], Awaitable[Response]]

COOKIE = "stopwire_session"
TOKEN_FIELD = "_token"  # noqa: S105  the name of a field
BODY_BYTES_MAX = 8 * 1024 * 1024
FIELDS_MAX = 5000


def house_of(request: Request) -> House:
    house: House = request.app.state.house
    return house


def visitor_of(request: Request) -> Visitor:
    """Who is looking. Behind `shows`, `acts` and `asks` there always is somebody."""
    found: Visitor = request.state.visitor
    return found


def address_of(request: Request) -> str:
    """Where the request came from."""
    return request.client.host if request.client else ""


async def find_visitor(request: Request) -> Visitor | None:
    """Who is looking, if anybody; kept for the rest of the request."""
    if not hasattr(request.state, "visitor"):
        token = request.cookies.get(COOKIE, "")
        request.state.visitor = await house_of(request)(visit.visitor, token=token) if token else None
    found: Visitor | None = request.state.visitor
    return found


def shows(path: str, handler: Handler, *, role: Role = Role.VIEWER) -> Route:
    """A page, or a piece of one."""

    @wraps(handler)
    async def guarded(request: Request) -> Response:
        if await find_visitor(request) is None:
            return _to_sign_in(request)
        _demand(request, role)
        return await handler(request)

    return Route(path, guarded, methods=["GET"])


def acts(path: str, handler: Handler, *, role: Role, act: str | None, body_max: int = BODY_BYTES_MAX) -> Route:
    """A form's target. What was done is noted in the audit log as `act`, unless the answer says that nothing was; with None
    the journey itself notes it, in the commit that does it.

    A handler may put what it was done to into `request.state.subject`, and more into `request.state.detail`.
    """
    return _posted(path, handler, role=role, act=act, body_max=body_max)


def asks(path: str, handler: Handler, *, role: Role = Role.VIEWER) -> Route:
    """A question too long or too private for an address: a POST that changes nothing and is not noted."""
    return _posted(path, handler, role=role, act=None, body_max=BODY_BYTES_MAX)


def _posted(path: str, handler: Handler, *, role: Role, act: str | None, body_max: int) -> Route:
    @wraps(handler)
    async def guarded(request: Request) -> Response:
        visitor = await find_visitor(request)
        if visitor is None:
            return _to_sign_in(request)
        check_size(request, body_max)
        await check_meant(request)
        _demand(request, role)
        answer = await handler(request)
        if act is not None and answer.status_code < 400:
            subject = getattr(request.state, "subject", None) or "/".join(str(each) for each in request.path_params.values())
            detail: dict[str, Any] = getattr(request.state, "detail", {})
            await house_of(request)(
                visit.note,
                account=visitor.account,
                actor=visitor.actor,
                act=act,
                subject=subject,
                address=address_of(request),
                detail=detail,
            )
        return answer

    return Route(path, guarded, methods=["POST"])


def _demand(request: Request, role: Role) -> None:
    visitor = visitor_of(request)
    if not visitor.role.may(role):
        raise HTTPException(403, f"This needs the role {role}; you are signed in as {visitor.role}.")


def _to_sign_in(request: Request) -> Response:
    if request.method != "GET" or is_piece(request) or request.url.path.endswith((".json", ".csv", "/events")):
        raise HTTPException(401, "You are not signed in, or your session is over: sign in again.")
    back = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(f"/console/sign-in?next={quote(back, safe='')}", 303)


def is_piece(request: Request) -> bool:
    """Whether the console's own script asks for a part of the page."""
    return request.headers.get("x-stopwire-part") == "1"


# ── was it meant? ────────────────────────────────────────────────────────────────────────────────────────


def check_size(request: Request, limit: int = BODY_BYTES_MAX) -> None:
    declared = request.headers.get("content-length", "")
    if not (declared.isascii() and declared.isdigit()):
        raise HTTPException(411, "The request does not say how long it is.")
    if len(declared) > 12 or int(declared) > limit:
        raise HTTPException(413, f"This is larger than {limit // 2**20} MiB: send it in pieces.")


async def check_meant(request: Request) -> None:
    """Refuse what another site made this browser send. Fetch metadata (W3C) tells; a browser without it brings a token."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        if site != "same-origin":
            raise HTTPException(403, "This form was sent from another site; nothing was done.")
        return
    given = (await form_of(request)).get(TOKEN_FIELD)
    if not isinstance(given, str) or not hmac.compare_digest(given.encode(), form_token(request).encode()):
        raise HTTPException(403, "This form is out of date, or was not made by this console; nothing was done. Open the page again.")


def form_token(request: Request) -> str:
    """What a form proves with that this console made it for this browser. Before sign-in there is nothing to prove."""
    return signature(request, "form") if request.cookies.get(COOKIE) else ""


def signature(request: Request, text: str) -> str:
    """A code over `text` that only this session's holder and we can make."""
    return hmac.new(request.cookies.get(COOKIE, "").encode(), text.encode(), hashlib.sha256).hexdigest()


async def form_of(request: Request) -> FormData:
    """The form that was sent; asked for again, the same."""
    return await request.form(max_fields=FIELDS_MAX, max_files=10)
