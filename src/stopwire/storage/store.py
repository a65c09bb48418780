"""The store: one database behind `ports.store.Store`, its transactions, and what waits for a commit.

Statements live with their nouns, threads with the group writer. Here the two are put together.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self, TypeVar

from sqlalchemy import func, select

from stopwire.core.senders import Directory
from stopwire.ports.store import Haste, Tx
from stopwire.storage import migrations, tables
from stopwire.storage.accounts import SqlAccounts
from stopwire.storage.alerts import SqlAlerts
from stopwire.storage.backup import backup_live, clear_leftovers, folder_for, keep_copy_before
from stopwire.storage.connections import SqlConnections
from stopwire.storage.consent import SqlConsent
from stopwire.storage.directories import Directories
from stopwire.storage.erasure import SqlErasure
from stopwire.storage.group import FLOOR_MIB, GroupWriter
from stopwire.storage.handsets import SqlHandsets
from stopwire.storage.hot import Unit
from stopwire.storage.inbound import SqlInbound
from stopwire.storage.jobs import UNKNOWN, WRITTEN, SqlJobs
from stopwire.storage.leftovers import SqlLeftovers
from stopwire.storage.lists import SqlLists
from stopwire.storage.messages import SqlMessages
from stopwire.storage.people import SqlAudit, SqlPeople
from stopwire.storage.pushes import SqlPushes
from stopwire.storage.replies import SqlReplies
from stopwire.storage.retention import SqlRetention
from stopwire.storage.services import SqlServices
from stopwire.storage.sqlite import SqliteEngine
from stopwire.storage.stats import SqlStats
from stopwire.storage.submitted import SqlSubmitted
from stopwire.storage.suggestions import SqlSuggestions
from stopwire.storage.webhooks import SqlWebhooks

T = TypeVar("T")
READ_SECONDS = 5.0  # a page that takes longer is asked for wrongly; whoever reads everything says so
ANSWERS_SECONDS = 0.25  # how often a wait for answers looks again by itself, should it have missed a commit


class SqlTx:
    """One transaction as one account sees it. Its nouns are made when they are first asked for."""

    __slots__ = (
        "_accounts",
        "_alerts",
        "_audit",
        "_connections",
        "_consent",
        "_erasure",
        "_handsets",
        "_inbound",
        "_jobs",
        "_leftovers",
        "_lists",
        "_messages",
        "_people",
        "_pushes",
        "_replies",
        "_retention",
        "_services",
        "_stats",
        "_submitted",
        "_suggestions",
        "_views",
        "_webhooks",
        "account",
        "unit",
    )

    def __init__(self, unit: Unit, account: str, views: dict[str, SqlTx] | None = None) -> None:
        self.unit = unit
        self.account = account
        self._views = {} if views is None else views
        self._views[account] = self
        self._accounts: SqlAccounts | None = None
        self._services: SqlServices | None = None
        self._connections: SqlConnections | None = None
        self._messages: SqlMessages | None = None
        self._pushes: SqlPushes | None = None
        self._jobs: SqlJobs | None = None
        self._consent: SqlConsent | None = None
        self._inbound: SqlInbound | None = None
        self._replies: SqlReplies | None = None
        self._webhooks: SqlWebhooks | None = None
        self._suggestions: SqlSuggestions | None = None
        self._handsets: SqlHandsets | None = None
        self._lists: SqlLists | None = None
        self._stats: SqlStats | None = None
        self._submitted: SqlSubmitted | None = None
        self._leftovers: SqlLeftovers | None = None
        self._erasure: SqlErasure | None = None
        self._retention: SqlRetention | None = None
        self._people: SqlPeople | None = None
        self._audit: SqlAudit | None = None
        self._alerts: SqlAlerts | None = None

    @property
    def accounts(self) -> SqlAccounts:
        if self._accounts is None:
            self._accounts = SqlAccounts(self.unit, self.account)
        return self._accounts

    @property
    def services(self) -> SqlServices:
        if self._services is None:
            self._services = SqlServices(self.unit, self.account)
        return self._services

    @property
    def connections(self) -> SqlConnections:
        if self._connections is None:
            self._connections = SqlConnections(self.unit, self.account)
        return self._connections

    @property
    def pushes(self) -> SqlPushes:
        if self._pushes is None:
            self._pushes = SqlPushes(self.unit, self.account)
        return self._pushes

    @property
    def messages(self) -> SqlMessages:
        if self._messages is None:
            self._messages = SqlMessages(self.unit, self.account)
        return self._messages

    @property
    def jobs(self) -> SqlJobs:
        if self._jobs is None:
            self._jobs = SqlJobs(self.unit, self.account)
        return self._jobs

    @property
    def consent(self) -> SqlConsent:
        if self._consent is None:
            self._consent = SqlConsent(self.unit, self.account)
        return self._consent

    @property
    def inbound(self) -> SqlInbound:
        if self._inbound is None:
            self._inbound = SqlInbound(self.unit, self.account)
        return self._inbound

    @property
    def replies(self) -> SqlReplies:
        if self._replies is None:
            self._replies = SqlReplies(self.unit, self.account)
        return self._replies

    @property
    def webhooks(self) -> SqlWebhooks:
        if self._webhooks is None:
            self._webhooks = SqlWebhooks(self.unit, self.account)
        return self._webhooks

    @property
    def suggestions(self) -> SqlSuggestions:
        if self._suggestions is None:
            self._suggestions = SqlSuggestions(self.unit, self.account)
        return self._suggestions

    @property
    def handsets(self) -> SqlHandsets:
        if self._handsets is None:
            self._handsets = SqlHandsets(self.unit, self.account)
        return self._handsets

    @property
    def lists(self) -> SqlLists:
        if self._lists is None:
            self._lists = SqlLists(self.unit, self.account)
        return self._lists

    @property
    def stats(self) -> SqlStats:
        if self._stats is None:
            self._stats = SqlStats(self.unit, self.account)
        return self._stats

    @property
    def people(self) -> SqlPeople:
        if self._people is None:
            self._people = SqlPeople(self.unit, self.account)
        return self._people

    @property
    def audit(self) -> SqlAudit:
        if self._audit is None:
            self._audit = SqlAudit(self.unit, self.account)
        return self._audit

    @property
    def alerts(self) -> SqlAlerts:
        if self._alerts is None:
            self._alerts = SqlAlerts(self.unit, self.account)
        return self._alerts

    @property
    def leftovers(self) -> SqlLeftovers:
        if self._leftovers is None:
            self._leftovers = SqlLeftovers(self.unit, self.account)
        return self._leftovers

    @property
    def erasure(self) -> SqlErasure:
        if self._erasure is None:
            self._erasure = SqlErasure(self.unit, self.account)
        return self._erasure

    @property
    def retention(self) -> SqlRetention:
        if self._retention is None:
            self._retention = SqlRetention(self.unit, self.account)
        return self._retention

    @property
    def submitted(self) -> SqlSubmitted:
        if self._submitted is None:
            self._submitted = SqlSubmitted(self.unit, self.account)
        return self._submitted

    def of(self, account: str) -> SqlTx:
        """The same transaction, seen by another account."""
        return self._views.get(account) or SqlTx(self.unit, account, self._views)

    def wake(self, engine: str) -> None:
        self.unit.wakes.add(engine)

    def tell(self, event: str, **facts: Any) -> None:
        self.unit.told.append((self.account, event, facts))


def _silent_wake(engine: str) -> None:
    """Nobody is there to be woken."""


def _nobody_keeps_any() -> None:
    """No door keeps any configuration."""


def _silent_tell(account: str, event: str, facts: dict[str, Any]) -> None:
    """Nobody listens to the live tail."""


class SqlStore:
    """`ports.store.Store` over one SQLite database. Opened, used and closed on one event loop."""

    def __init__(
        self,
        engine: SqliteEngine,
        directories: Directories,
        *,
        on_wake: Callable[[str], None] = _silent_wake,
        on_tell: Callable[[str, str, dict[str, Any]], None] = _silent_tell,
        on_batch: Callable[[int, float], None] | None = None,
        on_broken: Callable[[BaseException], None] | None = None,
        free_space_floor_mib: int = FLOOR_MIB,
    ) -> None:
        """Use `SqlStore.open`."""
        self.on_wake = on_wake  # called on the loop after a commit, once an engine
        self.on_tell = on_tell  # called on the loop after a commit: account, event, facts
        self.on_configured: Callable[[], None] = _nobody_keeps_any  # likewise, where any configuration has changed
        self._engine = engine
        self._directories = directories
        self._writer: GroupWriter[SqlTx] = GroupWriter(
            engine,
            lambda connection: SqlTx(Unit(connection, directories), ""),
            on_commit=self._committed,
            on_batch=on_batch,
            on_broken=on_broken,
            free_space_floor_mib=free_space_floor_mib,
        )
        # What the loop keeps of the configuration; a commit that changes any empties it.
        self._known: dict[str, Directory] = {}
        self._owners: dict[str, str] = {}
        self._changes = 0
        self._answered = asyncio.Event()

    @classmethod
    async def open(
        cls,
        data_dir: Path,
        *,
        on_wake: Callable[[str], None] = _silent_wake,
        on_tell: Callable[[str, str, dict[str, Any]], None] = _silent_tell,
        on_batch: Callable[[int, float], None] | None = None,
        on_broken: Callable[[BaseException], None] | None = None,
        free_space_floor_mib: int = FLOOR_MIB,
    ) -> Self:
        """Open or create the database of a data directory, bring its schema up, and start working.

        Raises DirectoryInUse, DirectoryUnfit, DatabaseDamaged, DatabaseTooNew.
        """
        engine, newest = await asyncio.to_thread(_open, data_dir)
        store = cls(
            engine,
            Directories(newest=newest),
            on_wake=on_wake,
            on_tell=on_tell,
            on_batch=on_batch,
            on_broken=on_broken,
            free_space_floor_mib=free_space_floor_mib,
        )
        store._writer.start()
        return store

    async def close(self) -> None:
        """Finish what was taken, then let the directory go."""
        await self._writer.close()
        await asyncio.to_thread(self._engine.close)

    async def write(
        self, unit: Callable[[Tx], T], *, account: str, lock: Sequence[str] = (), haste: Haste = Haste.PLAIN
    ) -> T:
        """Run `unit` in a transaction of `account`; its result, when it is on the disk.

        `lock` costs nothing here: one thread writes, so no two units are ever under way at once.
        """
        return await self._writer.write(lambda tx: unit(tx.of(account)), haste=haste)

    async def read(self, query: Callable[[Tx], T], *, account: str, seconds: float = READ_SECONDS) -> T:
        """Run `query` in one snapshot. Raises StoreSlow after `seconds`."""
        return await self._writer.read(lambda tx: query(tx.of(account)), timeout=seconds)

    async def directory(self, account: str) -> Directory:
        """The account's configuration, as of the last commit that changed any. Raises LookupError."""
        known = self._known.get(account)
        if known is None:
            changes = self._changes
            known = await self.read(lambda tx: tx.services.directory(), account=account)
            if changes == self._changes:
                self._known[account] = known
        return known

    async def account_of(self, address: str) -> str | None:
        """Which account owns this sender address."""
        owner = self._owners.get(address)
        if owner is None:
            changes = self._changes
            owner = await self.read(lambda tx: tx.services.account_of(address), account="")
            if owner is not None and changes == self._changes:
                self._owners[address] = owner
        return owner

    async def drained(self, account: str, recipient: str, attempts: Iterable[str], *, seconds: float) -> list[str]:
        """Wait until none of `attempts` is on its way to the carrier, at most `seconds`.

        The ids of those whose answer is not known: still on their way, or lost.
        """
        asked = tuple(attempts)
        until = time.monotonic() + seconds
        while True:
            answered = self._answered
            states = await self.read(lambda tx: _states(tx, asked), account=account)
            left = until - time.monotonic()
            if WRITTEN not in states.values() or left <= 0:
                return [id for id, state in states.items() if state in (WRITTEN, UNKNOWN)]
            try:
                async with asyncio.timeout(min(left, ANSWERS_SECONDS)):
                    await answered.wait()
            except TimeoutError:
                continue

    async def backup(self, target: str) -> Mapping[str, Any]:
        """A verified copy in the new file `target`, made while the gateway works. Raises CopyRefused.

        A relative one stands in the data folder's own folder of backups, where the disk has room.
        """
        path = Path(target)
        if not path.is_absolute():
            path = await asyncio.to_thread(folder_for, self._engine.path, self._engine.free_bytes()) / path.name
        made = await backup_live(self._writer, self._engine, path)
        return {**asdict(made), "path": str(made.path), "name": made.path.name}

    def state(self) -> Mapping[str, Any]:
        return {
            "engine": "sqlite",
            "path": str(self._engine.path),
            "notices": list(self._engine.notices()),
            "waiting": self._writer.waiting,
            "free_bytes": self._engine.free_bytes(),
            "database_bytes": self._engine.database_bytes(),
            "log_bytes": self._engine.log_file_bytes(),
        }

    def _committed(self, kept: Sequence[SqlTx]) -> None:
        """After a commit, before any of its callers goes on."""
        units = [tx.unit for tx in kept]
        if any(unit.configured for unit in units):
            self._changes += 1
            self._known.clear()
            self._owners.clear()
            self.on_configured()
        if any(unit.answered for unit in units):
            self._answered.set()
            self._answered = asyncio.Event()
        for unit in units:
            for account, event, facts in unit.told:
                self.on_tell(account, event, facts)
        for engine in {engine for unit in units for engine in unit.wakes}:
            self.on_wake(engine)


def _open(data_dir: Path) -> tuple[SqliteEngine, int]:
    """The engine with its schema up to date, and the newest version of any account's configuration."""
    engine = SqliteEngine.open(data_dir)
    try:
        clear_leftovers(engine)
        migrations.upgrade(engine.writer, keep_copy=keep_copy_before(engine))
        newest = engine.writer.execute(select(func.max(tables.accounts.c.version))).scalar()
        engine.writer.rollback()
    except BaseException:
        engine.close()
        raise
    return engine, newest or 0


def _states(tx: Tx, attempts: Sequence[str]) -> dict[str, str]:
    found = (tx.jobs.attempt(id) for id in attempts)
    return {attempt.id: attempt.state for attempt in found if attempt is not None}
