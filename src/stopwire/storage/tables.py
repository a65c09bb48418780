"""The schema, as SQLAlchemy metadata: one schema for both engines.

Instants are integer milliseconds since 1970 UTC. Values that are only kept and shown travel as JSON.
A promise is a constraint here: each UNIQUE below carries one.
"""

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.types import TypeDecorator

UTC = dt.UTC
EPOCH = dt.datetime(1970, 1, 1, tzinfo=UTC)


MILLISECOND = dt.timedelta(milliseconds=1)


def to_millis(at: dt.datetime) -> int:
    """Whole milliseconds since 1970 UTC of an aware instant."""
    return (at - EPOCH) // MILLISECOND


def from_millis(millis: int) -> dt.datetime:
    return EPOCH + dt.timedelta(milliseconds=millis)


def _bound(at: dt.datetime | None) -> int | None:
    return None if at is None else to_millis(at)


def _read(millis: int | None) -> dt.datetime | None:
    return None if millis is None else from_millis(millis)


class Instant(TypeDecorator[dt.datetime]):
    """An aware UTC datetime, kept as integer milliseconds."""

    impl = BigInteger
    cache_ok = True

    # Without the two calls that a TypeDecorator puts around each value: a message has a dozen of them.

    def bind_processor(self, dialect: Dialect) -> Callable[[dt.datetime | None], int | None]:
        return _bound

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[int | None], dt.datetime | None]:
        return _read


def _written(value: Any) -> str:
    try:
        return msgspec.json.encode(value).decode()
    except UnicodeEncodeError:  # half of a surrogate pair, which a stranger may send: no UTF-8 holds it, an escape does
        return json.dumps(value, ensure_ascii=True, separators=(",", ":"))


def _json(text: str | None) -> Any:
    if text is None or text == "{}":
        return None if text is None else {}  # most of them
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError):  # half of a surrogate pair, again
        return json.loads(text)


def _text(value: Any) -> str | None:
    if value is None or value == {}:
        return None if value is None else "{}"
    return _written(value)


class Json(TypeDecorator[Any]):
    """Any JSON value, kept as text."""

    impl = Text
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], str | None]:
        return _text

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[str | None], Any]:
        return _json


metadata = MetaData(naming_convention={"ix": "ix_%(table_name)s_%(column_0_N_name)s", "uq": "uq_%(table_name)s_%(column_0_N_name)s"})
Sid = String(34)
Row = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by itself only for INTEGER

accounts = Table(
    "accounts",
    metadata,
    Column("sid", Sid, primary_key=True),
    Column("friendly_name", Text, nullable=False),
    Column("auth_token", String(64), nullable=False),
    Column("status", String(16), nullable=False),
    Column("test_sid", Sid, nullable=False, unique=True),
    Column("test_token", String(64), nullable=False),
    Column("ledger_key", String(64), nullable=False),
    Column("settings", Json, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("version", Row, nullable=False),  # of its configuration; a number is never used twice while a process runs
    Column("secondary_token", String(64)),
    Column("secondary_token_at", Instant),
)

keys = Table(
    "keys",
    metadata,
    Column("sid", Sid, primary_key=True),
    Column("account", Sid, nullable=False, index=True),
    Column("friendly_name", Text, nullable=False),
    Column("secret_digest", String(64), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
)

services = Table(
    "services",
    metadata,
    Column("sid", Sid, primary_key=True),
    Column("account", Sid, nullable=False, index=True),
    Column("friendly_name", Text, nullable=False),
    Column("fields", Json, nullable=False),  # every other setting, by its name
    Column("policy_version", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
)

policies = Table(  # each version of each policy; rows are only added
    "policies",
    metadata,
    Column("service", Sid, nullable=False),
    Column("version", Integer, nullable=False),
    Column("account", Sid, nullable=False),
    Column("policy", Json, nullable=False),
    Column("actor", Text, nullable=False),
    Column("note", Text),
    Column("created_at", Instant, nullable=False),
    PrimaryKeyConstraint("service", "version"),
)

connections = Table(
    "connections",
    metadata,
    Column("sid", Sid, primary_key=True),
    Column("account", Sid, nullable=False),
    Column("name", Text, nullable=False),
    Column("type", String(32), nullable=False),
    Column("settings", Json, nullable=False),
    Column("secrets", Json, nullable=False),  # each sealed by the vault
    Column("opt_out_by", String(8), nullable=False),
    Column("paused", Boolean, nullable=False),
    Column("origin", String(8), nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    UniqueConstraint("account", "name"),
)

refused_pushes = Table(  # pushes of providers whose signature did not fit, until the secret is put right
    "refused_pushes",
    metadata,
    Column("id", Sid, primary_key=True),
    Column("account", Sid, nullable=False),
    Column("connection", Sid, nullable=False),
    Column("at", Instant, nullable=False),
    Column("version", Integer, nullable=False),
    Column("problem", Text, nullable=False),
    Column("sealed", Text, nullable=False),
    Index("ix_refused_pushes_connection_at", "connection", "at"),
    Index("ix_refused_pushes_at", "at"),
)

_ANSWERABLE = text("kind <> 'alphanumeric'")

senders = Table(
    "senders",
    metadata,
    Column("sid", Sid, primary_key=True),
    Column("account", Sid, nullable=False, index=True),
    Column("address", Text, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("country", String(2)),
    Column("friendly_name", Text, nullable=False),
    Column("service", Sid),
    Column("connection", Text, nullable=False),
    Column("inherited", Json, nullable=False),
    Column("webhook", Json, nullable=False),
    Column("default_opt_out", Boolean),
    Column("mms", Boolean, nullable=False),
    Column("mps", Float),
    Column("settings", Json, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("joined_at", Instant),
    UniqueConstraint("account", "address"),
    # An address that can be answered has one owner. A name cannot: many may sign as INFO.
    Index("ix_senders_address", "address", unique=True, sqlite_where=_ANSWERABLE, postgresql_where=_ANSWERABLE),
)

former_holders = Table(  # what a deleted sender answered to: who gets its address again inherits its blocks
    "former_holders",
    metadata,
    Column("account", Sid, nullable=False),
    Column("address", Text, nullable=False),
    Column("holders", Json, nullable=False),
    PrimaryKeyConstraint("account", "address"),
)

sticky = Table(  # which sender of a service a person knows
    "sticky",
    metadata,
    Column("service", Sid, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("account", Sid, nullable=False),
    Column("sender", Sid, nullable=False),
    PrimaryKeyConstraint("service", "recipient"),
    Index("ix_sticky_sender", "sender"),
)

_SCHEDULED = text("status = 'scheduled'")

messages = Table(
    "messages",
    metadata,
    Column("seq", Row, primary_key=True, autoincrement=True),
    Column("sid", Sid, nullable=False, unique=True),
    Column("account", Sid, nullable=False),
    Column("direction", String(16), nullable=False),
    Column("purpose", String(16), nullable=False),
    Column("sender", Text),
    Column("recipient", Text, nullable=False),
    Column("service", Sid),
    Column("body", Text, nullable=False),
    Column("status", String(16), nullable=False),
    Column("segments", Integer, nullable=False),
    Column("media", Integer, nullable=False),
    Column("error_code", Integer),
    Column("status_callback", Text),
    Column("callback_method", String(4), nullable=False),
    Column("send_at", Instant),
    Column("expires_at", Instant),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("sent_at", Instant),
    Column("options", Json, nullable=False),
    Column("decision", Json, nullable=False),
    Index("ix_messages_account_seq", "account", "seq"),
    Index("ix_messages_account_recipient", "account", "recipient", "seq"),
    Index("ix_messages_account_sender", "account", "sender", "seq"),
    Index("ix_messages_scheduled", "account", "status", sqlite_where=_SCHEDULED, postgresql_where=_SCHEDULED),
)

media = Table(
    "media",
    metadata,
    Column("seq", Row, primary_key=True, autoincrement=True),
    Column("sid", Sid, nullable=False, unique=True),
    Column("account", Sid, nullable=False),
    Column("message", Sid, nullable=False, index=True),
    Column("content_type", Text, nullable=False),
    Column("url", Text),
    Column("bytes", LargeBinary),
    Column("created_at", Instant, nullable=False),
)

feedback = Table(
    "feedback",
    metadata,
    Column("message", Sid, primary_key=True),
    Column("account", Sid, nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
)

refusals = Table(
    "refusals",
    metadata,
    Column("seq", Row, primary_key=True, autoincrement=True),
    Column("id", Sid, nullable=False, unique=True),
    Column("account", Sid, nullable=False),
    Column("at", Instant, nullable=False),
    Column("code", Integer, nullable=False),
    Column("sender", Text),
    Column("service", Text),
    Column("recipient", Text),
    Column("because", Json),
    Index("ix_refusals_account_seq", "account", "seq"),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("account", Sid, nullable=False),
    Column("key", Text, nullable=False),
    Column("fingerprint", String(64), nullable=False),
    Column("answer", Json, nullable=False),
    Column("created_at", Instant, nullable=False, index=True),
    PrimaryKeyConstraint("account", "key"),
)

received = Table(  # what a carrier delivered, so that a repeat is known
    "received",
    metadata,
    Column("connection", Text, nullable=False),
    Column("reference", Text, nullable=False),
    Column("account", Sid, nullable=False),
    Column("message", Sid),
    Column("at", Instant, nullable=False, index=True),
    Column("said", Text),  # a digest of the text, where the reference names only who wrote to whom
    PrimaryKeyConstraint("connection", "reference", "account"),
)

parts = Table(  # parts of a long inbound text, until all are there
    "parts",
    metadata,
    Column("account", Sid, nullable=False),
    Column("connection", Text, nullable=False),
    Column("sender", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("reference", Integer, nullable=False),
    Column("total", Integer, nullable=False),
    Column("part", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Column("octets", LargeBinary),
    Column("alphabet", String(8)),
    Column("at", Instant, nullable=False),
    PrimaryKeyConstraint("connection", "recipient", "sender", "reference", "total", "part"),
)

submitted = Table(  # parts of a long text that a bound customer submits, until all are there
    "submitted",
    metadata,
    Column("account", Sid, nullable=False),
    Column("sender", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("reference", String(16), nullable=False),
    Column("total", Integer, nullable=False),
    Column("part", Integer, nullable=False),
    Column("octets", LargeBinary, nullable=False),
    Column("alphabet", String(8), nullable=False),
    Column("registered", Integer, nullable=False),
    Column("message", Sid, nullable=False),
    Column("taken_at", Instant),
    Column("at", Instant, nullable=False, index=True),
    PrimaryKeyConstraint("account", "sender", "recipient", "reference", "total", "part"),
)

jobs = Table(  # messages on their way to a carrier; a row is deleted when its message has its answer
    "jobs",
    metadata,
    Column("seq", Row, primary_key=True, autoincrement=True),
    Column("message", Sid, nullable=False, unique=True),
    Column("account", Sid, nullable=False),
    Column("connection", Text, nullable=False),
    Column("sender", Sid),  # None: the service chooses when the time comes
    Column("service", Sid),
    Column("recipient", Text, nullable=False),
    Column("purpose", String(16), nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("expires_at", Instant),
    Column("state", String(8), nullable=False),  # queued | written | unknown
    Column("attempt", Sid),
    Column("tries", Integer, nullable=False),
    Index("ix_jobs_connection_state_purpose_due", "connection", "state", "purpose", "due_at", "seq"),
    Index("ix_jobs_account_recipient", "account", "recipient", "seq"),
)

attempts = Table(  # every try to hand a message to a carrier, recorded before it is made
    "attempts",
    metadata,
    Column("id", Sid, primary_key=True),
    Column("account", Sid, nullable=False),
    Column("message", Sid, nullable=False, index=True),
    Column("connection", Text, nullable=False),
    Column("state", String(10), nullable=False),
    Column("at", Instant, nullable=False),
    Column("answered_at", Instant),
    Column("reference", Text),
    Column("form", Text),  # the reference in canonical form; none where each segment has its own
    Column("detail", Text),
    Column("raced", Boolean, nullable=False),
    Index("ix_attempts_connection_form", "connection", "form", "at"),
)

_OF_SEVERAL = text("total > 1")

segments = Table(  # what a carrier took of an attempt in several segments, where it reports on each
    "segments",
    metadata,
    Column("attempt", Sid, nullable=False),
    Column("number", Integer, nullable=False),
    Column("total", Integer, nullable=False),
    Column("account", Sid, nullable=False),
    Column("connection", Text, nullable=False),
    Column("reference", Text, nullable=False),
    Column("form", Text, nullable=False),  # the reference in canonical form
    Column("sender", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("status", String(16)),
    Column("error_code", Integer),
    Column("created_at", Instant, nullable=False, index=True),
    Column("reported_at", Instant),
    PrimaryKeyConstraint("attempt", "number"),
    Index("ix_segments_connection_form", "connection", "form"),
    Index("ix_segments_reported", "reported_at", sqlite_where=_OF_SEVERAL, postgresql_where=_OF_SEVERAL),
)

orphans = Table(  # delivery reports that came before their answer
    "orphans",
    metadata,
    Column("seq", Row, primary_key=True, autoincrement=True),
    Column("connection", Text, nullable=False),
    Column("reference", Text, nullable=False),
    Column("status", String(16), nullable=False),
    Column("error_code", Integer),
    Column("at", Instant, nullable=False),
    Column("form", Text, nullable=False),  # the reference in canonical form
    Column("sender", Text),
    Column("recipient", Text),
    Column("hint", Integer),  # the 16 bits of an attempt that the carrier handed back
    Index("ix_orphans_connection_form", "connection", "form"),
)

consent_events = Table(  # the ledger: append-only, by trigger
    "consent_events",
    metadata,
    Column("account", Sid, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("id", Sid, nullable=False, unique=True),
    Column("holder", Sid, nullable=False),
    Column("grp", String(8), nullable=False),
    Column("recipient_digest", String(64), nullable=False),
    Column("act", String(16), nullable=False),
    Column("reason", String(16)),
    Column("actor", Text, nullable=False),
    Column("occurred_at", Instant, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("message", Sid),
    Column("text_digest", String(64)),
    Column("word", Text),
    Column("rule", Text),
    Column("language", Text),
    Column("country", String(2)),
    Column("policy_version", Integer),
    Column("previous", Sid),
    Column("reference", Text),
    Column("source", Text),
    Column("previous_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    PrimaryKeyConstraint("account", "seq"),
    Index("ix_consent_events_account_recipient", "account", "recipient_digest", "seq"),
    Index("ix_consent_events_message", "message"),
    Index("ix_consent_events_account_act", "account", "act", "seq"),
)

consent_people = Table(  # the readable half of the ledger, which can be erased
    "consent_people",
    metadata,
    Column("account", Sid, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("text", Text),
    Column("note", Text),
    PrimaryKeyConstraint("account", "seq"),
    Index("ix_consent_people_account_recipient", "account", "recipient", "seq"),
)

ledger_heads = Table(
    "ledger_heads",
    metadata,
    Column("account", Sid, primary_key=True),
    Column("events", BigInteger, nullable=False),
    Column("hash", String(64), nullable=False),
)

blocks = Table(  # who is blocked now: the fold of the ledger
    "blocks",
    metadata,
    Column("account", Sid, nullable=False),
    Column("grp", String(8), nullable=False),
    Column("recipient", Text, nullable=False),
    Column("holder", Sid, nullable=False),
    Column("seq", BigInteger, nullable=False),  # ledger row that made it: the order of the list
    Column("id", Sid, nullable=False, unique=True),
    Column("reason", String(16), nullable=False),
    Column("since", Instant, nullable=False),
    Column("actor", Text, nullable=False),
    Column("note", Text),
    Column("event", Sid, nullable=False),
    PrimaryKeyConstraint("account", "grp", "recipient", "holder"),  # blocked at most once in a scope
    Index("ix_blocks_account_seq", "account", "seq"),
    Index("ix_blocks_account_reason", "account", "reason", "seq"),
    Index("ix_blocks_account_ending", "account", text("substr(recipient, -4)"), "seq"),
)

replies = Table(  # automatic replies: one a transition, and what the loop fence counts
    "replies",
    metadata,
    Column("message", Sid, primary_key=True),
    Column("account", Sid, nullable=False),
    Column("event", Sid, nullable=False),
    Column("keyword", String(8), nullable=False),
    Column("sender", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("at", Instant, nullable=False),
    UniqueConstraint("event", "keyword"),  # one confirmation a transition
    Index("ix_replies_account_recipient", "account", "recipient", "at"),
)

_OPEN = text("state = 'open'")

suggestions = Table(
    "suggestions",
    metadata,
    Column("seq", Row, primary_key=True, autoincrement=True),
    Column("id", Sid, nullable=False, unique=True),
    Column("account", Sid, nullable=False),
    Column("state", String(10), nullable=False),
    Column("recipient", Text, nullable=False),
    Column("sender", Text, nullable=False),
    Column("scope", Sid, nullable=False),
    Column("message", Sid),
    Column("body", Text, nullable=False),
    Column("proposes", String(8), nullable=False),
    Column("reason", String(16), nullable=False),
    Column("confidence", Float, nullable=False),
    Column("evidence", Json, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("decided_by", Text),
    Column("decided_at", Instant),
    Column("note", Text),
    Index("ix_suggestions_account_seq", "account", "seq"),
    Index("ix_suggestions_due", "account", "due_at", sqlite_where=_OPEN, postgresql_where=_OPEN),
)

deliveries = Table(  # webhooks: one row an event, kept as the log
    "deliveries",
    metadata,
    Column("seq", Row, primary_key=True, autoincrement=True),
    Column("id", Sid, nullable=False, unique=True),
    Column("account", Sid, nullable=False),
    Column("event", String(16), nullable=False),  # inbound | status
    Column("message", Sid, nullable=False, index=True),
    Column("url", Text, nullable=False),
    Column("host", Text, nullable=False),  # of the URL, in lower case, without a port
    Column("method", String(4), nullable=False),
    Column("fallback_url", Text, nullable=False),
    Column("fallback_method", String(4), nullable=False),
    Column("params", Json, nullable=False),
    Column("token", String(36), nullable=False),  # I-Twilio-Idempotency-Token
    Column("state", String(10), nullable=False),  # pending | sending | delivered | failed | expired
    Column("rounds", Integer, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("answered", Boolean, nullable=False),  # its TwiML has been carried out: only the first answer is
    Column("lane", Text, nullable=False, server_default=""),  # told one after another; "" for what need not be
    Index("ix_deliveries_state_due", "state", "due_at", "seq"),
    Index("ix_deliveries_account_seq", "account", "seq"),
    Index("ix_deliveries_lane", "lane", "seq", sqlite_where=text("lane <> ''"), postgresql_where=text("lane <> ''")),
)

delivery_attempts = Table(
    "delivery_attempts",
    metadata,
    Column("seq", Row, primary_key=True, autoincrement=True),
    Column("delivery", Sid, nullable=False, index=True),
    Column("account", Sid, nullable=False),
    Column("at", Instant, nullable=False),
    Column("ms", Integer, nullable=False),
    Column("request", Json, nullable=False),
    Column("response", Json),
    Column("error", Text),
    Column("code", Integer),
)

imports = Table(
    "imports",
    metadata,
    Column("id", Sid, primary_key=True),
    Column("account", Sid, nullable=False, index=True),
    Column("state", String(8), nullable=False),
    Column("rows", Integer, nullable=False),
    Column("taken", Integer, nullable=False),
    Column("skipped", Integer, nullable=False),
    Column("wrong", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
)

import_rows = Table(
    "import_rows",
    metadata,
    Column("import", Sid, nullable=False),
    Column("row", Integer, nullable=False),
    Column("account", Sid, nullable=False),
    Column("recipient", Text),
    Column("state", String(8), nullable=False),
    Column("error", Text),
    PrimaryKeyConstraint("import", "row"),
)

contacts = Table(
    "contacts",
    metadata,
    Column("account", Sid, nullable=False),
    Column("contact", Text, nullable=False),
    Column("country", String(2)),
    Column("zip_code", Text),
    Column("updated_at", Instant, nullable=False),
    PrimaryKeyConstraint("account", "contact"),
)

safe_numbers = Table(
    "safe_numbers",
    metadata,
    Column("account", Sid, nullable=False),
    Column("number", Text, nullable=False),
    Column("sid", Sid, nullable=False, unique=True),
    PrimaryKeyConstraint("account", "number"),
)

handset_messages = Table(  # the simulator's memory: what each handset sent and received
    "handset_messages",
    metadata,
    Column("seq", Row, primary_key=True, autoincrement=True),
    Column("id", Sid, nullable=False, unique=True),
    Column("account", Sid, nullable=False),
    Column("handset", Text, nullable=False),
    Column("direction", String(4), nullable=False),
    Column("peer", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("kind", String(12), nullable=False),
    Column("media", Json, nullable=False),
    Column("attempt", Sid, unique=True),  # a part handed over twice reaches the handset once
    Column("message", Sid),
    Column("report", String(24)),  # what the network still has to report of it
    Index("ix_handset_messages_account_handset", "account", "handset", "seq"),
    Index(
        "ix_handset_messages_report",
        "report",
        sqlite_where=text("report IS NOT NULL"),
        postgresql_where=text("report IS NOT NULL"),
    ),
)

handset_transit = Table(  # what the simulator's network still has of a text: it is late, or its handset is off
    "handset_transit",
    metadata,
    Column("seq", Row, primary_key=True, autoincrement=True),
    Column("id", Sid, nullable=False, unique=True),
    Column("account", Sid, nullable=False),
    Column("handset", Text, nullable=False),
    Column("direction", String(4), nullable=False),
    Column("peer", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("kind", String(12), nullable=False),
    Column("media", Json, nullable=False),
    Column("attempt", Sid, unique=True),
    Column("message", Sid),
    Column("due_at", Instant, nullable=False, index=True),
    Column("expires_at", Instant),
    Column("onward", Json, nullable=False),  # how a text of a handset reaches us
    Index("ix_handset_transit_account_handset", "account", "handset"),
)

tallies = Table(  # how many of each there were, by the hour: what figures are added up from
    "tallies",
    metadata,
    Column("row", Row, primary_key=True, autoincrement=True),
    Column("account", Sid, nullable=False),
    Column("kind", String(8), nullable=False),  # messages | events | refusals
    Column("first", BigInteger, nullable=False),  # of the piece that was counted
    Column("hour", BigInteger, nullable=False),  # since 1970 UTC
    Column("inbound", Boolean, nullable=False),
    Column("service", Sid),
    Column("state", String(16), nullable=False),
    Column("code", Integer),
    Column("country", String(2)),
    Column("zone", Text),  # of the person's number
    Column("count", Integer, nullable=False),
    Index("ix_tallies_account_kind_hour", "account", "kind", "hour"),
    Index("ix_tallies_account_kind_first", "account", "kind", "first"),
)

tally_pieces = Table(  # runs of rows that are counted in the tallies; what comes after the last is counted when asked
    "tally_pieces",
    metadata,
    Column("account", Sid, nullable=False),
    Column("kind", String(8), nullable=False),
    Column("first", BigInteger, nullable=False),
    Column("last", BigInteger, nullable=False),
    Column("newest_at", Instant, nullable=False),
    Column("due_at", Instant),  # when it is counted again, for its messages may have moved
    PrimaryKeyConstraint("account", "kind", "first"),
)

receptions = Table(  # how the simulator's network reaches a handset, where that is not as usual
    "receptions",
    metadata,
    Column("account", Sid, nullable=False),
    Column("handset", Text, nullable=False),
    Column("switched_on", Boolean, nullable=False),
    Column("delay_seconds", Float, nullable=False),
    Column("loss", Float, nullable=False),
    Column("duplicates", Float, nullable=False),
    PrimaryKeyConstraint("account", "handset"),
)

network_blocks = Table(  # the toll-free network's own list
    "network_blocks",
    metadata,
    Column("sender", Text, nullable=False),
    Column("handset", Text, nullable=False),
    PrimaryKeyConstraint("sender", "handset"),
)

users = Table(  # the team
    "users",
    metadata,
    Column("sid", Sid, primary_key=True),
    Column("account", Sid, nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("folded_name", Text, nullable=False, unique=True),  # one owner of a name, whatever its case
    Column("password", Text, nullable=False),
    Column("role", String(8), nullable=False),
    Column("reveal", Boolean, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
)

sessions = Table(  # one-time sign-in links, and browsers that are signed in
    "sessions",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("id", Sid, nullable=False, unique=True),
    Column("account", Sid, nullable=False, index=True),
    Column("kind", String(8), nullable=False),
    Column("user", Sid, index=True),
    Column("created_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False, index=True),
    Column("used_at", Instant),
    Column("agent", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("revealed", Text),
    Column("revealed_until", Instant),
)

audit = Table(  # who did what in the console; rows are only added
    "audit",
    metadata,
    Column("seq", Row, primary_key=True, autoincrement=True),
    Column("id", Sid, nullable=False, unique=True),
    Column("account", Sid, nullable=False),
    Column("at", Instant, nullable=False),
    Column("actor", Text, nullable=False),
    Column("act", String(40), nullable=False),
    Column("subject", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("detail", Json, nullable=False),
    Index("ix_audit_account_seq", "account", "seq"),
    Index("ix_audit_act_at", "act", "at"),
)

_NOT_OVER = text("state <> 'over'")

alerts = Table(  # what fired, until it was over
    "alerts",
    metadata,
    Column("seq", Row, primary_key=True, autoincrement=True),
    Column("id", Sid, nullable=False, unique=True),
    Column("account", Sid, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("subject", Text, nullable=False),  # a connection, a sender, a block of numbers; "" for the account
    Column("state", String(8), nullable=False),  # firing | taken | muted | over
    Column("since", Instant, nullable=False),
    Column("figures", Json, nullable=False),
    Column("muted_until", Instant),
    Column("taken_by", Text),
    Column("taken_at", Instant),
    Column("calm_since", Instant),
    Column("over_at", Instant),
    Index("ix_alerts_account_seq", "account", "seq"),
    # Of one thing there is one alert at a time.
    Index("ix_alerts_standing", "account", "kind", "subject", unique=True, sqlite_where=_NOT_OVER, postgresql_where=_NOT_OVER),
)

alert_rules = Table(  # how rules of an account differ from their defaults
    "alert_rules",
    metadata,
    Column("account", Sid, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("switched_on", Boolean, nullable=False),
    Column("threshold", Float),
    Column("window_minutes", Integer),
    Column("at_least", Integer),
    Column("actor", Text, nullable=False),
    Column("updated_at", Instant, nullable=False),
    PrimaryKeyConstraint("account", "kind"),
)

alert_mutes = Table(  # what nobody wants to hear of until a time
    "alert_mutes",
    metadata,
    Column("account", Sid, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("subject", Text, nullable=False),  # "" mutes the whole kind
    Column("until", Instant, nullable=False),
    Column("actor", Text, nullable=False),
    Column("at", Instant, nullable=False),
    PrimaryKeyConstraint("account", "kind", "subject"),
)
