"""Play the person and the network: a simulated handset texts one of the account's senders, is switched off, gets lost.

The simulator carries the text as a network would; what it does is decided where every inbound text is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from stopwire.core.address import group_of, parse_sender
from stopwire.core.chaos import USUAL, Chaos, Reception, problems
from stopwire.core.jobs import HandsetMessage
from stopwire.core.outcomes import InboundMedia
from stopwire.core.policy import Problem
from stopwire.core.senders import Sender
from stopwire.ports.carrier import Fate
from stopwire.ports.store import Tx
from stopwire.ports.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsed:
    """What a handset's text became, or in a sentence why it could not be sent.

    `unknown`: the sender is not the account's. `off`: the handset is switched off.
    """

    id: str = ""
    message_sid: str | None = None
    fate: Fate = Fate.ARRIVED
    unknown: bool = False
    off: bool = False
    refused: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Handset:
    """A handset, how the network reaches it, and how many texts wait for it or are on their way to it."""

    address: str
    reception: Reception = USUAL
    waiting: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceptionChange:
    """What to change about how a handset is reached. None: leave as it is."""

    on: bool | None = None
    delay_seconds: float | None = None
    loss: float | None = None
    duplicates: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuned:
    """The handset as it now is, or what is wrong with the change."""

    handset: Handset | None = None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stirred:
    """The chaos as it now is, or what is wrong with what was asked for."""

    chaos: Chaos
    problems: tuple[Problem, ...] = ()


async def text(
    world: World,
    *,
    account: str,
    handset: str,
    to: str,
    body: str,
    media: Sequence[InboundMedia] = (),
    parts: int = 1,
    part_order: Sequence[int] | None = None,
    repeat: int = 1,
) -> Rehearsed:
    """`handset` texts the account's sender `to`. When this returns, the text is committed, unless the network is late or lost it."""
    directory = await world.store.directory(account)
    sender = directory.sender_at(parse_sender(to) or "") or directory.senders.get(to)
    if sender is None:
        return Rehearsed(unknown=True)
    if problem := _unheard(handset, sender):
        return Rehearsed(refused=problem)
    if not world.phones.reception(account, handset).on:
        return Rehearsed(off=True, refused="This handset is switched off: switch it on, then it can text.")
    texted = await world.phones.text(
        account,
        handset,
        sender.address,
        body,
        media=tuple(media),
        parts=parts,
        part_order=tuple(part_order) if part_order is not None else None,
        repeat=repeat,
    )
    return Rehearsed(id=texted.id, message_sid=texted.message_sid, fate=texted.fate)


def _unheard(handset: str, sender: Sender) -> str | None:
    if sender.address == handset:
        return "A handset cannot text itself: choose another number for the handset."
    if group_of(handset) is not sender.group:
        channel = "with whatsapp: before its number" if sender.address.startswith("whatsapp:") else "by its bare number"
        return f"{sender.address} is on another channel than this handset: name the handset {channel}."
    return None


async def conversation(world: World, *, account: str, handset: str, after: str | None, limit: int) -> list[HandsetMessage]:
    """What the handset sent and received, oldest first, after the message with id `after`."""
    return await world.phones.conversation(account, handset, after, limit)


async def handsets(world: World, *, account: str) -> list[Handset]:
    """The handsets that have sent or received something, for which something waits, or that are not reached as usual."""

    def query(tx: Tx) -> tuple[list[str], dict[str, Reception], dict[str, int]]:
        return tx.handsets.all(), tx.handsets.receptions(), tx.handsets.waiting()

    known, receptions, waiting = await world.store.read(query, account=account)
    return [
        Handset(address=address, reception=receptions.get(address, USUAL), waiting=waiting.get(address, 0))
        for address in sorted({*known, *receptions, *waiting})
    ]


async def handset(world: World, *, account: str, handset: str) -> Handset:
    """One handset; any number is one, whether it was used or not."""
    waiting = await world.store.read(lambda tx: tx.handsets.waiting(), account=account)
    return Handset(
        address=handset, reception=world.phones.reception(account, handset), waiting=waiting.get(handset, 0)
    )


async def tune(world: World, *, account: str, handset: str, change: ReceptionChange) -> Tuned:
    """Change how the network reaches a handset. Kept in the store: a handset that was off is off after a restart."""
    now = world.phones.reception(account, handset)
    asked = {name: value for name in ReceptionChange.__slots__ if (value := getattr(change, name)) is not None}
    reception = replace(now, **asked)
    if found := problems(reception):
        return Tuned(problems=tuple(found))
    await world.phones.set_reception(account, handset, reception)
    waiting = await world.store.read(lambda tx: tx.handsets.waiting(), account=account)
    return Tuned(handset=Handset(address=handset, reception=reception, waiting=waiting.get(handset, 0)))


async def chaos(world: World, *, account: str) -> Chaos:
    """What goes wrong for every handset of the account."""
    return world.phones.chaos(account)


async def stir(world: World, *, account: str, chaos: Chaos) -> Stirred:
    """Make it go wrong, or put it right with the usual value. In memory only: after a restart nothing goes wrong."""
    if found := problems(chaos):
        return Stirred(chaos=world.phones.chaos(account), problems=tuple(found))
    await world.phones.set_chaos(account, chaos)
    return Stirred(chaos=chaos)
