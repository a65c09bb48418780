"""The promises over SMPP, under faults: a run of the world and the verdict on its history."""

import asyncio
import random
from pathlib import Path

import pytest

from tests.world import checker, history
from tests.world.proxy import FaultProxy
from tests.world.smpp import Plan, World

SECONDS = 25.0


@pytest.mark.slow
def test_the_promises_hold_over_smpp_under_faults(tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}: python -m tests.world --minutes {SECONDS / 60:g} --seed {seed}")
    with history.written(tmp_path / "history.jsonl") as noted:
        events = asyncio.run(World(tmp_path, Plan(seed=seed, seconds=SECONDS), noted).run())
    figures = checker.figures(events)
    print(figures)
    assert {name: [] for name in checker.RULES} == checker.check(events)
    assert figures["accepted"] > 50
    assert [e for e in events if e.process == "application" and e.op == "send" and e.kind == "ok"], "the SMPP port took nothing"
    assert figures["stops"] > 10
    assert history.read(tmp_path / "history.jsonl") == events


async def echoing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while octets := await reader.read(100):
        writer.write(octets)
    writer.close()


async def test_the_proxy_passes_stalls_and_cuts() -> None:
    server = await asyncio.start_server(echoing, "127.0.0.1", 0)
    async with server, FaultProxy("127.0.0.1", server.sockets[0].getsockname()[1]) as proxy:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        writer.write(b"one")
        assert b"one" == await reader.read(10)
        proxy.stall()
        writer.write(b"two")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(waiting := asyncio.ensure_future(reader.read(10))), 0.1)
        proxy.flow()
        assert b"two" == await waiting
        proxy.cut()
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)
        proxy.taking = False
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)
        writer.close()
