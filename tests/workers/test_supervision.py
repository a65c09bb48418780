"""An engine that breaks is started again."""

import asyncio

import pytest

from stopwire.ports.faults import StoreClosed
from stopwire.workers import runner


async def test_an_engine_that_breaks_is_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "AGAIN_SECONDS", 0)
    runs = []

    async def work() -> None:
        runs.append(1)
        if len(runs) < 3:
            raise RuntimeError("a bug")

    await asyncio.wait_for(runner.supervised(work, "engine"), 5)
    assert 3 == len(runs)


async def test_an_engine_ends_with_its_store() -> None:
    async def work() -> None:
        raise StoreClosed

    await asyncio.wait_for(runner.supervised(work, "engine"), 5)
