"""How the gateway is: what `/readyz` and `/metrics` show, from whichever process they are asked in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from stopwire import metrics
from stopwire.ports.faults import StoreFault
from stopwire.ports.world import Beat, World


async def ready(world: World) -> Mapping[str, Any]:
    """`ok`, and the state of the store. Reads the store, so that a broken one shows."""
    try:
        await world.store.read(lambda tx: tx.accounts.every(), account="")
    except StoreFault as fault:
        return {"ok": False, "reason": str(fault), "store": dict(world.store.state())}
    return {"ok": True, "version": world.choices.version, "store": dict(world.store.state())}


async def beat(world: World) -> None:
    """Note how the gateway is now."""
    now, state = world.clock.now(), world.store.state()
    waiting = await world.store.read(lambda tx: tx.stats.waiting(now), account="")
    for queue, depth in (("writes", state["waiting"]), *waiting.items()):
        metrics.waiting(queue, depth)
    world.pulse.beat(
        Beat(
            at=now,
            database_bytes=state["database_bytes"],
            log_bytes=state["log_bytes"],
            free_bytes=state["free_bytes"],
            writes_waiting=state["waiting"],
            texts_waiting=waiting["texts"],
            webhooks_waiting=waiting["webhooks"],
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """The pulse since the gateway started, the oldest beat first, and how far its clock was set meanwhile."""

    since: datetime
    drift_seconds: float
    beats: tuple[Beat, ...]


async def heard(world: World) -> Heard:
    beats = sorted(world.pulse.beats(), key=lambda each: each.at)  # a clock may have been set back meanwhile
    return Heard(since=world.pulse.since, drift_seconds=world.pulse.drift_seconds, beats=tuple(beats))


@dataclass(frozen=True, slots=True, kw_only=True)
class Paced:
    """How many parts a connection had answered in each second that had any, in the last hour or since the gateway started."""

    since: datetime
    seconds: tuple[tuple[datetime, int], ...]


async def pace(world: World, *, connection: str) -> Paced:
    return Paced(since=world.pulse.since, seconds=tuple(world.pulse.pace(connection)))


async def exposition(world: World) -> str:
    """The metrics of the core process, in the Prometheus text format."""
    return metrics.render()[0].decode()


async def answered(world: World, *, answers: Sequence[tuple[str, str, int, float]]) -> None:
    """Count what a door process answered: door, method, status, seconds."""
    for door, method, status, seconds in answers:
        metrics.answered(door, method, status, seconds)
