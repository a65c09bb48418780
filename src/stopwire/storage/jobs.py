"""The outbox towards carriers: jobs, the attempts to hand them over, and reports that came before their answer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, delete, exists, func, literal_column, null, or_, select, tuple_, union_all, update

from stopwire.core.address import ChannelGroup
from stopwire.core.jobs import Attempt, Due, Job
from stopwire.core.message import Message, Purpose, Status
from stopwire.core.outcomes import DeliveryReport
from stopwire.core.receipts import Segment, canonical
from stopwire.storage import tables
from stopwire.storage.hot import Adding, Noun, Statement, Values, as_list, listed
from stopwire.storage.rows import ATTEMPT, DELETED, JOB, MESSAGE, NEW_JOB, SEGMENT, WAITING_COLUMNS, waiting_of

_B = tables.blocks.c
_J = tables.jobs.c
_M = tables.messages.c
_A = tables.attempts.c
_O = tables.orphans.c
_S = tables.segments.c

_ORPHAN = _O.connection, _O.reference, _O.status, _O.error_code, _O.at, _O.sender, _O.recipient, _O.hint
QUEUED, WRITTEN, UNKNOWN = "queued", "written", "unknown"
UNDER_WAY = (WRITTEN, UNKNOWN)
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)  # nothing was due before it

_mine = _J.message == bindparam("id"), _J.account == bindparam("of")
_my_attempt = _A.id == bindparam("attempt_id"), _A.account == bindparam("of")


def _claim() -> Statement:
    """Due jobs of one purpose, the head of each line only, in the order they fell due; each with its message.

    Whether its recipient is blocked anywhere is asked in the same breath: today's standing decides.
    """
    earlier = tables.jobs.alias("earlier").c
    same_line = or_(
        earlier.sender == _J.sender,
        # Until a service has chosen a sender, a job stands behind every other job of its service.
        and_(_J.sender.is_(None), earlier.service == _J.service),
    )
    is_held_up = exists().where(
        earlier.account == _J.account,
        earlier.recipient == _J.recipient,
        earlier.seq < _J.seq,
        same_line,
        or_(
            earlier.state == WRITTEN,
            # One that the carrier put off keeps its place; one that is not due yet has none.
            and_(earlier.state == QUEUED, or_(earlier.due_at <= bindparam("now"), earlier.tries > 0)),
        ),
    )
    query = (
        select(*JOB.columns, *WAITING_COLUMNS, _is_blocked())
        .select_from(tables.jobs.outerjoin(tables.messages, and_(_M.sid == _J.message, _M.account == _J.account)))
        .where(
            _J.connection == bindparam("connection"),
            _J.state == QUEUED,
            _J.purpose == bindparam("purpose"),
            _J.due_at <= bindparam("now"),
            or_(_J.purpose == Purpose.KEYWORD_REPLY, ~is_held_up),
        )
        .order_by(_J.due_at, _J.seq)
        .limit(bindparam("room"))
    )
    return Statement(query, "connection", "purpose", "now", "room")


def _is_blocked() -> ColumnElement[bool]:
    """Whether some block of the job's recipient stands, in whatever scope."""
    return exists().where(
        _B.account == _J.account,
        _B.grp.in_([literal_column(f"'{group}'") for group in ChannelGroup]),
        _B.recipient == _J.recipient,
    )


_add = Adding(NEW_JOB)
_claim_due = _claim()
_fallen_due = Statement(
    select(*JOB.columns, *WAITING_COLUMNS, _is_blocked())
    .select_from(tables.jobs.join(tables.messages, and_(_M.sid == _J.message, _M.account == _J.account)))
    .where(
        _J.connection == bindparam("connection"),
        _J.state == QUEUED,
        _J.purpose == Purpose.MESSAGE,
        _J.due_at > bindparam("since"),
        _J.due_at <= bindparam("now"),
        _M.status == Status.SCHEDULED,
    )
    .order_by(_J.due_at, _J.seq)
    .limit(bindparam("room")),
    "connection",
    "since",
    "now",
    "room",
)
_next_due = Statement(
    select(_J.due_at)
    .where(_J.connection == bindparam("connection"), _J.state == QUEUED, _J.purpose == bindparam("purpose"))
    .order_by(_J.due_at)
    .limit(literal_column("1")),
    "connection",
    "purpose",
)
_write = Statement(
    update(tables.jobs).where(*_mine, _J.state == QUEUED).values(state=WRITTEN, attempt=bindparam("by")), "id", "of", "by"
)
_lose = Statement(update(tables.jobs).where(*_mine).values(state=UNKNOWN), "id", "of")
_assign = Statement(
    update(tables.jobs).where(*_mine).values(sender=bindparam("speaker"), connection=bindparam("through")),
    "speaker",
    "through",
    "id",
    "of",
)
_requeue = Statement(
    update(tables.jobs)
    .where(*_mine)
    .values(state=QUEUED, attempt=None, due_at=bindparam("due"), tries=_J.tries + bindparam("more", type_=_J.tries.type)),
    "due",
    "more",
    "id",
    "of",
)
_remove = Statement(delete(tables.jobs).where(*_mine), "id", "of")
_of_recipient = Statement(
    JOB.select().where(_J.account == bindparam("of"), _J.recipient == bindparam("person")).order_by(_J.seq), "of", "person"
)
_awaiting = Statement(
    select(_J.recipient).where(_J.account == bindparam("of"), _J.recipient.in_(listed("people"))), "of", "people"
)
_of_message = Statement(JOB.select().where(*_mine), "id", "of")
_add_attempts = Adding(ATTEMPT)
_attempt = Statement(ATTEMPT.select().where(_A.id == bindparam("attempt_id")), "attempt_id")
_messages_of = Statement(
    select(_A.id, *MESSAGE.columns)
    .select_from(tables.attempts.join(tables.messages, and_(_M.sid == _A.message, _M.account == _A.account)))
    .where(_A.id.in_(listed("ids")), _M.purpose != literal_column(f"'{DELETED}'")),
    "ids",
)
_answer = Statement(
    update(tables.attempts)
    .where(*_my_attempt)
    .values(
        state=bindparam("new_state"),
        answered_at=func.coalesce(bindparam("when", type_=_A.answered_at.type), _A.answered_at),
        reference=func.coalesce(bindparam("new_reference", type_=_A.reference.type), _A.reference),
        form=func.coalesce(bindparam("new_form", type_=_A.form.type), _A.form),
        detail=func.coalesce(bindparam("new_detail", type_=_A.detail.type), _A.detail),
    ),
    "new_state",
    "when",
    "new_reference",
    "new_form",
    "new_detail",
    "attempt_id",
    "of",
)
_awaited = Statement(  # not a join: it would begin at the messages of the account
    select(_A.id).where(
        _A.id.in_(listed("ids")),
        _A.account == bindparam("of"),
        _A.state == WRITTEN,
        select(_M.status).where(_M.sid == _A.message).scalar_subquery() == Status.SENDING,
    ),
    "ids",
    "of",
)
_any_orphan = Statement(
    select(literal_column("1")).select_from(tables.orphans).where(_O.connection == bindparam("connection")).limit(literal_column("1")),
    "connection",
)
_race = Statement(update(tables.attempts).where(*_my_attempt).values(raced=True), "attempt_id", "of")
_by_reference = Statement(
    ATTEMPT.select()
    .where(_A.connection == bindparam("connection"), _A.form == bindparam("form"), _A.reference == bindparam("named"))
    .order_by(_A.at.desc())
    .limit(literal_column("1")),
    "connection",
    "form",
    "named",
)
_orphans = Statement(
    select(*_ORPHAN)
    .where(_O.connection == bindparam("connection"), _O.form == bindparam("named"))
    .order_by(_O.seq),
    "connection",
    "named",
)
_add_segments = Adding(SEGMENT, or_ignore=True)


def _segments_named() -> Statement:
    """Segments by their ids. An attempt in one segment has its id itself, so that most messages need no row for it."""
    several = SEGMENT.select().where(
        _S.connection == bindparam("connection"), _S.form.in_(listed("forms")), _S.created_at >= bindparam("since")
    )
    alone: dict[str, ColumnElement[Any]] = {
        "attempt": _A.id,
        "number": literal_column("1"),
        "total": literal_column("1"),
        "sender": func.coalesce(_M.sender, ""),
        "recipient": _M.recipient,
        "status": null(),
        "error_code": null(),
        "created_at": _A.answered_at,
        "reported_at": null(),
    }
    single = (
        select(*(alone[name] if name in alone else _A[name] for name in (column.name for column in SEGMENT.columns)))
        .select_from(tables.attempts.join(tables.messages, and_(_M.sid == _A.message, _M.account == _A.account)))
        .where(
            _A.connection == bindparam("connection"),
            _A.form.in_(listed("forms")),
            _A.at >= bindparam("since"),
            ~exists().where(_S.attempt == _A.id),
        )
    )
    return Statement(union_all(several, single), "connection", "forms", "since")


_named = _segments_named()


def _orphan(row: Sequence[Any]) -> DeliveryReport:
    connection, reference, status, error_code, at, sender, recipient, hint = row
    return DeliveryReport(
        connection=connection,
        reference=reference,
        status=Status(status),
        error_code=error_code,
        at=at,
        sender=sender,
        recipient=recipient,
        hint=hint,
    )


def _answer_of(state: str, now: datetime, reference: str | None, detail: str | None, id: str, account: str) -> Values:
    return state, now, reference, None if reference is None else canonical(reference), detail, id, account


class SqlJobs(Noun):
    """`claim`, `fallen_due`, `under_way` and `next_due` look across accounts: an engine serves all.

    So do `by_reference`, `add_orphan` and `take_orphans`: a delivery report names a reference and no account.
    """

    def add(self, jobs: Sequence[Job]) -> None:
        self._check_own(jobs)
        _add.many(self.unit, jobs)

    def of_recipient(self, recipient: str, *, states: Sequence[str]) -> list[Job]:
        """In the order they were taken."""
        found = JOB.each(_of_recipient.all(self.unit, self.account, recipient))
        return [job for job in found if job.state in states]

    def awaiting(self, recipients: Sequence[str]) -> list[str]:
        """Those of these recipients for whom anything waits, in whatever state."""
        found = {row[0] for row in _awaiting.all(self.unit, self.account, as_list(recipients))} if recipients else ()
        return [recipient for recipient in recipients if recipient in found]

    def of_message(self, message: str) -> Job | None:
        row = _of_message.first(self.unit, message, self.account)
        return JOB.value(row) if row else None

    def claim(self, connection: str, room: int, now: datetime) -> list[Due]:
        """At most `room` jobs that may go out now: keyword replies, then messages, in the order they fell due.

        A message waits for those before it to the same person from the same sender; a keyword reply waits for nothing.
        """
        rows = _claim_due.all(self.unit, connection, Purpose.KEYWORD_REPLY, now, room)
        if len(rows) < room:
            rows += _claim_due.all(self.unit, connection, Purpose.MESSAGE, now, room - len(rows))
        width = len(JOB.columns)
        return [
            Due(job=JOB.value(row[:width]), message=waiting_of(row[width:-1]), blocked=bool(row[-1])) for row in rows
        ]

    def next_due(self, connection: str) -> datetime | None:
        """When the next queued job falls due, or fell; None where nothing is queued."""
        rows = (_next_due.first(self.unit, connection, purpose) for purpose in Purpose)
        return min((row[0] for row in rows if row is not None), default=None)

    def under_way(self, connection: str) -> list[Job]:
        """Jobs that were claimed and have no answer, the oldest first."""
        query = JOB.select().where(_J.connection == connection, _J.state.in_(UNDER_WAY))
        return JOB.each(self._rows(query.order_by(_J.seq)))

    def write(self, attempts: Sequence[Attempt]) -> None:
        """Begin attempts at queued jobs: from the commit on their bytes may leave."""
        self._check_own(attempts)
        changed = _write.many(self.unit, [(attempt.message, self.account, attempt.id) for attempt in attempts])
        assert changed == len(attempts), "an attempt began at a job that was not queued"
        _add_attempts.many(self.unit, attempts)

    def lose(self, message: str) -> None:
        """The answer to a written job will not come: whether it left is unknown."""
        _lose.run(self.unit, message, self.account)

    def assign(self, message: str, *, sender: str, connection: str) -> None:
        _assign.run(self.unit, sender, connection, message, self.account)

    def waiting_senders(self, connection: str) -> list[tuple[str, str]]:
        """(account, sender) of what is queued for a connection, each once."""
        waiting = _J.connection == connection, _J.state == QUEUED, _J.sender.is_not(None)
        query = select(_J.account, _J.sender).where(*waiting).distinct()
        return [(row.account, row.sender) for row in self._rows(query)]

    def waiting(self, now: datetime) -> list[tuple[str, str, int]]:
        """(account, sender, how many) of what is queued and due. Walks the whole queue: for an engine, now and then."""
        waiting = _J.state == QUEUED, _J.sender.is_not(None), or_(_J.due_at <= now, _J.tries > 0)
        query = select(_J.account, _J.sender, func.count().label("many")).where(*waiting).group_by(_J.account, _J.sender)
        return [(row.account, row.sender, int(row.many)) for row in self._rows(query)]

    def reroute(self, sender: str, *, connection: str, now: datetime | None = None) -> int:
        """Only what is queued: no byte of it has left."""
        waiting = [_J.account == self.account, _J.sender == sender, _J.state == QUEUED, _J.connection != connection]
        if now is not None:
            waiting.append(or_(_J.due_at <= now, _J.tries > 0))
        return self._change(update(tables.jobs).where(*waiting).values(connection=connection))

    def fallen_due(self, connection: str, since: datetime | None, now: datetime, limit: int) -> list[Due]:
        """Scheduled messages whose time came after `since` and that nobody has claimed, in the order they fell due."""
        rows = _fallen_due.all(self.unit, connection, since or BEGINNING, now, limit)
        width = len(JOB.columns)
        return [
            Due(job=JOB.value(row[:width]), message=waiting_of(row[width:-1]), blocked=bool(row[-1])) for row in rows
        ]

    def requeue(self, message: str, due_at: datetime, *, tried: bool) -> None:
        """Back into the queue, without an attempt; `tried` counts it as a try."""
        _requeue.run(self.unit, due_at, int(tried), message, self.account)

    def remove(self, messages: Sequence[str]) -> None:
        _remove.many(self.unit, [(message, self.account) for message in messages])

    def attempt(self, id: str) -> Attempt | None:
        """In the transaction of no account, which is an engine's: the attempt of whichever account."""
        row = _attempt.first(self.unit, id)
        attempt = ATTEMPT.value(row) if row else None
        return attempt if attempt and self.account in ("", attempt.account) else None

    def attempts(self, message: str) -> list[Attempt]:
        """All tries of a message, the first one first."""
        query = ATTEMPT.select().where(_A.message == message, _A.account == self.account)
        return ATTEMPT.each(self._rows(query.order_by(_A.at, _A.id)))

    def messages_of(self, attempts: Sequence[str]) -> dict[str, Message]:
        """The message of each of these attempts, of whatever purpose, by the attempt's id. Deleted ones are left out.

        In the transaction of no account, which is an engine's: of whichever account.
        """
        rows = _messages_of.all(self.unit, as_list(attempts)) if attempts else ()
        found = {row[0]: MESSAGE.value(row[1:]) for row in rows}
        return {id: message for id, message in found.items() if self.account in ("", message.account)}

    def answer_attempt(
        self, id: str, state: str, now: datetime, *, reference: str | None = None, detail: str | None = None
    ) -> None:
        """Give an attempt its answer; whoever waits for it is told after the commit."""
        self.unit.answered = True
        _answer.run(self.unit, *_answer_of(state, now, reference, detail, id, self.account))

    def accept(self, taken: Sequence[tuple[str, str | None]], now: datetime) -> None:
        """`answer_attempt` for many that their carrier accepted, by id, each with its reference."""
        self.unit.answered = True
        _answer.many(self.unit, [_answer_of("accepted", now, named, None, id, self.account) for id, named in taken])

    def awaited(self, ids: Sequence[str]) -> set[str]:
        """Those of these attempts that are written, without an answer, and whose message stands as being sent."""
        return {row[0] for row in _awaited.all(self.unit, as_list(ids), self.account)}

    def has_orphans(self, connection: str) -> bool:
        """Whether any report of a connection waits for its message."""
        return _any_orphan.first(self.unit, connection) is not None

    def race(self, ids: Sequence[str]) -> None:
        """Mark attempts that were still under way when a STOP for them was acknowledged."""
        rows: list[Values] = [(id, self.account) for id in ids]
        _race.many(self.unit, rows)

    def by_reference(self, connection: str, reference: str) -> Attempt | None:
        """The newest attempt that the carrier gave this reference, of whichever account."""
        row = _by_reference.first(self.unit, connection, canonical(reference), reference)
        return ATTEMPT.value(row) if row else None

    def add_segments(self, segments: Sequence[Segment]) -> None:
        """What the carrier took of attempts in several segments. One that is there already stays as it is."""
        self._check_own(segments)
        _add_segments.many(self.unit, segments)

    def segments_named(self, connection: str, forms: Sequence[str], since: datetime) -> list[Segment]:
        """Segments of whichever account, taken since, that may be meant by an id in one of these forms."""
        return SEGMENT.each(_named.all(self.unit, connection, as_list(forms), since))

    def segments_of(self, attempt: str) -> list[Segment]:
        """In their order."""
        query = SEGMENT.select().where(_S.attempt == attempt, _S.account == self.account)
        return SEGMENT.each(self._rows(query.order_by(_S.number)))

    def report_segment(self, segment: Segment, status: Status, error_code: int | None, now: datetime) -> None:
        """Keep how far a segment has come, and the id it was reported under where it had none."""
        mine = _S.attempt == segment.attempt, _S.number == segment.number, _S.account == self.account
        named = {"reference": segment.reference, "form": segment.form}
        changed = {"status": status, "error_code": error_code, "reported_at": now, **named}
        self._change(update(tables.segments).where(*mine).values(changed))

    def half_reported(self, since: datetime, before: datetime, limit: int) -> list[tuple[str, str]]:
        """(account, attempt) of those that have receipts for some segments, the last of them in this span."""
        heard = select(_S.attempt).where(_S.total > 1, _S.reported_at > since, _S.reported_at < before).distinct()
        half = (
            select(_S.account, _S.attempt)
            .where(_S.attempt.in_(heard))
            .group_by(_S.account, _S.attempt)
            .having(func.count(_S.status) < func.max(_S.total), func.max(_S.reported_at) < before)
            .limit(limit)
        )
        return [(row.account, row.attempt) for row in self._rows(half)]

    def close_segments(self, attempt: str) -> None:
        """Wait for no further receipts: what was reported is all there is."""
        mine = _S.attempt == attempt, _S.account == self.account
        self._change(delete(tables.segments).where(*mine, _S.status.is_(None)))
        left = select(func.count()).select_from(tables.segments).where(*mine).scalar_subquery()
        self._change(update(tables.segments).where(*mine).values(total=left))

    def forget_segments(self, before: datetime, limit: int) -> int:
        """Forget at most `limit` segments taken before `before`, of all accounts; how many they were."""
        key = (_S.attempt, _S.number)
        old = select(*key).where(_S.created_at < before).limit(limit)
        return self._change(delete(tables.segments).where(tuple_(*key).in_(old)))

    def holding(self) -> list[str]:
        """Connections, also ones that are gone, for which something waits for an answer that never came."""
        return [row.connection for row in self._rows(select(_J.connection).where(_J.state == UNKNOWN).distinct())]

    def unknown_of(self, connection: str, recipient: str) -> list[Job]:
        """What may have left for a recipient and has no answer, of whichever account."""
        query = JOB.select().where(_J.connection == connection, _J.state == UNKNOWN, _J.recipient == recipient)
        return JOB.each(self._rows(query.order_by(_J.seq)))

    def add_orphan(self, report: DeliveryReport, now: datetime) -> None:
        row = {
            "connection": report.connection,
            "reference": report.reference,
            "status": report.status,
            "error_code": report.error_code,
            "at": report.at or now,
            "form": canonical(report.reference) if report.forms else report.reference,
            "sender": report.sender,
            "recipient": report.recipient,
            "hint": report.hint,
        }
        self.unit.connection.execute(tables.orphans.insert(), row)

    def take_orphans(self, connection: str, form: str) -> list[DeliveryReport]:
        """Reports that came before the answer they belong to, in the order they came. They are taken out.

        `form`: the reference, or, of what is reported by segment, its canonical form.
        """
        rows = _orphans.all(self.unit, connection, form)
        if rows:
            self._change(delete(tables.orphans).where(_O.connection == connection, _O.form == form))
        return [_orphan(row) for row in rows]

    def orphans_of(self, connection: str, recipient: str) -> list[DeliveryReport]:
        """Reports on what went to a recipient that have found no message yet, in the order they came."""
        query = select(*_ORPHAN).where(_O.connection == connection, _O.recipient == recipient)
        return [_orphan(row) for row in self._rows(query.order_by(_O.seq))]

    def drop_orphans(self, before: datetime, limit: int) -> int:
        """Give up at most `limit` reports that came before `before` and never found their message; how many they were."""
        orphans = tables.orphans.c
        old = select(orphans.seq).where(orphans.at < before).limit(limit)
        return self._change(delete(tables.orphans).where(orphans.seq.in_(old)))
