"""All doors on one listener: by Twilio's host name first, then by path. Probes and metrics answer here.

What programs asked is noted on its way out, without queries, bodies and whole numbers, and told to the core now and then.
"""

import asyncio
import base64
import binascii
import json
import re
import secrets
import time
from collections.abc import Sequence
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stopwire import metrics, optout_page, pushes
from stopwire.api import app as api
from stopwire.console import app as console
from stopwire.flows import health, requests
from stopwire.flows.authenticate import Caller
from stopwire.log import get_logger, masked
from stopwire.ports.faults import StoreFault
from stopwire.ports.house import House
from stopwire.ports.world import ApiRequest
from stopwire.twilio_api import app as twilio_api
from stopwire.twilio_api.auth import is_hosted

_LOOPBACK = ("localhost", "127.0.0.1", "::1")

TELL_SECONDS: Final = 0.25  # how often the core is told what was asked
ANSWERED_MAX: Final = 10  # requests that went well, told of at a time: the log shows some, the metrics count all
REFUSED_MAX: Final = 100  # requests that were refused, told of at a time: a flood of them must not cost the core its time
ERROR_BYTES_MAX: Final = 16_384  # of an answer that is read for its error
PATH_CHARS_MAX: Final = 200
ERROR_CHARS_MAX: Final = 300
_PROGRAMS: Final = frozenset({"twilio_api", "api"})  # doors whose requests are noted
_IN_PATH: Final = re.compile(r"/(AC[0-9a-fA-F]{32})(?:[/.]|$)")
_ACCOUNT: Final = re.compile(r"AC[0-9a-fA-F]{32}")

log = get_logger(__name__)


def root_app(house: House, hosts: Sequence[str]) -> ASGIApp:
    """The whole gateway as one ASGI application. `hosts`: names it answers to beside loopback; empty: any."""
    twilio, native, pages = twilio_api.create(house), api.create(house), console.create(house)
    called, leaving = pushes.create(house), optout_page.create(house)
    allowed = frozenset(host.lower() for host in hosts)
    noter = _Noter(house)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        host, path = _host(scope), scope["path"]
        if is_hosted(host):
            door, target = "twilio_api", twilio
        elif allowed and not _is_known(host, allowed):
            door, target = "none", _unknown_host
        elif path.startswith("/api/"):
            door, target = "api", native
        elif path.startswith("/carriers/"):
            door, target = "pushes", called
        elif path.startswith("/o/"):
            door, target = "optout_page", leaving
        elif path == "/" or path.startswith("/console"):
            door, target = "console", pages
        elif path in ("/livez", "/readyz", "/metrics"):
            door, target = "probe", _probe(house)
        else:
            door, target = "twilio_api", twilio
        await _counted(door, target, scope, receive, send, noter if door in _PROGRAMS else None)

    return app


async def _counted(door: str, target: ASGIApp, scope: Scope, receive: Receive, send: Send, noter: "_Noter | None") -> None:
    began, status, request_id, said = time.perf_counter(), 500, "", b""

    async def counting(message: Message) -> None:
        nonlocal status, request_id, said
        if message["type"] == "http.response.start":
            status = message["status"]
            if noter is not None:
                request_id = _request_id(message)
        elif status >= 400 and noter is not None and len(said) < ERROR_BYTES_MAX:
            said += message.get("body", b"")
        await send(message)

    try:
        await target(scope, receive, counting)
    finally:
        seconds = time.perf_counter() - began
        metrics.answered(door, scope["method"], status, seconds)
        if noter is not None:
            noter.note(door, scope, status, seconds, request_id, said)


def _request_id(message: Message) -> str:
    """What the answer calls its request; a name is given to those of a door that gives none."""
    headers = message.get("headers", ())
    for name, value in headers:
        if name == b"twilio-request-id":
            return bytes(value).decode("latin-1")
    made = f"RQ{secrets.token_hex(16)}"
    message["headers"] = [*headers, (b"request-id", made.encode())]
    return made


class _Noter:
    """Collects what the doors of this process answered to programs, and tells the core a few times a second."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._noted: list[tuple[ApiRequest, float]] = []
        self._keys: dict[str, float] = {}
        self._answered = self._refused = 0
        self._waits = False
        self._telling: set[asyncio.Task[None]] = set()

    def note(self, door: str, scope: Scope, status: int, seconds: float, request_id: str, said: bytes) -> None:
        caller: Caller | None = scope.get("stopwire.caller")
        now = time.perf_counter()
        if caller is not None and (used := caller.key or caller.mark):
            self._keys[used] = now
            self._later()
        if status < 400:
            if self._answered == ANSWERED_MAX:
                return
            self._answered += 1
        elif self._refused == REFUSED_MAX:
            return
        else:
            self._refused += 1
        account = caller.account if caller is not None else _claimed(scope)
        if not account:
            return  # nobody's: there is no log it could stand in
        code, error = _error(said) if status >= 400 else (None, "")
        noted = ApiRequest(
            account=account,
            door=door,
            method=scope["method"][:16],
            path=_printable(scope["path"])[:PATH_CHARS_MAX],
            status=status,
            ms=round(seconds * 1000),
            code=code,
            error=error,
            key=caller.key if caller is not None else None,
            test=caller is not None and caller.test,
            known=caller is not None,
            request_id=request_id,
        )
        self._noted.append((noted, now))
        self._later()

    def _later(self) -> None:
        if not self._waits:
            self._waits = True
            asyncio.get_running_loop().call_later(TELL_SECONDS, self._tell)

    def _tell(self) -> None:
        task = asyncio.get_running_loop().create_task(self._told())
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _told(self) -> None:
        now = time.perf_counter()
        noted = [(request, now - at) for request, at in self._noted]
        keys = {key: now - at for key, at in self._keys.items()}
        self._noted, self._keys = [], {}
        self._answered = self._refused = 0
        self._waits = False
        try:
            await self._house(requests.keep, requests=noted, keys=keys)
        except StoreFault as fault:  # the core is ending, and with it the log that this was for
            log.debug("doors.not_noted", requests=len(noted), fault=type(fault).__name__)


def _claimed(scope: Scope) -> str:
    """The account that a request without a sign-in was meant for, by its path or by the name it gave."""
    if found := _IN_PATH.search(scope["path"]):
        return found[1]
    given = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
    try:
        name = base64.b64decode(given.partition(b" ")[2].strip(), validate=True).partition(b":")[0].decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return ""
    return name if _ACCOUNT.fullmatch(name) else ""


def _error(said: bytes) -> tuple[int | None, str]:
    """The code and the sentence of an answer that is an error, in either API's shape."""
    try:
        answer = json.loads(said)
    except ValueError:
        return None, ""
    if not isinstance(answer, dict):
        return None, ""
    code, sentence = answer.get("code"), answer.get("message") or answer.get("detail")
    return code if isinstance(code, int) else None, _printable(sentence)[:ERROR_CHARS_MAX] if isinstance(sentence, str) else ""


def _printable(text: str) -> str:
    """Without whole numbers, and without what steers a terminal or cannot be written."""
    return "".join(each if each.isprintable() else "\ufffd" for each in masked(text[:2000]))


def _host(scope: Scope) -> str:
    value = next((v.decode("latin-1") for k, v in scope["headers"] if k == b"host"), "")
    if value.startswith("["):
        return value[1:].partition("]")[0].lower()
    return value.partition(":")[0].rstrip(".").lower()


def _is_known(host: str, allowed: frozenset[str]) -> bool:
    return host in allowed or host in _LOOPBACK or host.endswith(".localhost") or not host


def _probe(house: House) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        match scope["path"]:
            case "/livez":
                await _answer(send, 200, b"ok\n", "text/plain; charset=utf-8")
            case "/metrics":
                text = await house(health.exposition)
                await _answer(send, 200, text.encode(), "text/plain; version=0.0.4; charset=utf-8")
            case _:
                state = await house(health.ready)
                body = json.dumps(state).encode()
                await _answer(send, 200 if state["ok"] else 503, body, "application/json")

    return app


async def _unknown_host(scope: Scope, receive: Receive, send: Send) -> None:
    text = "This gateway does not answer to that host name. Add it with --hosts, or STOPWIRE_HOSTS.\n"
    await _answer(send, 421, text.encode(), "text/plain; charset=utf-8")


async def _answer(send: Send, status: int, body: bytes, content_type: str) -> None:
    headers = [(b"content-type", content_type.encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
