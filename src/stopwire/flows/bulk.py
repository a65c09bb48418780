"""Keep the lists of Twilio's smaller APIs: contacts, safe numbers, deactivations. None of them touches consent."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from stopwire.core.errors import Refused, refuse
from stopwire.ports.store import Contact, SafeNumber, Tx
from stopwire.ports.world import World

DEACTIVATIONS_KEPT = timedelta(days=90)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Where a person lives, as the application knows it."""

    contact: str
    country: str | None
    zip_code: str | None


async def keep_contacts(world: World, *, account: str, contacts: Sequence[Person]) -> None:
    """Keep where people live, for the hours at which they may be written to. The newest word on a person holds."""
    now = world.clock.now()
    kept = [Contact(contact=c.contact, country=c.country, zip_code=c.zip_code, updated_at=now) for c in contacts]
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


async def deactivations(world: World, *, day: date) -> Refused:
    """Why there is no report of the numbers deactivated on `day`: none is imported in this version."""
    today = world.clock.now().date()
    return refuse(30113 if day < today - DEACTIVATIONS_KEPT else 30114)
