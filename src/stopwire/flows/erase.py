"""Erase a person: empty all that is kept about them, and go on keeping silent. Their blocks and the chain stay.

What is still on its way is not touched, but scheduled texts are taken back. Who asks again later erases the rest.
"""

from dataclasses import dataclass
from functools import partial

from stopwire.core.message import Status
from stopwire.flows.moves import end
from stopwire.ports.store import Tx
from stopwire.ports.world import World

AT_ONCE = 200  # rows a unit, so that a STOP never waits long behind it
SEARCH_SECONDS = 120.0  # for what no index finds


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """How much was emptied. `waiting`: texts on their way, and suggestions to be decided, which are still readable.

    `held`: the account is under a legal hold, and nothing was touched.
    """

    messages: int = 0
    events: int = 0
    others: int = 0
    waiting: int = 0
    held: bool = False


async def erase(world: World, *, account: str, recipient: str) -> Erased:
    """In units of their own, so that nothing waits long. Cut short, it can be done again."""
    store = world.store
    if (await store.directory(account)).account.settings.legal_hold:
        return Erased(held=True)
    await store.write(partial(_take_back, world=world, recipient=recipient), account=account)
    now = world.clock.now()
    messages = events = 0
    while some := await store.write(lambda tx: tx.erasure.messages(recipient, now, AT_ONCE), account=account):
        messages += some
    while some := await store.write(lambda tx: tx.erasure.ledger(recipient, AT_ONCE), account=account):
        events += some
    others = await store.write(lambda tx: tx.erasure.beside(recipient), account=account)
    while found := await store.read(lambda tx: tx.erasure.mentions(recipient, AT_ONCE), account=account, seconds=SEARCH_SECONDS):
        others += await store.write(lambda tx: tx.erasure.blank(found), account=account)
    waiting = await store.read(lambda tx: tx.erasure.waiting(recipient), account=account)
    return Erased(messages=messages, events=events, others=others, waiting=waiting)


def _take_back(tx: Tx, *, world: World, recipient: str) -> None:
    """Cancel what is scheduled: it would be sent without a text, or keep its text until then."""
    for job in tx.jobs.of_recipient(recipient, states=("queued",)):
        message = tx.messages.get(job.message)
        if message is not None and message.status is Status.SCHEDULED:
            end(tx, message, Status.CANCELED, None, now=world.clock.now(), ids=world.ids)
