"""Deliver a webhook again, because somebody asked: the same event, the same token, a fresh schedule."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial

from stopwire.core.jobs import Delivery
from stopwire.ports.store import Tx
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
