"""Play the person: a simulated handset texts one of the account's senders, and its conversation is read.

The simulator carries the text as a network would; what it does is decided where every inbound text is.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from stopwire.core.address import group_of, parse_sender
from stopwire.core.jobs import HandsetMessage
from stopwire.core.outcomes import InboundMedia
from stopwire.core.senders import Sender
from stopwire.ports.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsed:
    """What a handset's text became, or in a sentence why it could not be sent. `unknown`: the sender is not the account's."""

    id: str = ""
    message_sid: str | None = None
    unknown: bool = False
    refused: str | None = None


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
    """`handset` texts the account's sender `to`. When this returns, the text is committed."""
    directory = await world.store.directory(account)
    sender = directory.sender_at(parse_sender(to) or "") or directory.senders.get(to)
    if sender is None:
        return Rehearsed(unknown=True)
    if problem := _unheard(handset, sender):
        return Rehearsed(refused=problem)
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
    return Rehearsed(id=texted.id, message_sid=texted.message_sid)


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


async def handsets(world: World, *, account: str) -> list[str]:
    """The handsets that have sent or received something."""
    return await world.phones.handsets(account)
