"""Opt-out links: one person's way out of one scope, to be put into an e-mail or on a page."""

from fastapi import APIRouter
from pydantic import Field

from stopwire.api.blocks import Recipient, Scope
from stopwire.api.door import CarefulRoute, In, Out, TheCaller, TheHouse, no_scope, person
from stopwire.flows import leave

router = APIRouter(prefix="/opt-out-links", tags=["Blocks"], route_class=CarefulRoute)


class NewLink(In):
    recipient: Recipient
    scope: Scope


class Link(Out):
    url: str = Field(examples=["https://sms.example.com/o/v1.1a2b3c4d.…"])


@router.post("", status_code=201, summary="A link by which one person leaves one scope")
async def make(new: NewLink, house: TheHouse, who: TheCaller) -> Link:
    """Whoever opens it may opt this person out, and nothing else. It needs no sign-in and does not expire."""
    url = await house(leave.link, account=who.account, recipient=person(new.recipient), scope=new.scope)
    if url is None:
        raise no_scope(new.scope)
    return Link(url=url)
