"""Take the demo away from an account: its simulated senders, their services, and all that they left. The ledger stays.

Senders on other connections stay with all that is theirs, and so do the account, its credentials and its team.
"""

from dataclasses import dataclass
from functools import partial

from stopwire.core.connections import SIMULATOR
from stopwire.core.consent import Block
from stopwire.core.senders import Sender, Service
from stopwire.flows.moves import lift_of, shut
from stopwire.ports.store import Cut, EntryFilter, Haste, Tx
from stopwire.ports.world import World

AT_ONCE = 200  # messages or blocks a unit, so that a STOP never waits long behind it
NOTE = "the demo was switched off"


@dataclass(frozen=True, slots=True, kw_only=True)
class Retired:
    """How much went. All zero: nothing was simulated. `held`: the account is under a legal hold, and nothing was touched."""

    senders: int = 0
    services: int = 0
    messages: int = 0
    blocks: int = 0
    held: bool = False


async def retire_demo(world: World, *, account: str, actor: str) -> Retired:
    """In units of their own: messages, then blocks, then the senders. Cut short, it can be done again."""
    if (await world.store.directory(account)).account.settings.legal_hold:
        return Retired(held=True)
    messages = blocks = 0
    while some := await world.store.write(_forget_messages, account=account):
        messages += some
    while some := await world.store.write(partial(_lift_blocks, world=world, actor=actor), account=account, haste=Haste.URGENT):
        blocks += some
    senders, services = await world.store.write(_release, account=account)
    return Retired(senders=senders, services=services, messages=messages, blocks=blocks)


def _simulated(tx: Tx) -> tuple[list[Sender], list[Service]]:
    """The senders that only the simulator carries, and the services that consist of such."""
    directory = tx.services.directory()
    senders = [sender for sender in directory.senders.values() if sender.connection == SIMULATOR]
    of_others = {sender.service for sender in directory.senders.values() if sender.connection != SIMULATOR}
    joined = {sender.service for sender in senders}
    return senders, [each for each in directory.services.values() if each.sid in joined and each.sid not in of_others]


def _forget_messages(tx: Tx) -> int:
    senders, services = _simulated(tx)
    filters = [EntryFilter(sender=sender.address, refusals=False) for sender in senders]
    filters += [EntryFilter(service=service.sid, refusals=False) for service in services]
    found = dict.fromkeys(entry.id for wanted in filters for entry in tx.messages.entries(wanted, Cut(limit=AT_ONCE)))
    sids = list(found)[:AT_ONCE]
    tx.leftovers.forget_webhooks(sids)
    tx.jobs.remove(sids)
    for sid in sids:
        tx.messages.delete(sid)
    return len(sids)


def _lift_blocks(tx: Tx, *, world: World, actor: str) -> int:
    senders, services = _simulated(tx)
    holders = [service.sid for service in services]
    holders += [holder for sender in senders for holder in (sender.sid, *sender.inherited)]
    found: list[Block] = []
    for holder in dict.fromkeys(holders):
        found += tx.consent.blocks(Cut(limit=AT_ONCE - len(found)), holder=holder) if len(found) < AT_ONCE else []
    now = world.clock.now()
    lifted = [lift_of(block, actor=actor, note=NOTE, now=now, ids=world.ids) for block in found]
    shut(tx, lifted, now=now, ids=world.ids)
    return len(lifted)


def _release(tx: Tx) -> tuple[int, int]:
    senders, services = _simulated(tx)
    tx.leftovers.forget([sender.address for sender in senders], [service.sid for service in services])
    for sender in senders:
        tx.services.unstick(sender.sid)
        tx.services.delete_sender(sender.sid)
        tx.tell("sender.released", sid=sender.sid)
    for service in services:
        tx.services.delete_service(service.sid)
        tx.tell("service.deleted", sid=service.sid)
    return len(senders), len(services)
