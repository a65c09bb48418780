"""Read what a provider pushed: whose it is, and what it tells. What is not genuine is kept apart, and told nobody.

The door then brings each text and report to its own flow, and answers the provider only after those.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from functools import partial

from stopwire import metrics
from stopwire.core.connections import Sealed
from stopwire.core.outcomes import DeliveryReport, Received
from stopwire.log import get_logger
from stopwire.ports.push import Heard, HttpPush, Listener, PushReply, RefusedPush
from stopwire.ports.store import Tx
from stopwire.ports.values import from_plain, to_plain
from stopwire.ports.world import World

log = get_logger(__name__)
REFUSED_MAX = 1_000  # a connection's refused pushes that are kept
REFUSED_BYTES_MAX = 64 * 1024  # what is larger is no text message, and not kept
AGAIN_AT_ONCE = 100


class Verdict(StrEnum):
    TAKEN = "taken"
    REFUSED = "refused"  # it is not the provider's, as far as we can tell
    UNKNOWN = "unknown"  # there is no connection of that name that could be called


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed:
    """What a push tells, and what its provider wants to hear once that is on disk."""

    verdict: Verdict
    received: tuple[Received, ...] = ()
    reports: tuple[DeliveryReport, ...] = ()
    reply: PushReply = field(default_factory=PushReply)


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """A push that was refused once and now turns out to be genuine."""

    id: str
    pushed: Pushed


async def translate(world: World, *, connection: str, push: HttpPush) -> Pushed:
    """Read one push to the connection of this SID, or of this name where only one account has it."""
    sealed = await world.store.read(partial(_find, name=connection), account="")
    listener = _listener(world, sealed) if sealed is not None else None
    if sealed is None or listener is None:
        return Pushed(verdict=Verdict.UNKNOWN)
    now = world.clock.now()
    if problem := listener.refusal(push, at=now):
        log.warning("push.refused", connection=sealed.connection.sid, problem=problem)
        metrics.push_set_apart("refused")
        await _keep(world, sealed, push, problem, now)
        return Pushed(verdict=Verdict.REFUSED)
    try:
        heard = await listener.hear(push)
    except ValueError as odd:
        # Genuine and unreadable: it would be so again. It is kept for whoever looks into it, and acknowledged.
        log.error("push.unreadable", connection=sealed.connection.sid, problem=str(odd))
        await _set_apart(world, sealed, push, "unreadable", f"It cannot be read: {odd}", now)
        return Pushed(verdict=Verdict.TAKEN)
    pushed, strange = await _own(world, sealed, heard)
    if strange:
        log.warning("inbound.unknown_sender", senders=strange, connection=sealed.connection.sid)
        await _set_apart(world, sealed, push, "no_sender", _unknown(strange), now)
    return pushed


def _find(tx: Tx, *, name: str) -> Sealed | None:
    found = tx.connections.find(name)
    if found is not None:
        return found
    namesakes = [sealed for sealed in tx.connections.every() if sealed.connection.name == name]
    return namesakes[0] if len(namesakes) == 1 else None


def _listener(world: World, sealed: Sealed) -> Listener | None:
    """Who reads the pushes of a connection: the live carrier where it has today's secrets, else one made for it.

    A paused connection is heard too: a STOP does not wait until somebody resumes it.
    """
    live = world.carriers.get(sealed.connection.sid)
    if live is not None and not isinstance(live, Listener):
        return None
    if live is not None and live.connection.version == sealed.connection.version:
        return live
    made = world.carriers.make(sealed)
    return made if isinstance(made, Listener) else None


async def _own(world: World, sealed: Sealed, heard: Heard) -> tuple[Pushed, list[str]]:
    """Texts to senders of the connection's own account, for nobody's provider speaks for somebody else's numbers; and the numbers
    of the others."""
    directory = await world.store.directory(sealed.connection.account)
    own = tuple(one for one in heard.received if directory.sender_at(one.sender) is not None)
    strange = list(dict.fromkeys(one.sender for one in heard.received if one not in own))
    return Pushed(verdict=Verdict.TAKEN, received=own, reports=heard.reports, reply=heard.reply), strange


def _unknown(numbers: Sequence[str]) -> str:
    told = ", ".join(numbers[:5])
    return f"A text came to {told}, which is no sender of this account: put it on this connection, and the text is taken."


async def _set_apart(world: World, sealed: Sealed, push: HttpPush, event: str, problem: str, now: datetime) -> None:
    """A genuine push that told nobody anything: the operator reads why, and it is looked at again when the connection changes."""
    metrics.push_set_apart(event)
    world.carriers.note(sealed, event, problem)
    await _keep(world, sealed, push, problem, now)


async def _keep(world: World, sealed: Sealed, push: HttpPush, problem: str, now: datetime) -> None:
    """Keep a refused push for the day the secret is put right. Sealed: it may carry credentials, and what a person wrote."""
    if len(push.body) > REFUSED_BYTES_MAX:
        return
    id = world.ids.sid("RP")
    refused = RefusedPush(
        id=id,
        account=sealed.connection.account,
        connection=sealed.connection.sid,
        at=now,
        version=sealed.connection.version,
        problem=problem,
        sealed=world.vault.seal(json.dumps(to_plain(push)), purpose=id),
    )
    await world.store.write(lambda tx: tx.pushes.keep(refused, at_most=REFUSED_MAX), account=refused.account)


async def again(world: World) -> Sequence[Again]:
    """Read again what was refused before its connection was changed. Those still refused are kept, and not read again."""
    due = await world.store.read(lambda tx: tx.pushes.due(AGAIN_AT_ONCE), account="")
    genuine = []
    for refused in due:
        sealed = await world.store.read(partial(_find, name=refused.connection), account="")
        if sealed is None:
            continue
        pushed, problem = await _read_again(world, sealed, refused)
        if pushed is not None:
            genuine.append(Again(id=refused.id, pushed=pushed))
            continue
        judge = partial(_judge, id=refused.id, version=sealed.connection.version, problem=problem)
        await world.store.write(judge, account="")
    return genuine


def _judge(tx: Tx, *, id: str, version: int, problem: str) -> None:
    tx.pushes.judge(id, version=version, problem=problem)


async def _read_again(world: World, sealed: Sealed, refused: RefusedPush) -> tuple[Pushed | None, str]:
    listener = _listener(world, sealed)
    if listener is None:
        return None, "The connection is not called any more."
    push = from_plain(json.loads(world.vault.open_sealed(refused.sealed, purpose=refused.id)), HttpPush)
    if problem := listener.refusal(push, at=refused.at):
        return None, problem
    try:
        heard = await listener.hear(push)
    except ValueError as odd:
        return None, f"It cannot be read: {odd}"
    # Our own stamp of then can be trusted: a START from before a newer STOP must not lift it.
    dated = tuple(replace(one, sent_at=one.sent_at or refused.at) for one in heard.received)
    pushed, strange = await _own(world, sealed, replace(heard, received=dated))
    return (None, _unknown(strange)) if strange else (pushed, "")


async def settled(world: World, *, id: str) -> None:
    """What a push told is on disk: forget the push."""
    await world.store.write(lambda tx: tx.pushes.drop(id), account="")
