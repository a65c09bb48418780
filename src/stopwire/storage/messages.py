"""Messages, their media and feedback; the log of refusals; the answers kept under idempotency keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, delete, func, literal_column, select, tuple_, update

from stopwire.core.jobs import Refusal
from stopwire.core.message import Direction, Media, Message, Purpose, Status
from stopwire.ports.store import Cut, Entry, EntryFilter, Feedback, Kept, Look, MessageFilter
from stopwire.storage import log, tables
from stopwire.storage.cuts import cut_of
from stopwire.storage.hot import Adding, Noun, Statement, Unit, upsert
from stopwire.storage.rows import DELETED, FEEDBACK, MEDIA, MESSAGE, REFUSAL

_M = tables.messages.c
_REFUSALS = tables.refusals.c
_KEPT = tables.idempotency.c

_mine = _M.sid == bindparam("id"), _M.account == bindparam("of")
_add = Adding(MESSAGE)
_get = Statement(MESSAGE.select().where(*_mine, _M.purpose != literal_column(f"'{DELETED}'")), "id", "of")
_move = Statement(
    update(tables.messages)
    .where(*_mine)
    .values(status=bindparam("status"), error_code=bindparam("error_code"), updated_at=bindparam("now")),
    "status",
    "error_code",
    "now",
    "id",
    "of",
)
_move_sent = Statement(
    update(tables.messages)
    .where(*_mine)
    .values(
        status=bindparam("status"), error_code=bindparam("error_code"), updated_at=bindparam("now"), sent_at=bindparam("sent_at")
    ),
    "status",
    "error_code",
    "now",
    "sent_at",
    "id",
    "of",
)
_choose = Statement(
    update(tables.messages)
    .where(*_mine)
    .values(sender=bindparam("chosen"), segments=bindparam("segments"), updated_at=bindparam("now")),
    "chosen",
    "segments",
    "now",
    "id",
    "of",
)
_last_outbound = Statement(
    MESSAGE.select()
    .where(
        _M.account == bindparam("of"),
        _M.recipient == bindparam("person"),
        _M.direction != Direction.INBOUND,
        _M.purpose == Purpose.MESSAGE,
    )
    .order_by(_M.seq.desc())
    .limit(literal_column("1")),
    "of",
    "person",
)
_replies_since = Statement(
    select(_M.created_at)
    .where(
        _M.account == bindparam("of"),
        _M.recipient == bindparam("person"),
        _M.sender == bindparam("ours"),
        _M.direction == Direction.REPLY,
        _M.purpose == Purpose.MESSAGE,
        _M.created_at >= bindparam("since"),
    )
    .order_by(_M.seq),
    "of",
    "person",
    "ours",
    "since",
)
_scheduled = Statement(  # the status is written out, so that the index of scheduled messages serves
    select(func.count()).where(_M.account == bindparam("of"), _M.status == literal_column("'scheduled'")), "of"
)
_kept = Statement(
    select(_KEPT.fingerprint, _KEPT.answer).where(
        _KEPT.account == bindparam("of"), _KEPT.key == bindparam("name"), _KEPT.created_at >= bindparam("since")
    ),
    "of",
    "name",
    "since",
)
_keep = upsert(tables.idempotency, key=("account", "key"))
_add_refusals = Adding(REFUSAL)
_set_feedback = upsert(tables.feedback, key=("message",), keeping=("account", "created_at"))


class SqlMessages(Noun):
    __slots__ = ("_scheduled",)

    def __init__(self, unit: Unit, account: str) -> None:
        super().__init__(unit, account)
        self._scheduled: int | None = None  # counted once, until this transaction changes a message

    def add(self, messages: Sequence[Message]) -> None:
        self._check_own(messages)
        self._scheduled = None
        _add.many(self.unit, messages)

    def get(self, sid: str, *, any_purpose: bool = False) -> Message | None:
        """A Message resource; with `any_purpose` also an automatic reply, which is none."""
        row = _get.first(self.unit, sid, self.account)
        if row is None:
            return None
        message = MESSAGE.value(row)
        return message if any_purpose or message.purpose is Purpose.MESSAGE else None

    def page(self, wanted: MessageFilter, cut: Cut) -> list[Message]:
        """Message resources, the newest first; a cut names a message by its SID."""
        query = MESSAGE.select().add_columns(_M.seq).where(_M.account == self.account, _M.purpose == Purpose.MESSAGE)
        query = query.where(*_narrowed(wanted))
        marks = select(_M.seq).where(_M.account == self.account)
        if wanted.to is None and wanted.from_ is None:
            rows = cut_of(self.unit, query, cut, order=(_M.seq,), marks=marks, id=_M.sid)
            return [MESSAGE.value(row[:-1]) for row in rows]
        # Two lists, each along its index and merged: an OR would gather all of a busy sender's messages.
        span = Cut(limit=cut.limit + cut.offset, after=cut.after, before=cut.before)
        found = [
            row
            for direction in _directions(wanted)
            for row in cut_of(self.unit, query.where(direction), span, order=(_M.seq,), marks=marks, id=_M.sid)
        ]
        found.sort(key=lambda row: int(row.seq), reverse=True)
        backwards = cut.before is not None and cut.after is None
        piece = found[-cut.limit :] if backwards else found[cut.offset if cut.after is None else 0 :][: cut.limit]
        return [MESSAGE.value(row[:-1]) for row in piece]

    def many(self, sids: Sequence[str]) -> list[Message]:
        """Messages of every purpose, in the order asked; unknown ones are left out."""
        rows = (_get.first(self.unit, sid, self.account) for sid in sids)
        return [MESSAGE.value(row) for row in rows if row is not None]

    def entries(self, wanted: EntryFilter, cut: Cut) -> list[Entry]:
        return log.entries(self.unit, self.account, wanted, cut)

    def look(self, wanted: EntryFilter, cut: Cut) -> Look:
        return log.look(self.unit, self.account, wanted, cut)

    def between(self, sender: str, recipient: str, cut: Cut) -> list[Entry]:
        return log.between(self.unit, self.account, sender, recipient, cut)

    def save(self, message: Message) -> None:
        self._check_own([message])
        self._scheduled = None
        self._change(update(tables.messages).where(*self._own(message.sid)).values(MESSAGE.row(message)))

    def move(
        self,
        sids: Sequence[str],
        status: Status,
        *,
        now: datetime,
        error_code: int | None = None,
        sent: bool = False,
    ) -> None:
        """Give each a status and its error code; `sent` also stamps the time sent."""
        self._scheduled = None
        if sent:
            _move_sent.many(self.unit, [(status, error_code, now, now, sid, self.account) for sid in sids])
        else:
            _move.many(self.unit, [(status, error_code, now, sid, self.account) for sid in sids])

    def choose(self, sid: str, *, sender: str, segments: int, now: datetime) -> None:
        """Settle who speaks: `sender` is an address."""
        _choose.run(self.unit, sender, segments, now, sid, self.account)

    def delete(self, sid: str) -> None:
        """The message, its media and its feedback; what the ledger says of it stays."""
        self._scheduled = None
        emptied: dict[str, Any] = {"purpose": DELETED, "recipient": "", "body": "", "options": {}, "decision": {}}
        emptied |= dict.fromkeys(("sender", "service", "status_callback", "error_code"))
        if self._change(update(tables.messages).where(*self._own(sid), _M.purpose != DELETED).values(emptied)):
            for table in (tables.media, tables.feedback):
                self._change(delete(table).where(table.c.message == sid, table.c.account == self.account))

    def last_outbound(self, recipient: str) -> Message | None:
        row = _last_outbound.first(self.unit, self.account, recipient)
        return MESSAGE.value(row) if row else None

    def replies_since(self, sender: str, recipient: str, since: datetime) -> list[datetime]:
        """When the customer's own replies (TwiML) of this sender to this person were made, the oldest first."""
        return [row[0] for row in _replies_since.all(self.unit, self.account, recipient, sender, since)]

    def inbound_since(self, service: str, since: datetime, limit: int) -> list[Message]:
        """The newest `limit` messages that came in for a messaging service, in the order they came."""
        query = (
            MESSAGE.select()
            .where(_M.account == self.account, _M.service == service, _M.direction == Direction.INBOUND)
            .where(_M.created_at >= since)
            .order_by(_M.seq.desc())
            .limit(limit)
        )
        return MESSAGE.each(self._rows(query))[::-1]

    def scheduled(self) -> int:
        if self._scheduled is None:
            row = _scheduled.first(self.unit, self.account)
            assert row is not None
            self._scheduled = int(row[0])
        return self._scheduled

    def add_media(self, media: Sequence[Media]) -> None:
        if media:
            rows = [{**MEDIA.row(medium), "account": self.account} for medium in media]
            self.unit.connection.execute(tables.media.insert(), rows)

    def media(self, message: str) -> list[Media]:
        """In the order they were given."""
        query = self._media(message).order_by(tables.media.c.seq)
        return MEDIA.each(self._rows(query))

    def medium(self, message: str, sid: str) -> Media | None:
        row = self._row(self._media(message).where(tables.media.c.sid == sid))
        return MEDIA.value(row) if row else None

    def delete_medium(self, message: str, sid: str) -> bool:
        media = tables.media.c
        mine = media.sid == sid, media.message == message, media.account == self.account
        return self._change(delete(tables.media).where(*mine)) > 0

    def set_feedback(self, feedback: Feedback) -> Feedback:
        """Keep the newest outcome; the first time of all stays."""
        self._check_own([feedback])
        _set_feedback.run(self.unit, *FEEDBACK.values(feedback))
        mine = tables.feedback.c.message == feedback.message, tables.feedback.c.account == self.account
        return FEEDBACK.value(self.unit.connection.execute(FEEDBACK.select().where(*mine)).one())

    def add_refusals(self, refusals: Sequence[Refusal]) -> None:
        self._check_own(refusals)
        _add_refusals.many(self.unit, refusals)

    def refusals(self, cut: Cut, code: int | None = None, recipient: str | None = None) -> list[Refusal]:
        """The newest first; a cut names a refusal by its id."""
        query = REFUSAL.select().where(_REFUSALS.account == self.account)
        if code is not None:
            query = query.where(_REFUSALS.code == code)
        if recipient is not None:
            query = query.where(_REFUSALS.recipient == recipient)
        marks = select(_REFUSALS.seq).where(_REFUSALS.account == self.account)
        return REFUSAL.each(cut_of(self.unit, query, cut, order=(_REFUSALS.seq,), marks=marks, id=_REFUSALS.id))

    def refusal(self, id: str) -> Refusal | None:
        row = self._row(REFUSAL.select().where(_REFUSALS.id == id, _REFUSALS.account == self.account))
        return REFUSAL.value(row) if row else None

    def kept(self, key: str, since: datetime) -> Kept | None:
        row = _kept.first(self.unit, self.account, key, since)
        return Kept(fingerprint=row[0], answer=row[1]) if row else None

    def keep(self, key: str, fingerprint: str, answer: Any, now: datetime) -> None:
        """Keep an answer; one that was kept under this key before has grown old, or it would have been given."""
        _keep.run(self.unit, self.account, key, fingerprint, answer, now)

    def _own(self, sid: str) -> tuple[ColumnElement[bool], ...]:
        return _M.sid == sid, _M.account == self.account

    def _media(self, message: str) -> Select[Any]:
        return MEDIA.select().where(tables.media.c.message == message, tables.media.c.account == self.account)

    def forget_kept(self, before: datetime, limit: int) -> int:
        """Forget at most `limit` answers kept before `before`, of all accounts; how many they were."""
        kept = tables.idempotency.c
        old = select(kept.account, kept.key).where(kept.created_at < before).limit(limit)
        return self._change(delete(tables.idempotency).where(tuple_(kept.account, kept.key).in_(old)))


def _narrowed(wanted: MessageFilter) -> list[ColumnElement[bool]]:
    sent_at = func.coalesce(_M.sent_at, _M.created_at)
    asked: tuple[tuple[Any, Callable[[Any], ColumnElement[bool]]], ...] = (
        (wanted.recipient, _M.recipient.__eq__),
        (wanted.sender, _M.sender.__eq__),
        (wanted.since, sent_at.__ge__),
        (wanted.until, sent_at.__le__),
        (wanted.status, _M.status.__eq__),
        (wanted.service, _M.service.__eq__),
    )
    return [narrow(value) for value, narrow in asked if value is not None]


def _directions(wanted: MessageFilter) -> list[ColumnElement[bool]]:
    """`to` and `from_` as the wire has them: what we sent to somebody, and what somebody sent to us."""

    def side(direction: ColumnElement[bool], to: ColumnElement[Any], from_: ColumnElement[Any]) -> ColumnElement[bool]:
        named = [column == value for column, value in ((to, wanted.to), (from_, wanted.from_)) if value is not None]
        return and_(direction, *named)

    outbound = side(_M.direction != Direction.INBOUND, _M.recipient, _M.sender)
    inbound = side(_M.direction == Direction.INBOUND, _M.sender, _M.recipient)
    return [outbound, inbound]
