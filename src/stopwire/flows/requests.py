"""The log of what programs asked: doors put in what they answered, a customer looks at their own. Nothing is decided by it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from stopwire.ports.store import Cut
from stopwire.ports.world import ApiRequest, RequestFilter, World


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """When keys were last used, of those that were since `since`, the start of the gateway."""

    keys: Mapping[str, datetime]
    since: datetime


async def keep(world: World, *, requests: Sequence[tuple[ApiRequest, float]], keys: Mapping[str, float]) -> None:
    """What a door answered, each with how many seconds ago."""
    world.requests.keep(requests, keys)


async def page(world: World, *, account: str, cut: Cut, wanted: RequestFilter) -> list[ApiRequest]:
    """A piece of the account's log, the newest first. A place that is none has nothing behind it."""
    after, before = _place(cut.after), _place(cut.before)
    if (cut.after and after is None) or (cut.before and before is None):
        return []
    return world.requests.page(account, wanted, limit=cut.limit, after=after, before=before)


async def used(world: World, *, keys: Sequence[str]) -> Used:
    """When these keys were last used. Whoever asks has found them in an account."""
    return Used(keys=world.requests.used(keys), since=world.requests.since)


def _place(given: str | None) -> int | None:
    return int(given) if given and given.isascii() and given.isdigit() and len(given) < 19 else None
