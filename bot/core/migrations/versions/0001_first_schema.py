"""The first schema. `python -m tests.first_schema` writes this file until 1.0."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:  # noqa: PLR0915 - it is as long as its schema
    op.create_table(
        "answers",
        sa.Column("source", sa.String(length=9), nullable=False),
        sa.Column("question_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("guild_id", sa.BigInteger(), nullable=True),
        sa.Column("item_id", sa.String(length=48), nullable=False),
        sa.Column("topic_id", sa.String(length=48), nullable=False),
        sa.Column("answer", sa.String(length=100), nullable=True),
        sa.Column("typed", sa.Boolean(), nullable=False),
        sa.Column("correct", sa.Boolean(), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("elapsed_ms", sa.Integer(), nullable=True),
        sa.Column("answered_at", sa.BigInteger(), nullable=False),
        sa.Column("team_id", sa.BigInteger(), nullable=True),
        sa.Column("local_date", sa.Date(), nullable=True),
        sa.Column("paid", sa.Integer(), nullable=True),
        sa.Column("rating", sa.Integer(), nullable=True),
        sa.Column("streak", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("source", "question_id", "user_id", name=op.f("pk_answers")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_answers_boards",
        "answers",
        ["guild_id", "local_date", "topic_id", "user_id", "paid"],
        unique=False,
        sqlite_where=sa.text("local_date IS NOT NULL"),
        postgresql_where=sa.text("local_date IS NOT NULL"),
    )
    op.create_index("ix_answers_member", "answers", ["user_id", "answered_at"], unique=False)
    op.create_index(
        "ix_answers_member_item", "answers", ["user_id", "item_id", "answered_at"], unique=False
    )
    op.create_index(
        "ix_answers_own",
        "answers",
        ["item_id"],
        unique=False,
        sqlite_where=sa.text("item_id LIKE '%--%'"),
        postgresql_where=sa.text("item_id LIKE '%--%'"),
    )
    op.create_table(
        "asked",
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("item_id", sa.String(length=48), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("guild_id", "item_id", name=op.f("pk_asked")),
    )
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
        sa.Column("set_aside_at", sa.BigInteger(), nullable=True),
        sa.Column("first_right", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "item_id", name=op.f("pk_cards")),
    )
    op.create_index(
        "ix_cards_set_aside",
        "cards",
        ["user_id"],
        unique=False,
        sqlite_where=sa.text("set_aside_at IS NOT NULL"),
        postgresql_where=sa.text("set_aside_at IS NOT NULL"),
    )
    op.create_table(
        "challenges",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("guild_id", sa.BigInteger(), nullable=False),
        sa.Column("channel_id", sa.BigInteger(), nullable=False),
        sa.Column("starter_id", sa.BigInteger(), nullable=False),
        sa.Column("member_id", sa.BigInteger(), nullable=True),
        sa.Column("topic_id", sa.String(length=48), nullable=True),
        sa.Column("difficulty", sa.String(length=10), nullable=False),
        sa.Column("wanted", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("hours", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("counted", sa.Integer(), server_default="0", nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=True),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("closes_at", sa.BigInteger(), nullable=False),
        sa.Column("tried_at", sa.BigInteger(), nullable=True),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("two_played", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("ending", sa.String(length=20), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_challenges")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_challenges_due_at"),
        "challenges",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index("ix_challenges_guild_id", "challenges", ["guild_id", "id"], unique=False)
    op.create_index("ix_challenges_member_id", "challenges", ["member_id"], unique=False)
    op.create_index(
        "ix_challenges_running",
        "challenges",
        ["guild_id"],
        unique=False,
        sqlite_where=sa.text("state != 'closed'"),
        postgresql_where=sa.text("state != 'closed'"),
    )
    op.create_index("ix_challenges_starter_id", "challenges", ["starter_id"], unique=False)
    op.create_table(
        "dailies",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("guild_id", sa.BigInteger(), nullable=False),
        sa.Column("schedule_id", sa.BigInteger(), nullable=False),
        sa.Column("local_date", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("name", sa.String(length=30), nullable=False),
        sa.Column("item_id", sa.String(length=48), nullable=True),
        sa.Column("topic_id", sa.String(length=48), nullable=True),
        sa.Column("choice_order", sa.String(length=6), nullable=False),
        sa.Column("answer_hours", sa.Integer(), nullable=False),
        sa.Column("thread", sa.Boolean(), nullable=False),
        sa.Column("channel_id", sa.BigInteger(), nullable=True),
        sa.Column("role_id", sa.BigInteger(), nullable=True),
        sa.Column("message_id", sa.BigInteger(), nullable=True),
        sa.Column("thread_id", sa.BigInteger(), nullable=True),
        sa.Column("scheduled_at", sa.BigInteger(), nullable=False),
        sa.Column("tried_at", sa.BigInteger(), nullable=True),
        sa.Column("opened_at", sa.BigInteger(), nullable=True),
        sa.Column("closes_at", sa.BigInteger(), nullable=True),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("counted", sa.Integer(), server_default="0", nullable=False),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dailies")),
        sa.UniqueConstraint(
            "schedule_id", "local_date", name=op.f("uq_dailies_schedule_id_local_date")
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_dailies_due_at"),
        "dailies",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index("ix_dailies_guild_id", "dailies", ["guild_id", "local_date"], unique=False)
    op.create_index(
        "ix_dailies_in_play",
        "dailies",
        ["item_id"],
        unique=False,
        sqlite_where=sa.text("state IN ('posting', 'showing', 'threading', 'open', 'closing')"),
        postgresql_where=sa.text("state IN ('posting', 'showing', 'threading', 'open', 'closing')"),
    )
    op.create_index(
        "ix_dailies_unrevealed",
        "dailies",
        ["guild_id"],
        unique=False,
        sqlite_where=sa.text("state IN ('posting', 'showing', 'threading', 'open', 'closing')"),
        postgresql_where=sa.text("state IN ('posting', 'showing', 'threading', 'open', 'closing')"),
    )
    op.create_table(
        "daily_schedules",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("guild_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=30), nullable=False),
        sa.Column("channel_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.String(length=5), nullable=False),
        sa.Column("weekdays", sa.String(length=7), server_default="0123456", nullable=False),
        sa.Column("asks", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=6), nullable=False),
        sa.Column("answer_hours", sa.Integer(), nullable=False),
        sa.Column("role_id", sa.BigInteger(), nullable=True),
        sa.Column("thread", sa.Boolean(), nullable=False),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("settled_until", sa.BigInteger(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=True),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_daily_schedules")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_daily_schedules_guild_id", "daily_schedules", ["guild_id"], unique=False)
    op.create_index(
        op.f("ix_daily_schedules_next_at"),
        "daily_schedules",
        ["next_at"],
        unique=False,
        sqlite_where=sa.text("next_at IS NOT NULL"),
        postgresql_where=sa.text("next_at IS NOT NULL"),
    )
    op.create_table(
        "daily_uses",
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("item_id", sa.String(length=48), nullable=False),
        sa.Column("last_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("guild_id", "item_id", name=op.f("pk_daily_uses")),
    )
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
    op.create_table(
        "erasures",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("guild_id", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.String(length=7), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasures")),
        sa.UniqueConstraint("guild_id", name=op.f("uq_erasures_guild_id")),
        sa.UniqueConstraint("user_id", name=op.f("uq_erasures_user_id")),
    )
    op.create_index(
        op.f("ix_erasures_due_at"),
        "erasures",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_table(
        "first_stabilities",
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("holds_from", sa.BigInteger(), nullable=False),
        sa.Column("reviews", sa.Integer(), nullable=False),
        sa.Column("again", sa.Float(), nullable=False),
        sa.Column("hard", sa.Float(), nullable=False),
        sa.Column("good", sa.Float(), nullable=False),
        sa.Column("easy", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "holds_from", name=op.f("pk_first_stabilities")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "guilds",
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("zone", sa.String(length=64), server_default="UTC", nullable=False),
        sa.Column("starter_role_id", sa.BigInteger(), nullable=True),
        sa.Column("suggestions_channel_id", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("guild_id", name=op.f("pk_guilds")),
    )
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
    op.create_index("ix_interviews_user_id", "interviews", ["user_id", "id"], unique=False)
    op.create_index(
        "uq_interviews_running",
        "interviews",
        ["user_id"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "member_hashes",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("day", sa.Date(), nullable=True),
        sa.Column("count", sa.Integer(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_member_hashes")),
    )
    op.create_index("ix_member_hashes_day", "member_hashes", ["day"], unique=False)
    op.create_table(
        "member_milestones",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("guild_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("role_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("reached_at", sa.BigInteger(), nullable=False),
        sa.Column("told", sa.Boolean(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_member_milestones")),
        sa.UniqueConstraint(
            "user_id",
            "guild_id",
            "kind",
            "name",
            name=op.f("uq_member_milestones_user_id_guild_id_kind_name"),
        ),
    )
    op.create_index(
        op.f("ix_member_milestones_due_at"),
        "member_milestones",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index(
        "ix_member_milestones_server", "member_milestones", ["guild_id", "state"], unique=False
    )
    op.create_table(
        "member_names",
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("guild_id", "user_id", name=op.f("pk_member_names")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_member_names_user_id", "member_names", ["user_id"], unique=False)
    op.create_table(
        "members",
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("shows_profile", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_members")),
    )
    op.create_table(
        "met",
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("topic_id", sa.String(length=48), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "topic_id", name=op.f("pk_met")),
    )
    op.create_table(
        "meta",
        sa.Column("key", sa.String(length=100), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_meta")),
    )
    op.create_table(
        "milestones",
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("role_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("guild_id", "kind", "name", name=op.f("pk_milestones")),
    )
    op.create_table(
        "own_items",
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=48), nullable=False),
        sa.Column("topic_id", sa.String(length=48), nullable=False),
        sa.Column("retired", sa.Boolean(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("guild_id", "number", name=op.f("pk_own_items")),
    )
    op.create_index(
        "uq_own_items_name",
        "own_items",
        ["guild_id", "name"],
        unique=True,
        sqlite_where=sa.text("retired = 0"),
        postgresql_where=sa.text("NOT retired"),
    )
    op.create_table(
        "own_pictures",
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("file", sa.String(length=60), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("guild_id", "file", name=op.f("pk_own_pictures")),
    )
    op.create_table(
        "own_topics",
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=48), nullable=False),
        sa.Column("topic_id", sa.String(length=48), nullable=False),
        sa.Column("section", sa.String(length=48), nullable=False),
        sa.Column("section_title", sa.String(length=100), nullable=False),
        sa.Column("title", sa.String(length=100), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("guild_id", "number", name=op.f("pk_own_topics")),
        sa.UniqueConstraint("guild_id", "name", name=op.f("uq_own_topics_guild_id_name")),
    )
    op.create_table(
        "partner_interviews",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("guild_id", sa.BigInteger(), nullable=False),
        sa.Column("channel_id", sa.BigInteger(), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=True),
        sa.Column("first_id", sa.BigInteger(), nullable=False),
        sa.Column("second_id", sa.BigInteger(), nullable=True),
        sa.Column("topic_id", sa.String(length=48), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("thread_id", sa.BigInteger(), nullable=True),
        sa.Column("turn", sa.Integer(), server_default="0", nullable=False),
        sa.Column("asked_topic_id", sa.String(length=48), nullable=True),
        sa.Column("ticks", sa.String(length=6), server_default="", nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=True),
        sa.Column("first_interview_id", sa.BigInteger(), nullable=True),
        sa.Column("second_interview_id", sa.BigInteger(), nullable=True),
        sa.Column("tried_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("ending", sa.String(length=9), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_partner_interviews")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_partner_interviews_due_at"),
        "partner_interviews",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index(
        "ix_partner_interviews_first_id", "partner_interviews", ["first_id", "state"], unique=False
    )
    op.create_index(
        "ix_partner_interviews_guild_id", "partner_interviews", ["guild_id"], unique=False
    )
    op.create_index(
        "ix_partner_interviews_second_id",
        "partner_interviews",
        ["second_id", "state"],
        unique=False,
    )
    op.create_table(
        "plan_days",
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("ready", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "day", name=op.f("pk_plan_days")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "plans",
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("set_on", sa.Date(), nullable=False),
        sa.Column("goal", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_plans")),
    )
    op.create_table(
        "practices",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("topic_id", sa.String(length=48), nullable=True),
        sa.Column("item_ids", sa.Text(), nullable=True),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_practices")),
    )
    op.create_index("ix_practices_user_id", "practices", ["user_id", "id"], unique=False)
    op.create_index(
        "uq_practices_running",
        "practices",
        ["user_id"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "recap_schedules",
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("channel_id", sa.BigInteger(), nullable=True),
        sa.Column("weekday", sa.Integer(), nullable=False),
        sa.Column("settled_until", sa.BigInteger(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=True),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("guild_id", name=op.f("pk_recap_schedules")),
    )
    op.create_index(
        op.f("ix_recap_schedules_next_at"),
        "recap_schedules",
        ["next_at"],
        unique=False,
        sqlite_where=sa.text("next_at IS NOT NULL"),
        postgresql_where=sa.text("next_at IS NOT NULL"),
    )
    op.create_table(
        "recaps",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("guild_id", sa.BigInteger(), nullable=False),
        sa.Column("week", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("channel_id", sa.BigInteger(), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=True),
        sa.Column("scheduled_at", sa.BigInteger(), nullable=False),
        sa.Column("tried_at", sa.BigInteger(), nullable=True),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recaps")),
        sa.UniqueConstraint("guild_id", "week", name=op.f("uq_recaps_guild_id_week")),
    )
    op.create_index(
        op.f("ix_recaps_due_at"),
        "recaps",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_table(
        "reminders",
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.String(length=5), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=True),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("channel_id", sa.BigInteger(), nullable=True),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.Column("ignored", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_reminders")),
    )
    op.create_index(
        op.f("ix_reminders_next_at"),
        "reminders",
        ["next_at"],
        unique=False,
        sqlite_where=sa.text("next_at IS NOT NULL"),
        postgresql_where=sa.text("next_at IS NOT NULL"),
    )
    op.create_table(
        "reports",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("guild_id", sa.BigInteger(), nullable=True),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("item_id", sa.String(length=48), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("settled", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reports")),
    )
    op.create_index("ix_reports_guild_id", "reports", ["guild_id", "settled", "id"], unique=False)
    op.create_index("ix_reports_user_id", "reports", ["user_id"], unique=False)
    op.create_table(
        "rounds",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("guild_id", sa.BigInteger(), nullable=False),
        sa.Column("channel_id", sa.BigInteger(), nullable=False),
        sa.Column("starter_id", sa.BigInteger(), nullable=False),
        sa.Column("topic_id", sa.String(length=48), nullable=True),
        sa.Column("difficulty", sa.String(length=10), nullable=False),
        sa.Column("seconds", sa.Integer(), nullable=True),
        sa.Column("hosted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("phase", sa.String(length=10), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("idle", sa.Integer(), nullable=False),
        sa.Column("ending", sa.String(length=20), nullable=True),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("two_played", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("erased_in", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rounds")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_rounds_due_at"),
        "rounds",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index("ix_rounds_guild_id", "rounds", ["guild_id", "id"], unique=False)
    op.create_index(
        "ix_rounds_running",
        "rounds",
        ["guild_id"],
        unique=False,
        sqlite_where=sa.text("phase != 'ended'"),
        postgresql_where=sa.text("phase != 'ended'"),
    )
    op.create_index(
        "ix_rounds_started",
        "rounds",
        ["starter_id"],
        unique=False,
        sqlite_where=sa.text("phase != 'ended'"),
        postgresql_where=sa.text("phase != 'ended'"),
    )
    op.create_index("ix_rounds_starter_id", "rounds", ["starter_id"], unique=False)
    op.create_index(
        "uq_rounds_running",
        "rounds",
        ["channel_id"],
        unique=True,
        sqlite_where=sa.text("phase != 'ended'"),
        postgresql_where=sa.text("phase != 'ended'"),
    )
    op.create_table(
        "server_banks",
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("mark", sa.BigInteger(), nullable=False),
        sa.Column("packs", sa.Text(), nullable=True),
        sa.Column("numbers", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("guild_id", name=op.f("pk_server_banks")),
    )
    op.create_table(
        "streak_days",
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("guild_id", "user_id", "day", name=op.f("pk_streak_days")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_streak_days_user_id", "streak_days", ["user_id"], unique=False)
    op.create_table(
        "streaks",
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("through", sa.Date(), nullable=False),
        sa.Column("current", sa.Integer(), nullable=False),
        sa.Column("best", sa.Integer(), nullable=False),
        sa.Column("freezes", sa.Integer(), server_default="0", nullable=False),
        sa.Column("unbroken", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("guild_id", "user_id", name=op.f("pk_streaks")),
    )
    op.create_index("ix_streaks_user_id", "streaks", ["user_id"], unique=False)
    op.create_table(
        "suggestions",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("guild_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("prompt", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("wrong", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suggestions")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_suggestions_member", "suggestions", ["user_id", "guild_id", "state"], unique=False
    )
    op.create_index(
        "ix_suggestions_waiting", "suggestions", ["guild_id", "state", "id"], unique=False
    )
    op.create_table(
        "team_totals",
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("team_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("topic_id", sa.String(length=48), nullable=False),
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "guild_id", "team_id", "topic_id", "user_id", name=op.f("pk_team_totals")
        ),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_team_totals_user_id", "team_totals", ["user_id"], unique=False)
    op.create_table(
        "teams",
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("role_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("removed_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("guild_id", "role_id", name=op.f("pk_teams")),
    )
    op.create_table(
        "totals",
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("topic_id", sa.String(length=48), nullable=False),
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("guild_id", "topic_id", "user_id", name=op.f("pk_totals")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_totals_board",
        "totals",
        ["guild_id", "topic_id", sa.literal_column("points DESC"), "user_id"],
        unique=False,
    )
    op.create_index("ix_totals_member", "totals", ["user_id", "guild_id"], unique=False)
    op.create_table(
        "challenge_players",
        sa.Column("challenge_id", ROW_ID, nullable=False),
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("guild_id", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["challenge_id"], ["challenges.id"], name=op.f("fk_challenge_players_challenge_id")
        ),
        sa.PrimaryKeyConstraint("challenge_id", "user_id", name=op.f("pk_challenge_players")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_challenge_players_playing",
        "challenge_players",
        ["user_id", "guild_id"],
        unique=False,
        sqlite_where=sa.text("guild_id IS NOT NULL"),
        postgresql_where=sa.text("guild_id IS NOT NULL"),
    )
    op.create_index("ix_challenge_players_user_id", "challenge_players", ["user_id"], unique=False)
    op.create_table(
        "challenge_questions",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("challenge_id", ROW_ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.String(length=48), nullable=False),
        sa.Column("seconds", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["challenge_id"], ["challenges.id"], name=op.f("fk_challenge_questions_challenge_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_challenge_questions")),
        sa.UniqueConstraint(
            "challenge_id", "number", name=op.f("uq_challenge_questions_challenge_id_number")
        ),
        sqlite_autoincrement=True,
    )
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
        sa.Column("follow_up", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["interview_id"], ["interviews.id"], name=op.f("fk_interview_questions_interview_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_interview_questions")),
        sa.UniqueConstraint(
            "interview_id", "number", name=op.f("uq_interview_questions_interview_id_number")
        ),
    )
    op.create_table(
        "open_answers",
        sa.Column("daily_id", ROW_ID, nullable=False),
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["daily_id"], ["dailies.id"], name=op.f("fk_open_answers_daily_id")
        ),
        sa.PrimaryKeyConstraint("daily_id", "user_id", name=op.f("pk_open_answers")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_open_answers_user_id", "open_answers", ["user_id"], unique=False)
    op.create_table(
        "practice_questions",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("practice_id", ROW_ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.String(length=48), nullable=False),
        sa.Column("choice_order", sa.String(length=6), nullable=False),
        sa.Column("is_new", sa.Boolean(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("left_out_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["practice_id"], ["practices.id"], name=op.f("fk_practice_questions_practice_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_practice_questions")),
        sa.UniqueConstraint(
            "practice_id", "number", name=op.f("uq_practice_questions_practice_id_number")
        ),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "round_questions",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("round_id", ROW_ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.String(length=48), nullable=False),
        sa.Column("choice_order", sa.String(length=6), nullable=False),
        sa.Column("seconds", sa.Integer(), nullable=True),
        sa.Column("asked_at", sa.BigInteger(), nullable=True),
        sa.Column("message_id", sa.BigInteger(), nullable=True),
        sa.Column("opened_at", sa.BigInteger(), nullable=True),
        sa.Column("deadline_at", sa.BigInteger(), nullable=True),
        sa.Column("revealed_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["round_id"], ["rounds.id"], name=op.f("fk_round_questions_round_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_round_questions")),
        sa.UniqueConstraint("round_id", "number", name=op.f("uq_round_questions_round_id_number")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_round_questions_own",
        "round_questions",
        ["item_id"],
        unique=False,
        sqlite_where=sa.text("item_id LIKE '%--%'"),
        postgresql_where=sa.text("item_id LIKE '%--%'"),
    )
    op.create_table(
        "challenge_shown",
        sa.Column("question_id", ROW_ID, nullable=False),
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("choice_order", sa.String(length=6), nullable=False),
        sa.Column("shown_at", sa.BigInteger(), nullable=False),
        sa.Column("deadline_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["question_id"], ["challenge_questions.id"], name=op.f("fk_challenge_shown_question_id")
        ),
        sa.PrimaryKeyConstraint("question_id", "user_id", name=op.f("pk_challenge_shown")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_challenge_shown_user_id", "challenge_shown", ["user_id"], unique=False)
