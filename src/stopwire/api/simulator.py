"""Handsets of the simulator: send a text as a person would, and read what the person sees."""

import base64
import binascii
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from stopwire.api.door import CarefulRoute, Cursor, In, Limit, Out, TheCaller, TheHouse, person
from stopwire.api.problems import Problem, unknown, wrong
from stopwire.api.shapes import HandsetMessage, Page, handset_message
from stopwire.core.outcomes import InboundMedia
from stopwire.flows import rehearse
from stopwire.flows.tail import now

MEDIA_MAX = 10
MEDIA_BYTES_MAX = 5 * 1024 * 1024  # of one text, as carriers have it
PARTS_MAX = 255  # 3GPP TS 23.040 §9.2.3.24.1: one octet counts them
REPEAT_MAX = 100

router = APIRouter(prefix="/simulator", tags=["Simulator"], route_class=CarefulRoute)


class HandsetMedia(In):
    content_type: str = Field(min_length=3, max_length=100, pattern=r"^[\w.+-]+/[\w.+-]+$", examples=["image/png"])
    base64: str


class HandsetText(In):
    """A text that a person writes. `parts` cuts it into that many parts, `part_order` sends them in another order and
    withholds those it leaves out, `repeat` delivers the same bytes again with the same carrier reference."""

    to: str = Field(description="A sender of the account.", examples=["+14155550100"], max_length=128)
    body: str = Field(max_length=50_000, examples=["STOP"])
    media: list[HandsetMedia] = Field([], max_length=MEDIA_MAX)
    parts: int = Field(1, ge=1, le=PARTS_MAX)
    part_order: list[int] | None = Field(None, max_length=PARTS_MAX)
    repeat: int = Field(1, ge=1, le=REPEAT_MAX)


class Texted(Out):
    """`message_sid` is null where no inbound message is kept (yet)."""

    id: str
    message_sid: str | None


class Phone(Out):
    address: str = Field(examples=["+14155550101"])


@router.post("/phones/{address}/messages", status_code=201, summary="A handset sends a text to one of our senders")
async def text(address: str, sent: HandsetText, house: TheHouse, who: TheCaller) -> Texted:
    if sent.part_order is not None and any(not 1 <= part <= sent.parts for part in sent.part_order):
        raise wrong("part_order", f"There are parts 1 to {sent.parts}: name only those.")
    if sent.part_order is not None and len(set(sent.part_order)) != len(sent.part_order):
        raise wrong("part_order", "Each part goes once: to deliver bytes again use `repeat`.")
    done = await house(
        rehearse.text,
        account=who.account,
        handset=person(address, "address"),
        to=sent.to,
        body=sent.body,
        media=_media(sent.media),
        parts=sent.parts,
        part_order=sent.part_order,
        repeat=sent.repeat,
    )
    if done.unknown:
        raise unknown("to", "This account has no such sender: GET /api/v1/senders lists those it has.")
    if done.refused:
        raise wrong("to", done.refused)
    return Texted(id=done.id, message_sid=done.message_sid)


def _media(given: list[HandsetMedia]) -> list[InboundMedia]:
    found = []
    for number, medium in enumerate(given):
        try:
            data = base64.b64decode(medium.base64, validate=True)
        except (ValueError, binascii.Error):
            raise wrong(f"media.{number}.base64", "This is not base64.") from None
        found.append(InboundMedia(content_type=medium.content_type, data=data))
    if sum(len(medium.data) for medium in found) > MEDIA_BYTES_MAX:
        raise Problem(413, "The media of one text have at most 5 MiB together: send less.")
    return found


@router.get("/phones/{address}/messages", summary="What a handset sent and received, in order")
async def conversation(
    address: str,
    house: TheHouse,
    who: TheCaller,
    after: Annotated[str | None, Query(max_length=100, description="The id of the last message that is known already.")] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Page[HandsetMessage]:
    as_of = await house(now)
    found = await house(
        rehearse.conversation,
        account=who.account,
        handset=person(address, "address"),
        after=after or cursor,
        limit=limit + 1,
    )
    items = [handset_message(each) for each in found[:limit]]
    return Page(items=items, next=items[-1].id if len(found) > limit else None, as_of=as_of)


@router.get("/phones", summary="The handsets that have sent or received something")
async def phones(house: TheHouse, who: TheCaller) -> Page[Phone]:
    as_of = await house(now)
    found = await house(rehearse.handsets, account=who.account)
    return Page(items=[Phone(address=each) for each in found], next=None, as_of=as_of)
