"""Alerts: what fires and what did, who looks after it, what is muted until when, and the rules by which they fire."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import Field

from stopwire.api.door import CarefulRoute, Cursor, In, Limit, Out, TheCaller, TheHouse, actor, page
from stopwire.api.problems import Problem, Wrong, not_found
from stopwire.api.shapes import Page
from stopwire.core import alerts as core
from stopwire.core.alerts import Kind, State
from stopwire.flows import alerts
from stopwire.flows.tail import now
from stopwire.ports.store import Alerts, Cut

router = APIRouter(prefix="/alerts", tags=["Alerts"], route_class=CarefulRoute)

Id = Annotated[str, Path(max_length=64)]
MINUTES_MAX = int(core.MUTE_MAX.total_seconds()) // 60


class Alert(Out):
    """An alert. `says` has the figures that made it fire, `cure` what to do; `subject` is what it is about, empty for the account."""

    id: str = Field(examples=["AL00112233445566778899aabbccddeeff"])
    kind: Kind
    state: State
    subject: str = Field(examples=["CN00112233445566778899aabbccddeeff"])
    says: str = Field(examples=["The connection acme has been down for 7 min."])
    cure: str
    figures: dict[str, int | str] = Field(examples=[{"name": "acme", "minutes": 7}])
    since: datetime
    taken_by: str | None
    taken_at: datetime | None
    muted_until: datetime | None
    over_at: datetime | None


class Bounds(Out):
    """What a figure may be, and what it is where nobody set it."""

    default: float
    least: float
    most: float


class Rule(Out):
    """A rule as it holds for the account. A figure that the rule has not is null."""

    kind: Kind
    title: str
    on: bool
    threshold: float
    counts: str = Field(description="What the threshold counts.", examples=["opt-outs per 100 delivered"])
    window_minutes: int | None = Field(description="How far back is looked.")
    at_least: int | None = Field(description="How much there must be in the window before a share says anything.")
    threshold_bounds: Bounds
    window_bounds: Bounds | None
    at_least_bounds: Bounds | None
    muted_until: datetime | None
    changed_by: str | None = Field(description="Who last changed it; null: it is as it comes.")
    changed_at: datetime | None


class Rules(Out):
    items: list[Rule]
    as_of: datetime


class MuteFor(In):
    """0 ends a mute before its time. Every mute has an end, thirty days ahead at most."""

    minutes: int = Field(ge=0, le=MINUTES_MAX, examples=[60])


class RuleChange(In):
    """The whole rule; what is null or left out is as by default."""

    on: bool = True
    threshold: float | None = None
    window_minutes: int | None = None
    at_least: int | None = None


@router.get("", summary="Alerts, the newest first")
async def alerts_(
    house: TheHouse,
    who: TheCaller,
    state: Annotated[State | None, Query()] = None,
    kind: Annotated[Kind | None, Query()] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Page[Alert]:
    states = [state.value] if state else []
    asked = house.read(who.account, Alerts.page, Cut(limit=limit + 1, after=cursor), states, kind.value if kind else None)
    items, further, as_of = await page(house, asked, limit, lambda each: each.id)
    return Page(items=[_alert(each) for each in items], next=further, as_of=as_of)


@router.get("/rules", summary="The rules by which alerts fire")
async def rules(house: TheHouse, who: TheCaller) -> Rules:
    found = await house(alerts.rules, account=who.account)
    return Rules(items=[_rule(each) for each in found], as_of=await house(now))


@router.put("/rules/{kind}", summary="Set a rule")
async def set_rule(kind: Kind, rule: RuleChange, house: TheHouse, who: TheCaller) -> Rule:
    """It holds from the next look on, within a minute. Switched off, it ends what it let fire."""
    given = {name: getattr(rule, name) for name in ("on", "threshold", "window_minutes", "at_least")}
    return _changed(await house(alerts.put_rule, account=who.account, kind=kind, actor=actor(who), **given))


@router.post("/rules/{kind}/mute", summary="Let nothing of a rule fire for a time")
async def mute_rule(kind: Kind, mute: MuteFor, house: TheHouse, who: TheCaller) -> Rule:
    return _changed(await house(alerts.mute_rule, account=who.account, kind=kind, minutes=mute.minutes, actor=actor(who)))


@router.get("/{id}", summary="One alert")
async def alert(id: Id, house: TheHouse, who: TheCaller) -> Alert:
    found = await house.read(who.account, Alerts.get, id)
    if found is None:
        raise not_found("alert of this id")
    return _alert(found)


@router.post("/{id}/take", summary="Say that you look after it")
async def take(id: Id, house: TheHouse, who: TheCaller) -> Alert:
    return _answered(await house(alerts.take, account=who.account, id=id, actor=actor(who)))


@router.post("/{id}/mute", summary="Hear nothing more of it for a time")
async def mute(id: Id, mute: MuteFor, house: TheHouse, who: TheCaller) -> Alert:
    """If it still stands at the end, it fires again."""
    return _answered(await house(alerts.mute, account=who.account, id=id, minutes=mute.minutes, actor=actor(who)))


def _answered(done: alerts.Answered) -> Alert:
    if done.alert is None:
        raise not_found("alert of this id")
    if done.problems:
        raise Problem(409, done.problems[0].message)
    return _alert(done.alert)


def _changed(done: alerts.RuleChanged) -> Rule:
    if done.rule is None:
        errors = [Wrong(path=each.path, message=each.message) for each in done.problems]
        raise Problem(422, errors[0].message, errors=errors)
    return _rule(done.rule)


def _alert(value: core.Alert) -> Alert:
    return Alert(
        id=value.id,
        kind=value.kind,
        state=value.state,
        subject=value.subject,
        says=core.says(value),
        cure=core.cure(value),
        figures=dict(value.figures),
        since=value.since,
        taken_by=value.taken_by,
        taken_at=value.taken_at,
        muted_until=value.muted_until,
        over_at=value.over_at,
    )


def _rule(value: alerts.SetRule) -> Rule:
    rule, spec = value.rule, core.SPECS[value.rule.kind]
    return Rule(
        kind=rule.kind,
        title=spec.title,
        on=rule.on,
        threshold=rule.threshold,
        counts=spec.unit,
        window_minutes=rule.window_minutes,
        at_least=rule.at_least,
        threshold_bounds=_bounds(spec.threshold),
        window_bounds=_bounds(spec.window) if spec.window else None,
        at_least_bounds=_bounds(spec.at_least) if spec.at_least else None,
        muted_until=value.muted_until,
        changed_by=value.change.actor if value.change else None,
        changed_at=value.change.updated_at if value.change else None,
    )


def _bounds(value: core.Range) -> Bounds:
    return Bounds(default=value.default, least=value.least, most=value.most)


