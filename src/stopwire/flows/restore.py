"""Put an old copy of the store back without making anybody reachable who has said STOP since it was made.

Two steps with the exchange of the store between them: read who is blocked, and block them again. Where the
two stores differ, the block wins: a wrong one costs one more START, a wrong lift a complaint.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import partial

from stopwire.core.consent import Act, Block, ConsentEvent
from stopwire.ports.store import Cut, Haste, Tx
from stopwire.ports.world import Ids, World

CHUNK = 1000  # blocks of one transaction
ACTOR = "restore"
NOTE = "Blocked when a backup was restored that did not know of it yet."


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Who is blocked in one account."""

    account: str
    blocks: tuple[Block, ...]


async def remember(world: World) -> list[Known]:
    """All blocks of all accounts."""
    accounts = await world.store.read(lambda tx: tx.accounts.every(), account="")
    return [Known(account=account.sid, blocks=tuple(await _all(world, account.sid))) for account in accounts]


async def _all(world: World, account: str) -> list[Block]:
    found: list[Block] = []
    while True:
        cut = Cut(limit=CHUNK, after=found[-1].id if found else None)
        piece = await world.store.read(lambda tx, cut=cut: tx.consent.blocks(cut), account=account)  # type: ignore[misc]
        found += piece
        if len(piece) < CHUNK:
            return found


async def block_again(world: World, *, known: list[Known]) -> int:
    """Block whoever of `known` is not blocked; how many that were. An account that is not there any more is left out."""
    accounts = {a.sid for a in await world.store.read(lambda tx: tx.accounts.every(), account="")}
    count = 0
    for each in known:
        if each.account not in accounts:
            continue
        for start in range(0, len(each.blocks), CHUNK):
            piece = each.blocks[start : start + CHUNK]
            unit = partial(_block, blocks=piece, now=world.clock.now(), ids=world.ids)
            count += await world.store.write(unit, account=each.account, haste=Haste.URGENT)
    return count


def _block(tx: Tx, *, blocks: tuple[Block, ...], now: datetime, ids: Ids) -> int:
    lost = [b for b in blocks if tx.consent.block(b.holder, b.group, b.recipient) is None]
    tx.consent.append(
        [
            ConsentEvent(
                id=ids.sid("CE"),
                holder=block.holder,
                group=block.group,
                recipient=block.recipient,
                act=Act.BLOCK,
                reason=block.reason,
                actor=ACTOR,
                occurred_at=block.since,
                recorded_at=now,
                note=NOTE,
            )
            for block in lost
        ]
    )
    return len(lost)
