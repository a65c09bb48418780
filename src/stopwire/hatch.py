"""The hatch: how a door walks a flow, in this process or over a Unix socket from a process of its own.

Calls travel as msgpack: the flow's name, its values, its answer. A socket carries many calls at once; what
waits is written together. Only flows and store nouns can be called, and only this gateway's own files
may open the socket (mode 0600).
"""

import asyncio
import functools
import importlib
import inspect
import struct
import typing
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import msgspec

from stopwire.core.sentences import Sentence
from stopwire.log import get_logger
from stopwire.ports import faults
from stopwire.ports import store as store_port
from stopwire.ports.world import Choices, World

P = ParamSpec("P")
R = TypeVar("R")
Noun = TypeVar("Noun")

log = get_logger(__name__)
TOLD = 0  # number of the frames that answer nobody: `changed`, some configuration; `ring`, a webhook waits
FRAME_BYTES_MAX = 64 * 1024 * 1024
_LENGTH = struct.Struct("!I")
_Call = tuple[int, str, str, dict[str, msgspec.Raw]]  # number, flow, account, values by name
_NOUNS = {name.lower(): getattr(store_port, name) for name in (
    "Accounts", "Services", "Connections", "Pushes", "Messages", "Jobs", "Consent", "Inbound", "Replies",
    "Webhooks", "Suggestions", "Handsets", "Lists", "Stats", "People", "Audit", "Alerts",
)}  # fmt: skip


class LocalHouse:
    """The House inside the process that owns the store."""

    def __init__(self, world: World) -> None:
        self._world = world

    @property
    def choices(self) -> Choices:
        return self._world.choices

    @property
    def configuration(self) -> int | None:
        """None: nothing needs to be kept here, where asking costs little."""
        return None

    async def __call__(
        self, flow: Callable[Concatenate[World, P], Awaitable[R]], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        return await flow(self._world, *args, **kwargs)

    async def read(self, account: str, query: Callable[Concatenate[Noun, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        noun, method = query.__qualname__.split(".")
        return await self._world.store.read(
            lambda tx: getattr(getattr(tx, noun.lower()), method)(*args, **kwargs), account=account
        )


class RemoteHouse:
    """The House of a door process: every call goes through the socket of the process that owns the store."""

    def __init__(self, path: Path, choices: Choices) -> None:
        self._path, self._choices = path, choices
        self._waiting: dict[int, asyncio.Future[bytes]] = {}
        self._next = 0
        self._out: list[bytes] = []
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None
        self._configuration = 0
        self.on_ring: Callable[[], None] | None = None  # called when a webhook waits

    @property
    def choices(self) -> Choices:
        return self._choices

    @property
    def configuration(self) -> int | None:
        """Rises with every change of any account's configuration, before whoever made it has its answer."""
        return self._configuration

    async def open(self) -> None:
        reader, self._writer = await asyncio.open_unix_connection(str(self._path), limit=FRAME_BYTES_MAX)
        self._reading = asyncio.get_running_loop().create_task(self._read(reader))

    async def closed(self) -> None:
        """Returns when the other side has gone: this process has nothing left to do."""
        assert self._reading is not None
        await asyncio.wait([self._reading])

    async def __call__(
        self, flow: Callable[Concatenate[World, P], Awaitable[R]], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        answer: R = await self._ask(f"{flow.__module__}:{flow.__qualname__}", "", flow, args, kwargs)
        return answer

    async def read(self, account: str, query: Callable[Concatenate[Noun, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        answer: R = await self._ask(f"read:{query.__qualname__}", account, query, args, kwargs)
        return answer

    async def _ask(self, name: str, account: str, called: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        if self._reading is None or self._reading.done():
            raise faults.StoreClosed
        values = _names(called, args, kwargs)
        self._next += 1
        number = self._next
        future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        self._send(_encode((number, name, account, values)))
        return _decode_answer(await future, _types(called)["return"])

    def _send(self, frame: bytes) -> None:
        """Frames of one turn of the loop leave in one write."""
        assert self._writer is not None
        if not self._out:
            asyncio.get_running_loop().call_soon(self._flush)
        self._out.append(frame)

    def _flush(self) -> None:
        assert self._writer is not None
        frames, self._out = b"".join(self._out), []
        self._writer.write(frames)

    async def _read(self, reader: asyncio.StreamReader) -> None:
        try:
            while True:
                number, state, frame = _numbered(await _frame(reader))
                if number == TOLD:
                    self._hear(state)
                elif (future := self._waiting.pop(number, None)) and not future.done():
                    future.set_result(frame)
        except (asyncio.IncompleteReadError, ConnectionError):
            for future in self._waiting.values():
                if not future.done():
                    future.set_exception(faults.StoreClosed())
            self._waiting.clear()


    def _hear(self, told: str) -> None:
        if told == "changed":
            self._configuration += 1
        elif self.on_ring:
            self.on_ring()


class Hatch:
    """The serving side: a socket in the data directory, each call a task of its own."""

    def __init__(self, house: LocalHouse, path: Path) -> None:
        self._house, self._path = house, path
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._out: dict[asyncio.StreamWriter, list[bytes]] = {}

    async def open(self) -> None:
        self._path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._serve, str(self._path), limit=FRAME_BYTES_MAX)
        self._path.chmod(0o600)

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
        for writer in list(self._writers):  # who still waits at the other end is told by this
            writer.close()
        self._path.unlink(missing_ok=True)

    def changed(self) -> None:
        """Tell the doors that some configuration is no longer what it was. Called before the one who changed it is answered."""
        self._tell("changed")

    def ring(self) -> None:
        """Tell the doors that a webhook waits."""
        self._tell("ring")

    def _tell(self, what: str) -> None:
        for writer in self._writers:
            self._send(writer, _encode((TOLD, what, None)))

    def _send(self, writer: asyncio.StreamWriter, frame: bytes) -> None:
        """Frames of one turn of the loop leave in one write, in their order."""
        if not self._out:
            asyncio.get_running_loop().call_soon(self._flush)
        self._out.setdefault(writer, []).append(frame)

    def _flush(self) -> None:
        waiting, self._out = self._out, {}
        for writer, frames in waiting.items():
            if not writer.is_closing():  # else the door has ended meanwhile
                writer.write(b"".join(frames))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while True:
                number, name, account, values = msgspec.msgpack.decode(await _frame(reader), type=_Call)
                task = asyncio.get_running_loop().create_task(self._answer(writer, number, name, account, values))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the door has ended
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _answer(self, writer: asyncio.StreamWriter, number: int, name: str, account: str, values: dict[str, msgspec.Raw]) -> None:
        try:
            called = _find(name)
            given = {key: msgspec.msgpack.decode(value, type=_types(called)[key]) for key, value in values.items()}
            if name.startswith("read:"):
                answer = await self._house.read(account, called, **given)
            else:
                answer = await self._house(called, **given)
            frame = _encode((number, "ok", answer))
        except Exception as fault:
            if not isinstance(fault, faults.StoreFault):
                log.exception("hatch.failed", call=name)
            frame = _encode((number, type(fault).__name__, str(fault)))
        self._send(writer, frame)


def _names(called: Callable[..., Any], args: Any, kwargs: Any) -> dict[str, Any]:
    """All values by name, so that both sides agree whatever way the door called."""
    values: dict[str, Any] = dict(zip(_parameters(called), args, strict=False))
    return {**values, **kwargs}


@functools.cache
def _parameters(called: Callable[..., Any]) -> list[str]:
    return list(inspect.signature(called).parameters)[1:]  # without the world, or the noun


@functools.cache
def _types(called: Callable[..., Any]) -> dict[str, Any]:
    hints: dict[str, Any] = typing.get_type_hints(called)
    return hints


@functools.cache
def _find(name: str) -> Callable[..., Any]:
    module, _, rest = name.partition(":")
    if module == "read":
        noun, _, method = rest.partition(".")
        found: Callable[..., Any] = getattr(_NOUNS[noun.lower()], method)
        return found
    if not module.startswith("stopwire.flows."):
        raise LookupError(name)
    flow: Callable[..., Any] = getattr(importlib.import_module(module), rest)
    return flow


def _encode(value: Any) -> bytes:
    body = msgspec.msgpack.encode(value, enc_hook=_parts)
    return _LENGTH.pack(len(body)) + body


def _parts(value: Any) -> Any:
    """A sentence travels as its template and its values, so that the other side may tell it in its language."""
    if isinstance(value, Sentence):
        return [value.template, value.values]
    raise TypeError(f"{type(value).__name__} does not travel through the hatch: take it apart here.")


def _whole(type_: type, parts: Any) -> Any:
    assert type_ is Sentence, f"{type_.__name__} does not travel through the hatch."
    if isinstance(parts, str):
        return Sentence(parts)  # a text that is no sentence, where one may be
    template, values = parts
    return Sentence(template, **{name: _whole(Sentence, each) if isinstance(each, list) else each for name, each in values.items()})


async def _frame(reader: asyncio.StreamReader) -> bytes:
    (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
    if length > FRAME_BYTES_MAX:
        raise ConnectionError(f"a call of {length} bytes; at most {FRAME_BYTES_MAX} fit through")
    return await reader.readexactly(length)


def _numbered(frame: bytes) -> tuple[int, str, bytes]:
    number, state, _ = msgspec.msgpack.decode(frame, type=tuple[int, str, msgspec.Raw])
    return number, state, frame


def _decode_answer(frame: bytes, type_: Any) -> Any:
    _, state, raw = msgspec.msgpack.decode(frame, type=tuple[int, str, msgspec.Raw])
    if state == "ok":
        return msgspec.msgpack.decode(raw, type=type_, dec_hook=_whole)
    fault = getattr(faults, state, None)
    text = msgspec.msgpack.decode(raw, type=str)
    if fault is not None:
        raise fault(text)
    raise RuntimeError(f"{state}: {text}")
