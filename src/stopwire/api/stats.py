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

    key: str | int | None = Field(examples=["2026-01-31"])
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


By = Literal["day", "keyword", "country", "service", "rule", "hour", "week", "connection", "tries"]


@router.get("/stats", summary="Counts by day, keyword, country, service or rule; and how quick things are", response_model_exclude_unset=True)
async def stats(
    house: TheHouse,
    who: TheCaller,
    by: Annotated[
        By,
        Query(
            description=(
                "`hour` is of the UTC day, `week` counts hours since Monday where the person is by their number (-1: unknown); both tell "
                "`stops` and `delivered`. `connection` and `tries` look at the newest 2,000 messages or webhooks, whatever `since` says: "
                "milliseconds until carriers answer and report, and how many webhooks arrived after so many tries."
            )
        ),
    ] = "day",
    since: Annotated[str | None, Query(max_length=64, description="30 days ago, if left out. Of a long past the whole hour counts.")] = None,
) -> Counted:
    as_of = await house(now)
    start = instant(since, "since") or as_of - SHOWN
    if by in ("hour", "week"):
        found = await house.read(who.account, Stats.rates, by, start)
    elif by == "connection":
        found = await house.read(who.account, Stats.links)
    elif by == "tries":
        found = await house.read(who.account, Stats.tries)
    else:
        found = await house.read(who.account, Stats.counts, by, start)
    return Counted(items=[Figures(**each) for each in found], next=None, as_of=as_of, by=by, since=start)
