"""What is wrong is told, with the figures that say so: alerts, the rules that an account changed, and what it muted."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

ROW = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # SQLite numbers rows by itself only for INTEGER
NOT_OVER = sa.text("state <> 'over'")
OPEN = sa.text("state = 'open'")


def upgrade() -> None:
    """Add three tables, and an index by which suggestions past their date are found without a search."""
    op.create_table(
        "alerts",
        sa.Column("seq", ROW, autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=34), nullable=False),
        sa.Column("account", sa.String(length=34), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("figures", sa.Text(), nullable=False),
        sa.Column("muted_until", sa.BigInteger(), nullable=True),
        sa.Column("taken_by", sa.Text(), nullable=True),
        sa.Column("taken_at", sa.BigInteger(), nullable=True),
        sa.Column("calm_since", sa.BigInteger(), nullable=True),
        sa.Column("over_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("id", name="uq_alerts_id"),
    )
    op.create_index("ix_alerts_account_seq", "alerts", ["account", "seq"], unique=False)
    standing = ["account", "kind", "subject"]
    op.create_index("ix_alerts_standing", "alerts", standing, unique=True, sqlite_where=NOT_OVER, postgresql_where=NOT_OVER)
    op.create_table(
        "alert_rules",
        sa.Column("account", sa.String(length=34), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("switched_on", sa.Boolean(), nullable=False),
        sa.Column("threshold", sa.Float(), nullable=True),
        sa.Column("window_minutes", sa.Integer(), nullable=True),
        sa.Column("at_least", sa.Integer(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account", "kind"),
    )
    op.create_table(
        "alert_mutes",
        sa.Column("account", sa.String(length=34), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account", "kind", "subject"),
    )
    op.create_index("ix_suggestions_due", "suggestions", ["account", "due_at"], unique=False, sqlite_where=OPEN, postgresql_where=OPEN)
