"""Gather the parts of a long text that a bound customer submits one by one; whole, it is an order like any other."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from stopwire.core import alphabets
from stopwire.core.bound import SubmittedPart
from stopwire.ports.store import Tx
from stopwire.ports.world import World

REPEAT_WINDOW = timedelta(seconds=60)  # a part that comes again so soon after its text was taken had its answer lost


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """What a part has come to. `message` is the SID that the whole text will have; `body` is there once it is whole."""

    message: str
    body: str | None = None
    registered: int = 0  # what any of the parts asked for


async def gather(world: World, *, part: SubmittedPart) -> Gathered:
    """Keep one part. When this returns it is on disk; the last one to come finds the whole text, again if it comes again."""
    unit = partial(_gather, part=replace(part, message=world.ids.sid("SM")), now=world.clock.now())
    return await world.store.write(unit, account=part.account)


async def gathered(world: World, *, part: SubmittedPart, taken: bool) -> None:
    """The whole text has become a message, or was refused and may be submitted anew."""
    now = world.clock.now()
    await world.store.write(
        lambda tx: tx.submitted.take(part, now) if taken else tx.submitted.drop(part), account=part.account
    )


def _gather(tx: Tx, *, part: SubmittedPart, now: datetime) -> Gathered:
    kept = {each.part: each for each in tx.submitted.parts(part)}
    known = kept.get(part.part)
    same = known is not None and known.octets == part.octets
    taken_at = known.taken_at if known else None
    if same and taken_at and now - taken_at < REPEAT_WINDOW:
        return Gathered(message=kept[part.part].message)
    if taken_at or (known and not same):
        tx.submitted.drop(part)  # taken long ago, or other octets under the same number: the reference has come round again
        kept, known = {}, None
    message = next((each.message for each in kept.values()), part.message)
    if known is None:
        kept[part.part] = replace(part, message=message)
        tx.submitted.add(kept[part.part], now)
    ordered = [kept[number] for number in sorted(kept)]
    registered = 0
    for each in ordered:
        registered |= each.registered
    body = alphabets.join([("", each.octets, each.alphabet) for each in ordered]) if len(ordered) == part.total else None
    return Gathered(message=message, body=body, registered=registered)
