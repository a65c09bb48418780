"""Applications that are bound by SMPP: who, since when, how busy; and ending a bind."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import Field

from stopwire.api.door import CarefulRoute, Out, TheCaller, TheHouse
from stopwire.api.problems import not_found
from stopwire.api.shapes import Page
from stopwire.core.bound import LiveBind
from stopwire.flows import bind as binding
from stopwire.flows.tail import now

router = APIRouter(prefix="/smpp-binds", tags=["Applications bound by SMPP"], route_class=CarefulRoute)

Id = Annotated[str, Path(max_length=64)]


class SmppBind(Out):
    """One bind. Its counts begin with it, and end with it."""

    id: str = Field(examples=["BD00112233445566778899aabbccddeeff"], description="As long as the bind lasts; the next has another.")
    system_id: str = Field(examples=["sw001122334455"])
    key: str | None = Field(description="The API key it bound with; null: the account's own token.")
    how: str = Field(examples=["transceiver"], description="`transmitter`, `receiver` or `transceiver`.")
    address: str = Field(examples=["192.0.2.7:40112"])
    since: datetime
    window: int = Field(description="How many `deliver_sm` may wait for its answers at once.")
    waiting: int = Field(description="How many of them do.")
    in_work: int = Field(description="Requests of its own without an answer yet.")
    submitted: int = Field(description="Its submits that were taken.")
    declined: int = Field(description="Its submits that were refused.")
    told: int = Field(description="Texts and receipts it has acknowledged.")


@router.get("", summary="Applications that are bound now, the newest first")
async def binds(house: TheHouse, who: TheCaller) -> Page[SmppBind]:
    as_of = await house(now)
    return Page(items=[_bind(each) for each in await house(binding.live, account=who.account)], next=None, as_of=as_of)


@router.delete("/{id}", summary="End a bind")
async def unbind(id: Id, house: TheHouse, who: TheCaller) -> SmppBind:
    """In order: what is in work is finished first. The application may bind again; delete its API key to keep it out."""
    found = await house(binding.unbind, account=who.account, id=id)
    if found is None:
        raise not_found("bind of this id")
    return _bind(found)


def _bind(value: LiveBind) -> SmppBind:
    return SmppBind(
        id=value.id,
        system_id=value.system_id,
        key=value.key,
        how=value.how,
        address=value.address,
        since=value.since,
        window=value.window,
        waiting=value.waiting,
        in_work=value.in_work,
        submitted=value.taken,
        declined=value.declined,
        told=value.told,
    )
