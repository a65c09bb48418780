"""Keep the lists of Twilio's accounts API: contacts and numbers known to be good. None of them touches consent."""

from collections.abc import Sequence
from dataclasses import replace

from stopwire.ports.store import Contact, SafeNumber, Tx
from stopwire.ports.world import World


async def keep_contacts(world: World, *, account: str, contacts: Sequence[Contact]) -> None:
    """Keep where people live, for the hours at which they may be written to. The newest word on a person holds."""
    now = world.clock.now()
    kept = [replace(contact, updated_at=now) for contact in contacts]
    await world.store.write(lambda tx: tx.lists.put_contacts(kept), account=account)


async def keep_safe_number(world: World, *, account: str, number: str) -> SafeNumber:
    """Keep `number` as known to be good; the one kept before, where it is there already."""
    new = SafeNumber(sid=world.ids.sid("GN"), number=number)

    def unit(tx: Tx) -> SafeNumber:
        kept = tx.lists.safe_number(number)
        if kept is None:
            tx.lists.add_safe_number(new)
        return kept or new

    return await world.store.write(unit, account=account)


async def forget_safe_number(world: World, *, account: str, number: str) -> bool:
    """Take `number` off the list; whether it was on it."""
    return await world.store.write(lambda tx: tx.lists.delete_safe_number(number), account=account)
