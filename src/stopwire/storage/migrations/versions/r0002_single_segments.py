"""A message in one segment needs no row of its own for its carrier's id, and a claim is one step with its mark."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

# As `core.receipts.canonical` writes an id: lower case, without dashes, white space around it and leading zeros.
BARE = "replace(lower(trim(reference)), '-', '')"
CANONICAL = f"coalesce(nullif(ltrim({BARE}, '0'), ''), substr({BARE}, 1, 1))"


def upgrade() -> None:
    """Give attempts the canonical form of their reference; put back into the queue what was claimed and never left."""
    op.add_column("attempts", sa.Column("form", sa.Text(), nullable=True))
    op.execute(f"UPDATE attempts SET form = {CANONICAL} WHERE reference IS NOT NULL")  # noqa: S608  a constant
    op.drop_index("ix_attempts_connection_reference", table_name="attempts")
    op.create_index("ix_attempts_connection_form", "attempts", ["connection", "form", "at"], unique=False)
    op.execute("DELETE FROM segments WHERE total = 1")
    op.execute("UPDATE messages SET status = 'queued' WHERE sid IN (SELECT message FROM jobs WHERE state = 'claimed')")
    op.execute("UPDATE jobs SET state = 'queued', attempt = NULL WHERE state = 'claimed'")
    op.execute("UPDATE attempts SET state = 'released' WHERE state = 'claimed'")
