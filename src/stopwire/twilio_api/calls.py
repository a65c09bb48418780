"""One request at this door, and the resource that answers it: the wrapper every handler sits in.

`resource` makes the routes of one path. A handler gets a `Call`, raises `Declined` or answers; it never meets
credentials, methods, limits or encodings.
"""

import secrets
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from stopwire.core.errors import refuse
from stopwire.flows.authenticate import Caller
from stopwire.log import get_logger
from stopwire.ports.faults import StoreFault
from stopwire.ports.house import House
from stopwire.twilio_api.answers import Declined, refusal
from stopwire.twilio_api.auth import ACCOUNT_SID, CHALLENGE, identify, is_hosted, objection
from stopwire.twilio_api.forms import BODY_BYTES_MAX, FORM_TYPE, NOTHING, Fields, read_fields, unreadable

CONCURRENT_MAX: Final = 2000  # requests of one account at the same time; more would only wait for the store

log = get_logger("twilio_api")


class Call:
    """One request of one caller. `fields` are the form of a POST or PATCH, else the query."""

    __slots__ = ("account", "account_shown", "base", "caller", "fields", "headers", "house", "method", "path", "url_path")

    def __init__(self, house: House, scope: Scope, headers: Mapping[bytes, bytes], caller: Caller, fields: Fields) -> None:
        self.house = house
        self.caller = caller
        self.account = caller.account  # what flows and the store are asked for
        self.account_shown = caller.name  # as the caller wrote it; differs for test credentials
        self.fields = fields
        self.headers = headers
        self.method: str = scope["method"]
        self.path: dict[str, str] = scope["path_params"]
        self.url_path: str = scope["path"]
        self.base = base_of(scope, headers)

    def header(self, name: str) -> str | None:
        value = self.headers.get(name.lower().encode())
        return None if value is None else value.decode("latin-1")

    def missing(self) -> Declined:
        """`raise call.missing()`: nothing of this account is at the path."""
        return Declined(refuse(20404, path=shown_path(self.url_path)))


Handler = Callable[[Call], Awaitable[Response]]


def resource(
    house: House,
    path: str,
    *,
    get: Handler | None = None,
    post: Handler | None = None,
    patch: Handler | None = None,
    delete: Handler | None = None,
    for_test: bool = False,
    for_keys: bool = True,
    for_all: bool = False,
    suffix: bool | None = None,
) -> list[Route]:
    """The routes of one path. A `{account}` in it must be the caller's.

    `for_test`: test credentials may POST here. `for_keys`: API keys may use it. `for_all`: nobody signs in; then the
    call's caller is empty. `suffix`: with `.json` and without (the default under /2010-04-01), or just one of them.
    """
    handlers = {name: handler for name, handler in (("GET", get), ("POST", post), ("PATCH", patch), ("DELETE", delete)) if handler}
    app = _Resource(house, handlers, for_test=for_test, for_keys=for_keys, for_all=for_all)
    if not path.startswith("/2010-04-01") or suffix is False:
        return [Route(path, app)]
    with_suffix = Route(f"{path}.json", app)
    return [with_suffix] if suffix else [with_suffix, Route(path, app)]


class _Resource:
    """Signs the caller in, reads the parameters, calls the handler of the method, and answers."""

    def __init__(
        self, house: House, handlers: Mapping[str, Handler], *, for_test: bool, for_keys: bool, for_all: bool
    ) -> None:
        self.house = house
        self.handlers = handlers
        self.for_test = for_test
        self.for_keys = for_keys
        self.for_all = for_all

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self.respond(scope, receive)
        await response(scope, receive, send)

    async def respond(self, scope: Scope, receive: Receive) -> Response:
        headers = dict(scope["headers"])
        method, path = scope["method"], shown_path(scope["path"])
        account = scope["path_params"].get("account")
        if "\0" in path:
            return refusal(refuse(20404, path=path))
        if account is not None and not ACCOUNT_SID.fullmatch(account):
            return refusal(refuse(20404, path=path))
        caller = Caller()
        if not self.for_all:
            authorization = headers.get(b"authorization")
            known = await identify(self.house, authorization.decode("latin-1") if authorization else None)
            if not isinstance(known, Caller):
                return refusal(known, CHALLENGE)
            scope["stopwire.caller"] = caller = known
            for_test = self.for_test and method == "POST"
            if refused := objection(caller, account=account, path=path, for_test=for_test, for_keys=self.for_keys):
                return refusal(refused)
        handler = self.handlers.get(method)
        if handler is None:
            return refusal(refuse(20004), {"Allow": ", ".join(self.handlers)})
        under_way = scope["stopwire.under_way"]
        if under_way[caller.account] >= CONCURRENT_MAX:
            return refusal(refuse(20429))
        under_way[caller.account] += 1
        scope["stopwire.concurrent"] = under_way[caller.account]
        try:
            fields = await _form(headers, receive) if method in ("POST", "PATCH") else read_fields(scope["query_string"])
            return await handler(Call(self.house, scope, headers, caller, fields))
        except Declined as declined:
            return refusal(declined.refused)
        finally:
            under_way[caller.account] -= 1
            if not under_way[caller.account]:
                del under_way[caller.account]


async def _form(headers: Mapping[bytes, bytes], receive: Receive) -> Fields:
    body = b""
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Declined(unreadable("The connection ended before the request did."))
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > BODY_BYTES_MAX:
            raise Declined(refuse(20413))
    if not body:
        return NOTHING
    kind = headers.get(b"content-type", FORM_TYPE.encode()).decode("latin-1").partition(";")[0].strip().lower()
    if kind != FORM_TYPE:
        raise Declined(unreadable(f"The parameters came as {kind[:100]}: send them as {FORM_TYPE}."))
    return read_fields(body)


class Outermost:
    """Around everything: Twilio's response headers, the product a host name means, and the last line of defence."""

    def __init__(self, app: Callable[[Scope, Receive, Send], Awaitable[None]], serves: Callable[[str, str], bool]) -> None:
        self.app = app
        self.serves = serves
        self.under_way: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()
        request_id = f"RQ{secrets.token_hex(16)}"
        scope["stopwire.under_way"] = self.under_way
        started = False

        async def with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message["headers"] = [
                    *message.get("headers", ()),
                    (b"twilio-request-id", request_id.encode()),
                    (b"twilio-request-duration", b"%.3f" % (time.perf_counter() - began)),
                    (b"twilio-concurrent-requests", b"%d" % scope.get("stopwire.concurrent", 1)),
                ]
            await send(message)

        try:
            host = next((value for name, value in scope["headers"] if name == b"host"), b"").decode("latin-1")
            if self.serves(host, scope["path"]):
                await self.app(scope, receive, with_headers)
            else:
                await not_found(scope, receive, with_headers)
        except Exception as fault:
            if started:
                raise
            await _broken(fault, request_id)(scope, receive, with_headers)


async def not_found(scope: Scope, receive: Receive, send: Send) -> None:
    """What is answered where no resource is."""
    await refusal(refuse(20404, path=shown_path(scope["path"])))(scope, receive, send)


def _broken(fault: Exception, request_id: str) -> Response:
    if isinstance(fault, StoreFault):
        log.warning("twilio_api.store_fault", fault=type(fault).__name__, request=request_id)
        return refusal(refuse(20503), {"Retry-After": "1"})
    log.error("twilio_api.broken", request=request_id, exc_info=fault)
    return refusal(refuse(20500))


def base_of(scope: Scope, headers: Mapping[bytes, bytes]) -> str:
    """Scheme and host as the client used them: absolute links must lead the client back here.

    Under Twilio's own names TLS was ended by somebody on the way. Whoever that is may say so, as it bends nobody's links
    but those in its own answers.
    """
    host = headers.get(b"host", b"").decode("latin-1")
    if headers.get(b"x-forwarded-proto") == b"https" and is_hosted(host.partition(":")[0].lower()):
        return f"https://{host}"
    if not host:
        name, port = scope.get("server") or ("localhost", None)
        host = f"{name}:{port}" if port else str(name)
    return f"{scope.get('scheme', 'http')}://{host}"


def shown_path(path: str) -> str:
    """The path as "not found" names it: v1 and v2 leave their version out."""
    return path[3:] if path.startswith(("/v1/", "/v2/")) else path
