"""Take a list of blocks in, a piece at a time. Each piece is one commit with the result of each of its rows.

A row that is there already is skipped, so a list may be sent again, whole, after whatever went wrong.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from stopwire.core.address import group_of, parse_recipient
from stopwire.core.consent import Act, ConsentEvent, Reason
from stopwire.core.orders import parse_instant
from stopwire.core.scopes import resolve_scope
from stopwire.core.senders import Directory
from stopwire.flows.moves import quiet, shut_each
from stopwire.ports.store import Import, ImportRow, Tx
from stopwire.ports.world import Ids, World

ROWS_AT_ONCE = 1_000  # of one commit: a STOP never waits for more than these
NOTE_CHARS_MAX = 1_000
SHOWN_CHARS_MAX = 128  # of what stands where a number should be
CUT_OFF = "The gateway stopped before the file was through: send it again, what was taken is skipped."
REASONS = frozenset(Reason)
RECIPIENT_COLUMNS = ("recipient", "phone", "to")


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedRow:
    """One row as it was read. `broken`: why it could not be."""

    number: int
    values: Mapping[str, str]
    broken: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """What holds for a row whose columns say nothing else. Without a scope: the whole account."""

    scope: str = ""
    reason: str = Reason.IMPORT.value


async def start(world: World, *, account: str) -> Import:
    """A new import, running."""
    now = world.clock.now()
    new = Import(id=world.ids.sid("IM"), account=account, state="running", created_at=now, updated_at=now)
    await world.store.write(lambda tx: tx.lists.add_import(new), account=account)
    return new


async def take(
    world: World, *, account: str, id: str, rows: Sequence[ListedRow], defaults: Defaults, actor: str
) -> Import:
    """Take at most `ROWS_AT_ONCE` rows. When this returns they are on disk, and nothing they forbid is on the wire."""
    unit = partial(_take, id=id, rows=rows, defaults=defaults, actor=actor, now=world.clock.now(), ids=world.ids)
    # Behind the texts of people: a STOP that comes meanwhile is taken first.
    taken, under_way = await world.store.write(unit, account=account)
    for recipient, attempts in under_way.items():
        await quiet(world, account=account, recipient=recipient, under_way=attempts)
    return taken


async def finish(world: World, *, account: str, id: str, broken: str | None = None) -> Import:
    """Close an import: `failed` where its file broke off or no row was good, else `done`."""
    return await world.store.write(partial(_finish, id=id, broken=broken, now=world.clock.now()), account=account)


async def abandon(world: World, *, idle: timedelta) -> int:
    """Close imports that have taken nothing for so long: whoever brought their file is gone. How many those were."""
    now = world.clock.now()
    return await world.store.write(partial(_abandon, before=now - idle, now=now), account="")


def _abandon(tx: Tx, *, before: datetime, now: datetime) -> int:
    idle = tx.lists.idle_imports(before)
    for import_ in idle:
        _finish(tx.of(import_.account), id=import_.id, broken=CUT_OFF, now=now)
    return len(idle)


def _finish(tx: Tx, *, id: str, broken: str | None, now: datetime) -> Import:
    import_ = tx.lists.import_(id)
    assert import_ is not None, "it was started a moment ago"
    rows, wrong = import_.rows, import_.wrong
    if broken is not None:
        rows, wrong = rows + 1, wrong + 1
        tx.lists.add_import_rows(id, [ImportRow(row=rows, recipient=None, state="wrong", error=broken)])
    good = import_.taken + import_.skipped
    state = "failed" if broken is not None or good == 0 else "done"
    closed = replace(import_, state=state, rows=rows, wrong=wrong, updated_at=now)
    tx.lists.save_import(closed)
    tx.tell("import.finished", id=id, state=state, rows=rows)
    return closed


def _take(
    tx: Tx, *, id: str, rows: Sequence[ListedRow], defaults: Defaults, actor: str, now: datetime, ids: Ids
) -> tuple[Import, dict[str, tuple[str, ...]]]:
    import_ = tx.lists.import_(id)
    assert import_ is not None, "it was started a moment ago"
    directory = tx.services.directory()
    scopes: dict[str, str | None] = {}
    fresh = [row for row in rows if row.number > import_.rows]  # the others came before, and their answer was lost
    reads = [(row.number, _read(row, directory, defaults, scopes, now)) for row in fresh]
    known = tx.consent.blocks_of_many(list({read.recipient for _, read in reads if isinstance(read, _Read)}))
    blocked = {(block.holder, block.recipient) for blocks in known.values() for block in blocks}
    results: list[ImportRow] = []
    events: list[ConsentEvent] = []
    for number, read in reads:
        if isinstance(read, ImportRow):
            results.append(read)
        elif (read.holder, read.recipient) in blocked:
            results.append(ImportRow(row=number, recipient=read.recipient, state="skipped"))
        else:
            blocked.add((read.holder, read.recipient))
            events.append(_event(read, id, actor, now, ids))
            results.append(ImportRow(row=number, recipient=read.recipient, state="taken"))
    under_way = shut_each(tx, events, now=now, ids=ids)
    tx.lists.add_import_rows(id, results)
    states = [each.state for each in results]
    counted = replace(
        import_,
        rows=import_.rows + len(results),
        taken=import_.taken + states.count("taken"),
        skipped=import_.skipped + states.count("skipped"),
        wrong=import_.wrong + states.count("wrong"),
        updated_at=now,
    )
    tx.lists.save_import(counted)
    tx.tell("import.taken", id=id, rows=counted.rows)
    return counted, under_way


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    recipient: str
    holder: str
    reason: Reason
    occurred_at: datetime
    note: str | None


def _read(
    row: ListedRow, directory: Directory, defaults: Defaults, scopes: dict[str, str | None], now: datetime
) -> _Read | ImportRow:
    """The row's block, or why there is none."""
    values = row.values
    given = ""
    for name in RECIPIENT_COLUMNS:
        if given := values.get(name, "").strip():
            break

    def wrong(error: str) -> ImportRow:
        return ImportRow(row=row.number, recipient=given[:SHOWN_CHARS_MAX] or None, state="wrong", error=error)

    if row.broken is not None:
        return wrong(row.broken)
    cells = "".join(values.values())
    if "\x00" in cells or _has_surrogate(cells):
        given = ""
        return wrong("A cell has a NUL or half a character: take it out.")
    if not given:
        return wrong("There is no recipient: the column is called recipient, phone or to.")
    recipient = parse_recipient(given)
    if recipient is None:
        return wrong("The recipient is no phone number: write it like +14155550101.")
    scope = values.get("scope", "").strip() or defaults.scope or directory.account.sid
    if scope not in scopes:
        scopes[scope] = resolve_scope(directory, scope)
    holder = scopes[scope]
    if holder is None:
        return wrong("This account has no such scope: give the SID of a service or sender, or a sender's address.")
    reason = values.get("reason", "").strip().lower() or defaults.reason
    if reason not in REASONS:
        return wrong(f"There is no such reason: use one of {', '.join(Reason)}.")
    at = now
    if stamp := values.get("occurred_at", "").strip() or values.get("since", "").strip():
        found = parse_instant(stamp)
        if found is None or found.year < 1971:
            return wrong("occurred_at is no time: write it like 2026-01-31T12:00:00Z.")
        if found > now:
            return wrong("occurred_at is in the future.")
        at = found
    note = values.get("note", "").strip()[:NOTE_CHARS_MAX] or None
    return _Read(recipient=recipient, holder=holder, reason=Reason(reason), occurred_at=at, note=note)


def _has_surrogate(text: str) -> bool:
    return not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text)


def _event(read: _Read, import_: str, actor: str, now: datetime, ids: Ids) -> ConsentEvent:
    return ConsentEvent(
        id=ids.sid("CE"),
        holder=read.holder,
        group=group_of(read.recipient),
        recipient=read.recipient,
        act=Act.BLOCK,
        reason=read.reason,
        actor=actor,
        occurred_at=read.occurred_at,
        recorded_at=now,
        source=f"import {import_}",  # by this an import can be undone: it lifts what it made, and nothing else
        note=read.note,
    )
