"""Take back, redact, delete or rate a message that exists. What the ledger and the refusal log hold stays.

Nothing here stops a message that a carrier already has.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from stopwire.core.errors import Refused, refuse
from stopwire.core.message import SETTLED, Message, Status
from stopwire.flows.moves import end
from stopwire.ports.store import Feedback, Tx
from stopwire.ports.world import Ids, World


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """The message as it now is (as it was, where it was deleted), or why nothing was done. Neither: there is none."""

    message: Message | None = None
    refused: Refused | None = None


async def cancel(world: World, *, account: str, sid: str) -> Changed:
    """Cancel a scheduled message, until the engine has claimed it (30409)."""
    unit = partial(_cancel, sid=sid, now=world.clock.now(), ids=world.ids)
    return await world.store.write(unit, account=account)


async def redact(world: World, *, account: str, sid: str) -> Changed:
    """Erase the body of a message that has left or ended (20009); its media stay."""
    return await world.store.write(partial(_redact, sid=sid, now=world.clock.now()), account=account)


async def delete(world: World, *, account: str, sid: str) -> Changed:
    """Delete a message that has left or ended (20009), with its media and feedback."""
    return await world.store.write(partial(_delete, sid=sid), account=account)


async def delete_media(world: World, *, account: str, message: str, sid: str) -> bool:
    """Delete one medium of a message; whether there was one."""
    return await world.store.write(lambda tx: tx.messages.delete_medium(message, sid), account=account)


async def rate(world: World, *, account: str, sid: str, outcome: str) -> Feedback | None:
    """Keep what the application says of a message: `confirmed` or `unconfirmed`. None where there is no such message."""
    unit = partial(_rate, sid=sid, outcome=outcome, now=world.clock.now())
    return await world.store.write(unit, account=account)


def _cancel(tx: Tx, *, sid: str, now: datetime, ids: Ids) -> Changed:
    message = tx.messages.get(sid)
    if message is None:
        return Changed()
    job = tx.jobs.of_message(sid)
    if message.status is not Status.SCHEDULED or (job is not None and job.state != "queued"):
        return Changed(refused=refuse(30409))
    end(tx, message, Status.CANCELED, None, now=now, ids=ids)
    return Changed(message=tx.messages.get(sid))


def _redact(tx: Tx, *, sid: str, now: datetime) -> Changed:
    message = tx.messages.get(sid)
    if message is None:
        return Changed()
    if message.status not in SETTLED:
        return Changed(refused=refuse(20009))
    redacted = replace(message, body="", updated_at=now)
    tx.messages.save(redacted)
    return Changed(message=redacted)


def _delete(tx: Tx, *, sid: str) -> Changed:
    message = tx.messages.get(sid)
    if message is None:
        return Changed()
    if message.status not in SETTLED:
        return Changed(refused=refuse(20009))
    tx.messages.delete(sid)
    return Changed(message=message)


def _rate(tx: Tx, *, sid: str, outcome: str, now: datetime) -> Feedback | None:
    if tx.messages.get(sid) is None:
        return None
    return tx.messages.set_feedback(
        Feedback(message=sid, account=tx.account, outcome=outcome, created_at=now, updated_at=now)
    )
