"""The deliveries to the customer's server: whose turn it is, what came of it, and when it is due again.

The call itself is `flows/tell.py`'s. The replies that an answer asks for are sent by the worker, under a key that makes
a repeat harmless, and only then is the delivery settled.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from stopwire import metrics
from stopwire.core import loops
from stopwire.core.jobs import Delivery, DeliveryAttempt
from stopwire.core.orders import Order
from stopwire.core.retry import webhook_delay
from stopwire.core.rounds import Call, Round, Told
from stopwire.ports.store import Haste, Tx
from stopwire.ports.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """The deliveries to be told now. `next_due`: when the next of those that wait falls due, or fell; None where none waits."""

    calls: tuple[Call, ...] = ()
    next_due: datetime | None = None


async def recover(world: World) -> int:
    """What was being told when the engine ended is due again; how many those are."""
    now = world.clock.now()
    return await world.store.write(lambda tx: tx.webhooks.interrupted(now), account="")


async def claim(world: World, *, room: int, busy: Sequence[str]) -> Claimed:
    """At most `room` deliveries whose turn it is, none of them to a host of `busy`."""
    unit = partial(_claim, room=room, busy=busy, now=world.clock.now(), private=world.choices.private_webhooks.value)
    return await world.store.write(unit, account="", haste=Haste.PATIENT)


def _claim(tx: Tx, *, room: int, busy: Sequence[str], now: datetime, private: str) -> Claimed:
    calls = []
    for delivery in tx.webhooks.claim(room, now, busy):
        account = tx.of(delivery.account).services.directory().account
        allowed = account.settings.allow_private_webhooks or private
        calls.append(Call(delivery=delivery, auth_token=account.auth_token, private=allowed))
    return Claimed(calls=tuple(calls), next_due=tx.webhooks.next_due(busy))


async def hand_over(world: World, *, delivery: Delivery) -> Told:
    """One round with a bound customer in place of a URL. A refusal for good ends it, as a 410 does."""
    at = world.clock.now()
    directory = await world.store.directory(delivery.account)
    reached = await world.peers.deliver(delivery, directory.account.settings)
    attempt = DeliveryAttempt(
        delivery=delivery.id,
        at=at,
        ms=reached.ms,
        request={"method": delivery.method, "url": delivery.url, "headers": {}},
        response=None if reached.status is None else {"status": reached.status, "headers": {}, "body": reached.says},
        error=None if reached.delivered else reached.says,
    )
    return Told(delivered=reached.delivered, gone=reached.final, attempts=(attempt,))


async def log_requests(world: World, *, account: str, attempts: Sequence[DeliveryAttempt]) -> None:
    """Put requests into the log before the end of their round: what follows from them may not come before them."""
    await world.store.write(lambda tx: tx.webhooks.add_attempts(attempts), account=account)


async def settle(world: World, *, rounds: Sequence[Round]) -> None:
    """Close rounds: each is delivered, given up, or due again by the schedule of its account. Keeps their requests."""
    jitters = [world.ids.jitter() for _ in rounds]
    unit = partial(_settle, rounds=rounds, jitters=jitters, now=world.clock.now())
    await world.store.write(unit, account="", haste=Haste.PATIENT)
    for round_ in rounds:
        metrics.webhook("delivered" if round_.told.delivered else "failed")


def _settle(tx: Tx, *, rounds: Sequence[Round], jitters: Sequence[float], now: datetime) -> None:
    for round_, jitter in zip(rounds, jitters, strict=True):
        _settle_one(tx.of(round_.account), round_, round_.told, jitter=jitter, now=now)


def _settle_one(tx: Tx, over: Round, told: Told, *, jitter: float, now: datetime) -> None:
    rounds = over.rounds + 1
    tx.webhooks.add_attempts(told.attempts)
    if over.lane:
        tx.wake("notify")  # the next of its lane may have its turn
    if told.delivered:
        tx.webhooks.settle(over.id, "delivered", rounds=rounds)
        if told.orders:
            tx.webhooks.first_answer(over.id)  # a replay, however late, does not send them again
        tx.tell("webhook.delivered", id=over.id, message=over.message)
        return
    choice = tx.services.directory().account.settings.webhook_retries
    scheduled = choice == "all" or (choice == "inbound" and over.event == "inbound")
    scheduled = scheduled or over.bound  # who is not bound now binds again
    delay = webhook_delay(rounds, jitter=jitter) if scheduled and not told.gone else None
    if delay is None:
        state = "expired" if scheduled and not told.gone else "failed"
        tx.webhooks.settle(over.id, state, rounds=rounds)
    else:
        tx.webhooks.settle(over.id, "pending", rounds=rounds, due_at=now + delay)
        tx.wake("notify")
    tx.tell("webhook.failed", id=over.id, message=over.message, rounds=rounds)


async def replies_open(world: World, *, delivery: Delivery, orders: Sequence[Order]) -> list[Order]:
    """Those of a document's replies that the fence between two machines lets pass (error 14107 stops the others)."""
    now, passed = world.clock.now(), []
    since, pairs = now - loops.RECENT_WINDOW, {(order.from_, order.to) for order in orders}
    sent = await world.store.read(
        lambda tx: {pair: tx.messages.replies_since(*pair, since) for pair in pairs}, account=delivery.account
    )
    for order in orders:
        recent = sent[order.from_, order.to]
        if loops.may_answer(kind=loops.TWIML, recent=recent, now=now):
            passed.append(order)
            recent.append(now)
    return passed
