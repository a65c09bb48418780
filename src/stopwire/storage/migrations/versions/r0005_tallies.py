"""Figures come from tallies and not from a scan of all; the block list and the ledger are narrowed along an index."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

ROW = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # SQLite numbers rows by itself only for INTEGER


def upgrade() -> None:
    """Add two tables and three indexes; the engine that counts catches up with the past by itself."""
    op.create_table(
        "tallies",
        sa.Column("row", ROW, autoincrement=True, nullable=False),
        sa.Column("account", sa.String(length=34), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("hour", sa.BigInteger(), nullable=False),
        sa.Column("inbound", sa.Boolean(), nullable=False),
        sa.Column("service", sa.String(length=34), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("code", sa.Integer(), nullable=True),
        sa.Column("country", sa.String(length=2), nullable=True),
        sa.Column("zone", sa.Text(), nullable=True),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("row"),
    )
    op.create_index("ix_tallies_account_kind_hour", "tallies", ["account", "kind", "hour"], unique=False)
    op.create_index("ix_tallies_account_kind_first", "tallies", ["account", "kind", "first"], unique=False)
    op.create_table(
        "tally_pieces",
        sa.Column("account", sa.String(length=34), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("newest_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("account", "kind", "first"),
    )
    op.create_index("ix_blocks_account_reason", "blocks", ["account", "reason", "seq"], unique=False)
    op.create_index("ix_blocks_account_ending", "blocks", ["account", sa.text("substr(recipient, -4)"), "seq"], unique=False)
    op.create_index("ix_consent_events_account_act", "consent_events", ["account", "act", "seq"], unique=False)
