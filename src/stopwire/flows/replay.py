"""Deliver a webhook again, because somebody asked: the same event, the same token, a fresh schedule."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from stopwire.core.jobs import Delivery
from stopwire.ports.http import PrivateTargets
from stopwire.ports.store import Cut, Tx
from stopwire.ports.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Requeued:
    """The delivery as it now is; None where there is none. `under_way`: it is being delivered just now."""

    delivery: Delivery | None = None
    under_way: bool = False


async def replay(world: World, *, account: str, id: str) -> Requeued:
    """Queue the delivery `id` anew. Its TwiML is carried out only if that has not happened yet."""
    return await world.store.write(partial(_replay, id=id, now=world.clock.now()), account=account)


def _replay(tx: Tx, *, id: str, now: datetime) -> Requeued:
    delivery = tx.webhooks.get(id)
    if delivery is None:
        return Requeued()
    if delivery.state == "sending":
        return Requeued(delivery=delivery, under_way=True)
    tx.webhooks.settle(id, "pending", rounds=0, due_at=now)
    tx.wake("notify")
    tx.tell("webhook.replayed", id=id, message=delivery.message)
    return Requeued(delivery=tx.webhooks.get(id))


MISSED = ("failed", "expired")
MISSED_MAX = 1_000  # of each state, at once


async def missed(world: World, *, account: str, since: datetime) -> int:
    """Queue anew all that was given up since then; how many that are."""
    return await world.store.write(partial(_missed, since=since, now=world.clock.now()), account=account)


def _missed(tx: Tx, *, since: datetime, now: datetime) -> int:
    found = [each for state in MISSED for each in tx.webhooks.page(Cut(limit=MISSED_MAX), state=state) if each.created_at >= since]
    for delivery in reversed(found):
        tx.webhooks.settle(delivery.id, "pending", rounds=0, due_at=now)
    if found:
        tx.wake("notify")
        tx.tell("webhook.replayed", id=found[0].id, message=found[0].message)
    return len(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited:
    """The delivery that was made; or in a sentence why none was. Neither: there is nothing of that id."""

    delivery: Delivery | None = None
    problem: str | None = None


async def edited(world: World, *, account: str, id: str, url: str, method: str, params: Mapping[str, str]) -> Edited:
    """Deliver a changed copy, as a trial: under an id and a token of its own, and its TwiML is not carried out."""
    settings = (await world.store.directory(account)).account.settings
    private = PrivateTargets(settings.allow_private_webhooks) if settings.allow_private_webhooks else world.choices.private_webhooks
    if problem := world.http.refusal(url, private=private):
        return Edited(problem=problem)
    unit = partial(
        _edited, id=id, copy=world.ids.sid("WD"), token=world.ids.uuid(), url=url, method=method, params=params, now=world.clock.now()
    )
    return await world.store.write(unit, account=account)


def _edited(
    tx: Tx, *, id: str, copy: str, token: str, url: str, method: str, params: Mapping[str, str], now: datetime
) -> Edited:
    original = tx.webhooks.get(id)
    if original is None:
        return Edited()
    delivery = replace(
        original,
        id=copy,
        url=url,
        method=method,
        fallback_url="",
        params=params,
        token=token,
        state="pending",
        rounds=0,
        due_at=now,
        created_at=now,
        answered=True,
    )
    tx.webhooks.add([delivery])
    tx.wake("notify")
    tx.tell("webhook.replayed", id=copy, message=delivery.message)
    return Edited(delivery=delivery)
