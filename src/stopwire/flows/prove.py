"""Prove what happened: the evidence about one person, with the chain that holds it in place."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from stopwire.core.consent import Block, SealedEvent
from stopwire.core.ledger import Verdict, holds
from stopwire.core.message import Message
from stopwire.ports.store import Cut, MessageFilter, PolicyVersion, Tx
from stopwire.ports.world import World

EVENTS_MAX = 10_000
TEXTS_MAX = 10_000
VERIFY_SECONDS = 900.0  # ten million events and more


@dataclass(frozen=True, slots=True, kw_only=True)
class CitedPolicy:
    """A version of a service's settings that was in force when an event happened."""

    service: str
    version: PolicyVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that is known of one person's consent, oldest first. `sealed`: every event is as it was written."""

    recipient: str
    at: datetime
    blocks: tuple[Block, ...]
    events: tuple[SealedEvent, ...]
    messages: tuple[Message, ...]
    policies: tuple[CitedPolicy, ...]
    sealed: bool
    complete: bool  # false where there is more than was read


async def verify(world: World, *, account: str) -> Verdict:
    """Check the whole ledger of `account`: its chain, and that the block list is its fold."""
    return await world.store.read(lambda tx: tx.consent.verify(), account=account, seconds=VERIFY_SECONDS)


async def evidence(world: World, *, account: str, recipient: str) -> Evidence:
    """The evidence about `recipient`, from one view of the store."""
    return await world.store.read(partial(_evidence, recipient=recipient, now=world.clock.now()), account=account)


def _evidence(tx: Tx, *, recipient: str, now: datetime) -> Evidence:
    events = tx.consent.events(Cut(limit=EVENTS_MAX), recipient)[::-1]
    texts = tx.messages.page(MessageFilter(recipient=recipient), Cut(limit=TEXTS_MAX))[::-1]
    blocks = tx.consent.blocks_of_many([recipient]).get(recipient, [])
    return Evidence(
        recipient=recipient,
        at=now,
        blocks=tuple(blocks),
        events=tuple(events),
        messages=tuple(texts),
        policies=tuple(_policies(tx, events, texts)),
        sealed=all(holds(each) for each in events),
        complete=len(events) < EVENTS_MAX and len(texts) < TEXTS_MAX,
    )


def _policies(tx: Tx, events: Sequence[SealedEvent], texts: Sequence[Message]) -> list[CitedPolicy]:
    """The versions that the events cite. An event names a version; the text it came from names the service."""
    services = {text.sid: text.service for text in texts}
    cited: dict[tuple[str, int], None] = {}
    for sealed in events:
        event = sealed.event
        service = services.get(event.message or "") or (event.holder if event.holder.startswith("MG") else None)
        if service and event.policy_version is not None:
            cited[service, event.policy_version] = None
    found = [(service, tx.services.policy(service, version)) for service, version in cited]
    return [CitedPolicy(service=service, version=version) for service, version in found if version is not None]
