"""Practice, interviews and open dailies; a streak is kept with the answer that made it."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

_KEEP_STREAKS = """
UPDATE daily_answers SET streak = COALESCE((
    SELECT s."current" FROM streaks s JOIN dailies d ON d.guild_id = s.guild_id
    WHERE d.id = daily_answers.daily_id AND s.user_id = daily_answers.user_id
), 0)
"""


def upgrade() -> None:
    op.create_table(
        "cards",
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("item_id", sa.String(length=48), nullable=False),
        sa.Column("state", sa.Integer(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=True),
        sa.Column("stability", sa.Float(), nullable=False),
        sa.Column("difficulty", sa.Float(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("last_review_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "item_id", name=op.f("pk_cards")),
    )
    op.create_index("ix_cards_due", "cards", ["user_id", "due_at"], unique=False)
    op.create_table(
        "interviews",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("topic_id", sa.String(length=48), nullable=True),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_interviews")),
    )
    op.create_index("ix_interviews_user_id", "interviews", ["user_id"], unique=False)
    op.create_index(
        "uq_interviews_running",
        "interviews",
        ["user_id"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "members",
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("shows_stats", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_members")),
    )
    op.create_table(
        "practices",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("topic_id", sa.String(length=48), nullable=True),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_practices")),
    )
    op.create_index("ix_practices_user_id", "practices", ["user_id"], unique=False)
    op.create_index(
        "uq_practices_running",
        "practices",
        ["user_id"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "reminders",
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.String(length=5), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_reminders")),
    )
    op.create_index("ix_reminders_next_at", "reminders", ["next_at"], unique=False)
    op.create_table(
        "reviews",
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("source", sa.String(length=8), nullable=False),
        sa.Column("source_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("item_id", sa.String(length=48), nullable=False),
        sa.Column("rating", sa.Integer(), nullable=False),
        sa.Column("elapsed_ms", sa.Integer(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "source", "source_id", name=op.f("pk_reviews")),
    )
    op.create_index("ix_reviews_at", "reviews", ["user_id", "at"], unique=False)
    op.create_table(
        "interview_questions",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("interview_id", ROW_ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("topic_id", sa.String(length=48), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("grade", sa.Text(), nullable=True),
        sa.Column("score", sa.Integer(), nullable=True),
        sa.Column("answered_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["interview_id"], ["interviews.id"], name=op.f("fk_interview_questions_interview_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_interview_questions")),
        sa.UniqueConstraint("interview_id", "number", name=op.f("uq_interview_questions_interview_id_number")),
    )
    op.create_table(
        "open_answers",
        sa.Column("daily_id", ROW_ID, nullable=False),
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("grade", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["daily_id"], ["dailies.id"], name=op.f("fk_open_answers_daily_id")),
        sa.PrimaryKeyConstraint("daily_id", "user_id", name=op.f("pk_open_answers")),
    )
    op.create_index("ix_open_answers_user_id", "open_answers", ["user_id"], unique=False)
    op.create_table(
        "practice_questions",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("practice_id", ROW_ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.String(length=48), nullable=False),
        sa.Column("choice_order", sa.String(length=6), nullable=False),
        sa.Column("fresh", sa.Boolean(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("answer", sa.String(length=100), nullable=True),
        sa.Column("correct", sa.Boolean(), nullable=True),
        sa.Column("answered_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["practice_id"], ["practices.id"], name=op.f("fk_practice_questions_practice_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_practice_questions")),
        sa.UniqueConstraint("practice_id", "number", name=op.f("uq_practice_questions_practice_id_number")),
    )
    op.add_column("dailies", sa.Column("topic_id", sa.String(length=48), nullable=True))
    op.add_column("daily_answers", sa.Column("streak", sa.Integer(), server_default="0", nullable=False))
    op.execute(_KEEP_STREAKS)
    op.drop_table("streaks")
