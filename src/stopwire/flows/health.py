"""How the gateway is: what `/readyz` and `/metrics` show, from whichever process they are asked in."""

from collections.abc import Mapping, Sequence
from typing import Any

from stopwire import metrics
from stopwire.ports.faults import StoreFault
from stopwire.ports.world import World


async def ready(world: World) -> Mapping[str, Any]:
    """`ok`, and the state of the store. Reads the store, so that a broken one shows."""
    try:
        await world.store.read(lambda tx: tx.accounts.every(), account="")
    except StoreFault as fault:
        return {"ok": False, "reason": str(fault), "store": dict(world.store.state())}
    return {"ok": True, "version": world.choices.version, "store": dict(world.store.state())}


async def exposition(world: World) -> str:
    """The metrics of the core process, in the Prometheus text format."""
    return metrics.render()[0].decode()


async def answered(world: World, *, answers: Sequence[tuple[str, str, int, float]]) -> None:
    """Count what a door process answered: door, method, status, seconds."""
    for door, method, status, seconds in answers:
        metrics.answered(door, method, status, seconds)
