"""Rows and values: how each table's row becomes a value of the core, and back.

One `Shape` a table. Types of columns (instants, JSON) are the business of `tables.py`; nothing here runs a statement.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from operator import attrgetter
from typing import Any, Generic, TypeVar

from sqlalchemy import Column, Select, Table, select

from stopwire.core import policy as policies
from stopwire.core.address import ChannelGroup, SenderKind
from stopwire.core.alerts import Alert, Change, Kind, Mute, State
from stopwire.core.bound import SubmittedPart
from stopwire.core.chaos import Reception
from stopwire.core.connections import Connection, OptOutBy
from stopwire.core.consent import Act, Block, ConsentEvent, Reason, SealedEvent
from stopwire.core.jobs import Attempt, Delivery, DeliveryAttempt, HandsetMessage, Job, Refusal, Review, Transit
from stopwire.core.message import Direction, Media, Message, Purpose, Status, Waiting
from stopwire.core.policy import OptOutPolicy
from stopwire.core.receipts import Segment
from stopwire.core.roles import Role
from stopwire.core.senders import Account, AccountSettings, Sender, Service, Webhook
from stopwire.ports.push import RefusedPush
from stopwire.ports.store import AuditRow, Contact, Feedback, Import, ImportRow, Key, SafeNumber, Session, User
from stopwire.storage import tables

T = TypeVar("T")
Made = Callable[[Any], Any]
# The purpose of a deleted message: it leaves its empty row, for whoever reads the list page by page goes on from there.
DELETED = "deleted"


class Shape(Generic[T]):
    """How the rows of one table and the values of one type are made of each other.

    `names`: column → field, where they differ. `reads`, `writes`: what a column's value passes on its way.
    `without`: columns that are no field.
    """

    def __init__(
        self,
        table: Table,
        type_: Callable[..., T],
        *,
        names: Mapping[str, str] | None = None,
        reads: Mapping[str, Made] | None = None,
        writes: Mapping[str, Made] | None = None,
        without: Sequence[str] = (),
    ) -> None:
        self.table = table
        self.columns: tuple[Column[Any], ...] = tuple(c for c in table.c if c.name not in without)
        place = {c.name: i for i, c in enumerate(self.columns)}
        self._fields = tuple((names or {}).get(c.name, c.name) for c in self.columns)
        self._get = attrgetter(*self._fields)
        self._type = type_
        self._reads = [(place[name], made) for name, made in (reads or {}).items()]
        self._writes = [(place[name], made) for name, made in (writes or {}).items()]

    def select(self) -> Select[Any]:
        """The columns of a value, in their order."""
        return select(*self.columns)

    def values(self, value: T) -> tuple[Any, ...]:
        """The row of `value`, in the order of the columns."""
        row: tuple[Any, ...] = self._get(value)
        if not self._writes:
            return row
        ready = list(row)
        for i, made in self._writes:
            ready[i] = made(ready[i])
        return tuple(ready)

    def row(self, value: T) -> dict[str, Any]:
        """The row of `value`, by column."""
        return dict(zip((c.name for c in self.columns), self.values(value), strict=True))

    def value(self, row: Sequence[Any]) -> T:
        ready = dict(zip(self._fields, row, strict=True))
        for i, made in self._reads:
            name = self._fields[i]
            ready[name] = made(ready[name])
        return self._type(**ready)

    def each(self, rows: Iterable[Sequence[Any]]) -> list[T]:
        return [self.value(row) for row in rows]


def _settings(plain: Mapping[str, Any]) -> AccountSettings:
    """What is stored and still known: an older program's settings are read by a newer one, and the other way round."""
    known = {f.name: plain[f.name] for f in fields(AccountSettings) if f.name in plain}
    lists: dict[str, Any] = {name: tuple(value) for name, value in known.items() if isinstance(value, list)}
    return AccountSettings(**known | lists)


KEY = Shape(tables.keys, Key)
ACCOUNT = Shape(tables.accounts, Account, reads={"settings": _settings}, writes={"settings": asdict}, without=("version",))
SENDER = Shape(
    tables.senders,
    Sender,
    reads={"kind": SenderKind, "inherited": tuple, "webhook": lambda plain: Webhook(**plain)},
    writes={"webhook": asdict, "settings": dict},
)
CONNECTION = Shape(
    tables.connections,
    Connection,
    reads={"opt_out_by": OptOutBy},
    writes={"settings": dict},
    without=("secrets",),
)
SUBMITTED = Shape(tables.submitted, SubmittedPart, without=("at",))
REFUSED_PUSH = Shape(tables.refused_pushes, RefusedPush)
MESSAGE = Shape(
    tables.messages,
    Message,
    reads={"direction": Direction, "purpose": Purpose, "status": Status},
    writes={"options": dict, "decision": dict},
    without=("seq",),
)
MEDIA = Shape(tables.media, Media, names={"bytes": "bytes_"}, without=("seq", "account"))
FEEDBACK = Shape(tables.feedback, Feedback)
REFUSAL = Shape(tables.refusals, Refusal, without=("seq",))
JOB = Shape(tables.jobs, Job, reads={"purpose": Purpose})
NEW_JOB = Shape(tables.jobs, Job, without=("seq",))  # the row gets its number by itself
ATTEMPT = Shape(tables.attempts, Attempt)
SEGMENT = Shape(tables.segments, Segment, reads={"status": lambda status: None if status is None else Status(status)})
BLOCK = Shape(
    tables.blocks,
    Block,
    names={"grp": "group"},
    reads={"grp": ChannelGroup, "reason": Reason},
    without=("account", "seq"),
)
DELIVERY = Shape(tables.deliveries, Delivery, writes={"params": dict}, without=("seq", "host"))
DELIVERY_ATTEMPT = Shape(tables.delivery_attempts, DeliveryAttempt, without=("seq", "account"))
REVIEW = Shape(tables.suggestions, Review, reads={"evidence": tuple}, without=("seq",))
HANDSET_MESSAGE = Shape(tables.handset_messages, HandsetMessage, reads={"media": tuple}, without=("seq",))
TRANSIT = Shape(tables.handset_transit, Transit, reads={"media": tuple}, writes={"onward": dict}, without=("seq",))
RECEPTION = Shape(tables.receptions, Reception, names={"switched_on": "on"}, without=("account", "handset"))
CONTACT = Shape(tables.contacts, Contact, without=("account",))
SAFE_NUMBER = Shape(tables.safe_numbers, SafeNumber, without=("account",))
IMPORT = Shape(tables.imports, Import)
IMPORT_ROW = Shape(tables.import_rows, ImportRow, without=("import", "account"))
USER = Shape(tables.users, User, reads={"role": Role}, without=("folded_name",))
SESSION = Shape(tables.sessions, Session)
AUDIT = Shape(tables.audit, AuditRow, writes={"detail": dict}, without=("seq",))
ALERT = Shape(tables.alerts, Alert, reads={"kind": Kind, "state": State}, writes={"figures": dict}, without=("seq",))
ALERT_RULE = Shape(tables.alert_rules, Change, names={"switched_on": "on"}, reads={"kind": Kind})
ALERT_MUTE = Shape(tables.alert_mutes, Mute, reads={"kind": Kind})

_M = tables.messages.c
WAITING_COLUMNS = (_M.sid, _M.sender, _M.recipient, _M.body, _M.status, _M.purpose, _M.media, _M.status_callback, _M.options)


def waiting_of(row: Sequence[Any]) -> Waiting | None:
    """What handing over needs of a message, of its WAITING_COLUMNS; None where an outer join found none."""
    if row[0] is None:
        return None
    return Waiting(
        sid=row[0],
        sender=row[1],
        recipient=row[2],
        body=row[3],
        status=Status(row[4]),
        purpose=Purpose(row[5]),
        media=row[6],
        told=bool(row[7] or row[8]),
    )


_SERVICE_COLUMNS = frozenset({"sid", "account", "friendly_name", "policy", "policy_version", "created_at", "updated_at"})
_SERVICE_FIELDS = tuple(f.name for f in fields(Service) if f.name not in _SERVICE_COLUMNS)


def service_row(service: Service) -> dict[str, Any]:
    """The row of a messaging service; its policy has a table of its own."""
    return {
        "sid": service.sid,
        "account": service.account,
        "friendly_name": service.friendly_name,
        "fields": {name: getattr(service, name) for name in _SERVICE_FIELDS},
        "policy_version": service.policy_version,
        "created_at": service.created_at,
        "updated_at": service.updated_at,
    }


def service_of(row: Mapping[Any, Any]) -> Service:
    """A messaging service, of its row joined with the policy in force."""
    return Service(
        sid=row["sid"],
        account=row["account"],
        friendly_name=row["friendly_name"],
        policy=policy_of(row["policy"]),
        policy_version=row["policy_version"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        **{name: row["fields"][name] for name in _SERVICE_FIELDS if name in row["fields"]},
    )


def policy_of(data: object) -> OptOutPolicy:
    policy, problems = policies.from_data(data)
    if policy is None:
        told = "; ".join(f"{problem.path}: {problem.message}" for problem in problems)
        raise ValueError(f"A stored opt-out policy cannot be read ({told}). It was written by another version of Stopwire.")
    return policy


_EVENT_COLUMNS = tuple(
    name
    for name in (c.name for c in tables.consent_events.c)
    if name not in ("account", "seq", "grp", "recipient_digest", "text_digest", "previous_hash", "hash")
)


def event_of(row: Mapping[Any, Any]) -> SealedEvent:
    """A sealed event, of its row joined with its readable half, which may have been erased."""
    plain = {name: row[name] for name in _EVENT_COLUMNS}
    plain["act"] = Act(plain["act"])
    plain["reason"] = None if plain["reason"] is None else Reason(plain["reason"])
    return SealedEvent(
        seq=row["seq"],
        event=ConsentEvent(
            **plain, group=ChannelGroup(row["grp"]), recipient=row["recipient"] or "", text=row["text"], note=row["note"]
        ),
        recipient_digest=row["recipient_digest"],
        text_digest=row["text_digest"],
        previous_hash=row["previous_hash"],
        hash=row["hash"],
    )
