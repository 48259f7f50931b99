"""First answers, measured difficulties, own FSRS parameters, and what a plan is for."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "item_difficulties",
        sa.Column("item_id", sa.String(length=48), nullable=False),
        sa.Column("difficulty", sa.Float(), nullable=False),
        sa.Column("answers", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("item_id", name=op.f("pk_item_difficulties")),
    )
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
    op.add_column("cards", sa.Column("first_right", sa.Boolean(), nullable=True))
    op.execute(
        """
        UPDATE cards SET first_right = (
            SELECT rating <> 1 FROM answers
            WHERE answers.user_id = cards.user_id AND answers.item_id = cards.item_id
                AND rating IS NOT NULL
            ORDER BY answered_at, source, question_id LIMIT 1
        )
        """
    )
    op.execute("UPDATE cards SET first_right = (state = 2) WHERE first_right IS NULL")
    op.add_column("plans", sa.Column("goal_of", sa.Text(), nullable=True))
    op.add_column("plans", sa.Column("topic_ids", sa.Text(), nullable=True))
    op.execute("UPDATE plans SET goal_of = 'all', topic_ids = ''")
    op.add_column("plan_days", sa.Column("share", sa.Integer(), nullable=True))
    op.execute("DELETE FROM plan_days")  # readiness was reckoned otherwise
    with op.batch_alter_table("cards") as batch:
        batch.alter_column("first_right", nullable=False)
    with op.batch_alter_table("plans") as batch:
        batch.alter_column("goal_of", nullable=False)
        batch.alter_column("topic_ids", nullable=False)
    with op.batch_alter_table("plan_days", table_kwargs={"sqlite_with_rowid": False}) as batch:
        batch.alter_column("share", nullable=False)
