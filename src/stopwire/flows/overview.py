"""What the first page shows: what needs somebody, what the newcomer has tried, the days' figures, the newest events."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from stopwire.core.consent import Act
from stopwire.core.explain import OPTED_OUT
from stopwire.core.jobs import Delivery, Refusal
from stopwire.core.message import Message
from stopwire.ports.store import Cut, MessageFilter, Tx
from stopwire.ports.world import World

NEWEST = 20  # events shown
DAYS = 14  # of figures
LOOKED_AT = 200  # the newest of each list that are looked through
FAILED_SINCE = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One UTC day's figures."""

    day: str
    inbound: int = 0
    messages: int = 0
    delivered: int = 0
    failed: int = 0
    refused: int = 0
    opt_outs: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """What a newcomer has seen the gateway do."""

    stopped: bool = False
    refused: bool = False
    came_back: bool = False
    spanish: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    days: tuple[Day, ...]  # oldest first, without gaps, the last one is today
    steps: Steps
    newest: tuple[Message, ...]
    refusals: tuple[Refusal, ...]
    failing: tuple[Delivery, ...] = ()  # webhooks that failed in the last day, one an address
    to_review: int = 0
    due_at: datetime | None = None  # when the first suggestion is due


async def overview(world: World, *, account: str) -> Overview:
    """From one snapshot; a few bounded reads, whatever the size of the store."""
    return await world.store.read(partial(_overview, now=world.clock.now()), account=account)


def _overview(tx: Tx, *, now: datetime) -> Overview:
    reviews = tx.suggestions.page(Cut(limit=LOOKED_AT), state="open")
    return Overview(
        days=_days(tx, now),
        steps=_steps(tx),
        newest=tuple(tx.messages.page(MessageFilter(), Cut(limit=NEWEST))),
        refusals=tuple(tx.messages.refusals(Cut(limit=NEWEST))),
        failing=_failing(tx, now),
        to_review=len(reviews),
        due_at=min((review.due_at for review in reviews), default=None),
    )


def _days(tx: Tx, now: datetime) -> tuple[Day, ...]:
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    first = today - timedelta(days=DAYS - 1)
    counted = {row["key"]: row for row in tx.stats.counts("day", first)}
    return tuple(
        Day(day=key, **{name: counted.get(key, {}).get(name, 0) for name in ("inbound", "messages", "delivered", "failed", "refused", "opt_outs")})
        for key in ((first + timedelta(days=i)).date().isoformat() for i in range(DAYS))
    )


def _steps(tx: Tx) -> Steps:
    events = [sealed.event for sealed in tx.consent.events(Cut(limit=LOOKED_AT))]
    return Steps(
        stopped=any(event.act is Act.OPT_OUT for event in events),
        refused=bool(tx.messages.refusals(Cut(limit=1), OPTED_OUT)),
        came_back=any(event.act is Act.OPT_IN for event in events),
        spanish=any(event.act is Act.OPT_OUT and (event.language or "").startswith("es") for event in events),
    )


def _failing(tx: Tx, now: datetime) -> tuple[Delivery, ...]:
    failed = [each for each in tx.webhooks.page(Cut(limit=LOOKED_AT), state="failed") if now - each.created_at < FAILED_SINCE]
    return tuple({each.url: each for each in reversed(failed)}.values())

