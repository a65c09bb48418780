"""Let go of what each account has kept as long as it chose: texts, messages, webhooks. Never consent, nothing under a hold.

A sweep reads in stretches beside the writer, and writes in small units; what a sweep does not reach, the next one does.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from stopwire.core import retention
from stopwire.ports.store import Stretch, Tx
from stopwire.ports.world import World

STRETCH = 2_000  # records a look
AT_ONCE = 100  # records a unit, so that a STOP never waits long behind it
LOOKS_MAX = 500  # of one kind in a sweep: a million records are passed by
UNITS_MAX = 250  # of one kind in a sweep: at every ten minutes some three and a half million records a day
AGAIN = timedelta(days=1)  # when a walk begins anew, for what had not ended yet when it was passed by


@dataclass(slots=True)
class Walk:
    """How far one kind of records of one account has been walked. Lost in a restart: then the walk begins anew."""

    begun_at: datetime
    at: int = 0


@dataclass(slots=True)
class Walks:
    """Every walk, by account and kind; kept by whoever sweeps."""

    found: dict[tuple[str, str], Walk] = field(default_factory=dict)

    def of(self, account: str, kind: str, now: datetime) -> Walk:
        walk = self.found.get((account, kind))
        if walk is None or now - walk.begun_at >= AGAIN:
            walk = self.found[account, kind] = Walk(begun_at=now)
        return walk


async def sweep(world: World, walks: Walks) -> dict[str, int]:
    """One sweep over all accounts. How many records of each kind went."""
    gone: dict[str, int] = {}
    accounts = await world.store.read(lambda tx: tx.accounts.every(), account="")
    for account in accounts:
        now = world.clock.now()
        for kind, before in retention.due(account.settings, now).items():
            went = await _walk(world, account.sid, kind, before, walks.of(account.sid, kind, now), now)
            if went:
                gone[kind] = gone.get(kind, 0) + went
    return gone


async def _walk(world: World, account: str, kind: str, before: datetime, walk: Walk, now: datetime) -> int:
    went = units = 0
    for _ in range(LOOKS_MAX):
        stretch = await world.store.read(partial(_look, kind=kind, after=walk.at, before=before), account=account)
        for ids in _pieces(stretch.ids):
            went += await world.store.write(partial(_forget, kind=kind, ids=ids, now=now), account=account)
            units += 1
        # Not beyond what is too young: it is looked at again when it is old enough.
        if not stretch.more:
            break
        walk.at = stretch.seen_to
        if units >= UNITS_MAX:
            break
    return went


def _look(tx: Tx, *, kind: str, after: int, before: datetime) -> Stretch:
    return tx.retention.look(kind, after, before, STRETCH)


def _forget(tx: Tx, *, kind: str, ids: Sequence[str], now: datetime) -> int:
    """What a hold forbids by now, stays."""
    if tx.services.directory().account.settings.legal_hold:
        return 0
    return tx.retention.forget(kind, ids, now)


def _pieces(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for first in range(0, len(ids), AT_ONCE):
        yield ids[first : first + AT_ONCE]


async def oldest(world: World, *, account: str) -> dict[str, datetime]:
    """When the oldest record of each kind was made."""
    return await world.store.read(lambda tx: tx.retention.oldest(), account=account)
