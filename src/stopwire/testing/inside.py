"""One account's way into its gateway: its names for people, and how the test's thread asks and waits on the gateway's loop.

What phones, webhooks and the story of a test stand on. It asserts nothing but that things come to rest.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from stopwire.core.senders import Directory
from stopwire.ports.store import Cut, Tx
from stopwire.testing.running import Running

T = TypeVar("T")
LOOKED_AT = 1_000


class Inside:
    def __init__(self, running: Running, sid: str, token: str) -> None:
        self.running, self.world, self.sid, self.token = running, running.world, sid, token
        self.sender = ""  # whom a handset texts if nobody is named
        self.names: dict[str, str] = {}  # of the handsets that the test holds

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        return self.running.call(work)

    def later(self, work: Coroutine[Any, Any, T]) -> "asyncio.Future[T]":
        return self.running.later(work)

    async def until(self, ask: Callable[[], Coroutine[Any, Any, T | None]], *, seconds: float) -> T | None:
        return await self.running.until(self.sid, ask, seconds=seconds)

    def name(self, address: str | None) -> str:
        return self.names.get(address or "") or address or "nobody"

    def directory(self) -> Directory:
        return self.call(self.world.store.directory(self.sid))

    def settled(self, seconds: float) -> bool:
        """Whether everything came to rest within that time: every text handed over, every webhook answered."""

        async def ask() -> bool | None:
            return await self.world.store.read(self._still, account=self.sid) or None

        return bool(self.call(self.until(ask, seconds=seconds)))

    def _still(self, tx: Tx) -> bool:
        now = self.running.clock.now()
        if any(each.due_at <= now for each in tx.webhooks.page(Cut(limit=LOOKED_AT), state="pending")):
            return False
        if tx.webhooks.page(Cut(limit=1), state="sending"):
            return False
        return not any(
            job.state == "written" or job.due_at <= now
            for person in {*self.names, *tx.handsets.all()}
            for job in tx.jobs.of_recipient(person, states=("queued", "written"))
        )
