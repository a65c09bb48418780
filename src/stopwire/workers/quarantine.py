"""Pushes that a wrong secret refused: read again once the connection was changed, and taken where they now hold."""

from stopwire.flows import push, receive, report
from stopwire.log import get_logger
from stopwire.ports.world import World

log = get_logger(__name__)


async def retry(world: World) -> int:
    """Take what has become genuine. How many pushes that were; each is forgotten only when what it told is on disk."""
    genuine = await push.again(world)
    for again in genuine:
        for heard in again.pushed.received:
            await receive.receive(world, heard=heard)
        if again.pushed.reports:
            await report.report(world, reports=again.pushed.reports)
        await push.settled(world, id=again.id)
    if genuine:
        log.info("pushes.taken_late", pushes=len(genuine))
    return len(genuine)
