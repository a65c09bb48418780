"""The other end of webhooks: a loopback port of its own for each account, and behind it the application under test.

It carries requests and answers, and notes what the application raised. Signatures are checked from the gateway's log.
"""

import asyncio
import contextlib
import inspect
import threading
import traceback
from collections.abc import Callable, MutableMapping
from typing import Any

import httpx
from aiohttp import web

App = Callable[..., Any]
HEADERS_OF_THE_CONNECTION = {"connection", "content-length", "transfer-encoding", "keep-alive"}
STEP_SECONDS = 10.0  # for an application to start, or to end
EMPTY = b'<?xml version="1.0" encoding="UTF-8"?><Response></Response>'


class Receiver:
    """A thread with a loop of its own: an application that blocks in a request holds up nobody else."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="stopwire-webhooks", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
            self._loop.close()

    def open(self) -> "Endpoint":
        async def opened() -> Endpoint:
            return await Endpoint().open()  # made on the loop that it will use

        return asyncio.run_coroutine_threadsafe(opened(), self._loop).result()

    def serve(self, endpoint: "Endpoint", app: App) -> None:
        """Call this application from now on; one that is ASGI starts first."""
        asyncio.run_coroutine_threadsafe(endpoint.serve(app), self._loop).result()

    def shut(self, endpoint: "Endpoint") -> None:
        asyncio.run_coroutine_threadsafe(endpoint.close(), self._loop).result()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()


class Endpoint:
    """One account's port. Without an application it answers an empty TwiML document."""

    def __init__(self) -> None:
        self._app: App | None = None
        self._life: Life | None = None
        self.faults: list[str] = []  # what the application raised, as tracebacks
        self.port = 0
        self._web = web.Server(self._answer)
        self._server: asyncio.Server | None = None

    async def open(self) -> "Endpoint":
        self._server = await asyncio.get_running_loop().create_server(self._web, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def serve(self, app: App) -> None:
        await self._end()
        if is_asgi(app):
            self._life = Life(app)
            await self._life.begin()
        self._app = app

    async def _end(self) -> None:
        life, self._life, self._app = self._life, None, None
        if life is not None:
            await life.end()

    async def close(self) -> None:
        assert self._server is not None
        await self._end()
        self._server.close()
        await self._web.shutdown(0.1)
        await self._server.wait_closed()

    def url(self, path: str = "/") -> str:
        return f"http://127.0.0.1:{self.port}/{path.lstrip('/')}"

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        answer = await self._answered(request)
        answer.force_close()  # nobody is waited for when the test is over
        return answer

    async def _answered(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await request.read()
        if self._app is None:
            return web.Response(body=EMPTY, content_type="text/xml")
        headers = [(name, value) for name, value in request.headers.items() if name.lower() not in HEADERS_OF_THE_CONNECTION]
        asked = httpx.Request(request.method, str(request.url), headers=headers, content=body)
        try:
            answer = await _through(self._app, asked, self._life)
        except Exception:
            self.faults.append(traceback.format_exc())
            return web.Response(status=500, text="The application raised; the report of the test shows it.")
        kept = {name: value for name, value in answer.headers.items() if name.lower() not in HEADERS_OF_THE_CONNECTION}
        return web.Response(status=answer.status_code, headers=kept, body=answer.content)


async def _through(app: App, request: httpx.Request, life: "Life | None") -> httpx.Response:
    """What the application answers. Its exceptions come out here."""
    if life is not None:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(life.app), trust_env=False) as client:
            return await client.send(request)

    def ask() -> httpx.Response:
        with httpx.Client(transport=httpx.WSGITransport(app), trust_env=False) as client:
            return client.send(request)

    return await asyncio.to_thread(ask)


class Life:
    """The lifespan of an ASGI application, for those that have one: what it opens at its start is there when it is called."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._state: dict[str, Any] = {}
        self._tell: asyncio.Queue[dict[str, str]] = asyncio.Queue()
        self._told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    async def app(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        await self._app({**scope, "state": dict(self._state)}, receive, send)

    async def begin(self) -> None:
        """RuntimeError where the application says that it cannot start."""
        self._task = asyncio.get_running_loop().create_task(self._run())
        await self._step("startup")

    async def end(self) -> None:
        assert self._task is not None
        await self._step("shutdown")
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": self._state}
        # An application without a lifespan raises, or returns: the specification has it go on without one.
        with contextlib.suppress(Exception):
            await self._app(scope, self._tell.get, self._told.put)

    async def _step(self, name: str) -> None:
        assert self._task is not None
        await self._tell.put({"type": f"lifespan.{name}"})
        answer = asyncio.ensure_future(self._told.get())
        await asyncio.wait([answer, self._task], timeout=STEP_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        if answer.done() and answer.result()["type"] == f"lifespan.{name}.failed":
            raise RuntimeError(f"The application's {name} failed: {answer.result().get('message') or 'it gives no reason'}.")
        answer.cancel()


def is_asgi(app: App) -> bool:
    """ASGI is awaited and takes three arguments, WSGI takes two."""
    if inspect.iscoroutinefunction(app) or inspect.iscoroutinefunction(getattr(app, "__call__", None)):  # noqa: B004  the method itself
        return True
    try:
        return len(inspect.signature(app).parameters) == 3
    except (TypeError, ValueError):
        return False
