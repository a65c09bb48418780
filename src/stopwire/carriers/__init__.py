"""The back door: one file is one carrier, which translates and names what happened.

A carrier never retries, never stores, and has never heard of consent. Here is the board of those that are plugged in.
"""

import asyncio
import importlib
import math
import pkgutil
from collections import defaultdict, deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from typing import Any

from stopwire.core.connections import LinkEvent, LinkState, LinkStatus, Sealed, seal_purpose
from stopwire.core.outcomes import DeliveryReport, Received
from stopwire.core.policy import Problem
from stopwire.ports.carrier import Carrier, CarrierClass, CarrierType, Field, Tools
from stopwire.ports.http import Http, PrivateTargets
from stopwire.ports.world import Clock, Ids, Vault

ENTRY_POINTS = "stopwire.carriers"  # other packages offer carriers under this group
LOG_LINES = 200
USABLE_SECONDS = 0.25  # which connections are usable is asked for each message: it is looked at anew when this has passed, or one says so
TEST_SECONDS = 15.0
TEST_STEP_SECONDS = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Supplies:
    """What the board makes carriers with."""

    http: Http
    clock: Clock
    ids: Ids
    vault: Vault
    private: PrivateTargets
    public_url: str
    on_log: Callable[[str, str, Mapping[str, Any]], None] | None = None  # (account, event, facts): each line of a log, live


class Board:
    """Implements `ports.carrier.Carriers`: the live connections, by SID."""

    def __init__(self, supplies: Supplies) -> None:
        self._supplies = supplies
        self._live: dict[str, Carrier] = {}
        self._usable: frozenset[str] = frozenset()
        self._usable_until = -math.inf  # monotonic seconds
        self._full: frozenset[str] = frozenset()
        self._logs: defaultdict[str, deque[LinkEvent]] = defaultdict(lambda: deque(maxlen=LOG_LINES))

    def fix(self, connection: str, carrier: Carrier) -> None:
        """Hold a carrier that is always there."""
        self._live[connection] = carrier

    def plug(self, sealed: Sealed) -> Carrier:
        carrier = self._make(sealed)
        self._live[sealed.connection.sid] = carrier
        self._usable_until = -math.inf
        return carrier

    def make(self, sealed: Sealed) -> Carrier:
        return self._make(sealed)

    def unplug(self, connection: str) -> None:
        self._live.pop(connection, None)
        self._usable_until = -math.inf

    def get(self, connection: str) -> Carrier | None:
        return self._live.get(connection)

    def names(self) -> list[str]:
        return list(self._live)

    def up(self) -> frozenset[str]:
        return frozenset(sid for sid, carrier in self._live.items() if carrier.state().status is LinkStatus.UP)

    def usable(self) -> frozenset[str]:
        now = self._supplies.clock.monotonic()
        if now >= self._usable_until:
            # A provider over HTTP is found to be back by the one message that it has room for when its rest is over.
            self._usable = frozenset(
                sid for sid, one in self._live.items() if one.state().status is not LinkStatus.DOWN or one.room() > 0
            )
            self._usable_until = now + USABLE_SECONDS
        return self._usable

    def full(self) -> frozenset[str]:
        return self._full

    def fill(self, senders: Collection[str]) -> None:
        self._full = frozenset(senders)

    def halt(self, attempts: Sequence[str]) -> None:
        for carrier in self._live.values():
            carrier.halt(attempts)

    def log(self, connection: str) -> list[LinkEvent]:
        return list(self._logs[connection]) if connection in self._logs else []

    def note(self, sealed: Sealed, event: str, says: str) -> None:
        self._teller(sealed)(event, says)

    def types(self) -> list[CarrierType]:
        return [load(name).TYPE for name in names()]

    def problems(self, type_: str, settings: Mapping[str, Any]) -> list[Problem]:
        try:
            kind = load(type_)
        except LookupError as unknown:
            return [Problem(path="type", message=str(unknown))]
        return [*_field_problems(kind.TYPE, settings)] or kind.problems(settings)

    async def test(self, sealed: Sealed) -> LinkState:
        """Open the connection beside the live one, hear nothing through it, and close it again."""
        carrier = self._make(sealed, quiet=True)
        await carrier.start(_Deaf())
        try:
            for _ in range(int(TEST_SECONDS / TEST_STEP_SECONDS)):
                state = carrier.state()
                if state.status is not LinkStatus.CONNECTING:
                    return state
                await asyncio.sleep(TEST_STEP_SECONDS)
            return carrier.state()
        finally:
            await carrier.stop()

    def _make(self, sealed: Sealed, *, quiet: bool = False) -> Carrier:
        supplies, sid = self._supplies, sealed.connection.sid
        secrets = {
            name: supplies.vault.open_sealed(text, purpose=seal_purpose(sid, name)) for name, text in sealed.secrets.items()
        }
        tools = Tools(
            http=supplies.http,
            clock=supplies.clock,
            ids=supplies.ids,
            private=supplies.private,
            public_url=supplies.public_url,
            tell=_silent if quiet else self._teller(sealed),
        )
        return load(sealed.connection.type)(sealed, secrets, tools)

    def _teller(self, sealed: Sealed) -> Callable[[str, str], None]:
        own, supplies = sealed.connection, self._supplies

        def tell(event: str, says: str) -> None:
            self._usable_until = -math.inf
            self._logs[own.sid].append(LinkEvent(at=supplies.clock.now(), event=event, says=says))
            if supplies.on_log is not None:
                supplies.on_log(own.account, "carrier.logged", {"id": own.sid, "name": own.name, "event": event, "says": says})

        return tell


def _silent(event: str, says: str) -> None:
    """A connection that is only tried leaves no line."""


class _Deaf:
    """The inbox of a connection that is only tried: what comes is refused, so that it comes again to the live one."""

    async def received(self, heard: Received) -> str | None:
        raise ConnectionRefusedError("this connection is only being tried")

    async def reported(self, reports: Sequence[DeliveryReport]) -> None:
        raise ConnectionRefusedError("this connection is only being tried")

    def ready(self) -> None:
        """Nobody hands it anything."""


@cache
def names() -> tuple[str, ...]:
    """The kinds of carriers that can be plugged in: a module of this package each, and what other packages offer."""
    own = (module.name for module in pkgutil.iter_modules(__path__))
    return tuple(sorted({*filter(_is_carrier, own), *(point.name for point in entry_points(group=ENTRY_POINTS))}))


@cache
def load(name: str) -> CarrierClass:
    """The class of a kind of carrier. Raises LookupError."""
    if name.isidentifier() and (found := _own(name)) is not None:
        return found
    for point in entry_points(group=ENTRY_POINTS, name=name):
        outside: CarrierClass = point.load()
        return outside
    raise LookupError(f"No connection of type {name!r} can be added: there are {', '.join(('simulator', *names()))}.")


def _is_carrier(name: str) -> bool:
    return _own(name) is not None


def _own(name: str) -> CarrierClass | None:
    try:
        module = importlib.import_module(f"{__name__}.{name}")
    except ModuleNotFoundError as missing:
        if missing.name == f"{__name__}.{name}":
            return None
        raise
    for found in vars(module).values():
        kind = getattr(found, "TYPE", None) if isinstance(found, type) else None
        if isinstance(kind, CarrierType) and kind.name == name:
            made: Any = found
            class_: CarrierClass = made
            return class_
    return None


def _field_problems(kind: CarrierType, settings: Mapping[str, Any]) -> list[Problem]:
    """What every kind has in common: no unknown setting, none left out that it needs."""
    known = {field.name: field for field in kind.fields}
    problems = [
        Problem(path=f"settings.{name}", message=f"A connection of type {kind.name} has no setting {name!r}.")
        for name in settings
        if name not in known
    ]
    problems += [
        Problem(path=f"settings.{field.name}", message=f"{field.name} is needed: {_lower(field)}.")
        for field in kind.fields
        if field.required and settings.get(field.name) in (None, "")
    ]
    return problems


def _lower(field: Field) -> str:
    says = field.says.rstrip(".")
    return says[:1].lower() + says[1:]
