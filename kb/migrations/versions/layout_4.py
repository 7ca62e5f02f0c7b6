"""Revisions say where they were read from, and what of their file is not in their text."""

import sqlalchemy as sa
from alembic import op

revision = "4"
down_revision = "3"


def upgrade() -> None:
    op.add_column("revisions", sa.Column("origin", sa.Text(), nullable=True))
    op.add_column("revisions", sa.Column("reading", sa.Text(), nullable=True))
