"""All doors on one listener: by Twilio's host name first, then by path. Probes and metrics answer here."""

import json
import time
from collections.abc import Sequence

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stopwire import metrics, optout_page, pushes
from stopwire.api import app as api
from stopwire.console import app as console
from stopwire.flows import health
from stopwire.ports.house import House
from stopwire.twilio_api import app as twilio_api
from stopwire.twilio_api.auth import is_hosted

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def root_app(house: House, hosts: Sequence[str]) -> ASGIApp:
    """The whole gateway as one ASGI application. `hosts`: names it answers to beside loopback; empty: any."""
    twilio, native, pages = twilio_api.create(house), api.create(house), console.create(house)
    called, leaving = pushes.create(house), optout_page.create(house)
    allowed = frozenset(host.lower() for host in hosts)

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
        await _counted(door, target, scope, receive, send)

    return app


async def _counted(door: str, target: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    began, status = time.perf_counter(), 500

    async def counting(message: Message) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
        await send(message)

    try:
        await target(scope, receive, counting)
    finally:
        metrics.answered(door, scope["method"], status, time.perf_counter() - began)


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
