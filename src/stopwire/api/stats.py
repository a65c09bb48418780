"""Figures behind the plots."""

from datetime import datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import ConfigDict, Field

from stopwire.api.door import CarefulRoute, Out, TheCaller, TheHouse, instant
from stopwire.flows.tail import now
from stopwire.ports.store import Stats

router = APIRouter(tags=["Figures"], route_class=CarefulRoute)
SHOWN = timedelta(days=30)  # where nobody says since when


class Figures(Out):
    """What was counted under one key. A figure that cannot be told by that key is left out."""

    model_config = ConfigDict(extra="allow")

    key: str | None = Field(examples=["2026-01-31"])
    messages: int | None = None
    delivered: int | None = None
    failed: int | None = None
    inbound: int | None = None
    refused: int | None = None
    opt_outs: int | None = None
    opt_ins: int | None = None
    helps: int | None = None


class Counted(Out):
    items: list[Figures]
    next: str | None = None
    as_of: datetime
    by: str
    since: datetime


@router.get("/stats", summary="Counts by day, keyword, country, service or rule", response_model_exclude_unset=True)
async def stats(
    house: TheHouse,
    who: TheCaller,
    by: Annotated[Literal["day", "keyword", "country", "service", "rule"], Query()] = "day",
    since: Annotated[str | None, Query(max_length=64, description="30 days ago, if left out.")] = None,
) -> Counted:
    as_of = await house(now)
    start = instant(since, "since") or as_of - SHOWN
    found = await house.read(who.account, Stats.counts, by, start)
    return Counted(items=[Figures(**each) for each in found], next=None, as_of=as_of, by=by, since=start)
