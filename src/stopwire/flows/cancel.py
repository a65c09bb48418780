"""Take back, redact, delete or rate a message that exists. What the ledger and the refusal log hold stays.

Nothing here stops a message that a carrier already has.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import partial

from stopwire.core.errors import Refused, refuse
from stopwire.core.message import SETTLED, Message, Status, emptied
from stopwire.flows.moves import end
from stopwire.ports.store import Feedback, Tx
from stopwire.ports.world import Ids, World


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """The message as it now is (as it was, where it was deleted), or why nothing was done. Neither: there is none."""

    message: Message | None = None
    refused: Refused | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MediumDeleted:
    """Whether there was such a medium, or why it stays."""

    found: bool = False
    refused: Refused | None = None


async def cancel(world: World, *, account: str, sid: str) -> Changed:
    """Cancel a scheduled message, until the engine has claimed it (30409)."""
    unit = partial(_cancel, sid=sid, now=world.clock.now(), ids=world.ids)
    return await world.store.write(unit, account=account)


async def redact(world: World, *, account: str, sid: str) -> Changed:
    """Erase the body of a message that has left or ended (20009), unless a legal hold keeps it (20010); its media stay."""
    return await world.store.write(partial(_redact, sid=sid, now=world.clock.now()), account=account)


async def delete(world: World, *, account: str, sid: str) -> Changed:
    """Delete a message that has left or ended (20009), with its media and feedback; not under a legal hold (20010)."""
    return await world.store.write(partial(_delete, sid=sid), account=account)


async def delete_media(world: World, *, account: str, message: str, sid: str) -> MediumDeleted:
    """Delete one medium of a message, unless a legal hold keeps it (20010)."""
    return await world.store.write(partial(_delete_medium, message=message, sid=sid), account=account)


def _delete_medium(tx: Tx, *, message: str, sid: str) -> MediumDeleted:
    if _held(tx):
        return MediumDeleted(refused=refuse(20010))
    return MediumDeleted(found=tx.messages.delete_medium(message, sid))


def _held(tx: Tx) -> bool:
    """Whether the account is under a legal hold: then nothing is deleted, whoever asks."""
    return tx.services.directory().account.settings.legal_hold


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
    if _held(tx):
        return Changed(refused=refuse(20010))
    redacted = emptied(message, now)
    tx.messages.save(redacted)
    return Changed(message=redacted)


def _delete(tx: Tx, *, sid: str) -> Changed:
    message = tx.messages.get(sid)
    if message is None:
        return Changed()
    if message.status not in SETTLED:
        return Changed(refused=refuse(20009))
    if _held(tx):
        return Changed(refused=refuse(20010))
    tx.messages.delete(sid)
    return Changed(message=message)


def _rate(tx: Tx, *, sid: str, outcome: str, now: datetime) -> Feedback | None:
    if tx.messages.get(sid) is None:
        return None
    return tx.messages.set_feedback(
        Feedback(message=sid, account=tx.account, outcome=outcome, created_at=now, updated_at=now)
    )
