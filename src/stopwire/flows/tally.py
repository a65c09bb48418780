"""Keep the tallies up to date: count what no tally has, and again what may have moved, a piece at a time."""

from datetime import datetime
from functools import partial

from stopwire.ports.store import Piece, Tx
from stopwire.ports.world import World

AT_ONCE = 8  # pieces looked up together


async def tally(world: World, *, pieces: int) -> int:
    """Count at most `pieces` of each account; how many there were. Each is read beside the writer and kept by a short unit."""
    counted = 0
    for account in await world.store.read(lambda tx: tx.accounts.every(), account=""):
        left = pieces
        while left > 0:
            now = world.clock.now()
            found = await world.store.read(partial(_next, now=now, limit=min(left, AT_ONCE)), account=account.sid)
            for piece in found:
                whole = await world.store.read(partial(_count, piece=piece), account=account.sid)
                await world.store.write(partial(_keep, piece=whole, now=now), account=account.sid)
            counted += len(found)
            left -= len(found)
            if not found:
                break
    return counted


def _next(tx: Tx, *, now: datetime, limit: int) -> list[Piece]:
    return tx.stats.next_pieces(now, limit)


def _count(tx: Tx, *, piece: Piece) -> Piece:
    return tx.stats.count(piece)


def _keep(tx: Tx, *, piece: Piece, now: datetime) -> None:
    tx.stats.keep(piece, now)
