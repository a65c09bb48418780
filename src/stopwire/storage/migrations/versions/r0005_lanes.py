"""Deliveries that are told one after another."""

import sqlalchemy as sa
from alembic import op

from stopwire.storage import tables

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the column where the first schema of an older program did not have it."""
    connection = op.get_bind()
    deliveries = tables.deliveries
    if "lane" in {column["name"] for column in sa.inspect(connection).get_columns("deliveries")}:
        return
    op.add_column("deliveries", sa.Column("lane", sa.Text, nullable=False, server_default=""))
    next(index for index in deliveries.indexes if index.name == "ix_deliveries_lane").create(connection)
