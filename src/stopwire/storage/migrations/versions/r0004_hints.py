"""A delivery report that came before its answer keeps the hint that tells whose it is, should the answer never come."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the column; what came before has none, and is matched by its addresses alone."""
    op.add_column("orphans", sa.Column("hint", sa.Integer(), nullable=True))
