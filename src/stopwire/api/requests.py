"""What programs asked of the two APIs, and how it ended: the newest requests of this account."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field

from stopwire.api.door import NUMBER_MAX, CarefulRoute, Cursor, Limit, Out, TheCaller, TheHouse, page
from stopwire.api.shapes import Page
from stopwire.flows import requests as log
from stopwire.ports.store import Cut
from stopwire.ports.world import ApiRequest, RequestFilter

router = APIRouter(tags=["Requests"], route_class=CarefulRoute)


class Asked(Out):
    """One request. Its query, its body and whole numbers are not kept. `signed_in` is false where the credentials were wrong."""

    id: str
    at: datetime
    method: str = Field(examples=["POST"])
    path: str = Field(examples=["/2010-04-01/Accounts/AC…/Messages.json"])
    status: int = Field(examples=[400])
    code: int | None = Field(examples=[21610])
    error: str
    ms: int
    key: str | None
    test: bool
    signed_in: bool
    request_id: str


@router.get("/requests", summary="What programs asked and how it ended, the newest first")
async def requests(
    house: TheHouse,
    who: TheCaller,
    failed: Annotated[bool | None, Query(description="Only those that were refused, or only those that were not.")] = None,
    status: Annotated[int | None, Query(ge=100, le=599)] = None,
    code: Annotated[int | None, Query(ge=0, le=NUMBER_MAX, description="The error code of the answer.")] = None,
    method: Annotated[Literal["GET", "POST", "PUT", "PATCH", "DELETE"] | None, Query()] = None,
    key: Annotated[str | None, Query(max_length=64, description="The SID of the API key that was used.")] = None,
    path: Annotated[str | None, Query(max_length=100, description="A part of the path.")] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Page[Asked]:
    """Since the gateway started: the newest refusals, and a sample of what went well. Kept in memory."""
    wanted = RequestFilter(failed=failed, status=status, code=code, method=method, key=key, path=path)
    asked = house(log.page, account=who.account, cut=Cut(limit=limit + 1, after=cursor), wanted=wanted)
    items, further, as_of = await page(house, asked, limit, lambda each: str(each.id))
    return Page(items=[_asked(each) for each in items], next=further, as_of=as_of)


def _asked(each: ApiRequest) -> Asked:
    assert each.at is not None  # the log gives it
    return Asked(
        id=str(each.id),
        at=each.at,
        method=each.method,
        path=each.path,
        status=each.status,
        code=each.code,
        error=each.error,
        ms=each.ms,
        key=each.key,
        test=each.test,
        signed_in=each.known,
        request_id=each.request_id,
    )
