"""Handsets of the simulator: send a text as a person would, read what the person sees, and let the network go wrong."""

import base64
import binascii
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from stopwire.api.door import CarefulRoute, Cursor, In, Limit, Out, TheCaller, TheHouse, person
from stopwire.api.problems import Problem, Wrong, unknown, wrong
from stopwire.api.shapes import HandsetMessage, Page, handset_message
from stopwire.core.chaos import CALM, DELAY_SECONDS_MAX, PER_SECOND_MAX, Chaos
from stopwire.core.outcomes import InboundMedia
from stopwire.core.policy import Problem as PolicyProblem
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
    """`message_sid` is null where no inbound message is kept (yet). `fate`: `arrived`, `on_its_way`, or `lost` by the network."""

    id: str
    message_sid: str | None
    fate: str = Field(examples=["arrived"])


class Phone(Out):
    """A handset, how the network reaches it, and how many texts wait for it or are on their way to it."""

    address: str = Field(examples=["+14155550101"])
    on: bool
    delay_seconds: float
    loss: float
    duplicates: float
    waiting: int


class PhoneChange(In):
    """How the network reaches a handset; what is left out stays as it is."""

    on: bool | None = Field(None, description="Switched off, it gets nothing and nothing is reported until it is on; its texts wait.")
    delay_seconds: float | None = Field(None, ge=0, le=DELAY_SECONDS_MAX, description="How late each of its texts arrives, either way.")
    loss: float | None = Field(None, ge=0, le=1, description="The share of its texts, either way, that gets lost.")
    duplicates: float | None = Field(None, ge=0, le=1, description="The share of its texts and delivery reports that we are told twice.")


class ChaosSet(In):
    """What goes wrong for every handset of the account; what is left out goes well."""

    delay_seconds: float = Field(0, ge=0, le=DELAY_SECONDS_MAX, description="How late each text arrives, either way.")
    loss: float = Field(0, ge=0, le=1, description="The share of texts, either way, that gets lost.")
    duplicates: float = Field(0, ge=0, le=1, description="The share of inbound texts and delivery reports that come twice.")
    lost_reports: float = Field(0, ge=0, le=1, description="The share of delivery reports that never come.")
    shuffled: bool = Field(False, description="The parts of a long inbound text come the last one first.")
    down: bool = Field(False, description="The message centre is dead: nothing leaves and nothing arrives until it lives again.")
    per_second: int = Field(0, ge=0, le=PER_SECOND_MAX, description="Parts that the carrier takes in a second; 0: no limit.")
    silent: bool = Field(False, description="The carrier takes texts and says nothing. When this is set back, its answers come, late.")


class ChaosNow(Out):
    """What goes wrong now. `on`: whether anything does."""

    on: bool
    delay_seconds: float
    loss: float
    duplicates: float
    lost_reports: float
    shuffled: bool
    down: bool
    per_second: int
    silent: bool


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
    if done.off:
        raise Problem(409, done.refused or "")
    if done.refused:
        raise wrong("to", done.refused)
    return Texted(id=done.id, message_sid=done.message_sid, fate=done.fate.value)


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


@router.get("/phones", summary="The handsets that have sent or received something, or that are not reached as usual")
async def phones(house: TheHouse, who: TheCaller) -> Page[Phone]:
    as_of = await house(now)
    found = await house(rehearse.handsets, account=who.account)
    return Page(items=[_phone(each) for each in found], next=None, as_of=as_of)


@router.get("/phones/{address}", summary="How the network reaches a handset")
async def phone(address: str, house: TheHouse, who: TheCaller) -> Phone:
    return _phone(await house(rehearse.handset, account=who.account, handset=person(address, "address")))


@router.patch("/phones/{address}", summary="Switch a handset on or off; make its network slow, lossy or repetitive")
async def tune(address: str, change: PhoneChange, house: TheHouse, who: TheCaller) -> Phone:
    """Kept in the store: a handset that was off is off after a restart."""
    wanted = rehearse.ReceptionChange(**{name: getattr(change, name) for name in change.model_fields_set})
    done = await house(rehearse.tune, account=who.account, handset=person(address, "address"), change=wanted)
    if done.handset is None:
        raise _problem(done.problems)
    return _phone(done.handset)


@router.get("/chaos", summary="What goes wrong for every handset of the account")
async def chaos(house: TheHouse, who: TheCaller) -> ChaosNow:
    return _chaos(await house(rehearse.chaos, account=who.account))


@router.put("/chaos", summary="Let it go wrong for every handset of the account")
async def stir(wanted: ChaosSet, house: TheHouse, who: TheCaller) -> ChaosNow:
    """Replaces what was set before. In memory only: after a restart nothing goes wrong."""
    done = await house(rehearse.stir, account=who.account, chaos=Chaos(**wanted.model_dump()))
    if done.problems:
        raise _problem(done.problems)
    return _chaos(done.chaos)


@router.delete("/chaos", summary="Let nothing go wrong any more")
async def calm(house: TheHouse, who: TheCaller) -> ChaosNow:
    """What waited for the message centre leaves and arrives; what a silent carrier owes, it says."""
    return _chaos((await house(rehearse.stir, account=who.account, chaos=CALM)).chaos)


def _phone(value: rehearse.Handset) -> Phone:
    reception = value.reception
    return Phone(
        address=value.address,
        on=reception.on,
        delay_seconds=reception.delay_seconds,
        loss=reception.loss,
        duplicates=reception.duplicates,
        waiting=value.waiting,
    )


def _chaos(value: Chaos) -> ChaosNow:
    return ChaosNow(on=value != CALM, **{name: getattr(value, name) for name in Chaos.__slots__})


def _problem(found: Sequence[PolicyProblem]) -> Problem:
    return Problem(422, found[0].message, errors=[Wrong(path=each.path, message=each.message) for each in found])
