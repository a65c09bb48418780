"""The console's team, its sessions, and the audit log. Sign-in links of before are dropped: they live 15 minutes."""

import sqlalchemy as sa
from alembic import op

from stopwire.storage import tables

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create what the first schema of an older program did not have; on a new database it is there already."""
    connection = op.get_bind()
    inspector = sa.inspect(connection)
    if inspector.has_table("sessions") and "id" not in {column["name"] for column in inspector.get_columns("sessions")}:
        op.drop_table("sessions")
    if inspector.has_table("audit"):
        return
    for table in (tables.users, tables.sessions, tables.audit):
        table.create(connection, checkfirst=True)
    for statement in tables.TRIGGERS.get(connection.dialect.name, []):
        if " ON audit " in statement:
            op.execute(statement)
