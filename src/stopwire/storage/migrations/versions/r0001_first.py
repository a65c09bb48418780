"""The first schema."""

from alembic import op

from stopwire.storage import tables

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create every table, index and trigger."""
    connection = op.get_bind()
    tables.metadata.create_all(connection)
    for statement in tables.TRIGGERS.get(connection.dialect.name, []):
        op.execute(statement)
