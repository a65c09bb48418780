"""Long messages in octets: user data headers and their concatenation elements, the SAR TLVs, cutting and joining.

Source: 3GPP TS 23.040 §9.2.3.24; SMPP 3.4 §5.3.2.22 to 24. How many segments a text needs is core/segments' to say.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final, NamedTuple

from stopwire.smpp.fields import EsmClass, Tag
from stopwire.smpp.pdu import DataSm, DeliverSm, SubmitSm, Tlv, body, tlv, tlv_int

CONCAT_8: Final = 0x00  # information elements of §9.2.3.24: an 8-bit reference …
CONCAT_16: Final = 0x08  # … or one of 16 bits

PARTS_MAX: Final = 255  # one octet counts them


class Element(NamedTuple):
    """An information element of a header."""

    identifier: int
    octets: bytes


class Headed(NamedTuple):
    """A message with its header taken off. `malformed`: it said it had one, and all its octets are in `octets`."""

    elements: tuple[Element, ...]
    octets: bytes
    malformed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Concat:
    """Which part of which long message this is. `width`: bits of the reference; an 8-bit one comes round again soon."""

    reference: int
    width: int
    total: int
    part: int  # from 1


class Unit(Enum):
    """What the octets of a message are, and so how many fit and where they must not be cut."""

    SEPTETS = "septets, one an octet"
    UCS2 = "UTF-16 units, two octets each"
    OCTETS = "octets"


# In 140 octets: alone, behind a header of 6 octets (8-bit reference), of 7 (16-bit). TS 23.040 §9.2.3.24.1, §9.2.3.24.8.
ROOM: Final[Mapping[Unit, tuple[int, int, int]]] = {
    Unit.SEPTETS: (160, 153, 152),
    Unit.UCS2: (140, 134, 132),
    Unit.OCTETS: (140, 134, 133),
}

_ESCAPE = 0x1B  # TS 23.038 §6.2.1: with the septet behind it one character


def behead(octets: bytes) -> Headed:
    """Take the header off a message that has one (esm_class says so). Never raises."""
    if not octets:
        return Headed((), b"", malformed=True)
    end = 1 + octets[0]
    if end > len(octets):
        return Headed((), octets, malformed=True)
    elements, at = [], 1
    while at + 2 <= end:
        identifier, length = octets[at], octets[at + 1]
        if at + 2 + length > end:
            break
        elements.append(Element(identifier, octets[at + 2 : at + 2 + length]))
        at += 2 + length
    return Headed(tuple(elements), octets[end:], malformed=at < end)


def concat(elements: tuple[Element, ...]) -> Concat | None:
    """The concatenation that a header tells of; of several the last holds. Nonsense is no concatenation. §9.2.3.24.1."""
    found = None
    for identifier, octets in elements:
        if identifier == CONCAT_8 and len(octets) == 3:
            found = _sensible(octets[0], 8, octets[1], octets[2]) or found
        elif identifier == CONCAT_16 and len(octets) == 4:
            found = _sensible(int.from_bytes(octets[:2], "big"), 16, octets[2], octets[3]) or found
    return found


def part_of(pdu: SubmitSm | DeliverSm | DataSm) -> tuple[Concat | None, Headed]:
    """The place of a message in a longer one, from its header or its SAR TLVs, and the message without its header."""
    octets = body(pdu)
    headed = behead(octets) if pdu.esm_class & EsmClass.UDHI else Headed((), octets)
    place = concat(headed.elements)
    if place is None:
        reference, total, part = (tlv_int(pdu, tag) for tag in _SAR)
        if reference is not None and total is not None and part is not None:
            place = _sensible(reference & 0xFFFF, 16, total, part)
    return place, headed


def header(place: Concat) -> bytes:
    """The user data header of one part, 6 octets or 7: put it before the part and set EsmClass.UDHI."""
    if place.width == 8:
        return bytes((5, CONCAT_8, 3, place.reference & 0xFF, place.total, place.part))
    return bytes((6, CONCAT_16, 4, place.reference >> 8 & 0xFF, place.reference & 0xFF, place.total, place.part))


def sar_tlvs(place: Concat) -> tuple[Tlv, ...]:
    """The same as TLVs, for carriers that make the header themselves. §5.3.2.22 to 24."""
    return tuple(tlv(tag, value) for tag, value in zip(_SAR, (place.reference & 0xFFFF, place.total, place.part), strict=True))


def split(octets: bytes, unit: Unit, *, width: int = 8) -> tuple[bytes, ...]:
    """A message cut into its parts, without headers; one part if it fits alone. No character is cut in two.

    Raises ValueError if there would be more parts than can be counted.
    """
    alone, behind_8, behind_16 = ROOM[unit]
    if len(octets) <= alone:
        return (octets,)
    room = behind_8 if width == 8 else behind_16
    parts, at = [], 0
    while at < len(octets):
        end = min(at + room, len(octets))
        if end < len(octets) and end - at > 2:
            end -= _back(octets, at, end, unit)
        parts.append(octets[at:end])
        at = end
    if len(parts) > PARTS_MAX:
        raise ValueError(
            f"A message of {len(octets)} octets would have {len(parts)} parts; at most {PARTS_MAX} can be counted: shorten it."
        )
    return tuple(parts)


def join(parts: Mapping[int, bytes], total: int) -> bytes | None:
    """The whole message, or None while parts are missing. Join first and decode then: a character may straddle a cut."""
    if any(number not in parts for number in range(1, total + 1)):
        return None
    return b"".join(parts[number] for number in range(1, total + 1))


_SAR = (Tag.SAR_MSG_REF_NUM, Tag.SAR_TOTAL_SEGMENTS, Tag.SAR_SEGMENT_SEQNUM)


def _sensible(reference: int, width: int, total: int, part: int) -> Concat | None:
    # §9.2.3.24.1: "If the value is zero … or greater than the maximum, the receiving entity shall ignore the element."
    return Concat(reference=reference, width=width, total=total, part=part) if 1 <= part <= total <= PARTS_MAX else None


def _back(octets: bytes, at: int, end: int, unit: Unit) -> int:
    """How far a cut at `end` must move back to leave a character whole."""
    if unit is Unit.SEPTETS:
        escapes = 0  # an escape behind an escape is a character by itself: only the last of an odd row is open
        while end - escapes > at and octets[end - escapes - 1] == _ESCAPE:
            escapes += 1
        return escapes % 2
    if unit is Unit.UCS2:
        odd = (end - at) % 2
        return odd + 2 if 0xD8 <= octets[end - odd - 2] <= 0xDB else odd  # a high surrogate waits for its low one
    return 0
