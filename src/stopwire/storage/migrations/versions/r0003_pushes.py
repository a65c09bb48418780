"""Refused pushes of providers."""

from alembic import op

from stopwire.storage import tables

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the table where the first schema of an older program did not have it."""
    tables.refused_pushes.create(op.get_bind(), checkfirst=True)
