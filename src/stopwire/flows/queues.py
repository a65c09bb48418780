"""Count what waits for each sender, so that an acceptance need not: it is told whose queue was full a moment ago."""

from collections import defaultdict

from stopwire.core import queues
from stopwire.ports.world import World


async def measure(world: World) -> frozenset[str]:
    """Find the senders whose queue is full, and have it known from now on."""
    counts = await world.store.read(lambda tx: tx.jobs.waiting(world.clock.now()), account="", seconds=60.0)
    waiting: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for account, sender, count in counts:
        waiting[account][sender] = count
    full: set[str] = set()
    for account, of_senders in waiting.items():
        senders = (await world.store.directory(account)).senders
        full |= queues.full(of_senders, senders, most=world.choices.sender_queue_max)
    world.carriers.fill(full)
    return frozenset(full)
