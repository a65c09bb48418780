"""The engine of alerts: it looks by itself, and goes on after a look that failed."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from stopwire.core.connections import Connection, Sealed
from stopwire.workers import watcher
from tests.flows.still import Still, still_house

SECONDS = 10.0


class _Faulty:
    """The carriers, of which the first question fails."""

    def __init__(self, carriers: Any) -> None:
        self._carriers, self.asked, self.asked_again = carriers, 0, asyncio.Event()

    def up(self) -> frozenset[str]:
        self.asked += 1
        if self.asked == 1:
            raise RuntimeError("a look that fails")
        if self.asked == 3:
            self.asked_again.set()
        return frozenset(self._carriers.up())


async def _until(still: Still, event: str) -> None:
    known = still.world.tail.newest()
    async with asyncio.timeout(SECONDS):
        while True:
            found = await still.world.tail.wait(still.account, known, seconds=SECONDS, limit=100)
            if any(each.event == event for each in found):
                return
            known = max((each.id for each in found), default=known)


async def test_it_looks_by_itself_and_goes_on_after_a_look_that_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watcher, "EVERY_SECONDS", 0.01)
    async with still_house(tmp_path) as still:
        now = still.clock.now()
        down = Connection(sid="CN1", account=still.account, name="acme", type="smpp", created_at=now, updated_at=now)
        await still.change(lambda tx: tx.connections.add(Sealed(connection=down)))
        carriers = _Faulty(still.world.carriers)
        engine = asyncio.create_task(watcher.run(replace(still.world, carriers=carriers)))  # type: ignore[arg-type]  # all it is asked
        told = asyncio.create_task(_until(still, "alert.fired"))
        await asyncio.wait_for(carriers.asked_again.wait(), SECONDS)
        still.clock.moved += timedelta(minutes=6)
        await told
        engine.cancel()
        await asyncio.gather(engine, return_exceptions=True)
