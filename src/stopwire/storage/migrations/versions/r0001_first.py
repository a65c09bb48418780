"""The first schema, as it was released. Frozen: what changes later is a step of its own."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

ROW = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # SQLite numbers rows by itself only for INTEGER

APPEND_ONLY = (
    ("consent_events", "UPDATE"),
    ("consent_events", "DELETE"),
    ("policies", "UPDATE"),
    ("audit", "UPDATE"),
    ("audit", "DELETE"),
)


def upgrade() -> None:
    """Create every table, index and trigger."""
    _tables()
    if op.get_bind().dialect.name == "sqlite":
        for table, verb in APPEND_ONLY:
            op.execute(f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END")


def _tables() -> None:
    op.create_table(
        "accounts",
        sa.Column("sid", sa.String(length=34), nullable=False),
        sa.Column("friendly_name", sa.Text(), nullable=False),
        sa.Column("auth_token", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("test_sid", sa.String(length=34), nullable=False),
        sa.Column("test_token", sa.String(length=64), nullable=False),
        sa.Column("ledger_key", sa.String(length=64), nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("version", ROW, nullable=False),
        sa.PrimaryKeyConstraint("sid"),
        sa.UniqueConstraint("test_sid", name=op.f("uq_accounts_test_sid")),
    )
    op.create_table(
        "attempts",
        sa.Column("id", sa.String(length=34), nullable=False),
        sa.Column("account", sa.String(length=34), nullable=False),
        sa.Column("message", sa.String(length=34), nullable=False),
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("answered_at", sa.BigInteger(), nullable=True),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("raced", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_attempts_connection_reference", "attempts", ["connection", "reference", "at"], unique=False)
    op.create_index(op.f("ix_attempts_message"), "attempts", ["message"], unique=False)
    op.create_table(
        "audit",
        sa.Column("seq", ROW, autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=34), nullable=False),
        sa.Column("account", sa.String(length=34), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("act", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("id", name=op.f("uq_audit_id")),
    )
    op.create_index("ix_audit_account_seq", "audit", ["account", "seq"], unique=False)
    op.create_index("ix_audit_act_at", "audit", ["act", "at"], unique=False)
    op.create_table(
        "blocks",
        sa.Column("account", sa.String(length=34), nullable=False),
        sa.Column("grp", sa.String(length=8), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("holder", sa.String(length=34), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.String(length=34), nullable=False),
        sa.Column("reason", sa.String(length=16), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("event", sa.String(length=34), nullable=False),
        sa.PrimaryKeyConstraint("account", "grp", "recipient", "holder"),
        sa.UniqueConstraint("id", name=op.f("uq_blocks_id")),
    )
    op.create_index("ix_blocks_account_seq", "blocks", ["account", "seq"], unique=False)
    op.create_table(
        "connections",
        sa.Column("sid", sa.String(length=34), nullable=False),
        sa.Column("account", sa.String(length=34), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("type", sa.String(length=32), nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.Column("secrets", sa.Text(), nullable=False),
        sa.Column("opt_out_by", sa.String(length=8), nullable=False),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("origin", sa.String(length=8), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sid"),
        sa.UniqueConstraint("account", "name", name=op.f("uq_connections_account_name")),
    )
    op.create_table(
        "consent_events",
        sa.Column("account", sa.String(length=34), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.String(length=34), nullable=False),
        sa.Column("holder", sa.String(length=34), nullable=False),
        sa.Column("grp", sa.String(length=8), nullable=False),
        sa.Column("recipient_digest", sa.String(length=64), nullable=False),
        sa.Column("act", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=16), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("occurred_at", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("message", sa.String(length=34), nullable=True),
        sa.Column("text_digest", sa.String(length=64), nullable=True),
        sa.Column("word", sa.Text(), nullable=True),
        sa.Column("rule", sa.Text(), nullable=True),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("country", sa.String(length=2), nullable=True),
        sa.Column("policy_version", sa.Integer(), nullable=True),
        sa.Column("previous", sa.String(length=34), nullable=True),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("previous_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("account", "seq"),
        sa.UniqueConstraint("id", name=op.f("uq_consent_events_id")),
    )
    op.create_index("ix_consent_events_account_recipient", "consent_events", ["account", "recipient_digest", "seq"], unique=False)
    op.create_index("ix_consent_events_message", "consent_events", ["message"], unique=False)
    op.create_table(
        "consent_people",
        sa.Column("account", sa.String(length=34), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("account", "seq"),
    )
    op.create_index("ix_consent_people_account_recipient", "consent_people", ["account", "recipient", "seq"], unique=False)
    op.create_table(
        "contacts",
        sa.Column("account", sa.String(length=34), nullable=False),
        sa.Column("contact", sa.Text(), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=True),
        sa.Column("zip_code", sa.Text(), nullable=True),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account", "contact"),
    )
    op.create_table(
        "deliveries",
        sa.Column("seq", ROW, autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=34), nullable=False),
        sa.Column("account", sa.String(length=34), nullable=False),
        sa.Column("event", sa.String(length=16), nullable=False),
        sa.Column("message", sa.String(length=34), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("method", sa.String(length=4), nullable=False),
        sa.Column("fallback_url", sa.Text(), nullable=False),
        sa.Column("fallback_method", sa.String(length=4), nullable=False),
        sa.Column("params", sa.Text(), nullable=False),
        sa.Column("token", sa.String(length=36), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("rounds", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("answered", sa.Boolean(), nullable=False),
        sa.Column("lane", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("id", name=op.f("uq_deliveries_id")),
    )
    op.create_index("ix_deliveries_account_seq", "deliveries", ["account", "seq"], unique=False)
    op.create_index(
        "ix_deliveries_lane", "deliveries", ["lane", "seq"], unique=False, sqlite_where=sa.text("lane <> ''"), postgresql_where=sa.text("lane <> ''")
    )
    op.create_index(op.f("ix_deliveries_message"), "deliveries", ["message"], unique=False)
    op.create_index("ix_deliveries_state_due", "deliveries", ["state", "due_at", "seq"], unique=False)
    op.create_table(
        "delivery_attempts",
        sa.Column("seq", ROW, autoincrement=True, nullable=False),
        sa.Column("delivery", sa.String(length=34), nullable=False),
        sa.Column("account", sa.String(length=34), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("ms", sa.Integer(), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("response", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("code", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_index(op.f("ix_delivery_attempts_delivery"), "delivery_attempts", ["delivery"], unique=False)
    op.create_table(
        "feedback",
        sa.Column("message", sa.String(length=34), nullable=False),
        sa.Column("account", sa.String(length=34), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("message"),
    )
    op.create_table(
        "former_holders",
        sa.Column("account", sa.String(length=34), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("holders", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("account", "address"),
    )
    op.create_table(
        "handset_messages",
        sa.Column("seq", ROW, autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=34), nullable=False),
        sa.Column("account", sa.String(length=34), nullable=False),
        sa.Column("handset", sa.Text(), nullable=False),
        sa.Column("direction", sa.String(length=4), nullable=False),
        sa.Column("peer", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("media", sa.Text(), nullable=False),
        sa.Column("attempt", sa.String(length=34), nullable=True),
        sa.Column("message", sa.String(length=34), nullable=True),
        sa.Column("report", sa.String(length=24), nullable=True),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("attempt", name=op.f("uq_handset_messages_attempt")),
        sa.UniqueConstraint("id", name=op.f("uq_handset_messages_id")),
    )
    op.create_index("ix_handset_messages_account_handset", "handset_messages", ["account", "handset", "seq"], unique=False)
    op.create_index(
        "ix_handset_messages_report",
        "handset_messages",
        ["report"],
        unique=False,
        sqlite_where=sa.text("report IS NOT NULL"),
        postgresql_where=sa.text("report IS NOT NULL"),
    )
    op.create_table(
        "idempotency",
        sa.Column("account", sa.String(length=34), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account", "key"),
    )
    op.create_index(op.f("ix_idempotency_created_at"), "idempotency", ["created_at"], unique=False)
    op.create_table(
        "import_rows",
        sa.Column("import", sa.String(length=34), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("account", sa.String(length=34), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=True),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("import", "row"),
    )
    op.create_table(
        "imports",
        sa.Column("id", sa.String(length=34), nullable=False),
        sa.Column("account", sa.String(length=34), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("taken", sa.Integer(), nullable=False),
        sa.Column("skipped", sa.Integer(), nullable=False),
        sa.Column("wrong", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_imports_account"), "imports", ["account"], unique=False)
    op.create_table(
        "jobs",
        sa.Column("seq", ROW, autoincrement=True, nullable=False),
        sa.Column("message", sa.String(length=34), nullable=False),
        sa.Column("account", sa.String(length=34), nullable=False),
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("sender", sa.String(length=34), nullable=True),
        sa.Column("service", sa.String(length=34), nullable=True),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("attempt", sa.String(length=34), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("message", name=op.f("uq_jobs_message")),
    )
    op.create_index("ix_jobs_account_recipient", "jobs", ["account", "recipient", "seq"], unique=False)
    op.create_index("ix_jobs_connection_state_purpose_due", "jobs", ["connection", "state", "purpose", "due_at", "seq"], unique=False)
    op.create_table(
        "keys",
        sa.Column("sid", sa.String(length=34), nullable=False),
        sa.Column("account", sa.String(length=34), nullable=False),
        sa.Column("friendly_name", sa.Text(), nullable=False),
        sa.Column("secret_digest", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sid"),
    )
    op.create_index(op.f("ix_keys_account"), "keys", ["account"], unique=False)
    op.create_table(
        "ledger_heads",
        sa.Column("account", sa.String(length=34), nullable=False),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("account"),
    )
    op.create_table(
        "media",
        sa.Column("seq", ROW, autoincrement=True, nullable=False),
        sa.Column("sid", sa.String(length=34), nullable=False),
        sa.Column("account", sa.String(length=34), nullable=False),
        sa.Column("message", sa.String(length=34), nullable=False),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("bytes", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("sid", name=op.f("uq_media_sid")),
    )
    op.create_index(op.f("ix_media_message"), "media", ["message"], unique=False)
    op.create_table(
        "messages",
        sa.Column("seq", ROW, autoincrement=True, nullable=False),
        sa.Column("sid", sa.String(length=34), nullable=False),
        sa.Column("account", sa.String(length=34), nullable=False),
        sa.Column("direction", sa.String(length=16), nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("sender", sa.Text(), nullable=True),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("service", sa.String(length=34), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("segments", sa.Integer(), nullable=False),
        sa.Column("media", sa.Integer(), nullable=False),
        sa.Column("error_code", sa.Integer(), nullable=True),
        sa.Column("status_callback", sa.Text(), nullable=True),
        sa.Column("callback_method", sa.String(length=4), nullable=False),
        sa.Column("send_at", sa.BigInteger(), nullable=True),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.Column("options", sa.Text(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("sid", name=op.f("uq_messages_sid")),
    )
    op.create_index("ix_messages_account_recipient", "messages", ["account", "recipient", "seq"], unique=False)
    op.create_index("ix_messages_account_sender", "messages", ["account", "sender", "seq"], unique=False)
    op.create_index("ix_messages_account_seq", "messages", ["account", "seq"], unique=False)
    op.create_index(
        "ix_messages_scheduled",
        "messages",
        ["account", "status"],
        unique=False,
        sqlite_where=sa.text("status = 'scheduled'"),
        postgresql_where=sa.text("status = 'scheduled'"),
    )
    op.create_table(
        "network_blocks",
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("handset", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("sender", "handset"),
    )
    op.create_table(
        "orphans",
        sa.Column("seq", ROW, autoincrement=True, nullable=False),
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("error_code", sa.Integer(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("form", sa.Text(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=True),
        sa.Column("recipient", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_index("ix_orphans_connection_form", "orphans", ["connection", "form"], unique=False)
    op.create_table(
        "parts",
        sa.Column("account", sa.String(length=34), nullable=False),
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("reference", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("octets", sa.LargeBinary(), nullable=True),
        sa.Column("alphabet", sa.String(length=8), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "recipient", "sender", "reference", "total", "part"),
    )
    op.create_table(
        "policies",
        sa.Column("service", sa.String(length=34), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("account", sa.String(length=34), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("service", "version"),
    )
    op.create_table(
        "received",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("account", sa.String(length=34), nullable=False),
        sa.Column("message", sa.String(length=34), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "reference", "account"),
    )
    op.create_index(op.f("ix_received_at"), "received", ["at"], unique=False)
    op.create_table(
        "refusals",
        sa.Column("seq", ROW, autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=34), nullable=False),
        sa.Column("account", sa.String(length=34), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.Integer(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=True),
        sa.Column("service", sa.Text(), nullable=True),
        sa.Column("recipient", sa.Text(), nullable=True),
        sa.Column("because", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("id", name=op.f("uq_refusals_id")),
    )
    op.create_index("ix_refusals_account_seq", "refusals", ["account", "seq"], unique=False)
    op.create_table(
        "refused_pushes",
        sa.Column("id", sa.String(length=34), nullable=False),
        sa.Column("account", sa.String(length=34), nullable=False),
        sa.Column("connection", sa.String(length=34), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_refused_pushes_at", "refused_pushes", ["at"], unique=False)
    op.create_index("ix_refused_pushes_connection_at", "refused_pushes", ["connection", "at"], unique=False)
    op.create_table(
        "replies",
        sa.Column("message", sa.String(length=34), nullable=False),
        sa.Column("account", sa.String(length=34), nullable=False),
        sa.Column("event", sa.String(length=34), nullable=False),
        sa.Column("keyword", sa.String(length=8), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("message"),
        sa.UniqueConstraint("event", "keyword", name=op.f("uq_replies_event_keyword")),
    )
    op.create_index("ix_replies_account_recipient", "replies", ["account", "recipient", "at"], unique=False)
    op.create_table(
        "safe_numbers",
        sa.Column("account", sa.String(length=34), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("sid", sa.String(length=34), nullable=False),
        sa.PrimaryKeyConstraint("account", "number"),
        sa.UniqueConstraint("sid", name=op.f("uq_safe_numbers_sid")),
    )
    op.create_table(
        "segments",
        sa.Column("attempt", sa.String(length=34), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("account", sa.String(length=34), nullable=False),
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("form", sa.Text(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=True),
        sa.Column("error_code", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("reported_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("attempt", "number"),
    )
    op.create_index("ix_segments_connection_form", "segments", ["connection", "form"], unique=False)
    op.create_index(op.f("ix_segments_created_at"), "segments", ["created_at"], unique=False)
    op.create_index(
        "ix_segments_reported", "segments", ["reported_at"], unique=False, sqlite_where=sa.text("total > 1"), postgresql_where=sa.text("total > 1")
    )
    op.create_table(
        "senders",
        sa.Column("sid", sa.String(length=34), nullable=False),
        sa.Column("account", sa.String(length=34), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=True),
        sa.Column("friendly_name", sa.Text(), nullable=False),
        sa.Column("service", sa.String(length=34), nullable=True),
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("inherited", sa.Text(), nullable=False),
        sa.Column("webhook", sa.Text(), nullable=False),
        sa.Column("default_opt_out", sa.Boolean(), nullable=True),
        sa.Column("mms", sa.Boolean(), nullable=False),
        sa.Column("mps", sa.Float(), nullable=True),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("joined_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("sid"),
        sa.UniqueConstraint("account", "address", name=op.f("uq_senders_account_address")),
    )
    op.create_index(op.f("ix_senders_account"), "senders", ["account"], unique=False)
    op.create_index(
        "ix_senders_address",
        "senders",
        ["address"],
        unique=True,
        sqlite_where=sa.text("kind <> 'alphanumeric'"),
        postgresql_where=sa.text("kind <> 'alphanumeric'"),
    )
    op.create_table(
        "services",
        sa.Column("sid", sa.String(length=34), nullable=False),
        sa.Column("account", sa.String(length=34), nullable=False),
        sa.Column("friendly_name", sa.Text(), nullable=False),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.Column("policy_version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sid"),
    )
    op.create_index(op.f("ix_services_account"), "services", ["account"], unique=False)
    op.create_table(
        "sessions",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=34), nullable=False),
        sa.Column("account", sa.String(length=34), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("user", sa.String(length=34), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("revealed", sa.Text(), nullable=True),
        sa.Column("revealed_until", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("digest"),
        sa.UniqueConstraint("id", name=op.f("uq_sessions_id")),
    )
    op.create_index(op.f("ix_sessions_account"), "sessions", ["account"], unique=False)
    op.create_index(op.f("ix_sessions_expires_at"), "sessions", ["expires_at"], unique=False)
    op.create_index(op.f("ix_sessions_user"), "sessions", ["user"], unique=False)
    op.create_table(
        "sticky",
        sa.Column("service", sa.String(length=34), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("account", sa.String(length=34), nullable=False),
        sa.Column("sender", sa.String(length=34), nullable=False),
        sa.PrimaryKeyConstraint("service", "recipient"),
    )
    op.create_index("ix_sticky_sender", "sticky", ["sender"], unique=False)
    op.create_table(
        "submitted",
        sa.Column("account", sa.String(length=34), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("reference", sa.String(length=16), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("octets", sa.LargeBinary(), nullable=False),
        sa.Column("alphabet", sa.String(length=8), nullable=False),
        sa.Column("registered", sa.Integer(), nullable=False),
        sa.Column("message", sa.String(length=34), nullable=False),
        sa.Column("taken_at", sa.BigInteger(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account", "sender", "recipient", "reference", "total", "part"),
    )
    op.create_index(op.f("ix_submitted_at"), "submitted", ["at"], unique=False)
    op.create_table(
        "suggestions",
        sa.Column("seq", ROW, autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=34), nullable=False),
        sa.Column("account", sa.String(length=34), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("scope", sa.String(length=34), nullable=False),
        sa.Column("message", sa.String(length=34), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("proposes", sa.String(length=8), nullable=False),
        sa.Column("reason", sa.String(length=16), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("id", name=op.f("uq_suggestions_id")),
    )
    op.create_index("ix_suggestions_account_seq", "suggestions", ["account", "seq"], unique=False)
    op.create_table(
        "users",
        sa.Column("sid", sa.String(length=34), nullable=False),
        sa.Column("account", sa.String(length=34), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("folded_name", sa.Text(), nullable=False),
        sa.Column("password", sa.Text(), nullable=False),
        sa.Column("role", sa.String(length=8), nullable=False),
        sa.Column("reveal", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sid"),
        sa.UniqueConstraint("folded_name", name=op.f("uq_users_folded_name")),
    )
    op.create_index(op.f("ix_users_account"), "users", ["account"], unique=False)
