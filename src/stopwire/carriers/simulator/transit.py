"""A text that is on its way in the simulated network: how it is kept until it goes on, and how it reaches us. Values only."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from stopwire.core.connections import SIMULATOR
from stopwire.core.jobs import HandsetMessage, Transit
from stopwire.core.outcomes import InboundMedia, Received

SHARED = tuple(name for name in Transit.__slots__ if name in HandsetMessage.__slots__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Onward:
    """How a handset's text reaches us."""

    parts: int = 1
    part_order: tuple[int, ...] | None = None
    repeat: int = 1


def transit_of(message: HandsetMessage, **more: Any) -> Transit:
    """The message on its way. `more`: when it is due and expires, and how it goes on."""
    return Transit(**{name: getattr(message, name) for name in SHARED}, **more)


def message_of(transit: Transit) -> HandsetMessage:
    return HandsetMessage(**{name: getattr(transit, name) for name in SHARED})


def packed(onward: Onward, media: Sequence[InboundMedia]) -> Mapping[str, Any]:
    """How a text goes on, pictures and all, as plain values."""
    pictures = [[medium.content_type, base64.b64encode(medium.data).decode()] for medium in media]
    order = None if onward.part_order is None else list(onward.part_order)
    return {"parts": onward.parts, "part_order": order, "repeat": onward.repeat, "media": pictures}


def onward_of(transit: Transit) -> Onward:
    plain = transit.onward
    order = None if plain["part_order"] is None else tuple(plain["part_order"])
    return Onward(parts=plain["parts"], part_order=order, repeat=plain["repeat"])


def media_of(transit: Transit) -> tuple[InboundMedia, ...]:
    return tuple(InboundMedia(content_type=type_, data=base64.b64decode(data)) for type_, data in transit.onward["media"])


def cut(sent: HandsetMessage, media: tuple[InboundMedia, ...], onward: Onward) -> list[Received]:
    """A handset's text as we hear it: in its parts, in the order in which they come."""
    whole = Received(
        connection=SIMULATOR, sender=sent.peer, recipient=sent.handset, body=sent.body, reference=sent.id, media=media
    )
    if onward.parts <= 1:
        return [whole]
    pieces, sequence = _pieces(sent.body, onward.parts), onward.part_order or tuple(range(1, onward.parts + 1))
    return [
        replace(
            whole,
            body=pieces[number - 1],
            reference=f"{sent.id}.{number}",
            media=media if number == sequence[-1] else (),  # with the part that makes the text whole
            part_reference=int(sent.id[2:6], 16),
            part=number,
            parts=onward.parts,
        )
        for number in sequence
    ]


def _pieces(body: str, parts: int) -> list[str]:
    """`body` in `parts` pieces of about the same length; some may be empty where it is short."""
    size = -(-len(body) // parts)
    return [body[i * size : (i + 1) * size] for i in range(parts)]
