"""The gateway of a test: the real house on a loop of its own in a thread, a free loopback port, a folder that goes with it.

It hands out accounts, a clean one to each test. It knows how to wait; what is asserted is the kit's.
"""

import asyncio
import logging
import shutil
import tempfile
from collections import defaultdict, deque
from collections.abc import Callable, Coroutine, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import structlog

from stopwire import config
from stopwire.core import inventory
from stopwire.core.address import SenderKind
from stopwire.core.inventory import NumberType
from stopwire.ports.world import World
from stopwire.testing.chance import ForwardClock, SeededIds
from stopwire.testing.receiver import Receiver
from stopwire.testing.threaded import Threaded
from stopwire.workers import reaper

T = TypeVar("T")
LOOK_SECONDS = 0.25  # the net under the wake-ups while somebody waits
FIRST_SHORT_CODE = 70_000
FOLDER_CHARS_MAX = 85  # a socket's path has at most 103 octets on macOS, 107 on Linux: sockaddr_un


class Running:
    """Starts when it is made. `close()` leaves nothing behind."""

    def __init__(self, *, seed: str = "1") -> None:
        _speak_low()
        self.folder = _folder()
        self.clock, self.ids = ForwardClock(), SeededIds(seed)
        flags: dict[str, object] = {
            "data_dir": str(self.folder), "port": 0, "quiet": True, "workers": 0, "allow_private_webhooks": "loopback",
        }  # fmt: skip
        settings = config.load(flags, environ={}, cwd=self.folder).settings
        self._numbers: dict[tuple[str, SenderKind], deque[str]] = defaultdict(deque)
        self._given: dict[tuple[str, SenderKind], Iterator[str]] = {}
        try:
            self._threaded = Threaded(settings, clock=self.clock, ids=self.ids)
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise
        self._gateway = self._threaded.gateway
        self.url = self._gateway.base
        self.world: World = self._gateway.wired.world
        self.receiver = Receiver()

    def close(self) -> None:
        """Stop in order: doors, engines, store; then the folder goes."""
        self.receiver.close()
        try:
            self._threaded.close()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    # ── from the test's thread into the gateway's loop ──────────────────────────────────────────────

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Run `work` inside the gateway, and wait for it."""
        return self._threaded.call(work)

    def later(self, work: Coroutine[Any, Any, T]) -> "asyncio.Future[T]":
        """The same for a test that is a coroutine: something to await."""
        return asyncio.wrap_future(self._threaded.begin(work))

    async def until(self, account: str, ask: Callable[[], Coroutine[Any, Any, T | None]], *, seconds: float) -> T | None:
        """What `ask` answers, as soon as it is something; None after `seconds`. Asked again at each event of the account."""
        loop = self._threaded.loop
        ends_at, seen = loop.time() + seconds, self.world.tail.newest()
        while (found := await ask()) is None and (left := ends_at - loop.time()) > 0:
            events = await self.world.tail.wait(account, seen, seconds=min(left, LOOK_SECONDS), limit=100)
            seen = events[-1].id if events else seen
        return found

    def forward(self, by: timedelta) -> None:
        """Put the clock forward, wake whoever may have something due by then, and end what is overdue by then."""

        async def move() -> None:
            self.clock.forward(by)
            for engine in ("dispatch", "notify", "connections"):
                self._gateway.wired.engines.wake(engine)
            self.world.phones.look()
            await reaper.tidy(self.world, forget=True)

        self.call(move())

    # ── numbers: nobody's until an account has them, and anybody's afterwards ───────────────────────

    def number(self, country: str, kind: SenderKind) -> str:
        """A sender's address of that kind that no account has. ValueError where there is none."""
        key = (country, kind)
        if key not in self._given:
            self._given[key] = _addresses(country, kind)
        if fresh := next(self._given[key], None):
            return fresh
        if self._numbers[key]:
            return self._numbers[key].popleft()
        what = kind.value.replace("_", " ")
        raise ValueError(f"There is no {what} in {country} that is free; there are numbers in {', '.join(inventory.COUNTRY_NAMES)}.")

    def put_back(self, given: Mapping[str, tuple[str, SenderKind]]) -> None:
        """Take addresses that their account has let go of: they are given again when no fresh one is left."""
        for address, key in given.items():
            self._numbers[key].append(address)


def _addresses(country: str, kind: SenderKind) -> Iterator[str]:
    match kind:
        case SenderKind.SHORT_CODE:
            yield from (str(number) for number in range(FIRST_SHORT_CODE, 100_000))
        case SenderKind.ALPHANUMERIC:
            yield from (f"ALERTS{number}" for number in range(1, 10_000))
        case SenderKind.TOLL_FREE:
            yield from _from_behind(country, NumberType.TOLL_FREE)
        case SenderKind.WHATSAPP:
            yield from (f"whatsapp:{number}" for number in _addresses(country, SenderKind.LONG_CODE))
        case _:
            for type_ in inventory.types_of(country):
                if type_ is not NumberType.TOLL_FREE:
                    yield from _from_behind(country, type_)


def _from_behind(country: str, type_: NumberType) -> Iterator[str]:
    """The last first: tests like to give the first ones to their handsets, and nobody can text themselves."""
    return reversed(list(inventory.offered(country, type_)))


def _folder() -> Path:
    """A new folder, short enough in its name for the sockets in it; some systems have long temporary folders."""
    folder = Path(tempfile.mkdtemp(prefix="stopwire-"))
    if len(str(folder)) <= FOLDER_CHARS_MAX:
        return folder
    folder.rmdir()
    return Path(tempfile.mkdtemp(prefix="stopwire-", dir="/tmp"))


def _speak_low() -> None:
    """Warnings only; where the application under test has set up its own logs, they stay as they are."""
    if not structlog.is_configured():
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
