"""Explain one message or refusal: gather what was kept about it, from one view of the store, and put it in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from stopwire.core import explain as words
from stopwire.core.explain import Explanation, Facts
from stopwire.core.message import Direction, Message
from stopwire.ports.store import Cut, Tx
from stopwire.ports.world import World

EVENTS_MAX = 1_000  # of one person; nobody changes their mind more often
DELIVERIES_MAX = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """The explanation; None where the account has no such thing."""

    explanation: Explanation | None = None


async def explain(world: World, *, account: str, id: str) -> Explained:
    """Explain the message SM…/MM… or the refusal RF… with this id."""
    return await world.store.read(partial(_explain, id=id), account=account)


def _explain(tx: Tx, *, id: str) -> Explained:
    if id.startswith("RF"):
        refusal = tx.messages.refusal(id)
        if refusal is None:
            return Explained()
        return Explained(explanation=words.of_refusal(refusal, _facts(tx, refusal.recipient, None)))
    message = tx.messages.get(id, any_purpose=True)
    if message is None:
        return Explained()
    facts = _facts(tx, message.recipient, message)
    inbound = message.direction is Direction.INBOUND
    return Explained(explanation=words.of_inbound(message, facts) if inbound else words.of_outbound(message, facts))


def _facts(tx: Tx, recipient: str | None, message: Message | None) -> Facts:
    events = tx.consent.events(Cut(limit=EVENTS_MAX), recipient)[::-1] if recipient else []
    decision: Mapping[str, object] = message.decision if message else {}
    reply = tx.messages.get(str(decision["reply"]), any_purpose=True) if decision.get("reply") else None
    attempts = tx.jobs.attempts(reply.sid if reply else message.sid) if message else []
    deliveries = tx.webhooks.page(Cut(limit=DELIVERIES_MAX), message.sid)[::-1] if message else []
    return Facts(directory=tx.services.directory(), events=events, attempts=attempts, deliveries=deliveries, reply=reply)
