"""The process: opens the house, mounts the doors on one listener, starts the engines, drains at the end.

With `--workers N` the doors run in processes of their own that share the listener and reach this one
through the hatch; with N = 0 they run here. Nothing is decided in this file.
"""

import asyncio
import contextlib
import gc
import json
import os
import signal
import socket
import ssl
import sys
import time
import webbrowser
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
import uvloop
from starlette.types import ASGIApp

from stopwire import demo, log, metrics
from stopwire.admin import admin_app
from stopwire.admin import call as admin_call
from stopwire.config import Loaded, Role, Settings
from stopwire.core.bound import short_password, system_id
from stopwire.core.connections import SIMULATOR, OptOutBy
from stopwire.doors import root_app
from stopwire.flows import connect, health, own
from stopwire.hatch import Hatch, RemoteHouse
from stopwire.ports.faults import StoreFault
from stopwire.ports.values import from_plain, to_plain
from stopwire.ports.world import Choices, Clock, Ids
from stopwire.wiring import Wired, webhooks, wire

__all__ = ["Gateway", "admin_call", "opened", "run"]

logger = log.get_logger(__name__)
HATCH = "hatch.sock"
ADMIN = "admin.sock"
DRAIN_SECONDS = 10.0
DOOR_SECONDS = 20.0  # until a door process answers
TICK_SECONDS = 1.0  # how often the Date header of answers is set
LOOK_SECONDS = 0.005  # how often a server looks whether it has started, or ended
TELL_SECONDS = 0.5  # how often a door process tells what it answered
DOOR_PAUSE_SECONDS = 0.5  # before a door process that ended is started again
BACKLOG = 2048
SOCKET_PATH_BYTES_MAX = 107 if sys.platform == "linux" else 103  # sun_path of unix(7), without its end
YOUNG = 20_000  # new objects before the garbage collector looks: at 700, Python's own choice, it looks at every few messages
SWITCH_SECONDS = 0.0001  # how long the loop keeps the interpreter from the writer, whose commit is done: Python's own 5 ms is a commit


class Server(uvicorn.Server):
    """uvicorn inside our loop: signals are ours, so that engines and store stop in order. It ends as soon as it can."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._told_to_end = asyncio.Event()

    def end(self) -> None:
        self.should_exit = True
        self._told_to_end.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def main_loop(self) -> None:
        """uvicorn's looks ten times a second whether it is to end; ours is told, and wakes for the Date header only."""
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TICK_SECONDS):
                    await self._told_to_end.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take nothing new, finish what is under way, for at most DRAIN_SECONDS. uvicorn's waits a tenth of a second in any case."""
        for server in self.servers:
            server.close()
        for listener in sockets or []:
            listener.close()
        state = self.server_state
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_SECONDS):
                await asyncio.sleep(LOOK_SECONDS)  # for a connection that was just taken
                while state.connections or state.tasks:
                    for connection in list(state.connections):
                        connection.shutdown()
                    await asyncio.sleep(LOOK_SECONDS)
        for task in state.tasks:
            task.cancel(msg="The gateway ends, and this took too long.")


def run(loaded: Loaded, *, say: Callable[[str], None] = print) -> int:
    """Serve until a signal. The exit code: 0 after a clean stop, 1 where the gateway cannot start."""
    settings = loaded.settings
    log.configure(level="warning" if settings.quiet else settings.log_level, format=settings.log_format)
    if settings.database or settings.role is not Role.ALL:
        # Better no gateway than one whose consent stands elsewhere than its operator believes.
        say(
            "Stopwire cannot start: this version keeps everything in one SQLite file of its data folder and does all work "
            "in one place. Leave out --database and --role; --data-dir chooses the folder."
        )
        return 1
    try:
        return uvloop.run(_serve(settings, say))
    except (StoreFault, NoDoor) as fault:
        say(f"Stopwire cannot start: {fault}")
        return 1
    except OSError as fault:
        say(f"Stopwire cannot listen on {settings.host}:{settings.port}: {fault.strerror or fault}. Choose another --port.")
        return 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """A gateway that answers requests."""

    wired: Wired
    base: str
    account_sid: str
    auth_token: str
    console_url: str  # signs in once
    smpp_port: int | None = None  # where customers bind, if anywhere


async def _serve(settings: Settings, say: Callable[[str], None]) -> int:
    began = time.monotonic()
    stopping = asyncio.Event()
    _on_signals(stopping)
    async with opened(settings) as gateway, contextlib.AsyncExitStack() as stack:
        world = gateway.wired.world
        if settings.demo and not settings.quiet:
            stack.enter_context(_background(demo.traffic(world, account=gateway.account_sid)))
        _announce(settings, gateway, say, time.monotonic() - began)
        _settle_in()
        if settings.open:
            webbrowser.open(gateway.console_url)
        await stopping.wait()
        logger.info("serve.stopping")
    return 0


@contextlib.asynccontextmanager
async def opened(settings: Settings, *, clock: Clock | None = None, ids: Ids | None = None) -> AsyncIterator[Gateway]:
    """A running gateway, closed in order at the end: doors, then engines, then the store. `clock`, `ids`: those of a test."""
    _fit_for_sockets(settings.data_dir)
    listener = _listen(settings.host, settings.port)
    base = f"http://{_shown_host(settings.host)}:{listener.getsockname()[1]}"
    wired = await wire(settings, public_url=(settings.public_url or base).rstrip("/"), clock=clock, ids=ids)
    try:
        account, token = await _first_account(wired, settings)
        if settings.demo:
            await demo.seed(wired.world, account=account)
        await _declare_carriers(wired, settings, account)
        await wired.start()
        async with contextlib.AsyncExitStack() as stack:
            hatch = Hatch(wired.house, settings.data_dir / HATCH)
            await hatch.open()
            wired.store.on_configured = hatch.changed
            if settings.workers:
                wired.engines.ring = hatch.ring
            stack.push_async_callback(hatch.close)
            await stack.enter_async_context(_admin(wired, settings))
            smpp_port = await stack.enter_async_context(_smpp(wired, settings))
            gateway = Gateway(
                wired=wired,
                base=base,
                account_sid=account,
                auth_token=token,
                console_url=await _console_url(wired, account),
                smpp_port=smpp_port,
            )
            _keep_credentials(gateway)  # there before anybody can see that we are ready
            await stack.enter_async_context(_doors(wired, settings, listener))
            stack.callback(wired.tail.close)  # first of all: whoever watches would hold up the doors
            yield gateway
    finally:
        listener.close()
        await wired.close()


async def _declare_carriers(wired: Wired, settings: Settings, account: str) -> None:
    """Have the connections of the settings file. One that is wrong is told of, and keeps nobody else from starting."""
    for name, table in settings.carriers.items():
        wanted = connect.Wanted(
            settings=table.settings,
            senders=table.senders,
            failover=table.failover,
            opt_out_by=OptOutBy(table.opt_out_by) if table.opt_out_by else None,
            paused=table.paused,
        )
        done = await connect.declare(wired.world, account=account, name=name, type=table.type, wanted=wanted)
        for problem in done.problems:
            logger.error("carrier.unfit", name=name, path=problem.path, problem=problem.message)


async def _console_url(wired: Wired, account: str) -> str:
    """A link that signs in once; a plain one as soon as somebody can sign in by name and password."""
    base = f"{wired.world.choices.public_url}/console/"
    if await own.has_team(wired.world, account=account):
        return base
    return f"{base}sign-in?token={await own.sign_in(wired.world, account=account)}"


def _fit_for_sockets(data_dir: Path) -> None:
    """Raises NoDoor where the path of the data folder leaves no room for that of a socket in it."""
    length = max(len(os.fsencode(data_dir / name)) for name in (HATCH, ADMIN))
    if length > SOCKET_PATH_BYTES_MAX:
        over = length - SOCKET_PATH_BYTES_MAX
        raise NoDoor(f"the path of the data folder {data_dir} is {over} bytes too long for the sockets in it. Choose a shorter --data-dir.")


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named, for asyncio sets TCP_NODELAY only then: without it an answer may wait 40 ms for an ACK.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.listen(BACKLOG)
    listener.setblocking(False)
    listener.set_inheritable(True)
    return listener


def _shown_host(host: str) -> str:
    if host in ("0.0.0.0", "::"):  # noqa: S104  shown, not bound
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


async def _first_account(wired: Wired, settings: Settings) -> tuple[str, str]:
    """SID and token of the first account, made at the first start."""
    accounts = await own.accounts(wired.world)
    if accounts:
        wanted = next((a for a in accounts if a.sid == settings.account_sid), accounts[0])
        return wanted.sid, wanted.auth_token
    made = await own.create_account(
        wired.world,
        name="Demo" if settings.demo else "First account",
        sid=settings.account_sid or None,
        token=settings.auth_token or None,
        opt_out_scope=settings.opt_out_scope,
        media_auth=settings.media_auth,
    )
    return made.sid, made.auth_token


def _server(app: ASGIApp, *, trusted: tuple[str, ...] = ()) -> Server:
    config = uvicorn.Config(
        app,
        lifespan="off",
        log_config=None,
        access_log=False,
        http="httptools",
        ws="none",
        server_header=False,
        proxy_headers=bool(trusted),
        forwarded_allow_ips=list(trusted) or None,
        timeout_keep_alive=75,
        backlog=BACKLOG,
    )
    return Server(config)


@contextlib.asynccontextmanager
async def _running(server: Server, listener: socket.socket) -> AsyncIterator[None]:
    task = asyncio.get_running_loop().create_task(server.serve(sockets=[listener]))
    while not server.started and not task.done():
        await asyncio.sleep(LOOK_SECONDS)
    try:
        yield
    finally:
        server.end()
        await task


@contextlib.asynccontextmanager
async def _doors(wired: Wired, settings: Settings, listener: socket.socket) -> AsyncIterator[None]:
    """The doors: here, or in processes that inherit the listener."""
    if not settings.workers:
        server = _server(root_app(wired.house, _allowed_hosts(settings)), trusted=settings.forwarded_allow)
        async with _running(server, listener):
            yield
        return
    choices = json.dumps(to_plain(wired.world.choices))
    door = {"hosts": _allowed_hosts(settings), "trusted": settings.forwarded_allow, "log_level": settings.log_level}
    command = [sys.executable, "-m", "stopwire.serve", str(listener.fileno()), str(settings.data_dir / HATCH), choices]
    keepers = [
        # The first one tells webhooks, too.
        asyncio.create_task(_keep_door([*command, json.dumps({**door, "webhooks": webhooks})], listener.fileno()))
        for webhooks in [settings.webhook_endpoint_parallel, *[0] * (settings.workers - 1)]
    ]
    try:
        await _until_ready(listener)
        yield
    finally:
        for keeper in keepers:
            keeper.cancel()
        await asyncio.gather(*keepers, return_exceptions=True)


async def _keep_door(command: list[str], descriptor: int) -> None:
    """One door process, started again whenever it ends by itself. Cancelled: the process is asked to end, and awaited."""
    while True:
        process = await asyncio.create_subprocess_exec(*command, pass_fds=[descriptor])
        try:
            code = await process.wait()
        except asyncio.CancelledError:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await process.wait()
            raise
        await asyncio.sleep(DOOR_PAUSE_SECONDS)  # also leaves the time to be cancelled, where all of us were told to end
        logger.error("serve.door_ended", exit_code=code, again=True)


class NoDoor(Exception):
    """No door process became ready."""


async def _until_ready(listener: socket.socket) -> None:
    """Returns when a door has answered. The listener takes the connection before any door runs. Raises NoDoor."""
    host, port = listener.getsockname()[:2]
    try:
        async with asyncio.timeout(DOOR_SECONDS):
            reader, writer = await asyncio.open_connection(_shown_host(host).strip("[]"), port)
            writer.write(b"GET /livez HTTP/1.0\r\nHost: localhost\r\n\r\n")
            answered = bool(await reader.readline())
            writer.close()
    except TimeoutError:
        answered = False
    if not answered:
        raise NoDoor(f"no door process answered within {DOOR_SECONDS:.0f} s: the log says why; --workers 0 does without them.")


@contextlib.asynccontextmanager
async def _smpp(wired: Wired, settings: Settings) -> AsyncIterator[int | None]:
    """The SMPP door, where one is asked for: always in this process, for its links are one with who is bound."""
    if settings.smpp_port is None:
        yield None
        return
    from stopwire.smpp_server.server import SmppServer

    tls = _tls(settings)
    server = SmppServer(wired.house, wired.switchboard, wired.world.clock)
    try:
        port = await server.open(settings.smpp_host, settings.smpp_port, tls=tls)
    except OSError as fault:
        where = f"{settings.smpp_host}:{settings.smpp_port}"
        raise NoDoor(f"Nobody can bind at {where}: {fault.strerror or fault}. Choose another --smpp-port.") from fault
    try:
        yield port
    finally:
        await server.close()


def _tls(settings: Settings) -> ssl.SSLContext | None:
    if settings.smpp_tls_cert is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(settings.smpp_tls_cert, settings.smpp_tls_key)
    except OSError as fault:  # ssl.SSLError is one
        raise NoDoor(f"smpp_tls_cert {settings.smpp_tls_cert} cannot be used: {fault}. Correct it, or smpp_tls_key.") from fault
    return context


@contextlib.asynccontextmanager
async def _admin(wired: Wired, settings: Settings) -> AsyncIterator[None]:
    """The operator's socket, for the command line on this machine."""
    path = settings.data_dir / ADMIN
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        listener.bind(str(path))
    finally:
        os.umask(before)
    listener.listen(16)
    listener.setblocking(False)
    async with _running(_server(admin_app(wired.world)), listener):
        yield
    path.unlink(missing_ok=True)


@contextlib.contextmanager
def _background(work: Any) -> Iterator[None]:
    task = asyncio.get_running_loop().create_task(work)
    try:
        yield
    finally:
        task.cancel()


def _on_signals(stopping: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)


def _allowed_hosts(settings: Settings) -> list[str]:
    """Host names that requests may use; empty: any. A loopback listener takes no stranger's name (DNS rebinding)."""
    loopback = settings.host in ("127.0.0.1", "::1", "localhost")
    if "*" in settings.hosts or (not loopback and not settings.hosts):
        return []
    named = [settings.public_url.split("//")[-1].split("/")[0].split(":")[0]] if settings.public_url else []
    return [*settings.hosts, settings.host, *named]


def _announce(settings: Settings, gateway: Gateway, say: Callable[[str], None], seconds: float) -> None:
    wired = gateway.wired
    lines = [
        f"Stopwire {wired.world.choices.version} is ready at {gateway.base} ({seconds:.1f} s)",
        f"  account SID   {gateway.account_sid}",
        f"  auth token    {gateway.auth_token}",
        f"  console       {gateway.console_url}",
        f"  kept in       {settings.data_dir}",
    ]
    if gateway.smpp_port:
        known = f"system_id {system_id(gateway.account_sid)}, password {short_password(gateway.auth_token)}"
        lines.append(f"  SMPP          {_shown_host(settings.smpp_host)}:{gateway.smpp_port}, {known}")
    if settings.allow_private_webhooks != "none":
        lines.append(f"  webhooks to private addresses are allowed: {settings.allow_private_webhooks.value}")
    if settings.demo:
        lines.append(f"  try it        {_call(gateway)}")
    lines += [f"  note: {notice}" for notice in wired.store.state()["notices"]]
    lines.append(f"Ctrl-C stops it, in order. {_reach(settings, wired)}".rstrip())
    for line in lines:
        say(line)


def _call(gateway: Gateway) -> str:
    """A call to paste: the first text of a newcomer's application, to the first handset of the simulator."""
    path = f"{gateway.base}/2010-04-01/Accounts/{gateway.account_sid}/Messages.json"
    fields = f"--data-urlencode From={demo.SENDERS[0][0]} --data-urlencode To=+14155550101 --data-urlencode Body=Hello"
    return f"curl -sS {path} -u {gateway.account_sid}:{gateway.auth_token} {fields}"


def _reach(settings: Settings, wired: Wired) -> str:
    """Who can reach it and what can leave it, as far as that is certain."""
    here = "Only this machine can reach it." if settings.host in ("127.0.0.1", "::1", "localhost") else ""
    simulated = wired.world.carriers.names() == [SIMULATOR]
    return f"{here} No text leaves this machine: every carrier is the simulator.".strip() if simulated else here


def _keep_credentials(gateway: Gateway) -> None:
    """Write down what programs on this machine sign in with."""
    gateway.wired.world.credentials.keep(
        {
            "account_sid": gateway.account_sid,
            "auth_token": gateway.auth_token,
            "api_base": gateway.base,
            "console_url": gateway.console_url,
        }
    )


# ── a door process ───────────────────────────────────────────────────────────────────────────────────────


async def _door(descriptor: int, hatch: Path, choices: Choices, door: Mapping[str, Any]) -> None:
    house = RemoteHouse(hatch, choices)
    await house.open()
    stopping = asyncio.Event()
    _on_signals(stopping)
    listener = socket.socket(fileno=descriptor)
    listener.setblocking(False)
    metrics.relay()
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(_background(_tell_answers(house)))
        if door["webhooks"]:
            await stack.enter_async_context(webhooks(house, endpoint_parallel=door["webhooks"]))
        async with _running(_server(root_app(house, door["hosts"]), trusted=tuple(door["trusted"])), listener):
            _settle_in()
            await asyncio.wait(
                [asyncio.ensure_future(stopping.wait()), asyncio.ensure_future(house.closed())],
                return_when=asyncio.FIRST_COMPLETED,
            )


def _settle_in() -> None:
    """Have the interpreter make no long pauses. What the start has made is taken out of the garbage collector's rounds: walking
    all of it would stop the world, a tenth of a second each time, under load several times a second."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, 10, 10)
    sys.setswitchinterval(SWITCH_SECONDS)


async def _tell_answers(house: RemoteHouse) -> None:
    """Have the core count what is answered here: its metrics are those that are shown."""
    with contextlib.suppress(StoreFault):  # the core has gone, and with it what it counted
        while True:
            await asyncio.sleep(TELL_SECONDS)
            if answers := metrics.taken():
                await house(health.answered, answers=answers)


def main(arguments: list[str]) -> None:
    """Entry of a door process: the listener's descriptor, the hatch, the gateway's choices, the door's own settings."""
    descriptor, hatch, choices, own_settings = arguments
    door = json.loads(own_settings)
    log.configure(level=door["log_level"])
    uvloop.run(_door(int(descriptor), Path(hatch), from_plain(json.loads(choices), Choices), door))


if __name__ == "__main__":
    main(sys.argv[1:])
