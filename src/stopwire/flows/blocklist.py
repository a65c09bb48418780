"""The block list as a person reads it: each block with the event that made it and the text that came before; lifted in bulk."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from stopwire.core.address import ChannelGroup
from stopwire.core.consent import Block, ConsentEvent
from stopwire.ports.store import Cut, Tx
from stopwire.ports.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockFilter:
    """Which blocks. `ending`: the last digits of a number."""

    recipient: str | None = None
    ending: str | None = None
    holder: str | None = None
    reason: str | None = None
    group: ChannelGroup | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A block, the event that made it, and the last text that we had sent before it (`previous`, its SID, and body)."""

    block: Block
    event: ConsentEvent | None = None
    previous: str | None = None
    previous_body: str | None = None


async def blocks(world: World, *, account: str, wanted: BlockFilter, cut: Cut) -> list[Listed]:
    """A piece of the block list, the newest first."""
    return await world.store.read(partial(_blocks, wanted=wanted, cut=cut), account=account)


def _blocks(tx: Tx, *, wanted: BlockFilter, cut: Cut) -> list[Listed]:
    return _told(
        tx,
        tx.consent.blocks(
            cut,
            wanted.recipient,
            wanted.holder,
            wanted.reason,
            wanted.since,
            ending=wanted.ending,
            group=wanted.group,
            newest_first=True,
        ),
    )


async def named(world: World, *, account: str, ids: Sequence[str]) -> list[Listed]:
    """The blocks with these ids that are still there."""
    return await world.store.read(partial(_named, ids=ids), account=account)


def _named(tx: Tx, *, ids: Sequence[str]) -> list[Listed]:
    found = (tx.consent.block_named(id) for id in dict.fromkeys(ids))
    return _told(tx, [block for block in found if block is not None])


def _told(tx: Tx, found: Sequence[Block]) -> list[Listed]:
    events: dict[str, ConsentEvent] = {}
    for block in found:
        if sealed := tx.consent.event(block.event):
            events[block.id] = sealed.event
    sids = list(dict.fromkeys(event.previous for event in events.values() if event.previous))
    bodies = {message.sid: message.body for message in tx.messages.many(sids)} if sids else {}

    def listed(block: Block) -> Listed:
        event = events.get(block.id)
        previous = event.previous if event else None
        return Listed(block=block, event=event, previous=previous, previous_body=bodies.get(previous) if previous else None)

    return [listed(block) for block in found]
