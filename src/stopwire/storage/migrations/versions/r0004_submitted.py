"""Parts of long texts that bound customers submit."""

from alembic import op

from stopwire.storage import tables

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create the table where the first schema of an older program did not have it."""
    tables.submitted.create(op.get_bind(), checkfirst=True)
