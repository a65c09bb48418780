"""Change a person's standing by hand: block, lift, and the wishes that an application recorded.

Nothing is sent. Each change is a row of the ledger; a block ends what was queued in the same commit, and is
answered when nothing of its scope is on the wire any more.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from stopwire.core.address import group_of
from stopwire.core.consent import CLOSES, CONSENT_CANNOT_LIFT, OPENS, Act, Block, ConsentEvent, Reason
from stopwire.core.scopes import resolve_scope as resolve_scope  # part of what this journey offers
from stopwire.flows.moves import quiet, shut
from stopwire.ports.store import Haste, Tx
from stopwire.ports.world import Ids, World

NOT_LIFTABLE = "OPT_OUT_NOT_LIFTABLE"  # an item of Consents/Bulk met a block that an opt-in may not lift


@dataclass(frozen=True, slots=True, kw_only=True)
class Amended:
    """What a change by hand came to. `block`: the block in force, or the one just lifted; None where there was none."""

    block: Block | None = None
    changed: bool = False
    unknown_scope: bool = False  # no holder, no sender of the account: nothing was done


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A person's wish as an application recorded it: opted out of, or into, one scope. None: just now."""

    recipient: str
    holder: str
    opt_out: bool
    source: str
    wished_at: datetime | None = None


async def block(
    world: World,
    *,
    account: str,
    recipient: str,
    scope: str,
    reason: Reason,
    actor: str,
    note: str | None = None,
) -> Amended:
    """Block `recipient` in `scope`. Who is blocked there already stays so, under the first block, which is answered."""
    holder = resolve_scope(await world.store.directory(account), scope)
    if holder is None:
        return Amended(unknown_scope=True)
    unit = partial(
        _block,
        recipient=recipient,
        holder=holder,
        reason=reason,
        actor=actor,
        note=note,
        now=world.clock.now(),
        ids=world.ids,
    )
    amended, under_way = await world.store.write(unit, account=account, lock=(recipient,), haste=Haste.URGENT)
    await quiet(world, account=account, recipient=recipient, under_way=under_way)
    return amended


def _block(
    tx: Tx,
    *,
    recipient: str,
    holder: str,
    reason: Reason,
    actor: str,
    note: str | None,
    now: datetime,
    ids: Ids,
) -> tuple[Amended, tuple[str, ...]]:
    before = tx.consent.block(holder, group_of(recipient), recipient)
    act = Act.REPEAT if before else Act.BLOCK
    row = _row(tx, recipient, holder, act, reason, actor, now=now, ids=ids, note=note)
    under_way = shut(tx, [row], now=now, ids=ids)
    return Amended(block=tx.consent.block(holder, group_of(recipient), recipient), changed=before is None), under_way


async def lift(
    world: World, *, account: str, recipient: str, scope: str, actor: str, note: str | None = None
) -> Amended:
    """Lift the block of `recipient` in `scope`, whatever its reason: the operator answers for it."""
    holder = resolve_scope(await world.store.directory(account), scope)
    unit = partial(
        _lift,
        recipient=recipient,
        holder=holder or scope.strip(),
        known=holder is not None,
        actor=actor,
        note=note,
        now=world.clock.now(),
        ids=world.ids,
    )
    return await world.store.write(unit, account=account, lock=(recipient,), haste=Haste.URGENT)


def _lift(
    tx: Tx,
    *,
    recipient: str,
    holder: str,
    known: bool,
    actor: str,
    note: str | None,
    now: datetime,
    ids: Ids,
) -> Amended:
    found = tx.consent.block(holder, group_of(recipient), recipient)
    if found is None:
        return Amended(unknown_scope=not known)
    row = _row(tx, recipient, holder, Act.LIFT, found.reason, actor, now=now, ids=ids, note=note)
    shut(tx, [row], now=now, ids=ids)
    return Amended(block=found, changed=True)


async def consents(world: World, *, account: str, wishes: Sequence[Wish], actor: str) -> list[str | None]:
    """Keep recorded wishes, in the order given: None for each that is kept, else why it is not."""
    unit = partial(_consents, wishes=wishes, actor=actor, now=world.clock.now(), ids=world.ids)
    recipients = tuple(dict.fromkeys(wish.recipient for wish in wishes))
    answers, under_way = await world.store.write(unit, account=account, lock=recipients, haste=Haste.URGENT)
    await asyncio.gather(
        *(
            quiet(world, account=account, recipient=recipient, under_way=attempts)
            for recipient, attempts in under_way.items()
        )
    )
    return answers


def _consents(
    tx: Tx, *, wishes: Sequence[Wish], actor: str, now: datetime, ids: Ids
) -> tuple[list[str | None], dict[str, tuple[str, ...]]]:
    answers: list[str | None] = []
    under_way: dict[str, tuple[str, ...]] = {}
    for wish in wishes:
        act, reason = _act(tx, wish, now)
        row = _row(
            tx, wish.recipient, wish.holder, act, reason, actor, now=now, ids=ids, at=wish.wished_at, source=wish.source
        )
        if written := shut(tx, [row], now=now, ids=ids):
            under_way[wish.recipient] = under_way.get(wish.recipient, ()) + written
        answers.append(NOT_LIFTABLE if act is Act.LIFT_REFUSED else None)
    return answers, under_way


def _act(tx: Tx, wish: Wish, now: datetime) -> tuple[Act, Reason]:
    """What a recorded wish does. The newer of two wishes holds, whichever was told last."""
    group = group_of(wish.recipient)
    found = tx.consent.block(wish.holder, group, wish.recipient)
    newest = tx.consent.newest(wish.holder, group, wish.recipient, [*CLOSES, *OPENS, Act.REPEAT])
    known_at = max((at for at in (newest and newest.event.occurred_at, found and found.since) if at), default=None)
    if known_at is not None and (wish.wished_at or now) < known_at:
        return Act.NO_CHANGE, Reason.CONSENT
    if wish.opt_out:
        return (Act.REPEAT if found else Act.OPT_OUT), Reason.CONSENT
    if found and found.reason in CONSENT_CANNOT_LIFT:
        return Act.LIFT_REFUSED, found.reason
    return Act.OPT_IN, Reason.CONSENT


def _row(
    tx: Tx,
    recipient: str,
    holder: str,
    act: Act,
    reason: Reason,
    actor: str,
    *,
    now: datetime,
    ids: Ids,
    at: datetime | None = None,
    source: str | None = None,
    note: str | None = None,
) -> ConsentEvent:
    previous = tx.messages.last_outbound(recipient)
    return ConsentEvent(
        id=ids.sid("CE"),
        holder=holder,
        group=group_of(recipient),
        recipient=recipient,
        act=act,
        reason=reason,
        actor=actor,
        # Nobody can have wished in the future: a clock that runs ahead must not outvote the person's next word.
        occurred_at=min(at, now) if at else now,
        recorded_at=now,
        previous=previous.sid if previous else None,
        source=source,
        note=note,
    )
