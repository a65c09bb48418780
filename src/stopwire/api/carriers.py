"""Connections to carriers: add them, look at them, pause, try and remove them. Secrets go in and never come out."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import Field

from stopwire.api.door import CarefulRoute, In, Out, TheCaller, TheHouse
from stopwire.api.problems import Problem, Wrong, not_found
from stopwire.api.shapes import Page
from stopwire.core.connections import LinkState, LinkStatus, OptOutBy
from stopwire.core.policy import Problem as CoreProblem
from stopwire.flows import connect
from stopwire.flows.tail import now

router = APIRouter(route_class=CarefulRoute)

Name = Annotated[str, Path(max_length=64)]
Answerer = Annotated[OptOutBy, Field(strict=False)]  # JSON has no enumerations: a strict model would take none of its words


class Link(Out):
    """How a connection is. `figures` are its counts and speeds, by name."""

    status: str = Field(examples=["up"])
    says: str
    since: datetime | None
    figures: dict[str, float]


class Carrier(Out):
    """A connection to a carrier. `up` is false while nothing can be handed over; `secrets` names those that are set."""

    sid: str = Field(examples=["CN00112233445566778899aabbccddeeff"])
    name: str = Field(examples=["simulator"])
    type: str = Field(examples=["simulator"])
    up: bool
    paused: bool
    link: Link
    settings: dict[str, Any]
    secrets: list[str]
    senders: list[str]
    opt_out_by: OptOutBy
    push_url: str | None = Field(description="What the provider is to call with texts, by POST; null where it calls nobody.")
    origin: str = Field(examples=["api"], description="Where its settings come from: `api` or `file`.")
    created_at: datetime
    updated_at: datetime


class NewCarrier(In):
    """`settings` are those of its type, secrets included. `senders` the account has not are added to it."""

    name: str = Field(min_length=1, max_length=64)
    type: str = Field(max_length=64, examples=["smpp"])
    settings: dict[str, Any] = Field({})
    senders: list[str] = Field([], max_length=1000)
    failover: list[str] | None = Field(None, description="Connections its senders use while it is down, by name, in order.")
    opt_out_by: Answerer | None = Field(None, description="Who answers a keyword: `us`, or the `carrier` itself.")
    paused: bool = False


class CarrierChange(In):
    """What to change; what is left out stays. A setting that is null is taken out; `senders` are put on it."""

    name: str | None = Field(None, min_length=1, max_length=64)
    settings: dict[str, Any] = Field({})
    senders: list[str] = Field([], max_length=1000)
    failover: list[str] | None = None
    opt_out_by: Answerer | None = None


class Tested(Out):
    name: str
    ok: bool
    detail: str


class LogLine(Out):
    at: datetime
    event: str = Field(examples=["bound"])
    says: str


class CarrierField(Out):
    name: str
    says: str
    required: bool
    secret: bool
    default: Any


class CarrierKind(Out):
    """A kind of carrier, and the settings of its connections."""

    type: str
    says: str
    fields: list[CarrierField]


@router.get("/carrier-types", tags=["Carriers"], summary="Kinds of carriers that can be connected")
async def carrier_types(house: TheHouse, who: TheCaller) -> Page[CarrierKind]:
    as_of = await house(now)
    kinds = await house(connect.types)
    items = [
        CarrierKind(
            type=kind.name,
            says=kind.says,
            fields=[
                CarrierField(name=f.name, says=f.says, required=f.required, secret=f.secret, default=f.default)
                for f in kind.fields
            ],
        )
        for kind in kinds
    ]
    return Page(items=items, next=None, as_of=as_of)


@router.get("/carriers", tags=["Carriers"], summary="Connections to carriers")
async def carriers(house: TheHouse, who: TheCaller) -> Page[Carrier]:
    as_of = await house(now)
    found = await house(connect.connections, account=who.account)
    return Page(items=[_carrier(each) for each in found], next=None, as_of=as_of)


@router.get("/carriers/{name}", tags=["Carriers"], summary="One connection")
async def carrier(name: Name, house: TheHouse, who: TheCaller) -> Carrier:
    found = await house(connect.connection, account=who.account, name=name)
    if found is None:
        raise not_found("connection of this name")
    return _carrier(found)


@router.post("/carriers", tags=["Carriers"], status_code=201, summary="Add a connection")
async def add_carrier(new: NewCarrier, house: TheHouse, who: TheCaller) -> Carrier:
    """It is opened at once. Its secrets are sealed, and are in no answer."""
    wanted = connect.Wanted(
        name=new.name,
        settings=new.settings,
        senders=tuple(new.senders),
        failover=None if new.failover is None else tuple(new.failover),
        opt_out_by=new.opt_out_by,
        paused=new.paused,
    )
    return _answer(await house(connect.add, account=who.account, type=new.type, wanted=wanted))


@router.patch("/carriers/{name}", tags=["Carriers"], summary="Change a connection, or put senders on it")
async def change_carrier(name: Name, change: CarrierChange, house: TheHouse, who: TheCaller) -> Carrier:
    """A live connection is closed and opened anew."""
    wanted = connect.Wanted(
        name=change.name,
        settings=change.settings,
        senders=tuple(change.senders),
        failover=None if change.failover is None else tuple(change.failover),
        opt_out_by=change.opt_out_by,
    )
    return _answer(await house(connect.change, account=who.account, name=name, wanted=wanted))


@router.delete("/carriers/{name}", tags=["Carriers"], summary="Remove a connection")
async def delete_carrier(name: Name, house: TheHouse, who: TheCaller) -> Carrier:
    """Only one that no sender speaks through. The simulator cannot be removed."""
    return _answer(await house(connect.remove, account=who.account, name=name))


@router.post("/carriers/{name}/pause", tags=["Carriers"], summary="Close a connection until it is resumed")
async def pause_carrier(name: Name, house: TheHouse, who: TheCaller) -> Carrier:
    """What waits keeps waiting, or leaves by another connection where its sender has one."""
    return _answer(await house(connect.pause, account=who.account, name=name))


@router.post("/carriers/{name}/resume", tags=["Carriers"], summary="Open a paused connection")
async def resume_carrier(name: Name, house: TheHouse, who: TheCaller) -> Carrier:
    return _answer(await house(connect.resume, account=who.account, name=name))


@router.post("/carriers/{name}/test", tags=["Carriers"], summary="Is the connection up?")
async def test_carrier(name: Name, house: TheHouse, who: TheCaller) -> Tested:
    """How the live connection is; one that is not up is tried anew, beside it."""
    found = await house(connect.test, account=who.account, name=name)
    if found is None:
        raise not_found("connection of this name")
    return Tested(name=name, ok=found.status is LinkStatus.UP, detail=found.says)


@router.get("/carriers/{name}/log", tags=["Carriers"], summary="The last events of a connection")
async def carrier_log(name: Name, house: TheHouse, who: TheCaller) -> Page[LogLine]:
    """Kept in memory: a restart of the gateway empties it."""
    as_of = await house(now)
    lines = await house(connect.log, account=who.account, name=name)
    if lines is None:
        raise not_found("connection of this name")
    return Page(items=[LogLine(at=line.at, event=line.event, says=line.says) for line in lines], next=None, as_of=as_of)


def _answer(done: connect.Changed) -> Carrier:
    if done.problems:
        raise _problem(done.problems)
    if done.seen is None:
        raise not_found("connection of this name")
    return _carrier(done.seen)


def _problem(problems: tuple[CoreProblem, ...]) -> Problem:
    errors = [Wrong(path=each.path, message=each.message) for each in problems]
    return Problem(422, errors[0].message, errors=errors)


def _carrier(value: connect.Seen) -> Carrier:
    own = value.connection
    return Carrier(
        sid=own.sid,
        name=own.name,
        type=own.type,
        up=value.state.status is LinkStatus.UP,
        paused=own.paused,
        link=_link(value.state),
        settings=dict(own.settings),
        secrets=list(value.secrets),
        senders=list(value.senders),
        opt_out_by=own.opt_out_by,
        push_url=value.push_url,
        origin=own.origin,
        created_at=own.created_at,
        updated_at=own.updated_at,
    )


def _link(state: LinkState) -> Link:
    return Link(status=state.status.value, says=state.says, since=state.since, figures=dict(state.figures))
