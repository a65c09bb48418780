"""Answer an alert: take it, mute it until a time, and set the rules by which alerts fire. Nothing fires here."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from stopwire.core import alerts
from stopwire.core.alerts import Alert, Change, Kind, Mute, Rule, State
from stopwire.core.policy import Problem
from stopwire.ports.store import Tx
from stopwire.ports.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """The alert as it now is; None where the account has none of this id. With problems nothing was changed."""

    alert: Alert | None = None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SetRule:
    """A rule as it holds for the account, what the account changed of it, and until when its whole kind is muted."""

    rule: Rule
    change: Change | None = None
    muted_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleChanged:
    """The rule as it now is, or why not."""

    rule: SetRule | None = None
    problems: tuple[Problem, ...] = ()


async def take(world: World, *, account: str, id: str, actor: str) -> Answered:
    """Say that somebody looks after it."""
    return await world.store.write(partial(_take, id=id, actor=actor, now=world.clock.now()), account=account)


def _take(tx: Tx, *, id: str, actor: str, now: datetime) -> Answered:
    alert = tx.alerts.get(id)
    if alert is None:
        return Answered()
    taken = alerts.take(alert, by=actor, now=now)
    if taken is None:
        told = alerts.NOT_WHILE_MUTED if alert.state is State.MUTED else alerts.NOTHING_TO_TAKE
        return Answered(alert=alert, problems=(Problem(path="state", message=told),))
    _keep(tx, alert, taken)
    return Answered(alert=taken)


async def mute(world: World, *, account: str, id: str, minutes: int, actor: str) -> Answered:
    """Hear nothing more of it, and of what would fire after it about the same subject, for so long; with 0 hear of it again."""
    return await world.store.write(partial(_mute_one, id=id, minutes=minutes, actor=actor, now=world.clock.now()), account=account)


def _mute_one(tx: Tx, *, id: str, minutes: int, actor: str, now: datetime) -> Answered:
    alert = tx.alerts.get(id)
    if alert is None:
        return Answered()
    if problem := alerts.mute_problem(minutes):
        return Answered(alert=alert, problems=(problem,))
    if alert.state is State.OVER:
        return Answered(alert=alert, problems=(Problem(path="state", message=alerts.NOTHING_TO_MUTE),))
    _mute(tx, alert.kind, alert.subject, minutes=minutes, actor=actor, now=now)
    return Answered(alert=tx.alerts.get(id))


async def mute_rule(world: World, *, account: str, kind: Kind, minutes: int, actor: str) -> RuleChanged:
    """Let nothing of a kind fire for so long; with 0 let it fire again."""
    if problem := alerts.mute_problem(minutes):
        return RuleChanged(problems=(problem,))
    now = world.clock.now()

    def unit(tx: Tx) -> RuleChanged:
        _mute(tx, kind, "", minutes=minutes, actor=actor, now=now)
        return RuleChanged(rule=_rule(tx, kind, now))

    return await world.store.write(unit, account=account)


def _mute(tx: Tx, kind: Kind, subject: str, *, minutes: int, actor: str, now: datetime) -> None:
    if not minutes:
        tx.alerts.drop_mute(kind, subject)
    else:
        until = now + timedelta(minutes=minutes)
        tx.alerts.put_mute(Mute(account=tx.account, kind=kind, subject=subject, until=until, actor=actor, at=now))
    mutes = {(each.kind, each.subject): each.until for each in tx.alerts.mutes(now)}
    for alert in tx.alerts.standing():
        if alert.kind is kind and subject in ("", alert.subject):
            _keep(tx, alert, alerts.mute(alert, until=alerts.muted_until(mutes, kind, alert.subject)))


async def rules(world: World, *, account: str) -> list[SetRule]:
    """Every rule as it holds for the account, in the order of the table."""
    now = world.clock.now()
    return await world.store.read(lambda tx: [_rule(tx, kind, now) for kind in Kind], account=account)


async def put_rule(
    world: World,
    *,
    account: str,
    kind: Kind,
    on: bool,
    threshold: float | None,
    window_minutes: int | None,
    at_least: int | None,
    actor: str,
) -> RuleChanged:
    """Set a rule; None stands for the default. A rule that is off ends what it let fire."""
    if wrong := alerts.problems(kind, threshold=threshold, window_minutes=window_minutes, at_least=at_least):
        return RuleChanged(problems=tuple(wrong))
    change = Change(
        account=account,
        kind=kind,
        on=on,
        threshold=threshold,
        window_minutes=window_minutes,
        at_least=at_least,
        actor=actor,
        updated_at=world.clock.now(),
    )
    return await world.store.write(partial(_put_rule, change=change), account=account)


def _put_rule(tx: Tx, *, change: Change) -> RuleChanged:
    now = change.updated_at
    if change.on and alerts.rule_of(change.kind, change) == alerts.rule_of(change.kind, None):
        tx.alerts.drop_change(change.kind)
    else:
        tx.alerts.put_change(change)
    if not change.on:
        for alert in tx.alerts.standing():
            if alert.kind is change.kind:
                _keep(tx, alert, alerts.end(alert, now=now))
    return RuleChanged(rule=_rule(tx, change.kind, now))


def _rule(tx: Tx, kind: Kind, now: datetime) -> SetRule:
    change = next((each for each in tx.alerts.changes() if each.kind is kind), None)
    until = next((each.until for each in tx.alerts.mutes(now) if each.kind is kind and not each.subject), None)
    return SetRule(rule=alerts.rule_of(kind, change), change=change, muted_until=until)


def _keep(tx: Tx, before: Alert, after: Alert) -> None:
    if after == before:
        return
    tx.alerts.save(after)
    if event := alerts.event_of(before, after):
        tx.tell(event, id=after.id, kind=after.kind.value, subject=after.subject)
