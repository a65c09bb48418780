"""The consent ledger and the block list, its fold. Events are only added; a block comes and goes with an event.

What an event means is decided in the core. Consent is read from the database each time and never kept in memory.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any

from sqlalchemy import Row, Select, bindparam, delete, func, literal_column, select

from stopwire.core.address import ChannelGroup, group_of
from stopwire.core.consent import CLOSES, OPENS, Act, Block, ConsentEvent, Reason, SealedEvent, block_of, fold
from stopwire.core.ledger import GENESIS, Verdict, digest, seal_each, verify, words_of
from stopwire.ports.store import TALLIED_MAX, Cut
from stopwire.storage import tables
from stopwire.storage.cuts import cut_of
from stopwire.storage.hot import Noun, Statement, Values, as_list, insert, listed, upsert
from stopwire.storage.rows import BLOCK, event_of

PAGE_ROWS = 1_000  # of the ledger, read at once by a verification
ENDING_CHARS = 4  # of a number, that the block list is indexed by
EVENT_PREFIX, BLOCK_PREFIX = "CE", "BL"

_E = tables.consent_events.c
_P = tables.consent_people.c
_B = tables.blocks.c
_H = tables.ledger_heads.c
_A = tables.accounts.c

_blocks_of = Statement(
    BLOCK.select().where(
        _B.account == bindparam("of"), _B.grp == bindparam("channel"), _B.recipient == bindparam("person")
    ),
    "of",
    "channel",
    "person",
)
_blocks_of_many = Statement(
    BLOCK.select().where(_B.account == bindparam("of"), _B.grp == bindparam("channel"), _B.recipient.in_(listed("people"))),
    "of",
    "channel",
    "people",
)
_head = Statement(
    select(_A.ledger_key, func.coalesce(_H.events, 0), func.coalesce(_H.hash, GENESIS))
    .select_from(tables.accounts.outerjoin(tables.ledger_heads, _H.account == _A.sid))
    .where(_A.sid == bindparam("of")),
    "of",
)
_set_head = upsert(tables.ledger_heads, key=("account",))

_SEALED = {"grp": "event.group"} | {name: name for name in ("seq", "recipient_digest", "text_digest", "previous_hash", "hash")}
_event_columns = [column.name for column in tables.consent_events.c]
# The ledger's row behind its account, nothing personal but digests. Made by one call: an import makes a million.
_event_values = attrgetter(*(_SEALED.get(name, f"event.{name}") for name in _event_columns if name != "account"))
_add_event = Statement(
    tables.consent_events.insert().values({name: bindparam(name) for name in _event_columns}), *_event_columns
)
_people_columns = [column.name for column in tables.consent_people.c]
_add_person = Statement(
    tables.consent_people.insert().values({name: bindparam(name) for name in _people_columns}), *_people_columns
)
_block_columns = ["account", "seq", *(column.name for column in BLOCK.columns)]
_add_block = Statement(  # already blocked there: the first block stands
    lambda dialect: insert(dialect, tables.blocks)
    .values({name: bindparam(name) for name in _block_columns})
    .on_conflict_do_nothing(index_elements=["account", "grp", "recipient", "holder"]),
    *_block_columns,
)
_lift = Statement(
    delete(tables.blocks).where(
        _B.account == bindparam("of"),
        _B.grp == bindparam("channel"),
        _B.recipient == bindparam("person"),
        _B.holder == bindparam("by"),
    ),
    "of",
    "channel",
    "person",
    "by",
)


class SqlConsent(Noun):
    """There is no update and no delete of an event, by type and by trigger."""

    def blocks_of(self, group: ChannelGroup, recipient: str) -> list[Block]:
        return BLOCK.each(_blocks_of.all(self.unit, self.account, group, recipient))

    def blocks_of_many(self, recipients: Sequence[str]) -> dict[str, list[Block]]:
        """The blocks of each recipient, in the channel group its address belongs to; an empty list where there are none."""
        if len(recipients) == 1:
            return {recipients[0]: self.blocks_of(group_of(recipients[0]), recipients[0])}
        found: dict[str, list[Block]] = {recipient: [] for recipient in recipients}
        people: dict[ChannelGroup, list[str]] = {}
        for recipient in recipients:
            people.setdefault(group_of(recipient), []).append(recipient)
        for group, some in people.items():
            for block in BLOCK.each(_blocks_of_many.all(self.unit, self.account, group, as_list(some))):
                found[block.recipient].append(block)
        return found

    def append(self, events: Sequence[ConsentEvent]) -> None:
        """Seal `events` onto the account's chain, in their order, and bring the block list after them."""
        if not events:
            return
        key, seq, hash_ = self._chain()
        sealed = seal_each(events, seq=seq + 1, previous_hash=hash_, key=key)
        account = self.account
        _add_event.many(self.unit, [(account, *_event_values(each)) for each in sealed])
        people = [(account, each.seq, each.event.recipient, each.event.text, each.event.note) for each in sealed]
        _add_person.many(self.unit, people)
        for closes, some in itertools.groupby(sealed, lambda each: each.event.act in CLOSES):
            if closes:
                _add_block.many(self.unit, [self._block_row(each) for each in some])
            else:
                self._lift(some)
        _set_head.run(self.unit, account, sealed[-1].seq, sealed[-1].hash)

    def blocks(
        self,
        cut: Cut,
        recipient: str | None = None,
        holder: str | None = None,
        reason: str | None = None,
        since: datetime | None = None,
        ending: str | None = None,
        group: ChannelGroup | None = None,
        newest_first: bool = False,
    ) -> list[Block]:
        """The block list in the order of the ledger; a cut names a block by its id, which may have been lifted since."""
        query = BLOCK.select().where(_B.account == self.account)
        if recipient is not None:
            # The groups are named so that the primary key serves.
            query = query.where(_B.grp.in_(list(ChannelGroup)), _B.recipient == recipient)
        if holder is not None:
            query = query.where(_B.holder == holder)
        if reason is not None:
            query = query.where(_B.reason == reason)
        if since is not None:
            query = query.where(_B.since >= since)
        if ending is not None:
            query = query.where(_B.recipient.endswith(ending, autoescape=True))
            if len(ending) >= ENDING_CHARS:
                query = query.where(func.substr(_B.recipient, literal_column("-4")) == ending[-ENDING_CHARS:])  # has an index
        if group is not None:
            query = query.where(_B.grp == group)
        # A lifted block leaves its event behind, and so its place in the list.
        named = cut.after or cut.before
        event = EVENT_PREFIX + named[2:] if named else None
        place = Cut(limit=cut.limit, after=cut.after and event, before=cut.before and event, offset=cut.offset)
        marks = select(_E.seq).where(_E.account == self.account)
        # A person has few blocks: in an order that no index has, they are found by the person first.
        order = _B.seq if recipient is None else _B.seq + literal_column("0")
        rows = cut_of(self.unit, query, place, order=(order,), marks=marks, id=_E.id, newest_first=newest_first)
        return BLOCK.each(rows)

    def tally(self) -> dict[str, int]:
        """How many blocks there are for each reason; of one that has more than `TALLIED_MAX`, one more than that."""
        found: dict[str, int] = {}
        for reason in Reason:
            some = select(_B.seq).where(_B.account == self.account, _B.reason == reason).limit(TALLIED_MAX + 1).subquery()
            if number := int(self._scalar(select(func.count()).select_from(some))):
                found[reason.value] = number
        return found

    def block(self, holder: str, group: ChannelGroup, recipient: str) -> Block | None:
        found = (block for block in self.blocks_of(group, recipient) if block.holder == holder)
        return next(found, None)

    def block_named(self, id: str) -> Block | None:
        """The block with this id, as long as it stands. Its event may tell of the person no more."""
        row = self._row(BLOCK.select().where(_B.id == id, _B.account == self.account))
        return BLOCK.value(row) if row else None

    def events(
        self,
        cut: Cut,
        recipient: str | None = None,
        message: str | None = None,
        acts: Sequence[str] = (),
        holder: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> list[SealedEvent]:
        """The ledger, the newest first, readable where it has not been erased; a cut names an event by its id."""
        query = self._events()
        if recipient is not None:
            query = query.where(_E.recipient_digest == self._digest(recipient))
        if message is not None:
            query = query.where(_E.message == message)
        if acts:
            query = query.where(_E.act.in_(list(acts)))
        if holder is not None:
            query = query.where(_E.holder == holder)
        if since is not None:
            query = query.where(_E.recorded_at >= since)
        if until is not None:
            query = query.where(_E.recorded_at <= until)
        marks = select(_E.seq).where(_E.account == self.account)
        return _sealed(cut_of(self.unit, query, cut, order=(_E.seq,), marks=marks, id=_E.id))

    def event(self, id: str) -> SealedEvent | None:
        row = self._row(self._events().where(_E.id == id))
        return event_of(row._mapping) if row else None

    def newest(self, holder: str, group: ChannelGroup, recipient: str, acts: Sequence[str]) -> SealedEvent | None:
        """The newest event of one of `acts` about the recipient in the scope."""
        query = self._events().where(
            _E.recipient_digest == self._digest(recipient), _E.holder == holder, _E.grp == group, _E.act.in_(acts)
        )
        row = self._row(query.order_by(_E.seq.desc()).limit(1))
        return event_of(row._mapping) if row else None

    def verify(self) -> Verdict:
        """Check the chain, its end, the readable halves, and that the block list is the fold of the ledger."""
        key, events, hash_ = self._chain()
        seen = _Seen(key)
        verdict = verify(seen.watch(self._ledger()), expected_head=(events, hash_))
        if not verdict.ok:
            return verdict
        fault = seen.fault or self._fault_of_blocks(key, seen)
        return Verdict(ok=fault is None, events=verdict.events, head=verdict.head, first_fault=fault)

    def _chain(self) -> tuple[str, int, str]:
        """The account's key, and the end of its chain: how many events, and the hash of the last."""
        row = _head.first(self.unit, self.account)
        if row is None:
            raise LookupError(f"There is no account {self.account}, so it has no ledger.")
        return row[0], int(row[1]), row[2]

    def _digest(self, recipient: str) -> str:
        return digest(self._chain()[0], recipient)

    def _block_row(self, sealed: SealedEvent) -> Values:
        block = block_of(sealed.event, id=BLOCK_PREFIX + sealed.event.id[2:])
        return (self.account, sealed.seq, *BLOCK.values(block))

    def _lift(self, sealed: Iterable[SealedEvent]) -> None:
        for event in (each.event for each in sealed if each.event.act in OPENS):
            _lift.run(self.unit, self.account, event.group, event.recipient, event.holder)

    def _events(self) -> Select[Any]:
        halves = tables.consent_events.outerjoin(
            tables.consent_people, (_P.account == _E.account) & (_P.seq == _E.seq)
        )
        columns = *tables.consent_events.c, _P.recipient, _P.text, _P.note
        return select(*columns).select_from(halves).where(_E.account == self.account)

    def _ledger(self) -> Iterator[SealedEvent]:
        """All of it, in its order, a page at a time."""
        last = 0
        while True:
            rows = self._rows(self._events().where(_E.seq > last).order_by(_E.seq).limit(PAGE_ROWS))
            yield from _sealed(rows)
            if len(rows) < PAGE_ROWS:
                return
            last = rows[-1].seq

    def _fault_of_blocks(self, key: str, seen: _Seen) -> str | None:
        """The first difference between the block list and the fold of the ledger."""
        folded = dict(seen.folded())
        last = 0
        while rows := self._rows(
            select(tables.blocks)
            .where(_B.account == self.account, _B.seq > last)
            .order_by(_B.seq)
            .limit(PAGE_ROWS)
        ):
            for row in rows:
                event = folded.pop((row.holder, ChannelGroup(row.grp), digest(key, row.recipient)), None)
                if event is None:
                    return f"block {row.id}: no event of the ledger makes it"
                if event != row.event:
                    return f"block {row.id}: the ledger has it made by event {event}, not {row.event}"
            last = rows[-1].seq
        for event in folded.values():
            return f"event {event}: it blocks, but its block is not in the block list"
        return None


class _Seen:
    """What a verification notices while the ledger passes by."""

    def __init__(self, key: str) -> None:
        self.fault: str | None = None
        self._key = key
        self._facts: list[tuple[str, ChannelGroup, str, Act, str]] = []

    def watch(self, ledger: Iterator[SealedEvent]) -> Iterator[SealedEvent]:
        for sealed in ledger:
            event = sealed.event
            if self.fault is None and not self._is_readable_half_true(sealed):
                self.fault = f"event {event.id} (row {sealed.seq}): its readable half was changed after it was written"
            if event.act in CLOSES or event.act in OPENS:
                self._facts.append((event.holder, event.group, sealed.recipient_digest, event.act, event.id))
            yield sealed

    def folded(self) -> dict[tuple[str, ChannelGroup, str], str]:
        return fold(self._facts)

    def _is_readable_half_true(self, sealed: SealedEvent) -> bool:
        event = sealed.event
        if event.recipient and digest(self._key, event.recipient) != sealed.recipient_digest:
            return False
        words = words_of(event)
        return words is None or digest(self._key, words) == sealed.text_digest


def _sealed(rows: Sequence[Row[Any]]) -> list[SealedEvent]:
    return [event_of(row._mapping) for row in rows]
