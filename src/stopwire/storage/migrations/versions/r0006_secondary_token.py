"""An account may have a second auth token beside the first, so that the token can be changed without an outage."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the token and when it was made; no account has one yet."""
    op.add_column("accounts", sa.Column("secondary_token", sa.String(length=64), nullable=True))
    op.add_column("accounts", sa.Column("secondary_token_at", sa.BigInteger(), nullable=True))
