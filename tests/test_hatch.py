"""The hatch: what doors ask through the socket comes back as if the flow had been walked in their own process."""

import ast
import asyncio
import dataclasses
import importlib
import inspect
import pkgutil
import stat
import struct
import typing
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from pathlib import Path
from types import UnionType
from typing import Any, cast

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stopwire import api, console, doors, hatch, twilio_api
from stopwire.core.policy import Problem
from stopwire.core.sentences import Sentence
from stopwire.flows import account, authenticate, health, tail, tell
from stopwire.flows.authenticate import Caller
from stopwire.hatch import Hatch, LocalHouse, RemoteHouse
from stopwire.ports import faults
from stopwire.ports import store as store_port
from stopwire.ports.http import PrivateTargets
from stopwire.ports.store import Cut, MessageFilter, Messages, Services
from stopwire.ports.world import Choices, World
from stopwire.workers import notifier
from tests.gateway import Gateway

CHOICES = Choices(public_url="http://localhost", private_webhooks=PrivateTargets.NONE)
NOW = datetime(2026, 5, 4, 12, 0, 0, 123000, tzinfo=UTC)


# ── every type that travels ──────────────────────────────────────────────────────────────────────────────


def _called_by_doors() -> dict[str, Callable[..., Any]]:
    """Every flow and every question to the store that a door's source speaks of."""
    modules = [doors, notifier]  # the webhook engine may stand beside the doors
    for package in (twilio_api, api, console):
        modules += [importlib.import_module(each.name) for each in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")]
    found = {}
    for module in modules:
        for node in ast.walk(ast.parse(inspect.getsource(module))):
            match node:
                case ast.Attribute(value=ast.Name(id=owner), attr=name):
                    named = getattr(vars(module).get(owner), name, None)
                case ast.Name(id=name):
                    named = vars(module).get(name)
                case _:
                    continue
            if named is tell.tell:
                continue  # asks no store, so it is walked where it is asked for
            if inspect.iscoroutinefunction(named) and named.__module__.startswith("stopwire.flows."):
                found[f"{named.__module__.removeprefix('stopwire.flows.')}.{named.__qualname__}"] = named
            elif inspect.isfunction(named) and named.__module__ == store_port.__name__:
                found[named.__qualname__] = named
    return found


CALLED = _called_by_doors()
FLOWS = {name: called for name, called in CALLED.items() if inspect.iscoroutinefunction(called)}


def _hints(called: Callable[..., Any]) -> dict[str, Any]:
    first, *_ = inspect.signature(called).parameters
    return {name: hint for name, hint in typing.get_type_hints(called).items() if name != first}


def test_the_doors_were_read() -> None:
    assert {"send.send", "notify.settle", "authenticate.authenticate", "health.ready", "Messages.page", "Services.directory"} <= set(CALLED)


@pytest.mark.parametrize("called", FLOWS.values(), ids=FLOWS)
def test_a_flow_of_a_door_begins_with_the_world(called: Callable[..., Any]) -> None:
    assert World is next(iter(typing.get_type_hints(called).values()))


@pytest.mark.parametrize("called", CALLED.values(), ids=CALLED)
def test_every_value_of_a_call_has_a_type_that_travels(called: Callable[..., Any]) -> None:
    for name, hint in _hints(called).items():
        assert [] == list(_unfit(msgspec.inspect.type_info(hint), set())), name


def test_a_sentence_arrives_with_what_it_is_made_of() -> None:
    sent = Sentence("%(who)s at %(at)s.", who=Sentence("by %(name)s", name="Ann"), at=datetime(2026, 5, 3, tzinfo=UTC))
    arrived = hatch._decode_answer(hatch._encode((7, "ok", sent))[4:], Sentence)
    assert (str(sent), sent.template, dict(sent.values)) == (str(arrived), arrived.template, dict(arrived.values))
    assert "by %(name)s" == arrived.values["who"].template


@pytest.mark.parametrize(
    "message",
    [
        pytest.param("100 % of it is wrong.", id="a text"),
        pytest.param(Sentence("Write a number from %(least)s to %(most)s.", least=1, most=9), id="a sentence"),
    ],
)
def test_a_problem_arrives_whether_it_is_a_sentence_or_a_text(message: str) -> None:
    sent = [Problem(path="threshold", message=message)]
    arrived = hatch._decode_answer(hatch._encode((7, "ok", sent))[4:], list[Problem])
    assert sent == arrived
    assert str(message) == str(arrived[0].message)
    assert getattr(message, "template", message) == arrived[0].message.template


def _unfit(info: Any, seen: set[int]) -> Iterator[str]:
    """Types, at any depth, that msgpack cannot carry to the other process."""
    if id(info) in seen:
        return
    seen.add(id(info))
    if isinstance(info, msgspec.inspect.CustomType) and info.cls is not Sentence:  # which the hatch takes apart
        yield str(info.cls)
    for part in vars_of(info):
        yield from _unfit(part, seen)


def vars_of(info: Any) -> Iterator[Any]:
    for name in ("type", "item_type", "key_type", "value_type"):
        if isinstance(inner := getattr(info, name, None), msgspec.inspect.Type):
            yield inner
    for name in ("types", "item_types"):
        yield from getattr(info, name, ())
    for each in getattr(info, "fields", ()):
        yield each.type


# Texts as a store keeps them, instants as fine as it keeps them.
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
INSTANTS = st.integers(0, 10**12).map(lambda ms: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms))
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXT, inner, max_size=2),
    max_leaves=4,
)


def _values(hint: Any) -> st.SearchStrategy[Any]:
    """Values of a type, as plain as they come; what a class checks of itself is left alone."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return PLAIN
    if hint is str:
        return TEXT
    if hint is int:
        return st.integers(-(2**53), 2**53)
    if hint is Sentence:
        return st.builds(lambda name, at: Sentence("%(name)s at %(at)s.", name=Sentence("“%(n)s”", n=name), at=at), TEXT, INSTANTS)
    if hint is float:
        return st.floats(allow_nan=False)
    if hint is datetime:
        return INSTANTS
    if hint is date:
        return st.dates()
    if hint is None or hint is type(None):
        return st.none()
    if hint in (bool, bytes):
        return cast(st.SearchStrategy[Any], st.from_type(hint))
    if origin in (typing.Union, UnionType):
        return st.one_of(*(_values(each) for each in args))
    if origin is typing.Literal:
        return st.sampled_from(args)
    if origin is tuple:
        if args[-1] is Ellipsis:
            return st.lists(_values(args[0]), max_size=2).map(tuple)
        return st.tuples(*(_values(each) for each in args))
    if origin in (list, Sequence):
        return st.lists(_values(args[0]), max_size=2)
    if origin is frozenset:
        return st.frozensets(_values(args[0]), max_size=2)
    if origin in (dict, Mapping):
        return st.dictionaries(_values(args[0]), _values(args[1]), max_size=2)
    if inspect.isclass(hint) and issubclass(hint, Enum):
        return st.sampled_from(hint)
    if dataclasses.is_dataclass(hint):
        hints = typing.get_type_hints(hint)
        parts = {each.name: st.deferred(lambda h=hints[each.name]: _values(h)) for each in dataclasses.fields(hint) if each.init}
        return st.fixed_dictionaries(parts).map(lambda given: hint(**given))
    raise TypeError(f"no values for {hint}: teach this test to make some")


@pytest.mark.parametrize("called", CALLED.values(), ids=CALLED)
@settings(max_examples=10, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_every_value_arrives_as_it_was_sent(called: Callable[..., Any], data: st.DataObject) -> None:
    for name, hint in _hints(called).items():
        value = data.draw(_values(hint), label=name)
        if name == "return":
            frame = hatch._encode((7, "ok", value))[4:]
            arrived = hatch._decode_answer(frame, hint)
        else:
            arrived = msgspec.msgpack.decode(msgspec.msgpack.encode(value), type=hint)
        assert value == arrived, name


# ── the socket ───────────────────────────────────────────────────────────────────────────────────────────


class _Local(LocalHouse):
    """A house that answers each call by a function of the test's."""

    def __init__(self, answer: Callable[..., Awaitable[Any]]) -> None:
        self._answer = answer

    async def __call__(self, flow: Any, *args: Any, **kwargs: Any) -> Any:
        return await self._answer(flow, *args, **kwargs)

    async def read(self, account: str, query: Any, *args: Any, **kwargs: Any) -> Any:
        return await self._answer(query, account, *args, **kwargs)


@asynccontextmanager
async def opened(path: Path, answer: Callable[..., Awaitable[Any]]) -> AsyncIterator[tuple[Hatch, RemoteHouse]]:
    serving = Hatch(_Local(answer), path)
    await serving.open()
    house = RemoteHouse(path, CHOICES)
    await house.open()
    try:
        yield serving, house
    finally:
        await serving.close()
        assert house._writer is not None
        house._writer.close()


async def test_a_call_and_its_answer_cross_the_socket(tmp_path: Path) -> None:
    seen = []

    async def answer(flow: Any, **values: Any) -> Caller:
        seen.append((flow, values))
        return Caller(account="AC1", name="AC1", key="SK1")

    async with opened(tmp_path / "h.sock", answer) as (_, house):
        caller = await house(authenticate.authenticate, username="SK1", password="ünïcødé 🚀")
    assert Caller(account="AC1", name="AC1", key="SK1") == caller
    assert [(authenticate.authenticate, {"username": "SK1", "password": "ünïcødé 🚀"})] == seen


@pytest.mark.parametrize("changes", [{"keep_bodies_days": 30}, {"keep_bodies_days": 0}], ids=["warned of", "refused"])
def test_what_is_said_of_an_accounts_settings_crosses_the_socket(gateway: Gateway, changes: dict[str, int]) -> None:
    async def ask() -> account.AccountChanged:
        far = RemoteHouse(gateway.settings.data_dir / "hatch.sock", gateway.house.choices)
        await far.open()
        try:
            return await far(account.change_account, account=gateway.account_sid, changes=changes)
        finally:
            assert far._writer is not None
            far._writer.close()

    changed = gateway.run(ask())
    assert 1 == len((*changed.problems, *changed.warnings))
    gateway.run(account.change_account(gateway.world, account=gateway.account_sid, changes={"keep_bodies_days": None}))


async def test_a_question_to_the_store_crosses_with_its_account(tmp_path: Path) -> None:
    seen = []

    async def answer(query: Any, account: str, **values: Any) -> list[Any]:
        seen.append((query, account, values))
        return []

    async with opened(tmp_path / "h.sock", answer) as (_, house):
        wanted, cut = MessageFilter(recipient="+1", since=NOW), Cut(limit=3, after="SM1")
        assert [] == await house.read("AC1", Messages.page, wanted, cut)
    assert [(Messages.page, "AC1", {"wanted": wanted, "cut": cut})] == seen


async def test_answers_may_overtake_each_other(tmp_path: Path) -> None:
    first_may_go = asyncio.Event()

    async def answer(flow: Any, *, username: str, password: str) -> Caller:
        if username == "first":
            await first_may_go.wait()
        else:
            first_may_go.set()
        return Caller(name=username)

    async with opened(tmp_path / "h.sock", answer) as (_, house):
        names = ["first", *(str(n) for n in range(100))]
        asked = [house(authenticate.authenticate, username=name, password="") for name in names]
        assert names == [caller.name for caller in await asyncio.gather(*asked)]


@pytest.mark.parametrize(
    "fault", [faults.StoreFull, faults.StoreBusy, faults.StoreSlow, faults.StoreClosed, faults.StoreBroken], ids=lambda each: each.__name__
)
async def test_a_fault_of_the_store_crosses_as_itself(tmp_path: Path, fault: type[faults.StoreFault]) -> None:
    async def answer(*_: Any, **__: Any) -> Any:
        raise fault("what happened, and the cure")

    async with opened(tmp_path / "h.sock", answer) as (_, house):
        with pytest.raises(fault, match="what happened, and the cure"):
            await house(tail.now)


async def test_a_bug_stays_a_bug(tmp_path: Path) -> None:
    async def answer(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError("by nothing")

    async with opened(tmp_path / "h.sock", answer) as (_, house):
        with pytest.raises(RuntimeError, match="ZeroDivisionError: by nothing"):
            await house(tail.now)


async def test_who_waits_when_the_socket_goes_is_told_the_store_is_closed(tmp_path: Path) -> None:
    asked = asyncio.Event()

    async def answer(*_: Any, **__: Any) -> Any:
        asked.set()
        await asyncio.Event().wait()

    async with opened(tmp_path / "h.sock", answer) as (serving, house):
        waiting = [asyncio.ensure_future(house(tail.now)) for _ in range(3)]
        await asked.wait()
        await serving.close()
        async with asyncio.timeout(5):
            told = await asyncio.gather(*waiting, return_exceptions=True)
            await house.closed()
        assert [faults.StoreClosed] * 3 == [type(each) for each in told]
        with pytest.raises(faults.StoreClosed):
            await house(tail.now)


async def test_only_flows_and_nouns_can_be_called(tmp_path: Path) -> None:
    for name in ("os:system", "stopwire.vault:seal", "stopwire.storage.backup:restore", "read:World.store", "stopwire.flows.send:nothing"):
        with pytest.raises((LookupError, AttributeError, ModuleNotFoundError)):
            hatch._find(name)


async def test_the_socket_is_its_owners_alone(tmp_path: Path) -> None:
    async def answer(*_: Any, **__: Any) -> Any: ...

    path = tmp_path / "h.sock"
    path.touch()  # left behind by a crash
    async with opened(path, answer):
        assert 0o600 == stat.S_IMODE(path.stat().st_mode)
    assert not path.exists()


async def test_a_call_too_large_is_hung_up_on_and_the_next_goes_through(tmp_path: Path) -> None:
    async def answer(*_: Any, **__: Any) -> Any:
        return NOW

    async with opened(tmp_path / "h.sock", answer) as (_, house):
        reader, writer = await asyncio.open_unix_connection(str(tmp_path / "h.sock"))
        writer.write(struct.pack("!I", hatch.FRAME_BYTES_MAX + 1))
        async with asyncio.timeout(5):
            assert b"" == await reader.read()
        writer.close()
        assert NOW == await house(tail.now)


def test_a_house_far_away_answers_as_the_one_at_home(gateway: Gateway) -> None:
    """Over the running gateway's own socket."""

    async def ask() -> tuple[Any, Any]:
        far = RemoteHouse(gateway.settings.data_dir / "hatch.sock", gateway.house.choices)
        await far.open()
        try:
            answers = [
                (await house.read(gateway.account_sid, Services.directory), await house(health.ready)) for house in (far, gateway.house)
            ]
        finally:
            assert far._writer is not None
            far._writer.close()
        for _, ready in answers:
            for name in ("free_bytes", "database_bytes", "log_bytes"):  # others write to the same disk, and engines to the store
                del ready["store"][name]
        return answers[0], answers[1]

    far, home = gateway.run(ask())
    assert home == far
