"""Undo an import: lift the blocks that it made, and only those, a piece at a time.

Somebody who has said STOP since then stays blocked, and so does whoever was blocked by anything but this import. Each lift
is a row of the ledger that names the import; nothing is deleted.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from stopwire.core.address import group_of
from stopwire.core.consent import Act, Block, ConsentEvent
from stopwire.flows.moves import lift_of, shut
from stopwire.ports.store import Cut, Import, ImportRow, Tx
from stopwire.ports.world import Ids, World

ROWS_AT_ONCE = 500  # of one commit: a STOP never waits for more than these
SAID_SINCE = "Asked for silence again since then: the block stays."
OTHER = "Nothing that this import blocked holds any more, or it is older than undoing: nothing was lifted."


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """What undoing came to. `import_` is None where there is none; `running`: it is not over yet, and nothing was done."""

    import_: Import | None = None
    running: bool = False
    lifted: int = 0
    stayed: int = 0


def source_of(id: str) -> str:
    """How the ledger names an import as the source of an event."""
    return f"import {id}"


async def undo(world: World, *, account: str, id: str, actor: str, note: str | None = None) -> Undone:
    """Lift what the import blocked. Cut off, it goes on where it was when it is called again."""
    lifted = stayed = after = 0
    while True:
        unit = partial(_piece, id=id, after=after, actor=actor, note=note, now=world.clock.now(), ids=world.ids)
        import_, results, last = await world.store.write(unit, account=account)
        if import_ is None or import_.state == "running":
            return Undone(import_=import_, running=import_ is not None)
        lifted += sum(each.state == "lifted" for each in results)
        stayed += sum(each.state == "stays" for each in results)
        if last is None:
            return Undone(import_=import_, lifted=lifted, stayed=stayed)
        after = last


def _piece(
    tx: Tx, *, id: str, after: int, actor: str, note: str | None, now: datetime, ids: Ids
) -> tuple[Import | None, Sequence[ImportRow], int | None]:
    """What became of the next rows that had been taken, and the number of the last row; None where that was all."""
    import_ = tx.lists.import_(id)
    if import_ is None or import_.state == "running":
        return import_, [], None
    rows = tx.lists.import_rows(id, after, ROWS_AT_ONCE)
    changed = [_row(tx, row, source_of(id), actor=actor, note=note, now=now, ids=ids) for row in rows if row.state == "taken"]
    tx.lists.add_import_rows(id, changed)
    if not rows and import_.state != "undone":
        import_ = replace(import_, state="undone", updated_at=now)
        tx.lists.save_import(import_)
    tx.tell("import.undone", id=id)
    return import_, changed, rows[-1].row if rows else None


def _row(tx: Tx, row: ImportRow, source: str, *, actor: str, note: str | None, now: datetime, ids: Ids) -> ImportRow:
    assert row.recipient is not None, "a row that was taken names somebody"
    made = [(block, event) for block in tx.consent.blocks_of(group_of(row.recipient), row.recipient) if (event := _event_of(tx, block, source))]
    if not made:
        return replace(row, state="stays", error=OTHER)
    first = min(event.recorded_at for _, event in made)
    if tx.consent.events(Cut(limit=1), row.recipient, acts=(Act.REPEAT,), since=first):
        return replace(row, state="stays", error=SAID_SINCE)
    previous = tx.messages.last_outbound(row.recipient)
    last = previous.sid if previous else None
    lifts = [lift_of(block, actor=actor, note=note, now=now, ids=ids, previous=last, source=f"undo of {source}") for block, _ in made]
    shut(tx, lifts, now=now, ids=ids)
    return replace(row, state="lifted")


def _event_of(tx: Tx, block: Block, source: str) -> ConsentEvent | None:
    """The event that made the block, if this import did."""
    sealed = tx.consent.event(block.event)
    return sealed.event if sealed is not None and sealed.event.source == source else None
