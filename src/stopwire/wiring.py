"""The fuse box: the one file that knows which concrete things stand behind the ports."""

import asyncio
import contextlib
import itertools
import random
import secrets
import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from stopwire import __version__, metrics, packs, vault
from stopwire.carriers import Board, Supplies
from stopwire.carriers.simulator import Simulator
from stopwire.config import Settings
from stopwire.core.connections import SIMULATOR
from stopwire.credentials import CredentialsFile
from stopwire.hatch import LocalHouse, RemoteHouse
from stopwire.log import get_logger
from stopwire.net.http import HttpClient
from stopwire.ports.world import Choices, Clock, Ids, World
from stopwire.smpp_server.peers import Switchboard
from stopwire.storage import backup, exchange, sqlite
from stopwire.storage.store import SqlStore
from stopwire.tail import LiveTail, RecentPulse, RecentRequests
from stopwire.workers.notifier import Notifier
from stopwire.workers.runner import Engines, supervised

log = get_logger(__name__)


class SystemClock:
    """The trusted clock: the wall clock read once, then carried on by the monotonic one, so that no jump moves it."""

    def __init__(self) -> None:
        self._behind = time.time() - time.monotonic()

    def now(self) -> datetime:
        """In whole milliseconds, as the store keeps them."""
        return datetime.fromtimestamp(int((self._behind + time.monotonic()) * 1000) / 1000, UTC)

    def monotonic(self) -> float:
        return time.monotonic()


IDS_A_PAGE = 128


class RandomIds:
    """Chance from the operating system, fetched in pages: a system call for each SID would cost as much as its row.

    A SID is a time in milliseconds (12 digits) and 80 bits of chance: nobody guesses one, and new ones stand side by side
    in every index, however long the past is.
    """

    def __init__(self) -> None:
        self._turns = itertools.count()
        self._fresh: list[str] = []  # popped by any thread: list.pop is atomic

    def sid(self, prefix: str) -> str:
        try:
            return prefix + self._fresh.pop()
        except IndexError:
            began, chance = f"{time.time_ns() // 1_000_000:012x}", secrets.token_hex(10 * IDS_A_PAGE)
            page = [began + chance[at : at + 20] for at in range(0, len(chance), 20)]
            self._fresh.extend(page[1:])
            return prefix + page[0]

    def token(self) -> str:
        return secrets.token_hex(16)

    def uuid(self) -> str:
        return str(uuid.uuid4())

    def jitter(self) -> float:
        return random.random()  # noqa: S311  spreads retries; no secret hangs on it

    def turn(self) -> int:
        return next(self._turns)


@dataclass(slots=True)
class Wired:
    """Everything plugged in. `start` opens the engine room, `close` shuts it and the store."""

    world: World
    house: LocalHouse
    store: SqlStore
    engines: Engines
    http: HttpClient
    tail: LiveTail
    switchboard: Switchboard

    async def start(self) -> None:
        await self.engines.start()

    async def close(self) -> None:
        await self.engines.stop()
        await self.http.close()
        await self.store.close()


async def wire(settings: Settings, *, public_url: str, clock: Clock | None = None, ids: Ids | None = None) -> Wired:
    """Open the store of `settings` and build the house around it. Raises the faults of opening a store."""
    clock, ids = clock or SystemClock(), ids or RandomIds()
    tail = LiveTail(clock)
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    store = await SqlStore.open(
        settings.data_dir,
        on_tell=tail.add,
        on_batch=lambda units, seconds: metrics.committed(seconds, units),
        on_broken=_stop_at_once,
        free_space_floor_mib=settings.free_space_floor_mib,
    )
    http = HttpClient()
    simulator = Simulator(store=store, clock=clock, ids=ids)
    secrets_vault = vault.Vault.open(settings.data_dir)
    board = Board(
        Supplies(
            http=http,
            clock=clock,
            ids=ids,
            vault=secrets_vault,
            private=settings.allow_private_webhooks,
            public_url=public_url,
            on_log=tail.add,
        )
    )
    board.fix(SIMULATOR, simulator)
    switchboard = Switchboard(clock, ids, on_tell=tail.add)
    world = World(
        store=store,
        http=http,
        carriers=board,
        phones=simulator,
        packs=packs.load(),
        clock=clock,
        ids=ids,
        vault=secrets_vault,
        tail=tail,
        requests=RecentRequests(clock),
        pulse=RecentPulse(clock),
        peers=switchboard,
        credentials=CredentialsFile(settings.data_dir),
        choices=Choices(
            public_url=public_url,
            private_webhooks=settings.allow_private_webhooks,
            stop_wait_seconds=settings.stop_wait_seconds,
            write_deadline_seconds=settings.write_deadline_seconds,
            sender_queue_max=settings.sender_queue_max,
            demo=settings.demo,
            version=__version__,
        ),
    )
    house = LocalHouse(world)
    notifier = None if settings.workers else Notifier(house, world, endpoint_parallel=settings.webhook_endpoint_parallel)
    engines = Engines(world, notifier=notifier)
    store.on_wake = engines.wake
    return Wired(world=world, house=house, store=store, engines=engines, http=http, tail=tail, switchboard=switchboard)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Street:
    """`Outside` in a process that has no store."""

    http: HttpClient
    clock: Clock
    choices: Choices


@contextlib.asynccontextmanager
async def webhooks(house: RemoteHouse, *, endpoint_parallel: int) -> AsyncIterator[None]:
    """The webhook engine, running in a process of doors."""
    http = HttpClient()
    notifier = Notifier(house, _Street(http=http, clock=SystemClock(), choices=house.choices), endpoint_parallel=endpoint_parallel)
    house.on_ring = notifier.bell.set
    task = asyncio.get_running_loop().create_task(supervised(notifier.run, "notifier"), name="notifier")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await http.close()


def has_database(data_dir: Path) -> bool:
    """Whether a gateway has kept anything in this folder yet."""
    database = data_dir / sqlite.DATABASE_NAME
    return database.exists() or exchange.is_open_ended(database)


def restore(source: Path, data_dir: Path) -> Path | None:
    """Make the backup `source` the database of the folder; where the one before was put. No gateway may run there.

    Who opted out since the backup is told by `flows/restore.py`.
    """
    return backup.restore(source, data_dir)


def sqlite_version() -> tuple[str, list[str]]:
    """The version of SQLite here, and what is to be known of it."""
    return sqlite.library()


def _stop_at_once(fault: BaseException) -> None:
    """The disk failed: nothing more may be acknowledged. The supervisor starts us again, and the store looks itself over."""
    log.critical("store.broken", error=str(fault))
    raise SystemExit(70) from fault
