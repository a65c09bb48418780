"""Follow the live tail, and tell the trusted time. Nothing is changed."""

from datetime import datetime

from stopwire.ports.world import TailEvent, World

EVENTS_MAX = 500  # at once


async def follow(world: World, *, account: str, after: int | None, seconds: float) -> list[TailEvent]:
    """Events of `account` after id `after`, waiting up to `seconds` for the first. With None: only what is yet to come."""
    since = world.tail.newest() if after is None else after
    return await world.tail.wait(account, since, seconds=seconds, limit=EVENTS_MAX)


async def newest(world: World) -> int:
    """The id of the newest event, from which somebody may follow."""
    return world.tail.newest()


async def now(world: World) -> datetime:
    """The trusted time: what an answer says of when it was true."""
    return world.clock.now()
