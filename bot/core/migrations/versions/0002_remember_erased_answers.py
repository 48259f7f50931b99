"""Who had an answer erased to what is still open."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "erased_answers",
        sa.Column("source", sa.String(length=10), nullable=False),
        sa.Column("source_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=32), nullable=False),
        sa.Column("guild_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source", "source_id", "digest", name=op.f("pk_erased_answers")),
    )
    op.create_index("ix_erased_answers_guild_id", "erased_answers", ["guild_id"], unique=False)
    op.add_column("rounds", sa.Column("erased_in", sa.Integer(), nullable=True))
