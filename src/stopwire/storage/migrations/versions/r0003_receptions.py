"""The simulator's network may be late, and a handset may be off: what is under way, and how each handset is reached."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

ROW = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # SQLite numbers rows by itself only for INTEGER


def upgrade() -> None:
    """Add the two tables; nothing is under way and every handset is reached as usual."""
    op.create_table(
        "handset_transit",
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
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("onward", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("attempt", name=op.f("uq_handset_transit_attempt")),
        sa.UniqueConstraint("id", name=op.f("uq_handset_transit_id")),
    )
    op.create_index("ix_handset_transit_due_at", "handset_transit", ["due_at"], unique=False)
    op.create_index("ix_handset_transit_account_handset", "handset_transit", ["account", "handset"], unique=False)
    op.create_table(
        "receptions",
        sa.Column("account", sa.String(length=34), nullable=False),
        sa.Column("handset", sa.Text(), nullable=False),
        sa.Column("switched_on", sa.Boolean(), nullable=False),
        sa.Column("delay_seconds", sa.Float(), nullable=False),
        sa.Column("loss", sa.Float(), nullable=False),
        sa.Column("duplicates", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("account", "handset"),
    )
