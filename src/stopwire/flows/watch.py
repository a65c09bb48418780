"""Look whether anything is wrong, by the figures that are there anyway, and let alerts fire, rest and end.

A look asks of all accounts together; only accounts with new messages, or with an alert that stands, are measured one by
one, and only one that changes costs a write. How often somebody looks is not known here.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from stopwire import metrics
from stopwire.core import alerts
from stopwire.core.alerts import NEW_FOR, SLOW, Alert, Change, Kind, Reading, Rule, State
from stopwire.core.connections import Connection
from stopwire.log import get_logger
from stopwire.ports.faults import StoreSlow
from stopwire.ports.store import Backlog, Tx
from stopwire.ports.world import Ids, World

log = get_logger(__name__)
ACTIVE_FOR = timedelta(hours=2)  # after an account's newest message its reports have come, but for a few

Key = tuple[Kind, str]


@dataclass(slots=True, kw_only=True)
class Memory:
    """Since when connections are down, as looks have found them. Lost in a restart: then the time counts anew."""

    down_since: dict[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What one look over all accounts found."""

    links: Sequence[Connection]
    waiting: Mapping[str, Backlog]
    overdue: Mapping[str, Backlog]
    active: frozenset[str]
    changes: Mapping[tuple[str, Kind], Change]
    mutes: Mapping[str, Mapping[Key, datetime]]
    standing: Mapping[str, Mapping[Key, Alert]]

    def rule(self, account: str, kind: Kind) -> Rule:
        return alerts.rule_of(kind, self.changes.get((account, kind)))


async def look(world: World, memory: Memory, *, thorough: bool) -> int:
    """Look once; how many alerts changed. `thorough`: also at what is read from messages."""
    now = world.clock.now()
    seen = await world.store.read(partial(_seen, now=now, thorough=thorough), account="")
    down = _down(world, memory, seen.links, now)
    readings = {account: list(found) for account, found in _at_once(seen, down, now).items()}
    measured = frozenset(Kind) if thorough else frozenset(Kind) - SLOW
    concerned = {*readings, *seen.standing, *seen.active}
    firing = dict.fromkeys(Kind, 0)
    changed = 0
    for account in sorted(concerned):
        standing, found = seen.standing.get(account, {}), readings.get(account, [])
        kinds = measured
        if thorough and (account in seen.active or any(kind in SLOW for kind, _ in standing)):
            rules = {kind: seen.rule(account, kind) for kind in SLOW}
            known = {subject for kind, subject in standing if kind is Kind.PUMPING}
            try:
                found += await world.store.read(partial(_measured, rules=rules, known=known, now=now), account=account)
            except StoreSlow:
                # One account whose messages take too long keeps no other from being looked at; nor is anything of it over.
                log.warning("alerts.unmeasured", account=account)
                kinds = measured - SLOW
        moves = list(_moves(standing, seen.mutes.get(account, {}), found, kinds, account=account, now=now, ids=world.ids))
        if moves:
            unit = partial(_settle, readings=found, measured=kinds, now=now, ids=world.ids)
            moves = await world.store.write(unit, account=account)
            changed += len(moves)
        for alert in {**standing, **{(after.kind, after.subject): after for _, after in moves}}.values():
            firing[alert.kind] += alert.state is State.FIRING
    for kind, count in firing.items():
        metrics.alerts_firing(kind.value, count)
    return changed


def _seen(tx: Tx, *, now: datetime, thorough: bool) -> _Seen:
    standing: dict[str, dict[Key, Alert]] = {}
    for alert in tx.alerts.every_standing():
        standing.setdefault(alert.account, {})[alert.kind, alert.subject] = alert
    mutes: dict[str, dict[Key, datetime]] = {}
    for mute in tx.alerts.every_mute(now):
        mutes.setdefault(mute.account, {})[mute.kind, mute.subject] = mute.until
    return _Seen(
        links=[sealed.connection for sealed in tx.connections.every()],
        waiting={each.account: each for each in tx.alerts.waiting()},
        overdue={each.account: each for each in tx.alerts.overdue(now)},
        active=frozenset(tx.alerts.active(now - ACTIVE_FOR)) if thorough else frozenset(),
        changes={(change.account, change.kind): change for change in tx.alerts.every_change()},
        mutes=mutes,
        standing=standing,
    )


def _down(world: World, memory: Memory, links: Sequence[Connection], now: datetime) -> list[tuple[Connection, datetime]]:
    """Connections that are down, and since when. One that is paused is not down: somebody wanted it so."""
    up = world.carriers.up()
    down = [link for link in links if not link.paused and link.sid not in up]
    memory.down_since = {link.sid: memory.down_since.get(link.sid, now) for link in down}
    return [(link, memory.down_since[link.sid]) for link in down]


def _at_once(seen: _Seen, down: Sequence[tuple[Connection, datetime]], now: datetime) -> dict[str, list[Reading]]:
    """What the look over all accounts says by itself."""
    found: dict[str, list[Reading]] = {}

    def add(account: str, kind: Kind, reading: Reading) -> None:
        if seen.rule(account, kind).on:
            found.setdefault(account, []).append(reading)

    for link, since in down:
        rule = seen.rule(link.account, Kind.LINK_DOWN)
        reading = alerts.link_down(rule, connection=link.sid, name=link.name, down_since=since, now=now)
        add(link.account, Kind.LINK_DOWN, reading)
    for account, late in seen.waiting.items():
        rule = seen.rule(account, Kind.WEBHOOK_AGE)
        add(account, rule.kind, alerts.webhook_age(rule, waiting=late.count, oldest_at=late.oldest_at, now=now))
    for account, late in seen.overdue.items():
        rule = seen.rule(account, Kind.REVIEW_OVERDUE)
        add(account, rule.kind, alerts.review_overdue(rule, count=late.count, oldest_due_at=late.oldest_at, now=now))
    return found


def _measured(tx: Tx, *, rules: Mapping[Kind, Rule], known: set[str], now: datetime) -> list[Reading]:
    """What an account's messages say. `known`: blocks of numbers that an alert tells of already."""
    found = []
    if (rule := rules[Kind.OPT_OUT_RATE]).on:
        rows = tx.stats.rates("hour", now - rule.window)
        stops, delivered = sum(row["stops"] for row in rows), sum(row["delivered"] for row in rows)
        found.append(alerts.opt_outs(rule, stops=stops, delivered=delivered))
    if (rule := rules[Kind.FAILURES]).on:
        ended = tx.stats.outcomes(now - rule.window)
        found.append(alerts.failures(rule, statuses=ended["statuses"], codes=ended["codes"]))
    if (rule := rules[Kind.PUMPING]).on:
        # A little below the threshold too, so that what fired is not over before it is calm.
        for spread in tx.alerts.spreads(now - rule.window, _calm(rule)):
            if spread.block in known or not tx.alerts.written_before(spread.block, now - max(rule.window, NEW_FOR)):
                found.append(alerts.pumping(rule, block=spread.block, numbers=spread.numbers, texts=spread.texts))
    if (rule := rules[Kind.LOOP]).on:
        most = {each.sender: each for each in reversed(tx.alerts.replied(now - rule.window, _calm(rule)))}
        for pair in most.values():
            found.append(alerts.loop(rule, sender=pair.sender, recipient=pair.recipient, replies=pair.replies))
    return found


def _calm(rule: Rule) -> int:
    return max(1, int(rule.threshold * alerts.CALM_SHARE))


def _settle(tx: Tx, *, readings: Sequence[Reading], measured: frozenset[Kind], now: datetime, ids: Ids) -> list[tuple[Alert | None, Alert]]:
    """Keep what changes, from what stands now: somebody may have taken or muted an alert since the look."""
    standing = {(alert.kind, alert.subject): alert for alert in tx.alerts.standing()}
    mutes = {(mute.kind, mute.subject): mute.until for mute in tx.alerts.mutes(now)}
    moves = list(_moves(standing, mutes, readings, measured, account=tx.account, now=now, ids=ids))
    for before, after in moves:
        if before is None:
            tx.alerts.add(after)
        else:
            tx.alerts.save(after)
        if event := alerts.event_of(before, after):
            tx.tell(event, id=after.id, kind=after.kind.value, subject=after.subject)
    return moves


def _moves(
    standing: Mapping[Key, Alert],
    mutes: Mapping[Key, datetime],
    readings: Sequence[Reading],
    measured: frozenset[Kind],
    *,
    account: str,
    now: datetime,
    ids: Ids,
) -> Iterator[tuple[Alert | None, Alert]]:
    """Alerts that a look changes, as they were and as they become. Of what was looked at and not found, nothing is wrong."""
    found: dict[Key, Reading] = {key: alerts.quiet(*key) for key in standing if key[0] in measured}
    found |= {(reading.kind, reading.subject): reading for reading in readings}
    for key, reading in found.items():
        before = standing.get(key)
        id = before.id if before else ids.sid("AL") if reading.fires else ""
        until = alerts.muted_until(mutes, *key)
        after = alerts.step(before, reading, account=account, id=id, muted_until=until, now=now)
        if after is not None and after != before:
            yield before, after

