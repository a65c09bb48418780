"""Where a carrier gives no reference, one row holds what a person last wrote to a sender, in place of one for each text."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add its digest; the rows that are there are forgotten within two days."""
    op.add_column("received", sa.Column("said", sa.Text(), nullable=True))
