"""Leave by a link: one person's way out of one scope, open to whoever holds it.

The link is sealed: nobody can make one up, or read a number off it. Opening it changes nothing; the door records the
wish itself, with `amend.consents`, once the person has said so.
"""

import json
from dataclasses import dataclass

from stopwire.core.address import mask
from stopwire.core.scopes import resolve_scope
from stopwire.ports.faults import SealFault
from stopwire.ports.world import World

PURPOSE = "opt-out link"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wayout:
    """Where a link leads. `name`: who is left; `shown`: the person's address, its middle hidden."""

    account: str
    recipient: str
    holder: str
    name: str
    shown: str


async def link(world: World, *, account: str, recipient: str, scope: str) -> str | None:
    """The URL that takes `recipient` out of `scope`; None for a scope that is not the account's. It does not expire."""
    holder = resolve_scope(await world.store.directory(account), scope)
    if holder is None:
        return None
    token = world.vault.seal(json.dumps([account, recipient, holder]), purpose=PURPOSE)
    return f"{world.choices.public_url}/o/{token}"


async def wayout(world: World, *, token: str) -> Wayout | None:
    """Where a link leads; None for one that was not made here."""
    try:
        account, recipient, holder = json.loads(world.vault.open_sealed(token, purpose=PURPOSE))
    except SealFault:
        return None
    directory = await world.store.directory(account)
    service, sender = directory.services.get(holder), directory.senders.get(holder)
    name = service.friendly_name if service else sender.address if sender else directory.account.friendly_name
    return Wayout(account=account, recipient=recipient, holder=holder, name=name, shown=mask(recipient))
