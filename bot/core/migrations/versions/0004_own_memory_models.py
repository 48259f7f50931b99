"""Parameters of FSRS that are fitted to one member's reviews."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "memory_models",
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("parameters", sa.Text(), nullable=True),
        sa.Column("fitted_at", sa.BigInteger(), nullable=False),
        sa.Column("reviews", sa.Integer(), nullable=False),
        sa.Column("loss_before", sa.Float(), nullable=True),
        sa.Column("loss_after", sa.Float(), nullable=True),
        sa.Column("recomputed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_memory_models")),
    )
    op.create_index(
        "ix_memory_models_unfinished",
        "memory_models",
        ["user_id"],
        unique=False,
        sqlite_where=sa.text("recomputed = 0"),
        postgresql_where=sa.text("NOT recomputed"),
    )
