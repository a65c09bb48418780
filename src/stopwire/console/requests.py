"""Developers › Requests: what programs asked of the API and how it ended, the refused first, each with its cause and cure."""

from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from stopwire.console.developers import PATH, TABS
from stopwire.console.listing import Column, listing, table
from stopwire.console.render import N_
from stopwire.console.session import house_of, visitor_of
from stopwire.core.errors import CATALOGUE
from stopwire.flows import requests
from stopwire.ports.store import Cut
from stopwire.ports.world import ApiRequest, RequestFilter

SHOWN = {"refused": True, "answered": False, "all": None}
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
FIND_CHARS_MAX = 100

COLUMNS: tuple[Column[ApiRequest], ...] = (
    Column(name="id", value=lambda each: each.id),
    Column(name="at", value=lambda each: each.at, title=N_("Time")),
    Column(name="method", value=lambda each: each.method),
    Column(name="path", value=lambda each: each.path, title=N_("Request")),
    Column(name="status", value=lambda each: each.status, title=N_("Answer")),
    Column(name="code", value=lambda each: each.code),
    Column(name="error", value=lambda each: each.error, title=N_("What it said"), priority=2),
    Column(name="ms", value=lambda each: each.ms, title=N_("ms"), figure=True, priority=3),
    Column(name="key", value=lambda each: each.key, title=N_("Signed in by"), priority=3),
    Column(name="test", value=lambda each: each.test),
    Column(name="signed_in", value=lambda each: each.known),
    Column(name="request_id", value=lambda each: each.request_id, title=N_("Request id"), priority=3),
)


async def index(request: Request) -> Response:
    query, house, account = request.query_params, house_of(request), visitor_of(request).account
    shown = query.get("shown", "") if query.get("shown") in SHOWN else "refused"
    method = query.get("method", "") if query.get("method") in METHODS else ""
    code, key = query.get("code", ""), query.get("key", "")[:64]
    find = query.get("find", "").strip()[:FIND_CHARS_MAX]
    wanted = RequestFilter(
        failed=SHOWN[shown],
        code=int(code) if code.isascii() and code.isdigit() and len(code) < 9 else None,
        method=method or None,
        key=key or None,
        path=find or None,
    )

    async def ask(cut: Cut) -> Sequence[ApiRequest]:
        return await house(requests.page, account=account, cut=cut, wanted=wanted)

    values: dict[str, Any] = {"shown": shown, "method": method, "code": wanted.code, "key": key, "find": find, "catalogue": CATALOGUE}
    return await listing(
        request, "developers_requests.html", columns=COLUMNS, ask=ask, id_of=lambda each: str(each.id), tabs=TABS, tab="/requests",
        methods=METHODS, **values,
    )  # fmt: skip


routes = table(PATH + "/requests", index)
