"""The story of one message or refusal: all that was kept about it, from one view of the store. Nothing is decided here."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from stopwire.core.consent import SealedEvent
from stopwire.core.jobs import Attempt, Delivery, DeliveryAttempt, Refusal
from stopwire.core.message import Direction, Media, Message
from stopwire.ports.store import Cut, MessageFilter, Tx
from stopwire.ports.world import World

OPTED_OUT = 21610
DELIVERIES_MAX = 100
LOOKED_AT = 200  # messages of the person among which those are sought that a STOP ended


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One of `message` and `refusal`, or neither where the account has no such thing.

    `events`: rows of the ledger that the message wrote. `reply`: the automatic reply, `answers`: what a reply answers.
    `ended`: sends that this STOP ended. `requests`: the HTTP requests made for each delivery, by its id.
    """

    message: Message | None = None
    refusal: Refusal | None = None
    media: tuple[Media, ...] = ()
    events: tuple[SealedEvent, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    reply: Message | None = None
    reply_attempts: tuple[Attempt, ...] = ()
    ended: tuple[Message, ...] = ()
    deliveries: tuple[Delivery, ...] = ()
    requests: Mapping[str, tuple[DeliveryAttempt, ...]] = field(default_factory=dict)


async def story(world: World, *, account: str, id: str) -> Story:
    """Gather what is known about the message SM…/MM… or the refusal RF…."""
    return await world.store.read(partial(_story, id=id), account=account)


def _story(tx: Tx, *, id: str) -> Story:
    if id.startswith("RF"):
        return Story(refusal=tx.messages.refusal(id))
    message = tx.messages.get(id, any_purpose=True)
    if message is None:
        return Story()
    reply_sid = message.decision.get("reply")
    reply = tx.messages.get(str(reply_sid), any_purpose=True) if reply_sid else None
    deliveries = tx.webhooks.page(Cut(limit=DELIVERIES_MAX), message.sid)[::-1]
    requests = tx.webhooks.attempts([each.id for each in deliveries])
    inbound = message.direction is Direction.INBOUND
    return Story(
        message=message,
        media=tuple(replace(each, bytes_=None) for each in tx.messages.media(message.sid)) if message.media else (),
        events=tuple(tx.consent.events(Cut(limit=DELIVERIES_MAX), None, message.sid)[::-1]) if inbound else (),
        attempts=tuple(tx.jobs.attempts(message.sid)),
        reply=reply,
        reply_attempts=tuple(tx.jobs.attempts(reply.sid)) if reply else (),
        ended=_ended(tx, message) if message.decision.get("effect") == "block" else (),
        deliveries=tuple(deliveries),
        requests={id: tuple(made) for id, made in requests.items()},
    )


def _ended(tx: Tx, stop: Message) -> tuple[Message, ...]:
    """Sends to the person that ended in the very commit that took the STOP: both have its instant."""
    waiting = tx.messages.page(MessageFilter(recipient=stop.recipient), Cut(limit=LOOKED_AT))
    return tuple(each for each in waiting if each.error_code == OPTED_OUT and each.updated_at == stop.created_at)
