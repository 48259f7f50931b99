"""The tables of version 1.0, the first whose databases are kept."""

from typing import Any

from alembic import op
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Date,
    Float,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Text,
    TextClause,
    UniqueConstraint,
    column,
    false,
    text,
)

revision = "0001"
down_revision = None

# SQLite numbers rows by itself only for INTEGER keys: https://sqlite.org/autoinc.html
_ROW_ID = BigInteger().with_variant(Integer, "sqlite")


def _required(name: str, kind: Any, **options: Any) -> Column[Any]:
    return Column(name, kind, nullable=False, **options)


def _index(
    table: str,
    name: str,
    columns: list[str | TextClause],
    where: str | ColumnElement[bool] | None = None,
    *,
    unique: bool = False,
) -> None:
    """Make an index, with a condition only of the rows that meet it."""
    rows = text(where) if isinstance(where, str) else where
    op.create_index(name, table, columns, unique=unique, sqlite_where=rows, postgresql_where=rows)


def upgrade() -> None:
    _answers()
    _bank()
    _challenges()
    _core()
    _daily()
    _interviews()
    _members()
    _memory()
    _milestones()
    _plan()
    _practice()
    _privacy()
    _questions()
    _recap()
    _reminders()
    _rounds()


def _answers() -> None:
    op.create_table(
        "answers",
        _required("source", String(9)),
        _required("question_id", BigInteger),
        _required("user_id", BigInteger),
        Column("guild_id", BigInteger),
        _required("item_id", String(48)),
        _required("topic_id", String(48)),
        Column("answer", String(100)),
        _required("typed", Boolean),
        _required("correct", Boolean),
        _required("points", Integer),
        Column("elapsed_ms", Integer),
        _required("answered_at", BigInteger),
        Column("team_id", BigInteger),
        Column("local_date", Date),
        Column("paid", Integer),
        Column("rating", Integer),
        Column("streak", Integer),
        Column("expected", Integer),
        PrimaryKeyConstraint("source", "question_id", "user_id", name="pk_answers"),
        sqlite_with_rowid=False,
    )
    _index(
        "answers",
        "ix_answers_boards",
        ["guild_id", "local_date", "topic_id", "user_id", "paid"],
        "local_date IS NOT NULL",
    )
    _index(
        "answers", "ix_answers_expected", ["user_id", "expected", "correct"], "expected IS NOT NULL"
    )
    _index("answers", "ix_answers_member", ["user_id", "answered_at"])
    _index("answers", "ix_answers_member_item", ["user_id", "item_id", "answered_at"])
    _index("answers", "ix_answers_own", ["item_id"], "item_id LIKE '%--%'")
    op.create_table(
        "team_totals",
        _required("guild_id", BigInteger),
        _required("team_id", BigInteger),
        _required("topic_id", String(48)),
        _required("user_id", BigInteger),
        _required("points", BigInteger),
        PrimaryKeyConstraint("guild_id", "team_id", "topic_id", "user_id", name="pk_team_totals"),
        sqlite_with_rowid=False,
    )
    _index("team_totals", "ix_team_totals_user_id", ["user_id"])
    op.create_table(
        "totals",
        _required("guild_id", BigInteger),
        _required("topic_id", String(48)),
        _required("user_id", BigInteger),
        _required("points", BigInteger),
        PrimaryKeyConstraint("guild_id", "topic_id", "user_id", name="pk_totals"),
        sqlite_with_rowid=False,
    )
    _index("totals", "ix_totals_board", ["guild_id", "topic_id", text("points DESC"), "user_id"])
    _index("totals", "ix_totals_member", ["user_id", "guild_id"])


def _bank() -> None:
    op.create_table(
        "own_changes",
        _required("id", _ROW_ID),
        _required("guild_id", BigInteger),
        _required("before", Text),
        _required("after", Text),
        _required("at", BigInteger),
        PrimaryKeyConstraint("id", name="pk_own_changes"),
        sqlite_autoincrement=True,
    )
    _index("own_changes", "ix_own_changes_at", ["at"])
    _index("own_changes", "ix_own_changes_guild_id", ["guild_id"])
    op.create_table(
        "suggestions",
        _required("id", _ROW_ID),
        _required("guild_id", BigInteger),
        _required("user_id", BigInteger),
        _required("state", String(8)),
        _required("prompt", Text),
        _required("answer", Text),
        _required("wrong", Text),
        _required("why", Text),
        _required("source", Text),
        Column("reason", Text),
        _required("at", BigInteger),
        PrimaryKeyConstraint("id", name="pk_suggestions"),
        sqlite_autoincrement=True,
    )
    _index("suggestions", "ix_suggestions_member", ["user_id", "guild_id", "state"])
    _index("suggestions", "ix_suggestions_waiting", ["guild_id", "state", "id"])


def _challenges() -> None:
    op.create_table(
        "challenges",
        _required("id", _ROW_ID),
        _required("guild_id", BigInteger),
        _required("channel_id", BigInteger),
        _required("starter_id", BigInteger),
        Column("member_id", BigInteger),
        Column("topic_id", String(48)),
        Column("difficulty", String(10)),
        _required("wanted", Integer),
        _required("total", Integer),
        _required("hours", Integer),
        _required("state", String(8)),
        _required("counted", Integer, server_default="0"),
        Column("due_at", BigInteger),
        Column("lease_until", BigInteger),
        _required("failures", Integer, server_default="0"),
        Column("message_id", BigInteger),
        _required("started_at", BigInteger),
        _required("closes_at", BigInteger),
        Column("tried_at", BigInteger),
        Column("closed_at", BigInteger),
        _required("two_played", Boolean, server_default=false()),
        Column("ending", String(20)),
        _required("pings", Boolean, server_default=false()),
        PrimaryKeyConstraint("id", name="pk_challenges"),
        sqlite_autoincrement=True,
    )
    _index("challenges", "ix_challenges_due_at", ["due_at"], "due_at IS NOT NULL")
    _index("challenges", "ix_challenges_guild_id", ["guild_id", "id"])
    _index("challenges", "ix_challenges_member_id", ["member_id", "started_at"])
    _index("challenges", "ix_challenges_running", ["guild_id"], "state != 'closed'")
    _index("challenges", "ix_challenges_starter_id", ["starter_id"])
    op.create_table(
        "challenge_news",
        _required("challenge_id", _ROW_ID),
        _required("user_id", BigInteger),
        _required("guild_id", BigInteger),
        PrimaryKeyConstraint("challenge_id", "user_id", name="pk_challenge_news"),
        ForeignKeyConstraint(
            ["challenge_id"], ["challenges.id"], name="fk_challenge_news_challenge_id"
        ),
        sqlite_with_rowid=False,
    )
    _index("challenge_news", "ix_challenge_news_user_id", ["user_id", "guild_id"])
    op.create_table(
        "challenge_players",
        _required("challenge_id", _ROW_ID),
        _required("user_id", BigInteger),
        _required("number", Integer),
        _required("began_at", BigInteger),
        Column("finished_at", BigInteger),
        Column("guild_id", BigInteger),
        PrimaryKeyConstraint("challenge_id", "user_id", name="pk_challenge_players"),
        ForeignKeyConstraint(
            ["challenge_id"], ["challenges.id"], name="fk_challenge_players_challenge_id"
        ),
        sqlite_with_rowid=False,
    )
    _index(
        "challenge_players",
        "ix_challenge_players_playing",
        ["user_id", "guild_id"],
        "guild_id IS NOT NULL",
    )
    _index("challenge_players", "ix_challenge_players_user_id", ["user_id"])
    op.create_table(
        "challenge_questions",
        _required("id", _ROW_ID),
        _required("challenge_id", _ROW_ID),
        _required("number", Integer),
        _required("item_id", String(48)),
        _required("seconds", Integer),
        PrimaryKeyConstraint("id", name="pk_challenge_questions"),
        UniqueConstraint(
            "challenge_id", "number", name="uq_challenge_questions_challenge_id_number"
        ),
        ForeignKeyConstraint(
            ["challenge_id"], ["challenges.id"], name="fk_challenge_questions_challenge_id"
        ),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "challenge_shown",
        _required("question_id", _ROW_ID),
        _required("user_id", BigInteger),
        _required("choice_order", String(10)),
        _required("shown_at", BigInteger),
        _required("deadline_at", BigInteger),
        _required("arrived", Boolean, server_default=false()),
        PrimaryKeyConstraint("question_id", "user_id", name="pk_challenge_shown"),
        ForeignKeyConstraint(
            ["question_id"], ["challenge_questions.id"], name="fk_challenge_shown_question_id"
        ),
        sqlite_with_rowid=False,
    )
    _index("challenge_shown", "ix_challenge_shown_user_id", ["user_id"])


def _core() -> None:
    op.create_table(
        "erased_answers",
        _required("source", String(10)),
        _required("source_id", BigInteger),
        _required("digest", String(64)),
        _required("guild_id", BigInteger),
        PrimaryKeyConstraint("source", "source_id", "digest", name="pk_erased_answers"),
    )
    _index("erased_answers", "ix_erased_answers_guild_id", ["guild_id"])
    op.create_table(
        "guilds",
        _required("guild_id", BigInteger, autoincrement=False),
        _required("zone", String(64), server_default="UTC"),
        Column("starter_role_id", BigInteger),
        Column("suggestions_channel_id", BigInteger),
        Column("week_topic_id", String(48)),
        Column("week_topic_until", Date),
        PrimaryKeyConstraint("guild_id", name="pk_guilds"),
    )
    op.create_table(
        "member_hashes",
        _required("digest", String(64)),
        Column("day", Date),
        _required("count", Integer, server_default="1"),
        PrimaryKeyConstraint("digest", name="pk_member_hashes"),
    )
    _index("member_hashes", "ix_member_hashes_day", ["day"])
    op.create_table(
        "meta",
        _required("key", String(100)),
        _required("value", Text),
        PrimaryKeyConstraint("key", name="pk_meta"),
    )


def _daily() -> None:
    op.create_table(
        "dailies",
        _required("id", _ROW_ID),
        _required("guild_id", BigInteger),
        _required("schedule_id", BigInteger),
        _required("local_date", Date),
        _required("state", String(10)),
        _required("name", String(30)),
        Column("item_id", String(48)),
        Column("topic_id", String(48)),
        _required("choice_order", String(10)),
        _required("answer_hours", Integer),
        _required("thread", Boolean),
        Column("channel_id", BigInteger),
        Column("role_id", BigInteger),
        Column("message_id", BigInteger),
        Column("thread_id", BigInteger),
        _required("scheduled_at", BigInteger),
        Column("tried_at", BigInteger),
        Column("opened_at", BigInteger),
        Column("closes_at", BigInteger),
        Column("due_at", BigInteger),
        Column("lease_until", BigInteger),
        _required("failures", Integer, server_default="0"),
        _required("counted", Integer, server_default="0"),
        Column("problem", Text),
        _required("of_week", Boolean, server_default=false()),
        PrimaryKeyConstraint("id", name="pk_dailies"),
        UniqueConstraint("schedule_id", "local_date", name="uq_dailies_schedule_id_local_date"),
        sqlite_autoincrement=True,
    )
    _index("dailies", "ix_dailies_due_at", ["due_at"], "due_at IS NOT NULL")
    _index("dailies", "ix_dailies_guild_id", ["guild_id", "local_date"])
    _index(
        "dailies",
        "ix_dailies_in_play",
        ["item_id"],
        "state IN ('posting', 'showing', 'threading', 'open', 'closing')",
    )
    _index(
        "dailies",
        "ix_dailies_unrevealed",
        ["guild_id"],
        "state IN ('posting', 'showing', 'threading', 'open', 'closing')",
    )
    op.create_table(
        "daily_schedules",
        _required("id", _ROW_ID),
        _required("guild_id", BigInteger),
        _required("name", String(30)),
        _required("channel_id", BigInteger),
        _required("at", String(5)),
        _required("weekdays", String(7), server_default="0123456"),
        _required("asks", Text),
        _required("kind", String(6)),
        _required("answer_hours", Integer),
        Column("role_id", BigInteger),
        _required("thread", Boolean),
        _required("paused", Boolean),
        _required("settled_until", BigInteger),
        Column("next_at", BigInteger),
        _required("failures", Integer, server_default="0"),
        PrimaryKeyConstraint("id", name="pk_daily_schedules"),
        sqlite_autoincrement=True,
    )
    _index("daily_schedules", "ix_daily_schedules_guild_id", ["guild_id"])
    _index("daily_schedules", "ix_daily_schedules_next_at", ["next_at"], "next_at IS NOT NULL")
    op.create_table(
        "daily_uses",
        _required("guild_id", BigInteger),
        _required("item_id", String(48)),
        _required("last_on", Date),
        PrimaryKeyConstraint("guild_id", "item_id", name="pk_daily_uses"),
    )
    op.create_table(
        "open_answers",
        _required("daily_id", _ROW_ID),
        _required("user_id", BigInteger),
        _required("text", Text),
        PrimaryKeyConstraint("daily_id", "user_id", name="pk_open_answers"),
        ForeignKeyConstraint(["daily_id"], ["dailies.id"], name="fk_open_answers_daily_id"),
        sqlite_with_rowid=False,
    )
    _index("open_answers", "ix_open_answers_user_id", ["user_id"])


def _interviews() -> None:
    op.create_table(
        "interviews",
        _required("id", _ROW_ID),
        _required("user_id", BigInteger),
        Column("topic_id", String(48)),
        Column("case_id", String(40)),
        _required("total", Integer),
        _required("started_at", BigInteger),
        Column("ended_at", BigInteger),
        PrimaryKeyConstraint("id", name="pk_interviews"),
        sqlite_autoincrement=True,
    )
    _index("interviews", "ix_interviews_started", ["user_id", "started_at"])
    _index("interviews", "ix_interviews_user_id", ["user_id", "id"])
    _index(
        "interviews",
        "uq_interviews_running",
        ["user_id"],
        "ended_at IS NULL AND case_id IS NULL",
        unique=True,
    )
    _index(
        "interviews",
        "uq_interviews_running_case",
        ["user_id"],
        "ended_at IS NULL AND case_id IS NOT NULL",
        unique=True,
    )
    op.create_table(
        "partner_interviews",
        _required("id", _ROW_ID),
        _required("guild_id", BigInteger),
        _required("channel_id", BigInteger),
        Column("message_id", BigInteger),
        _required("first_id", BigInteger),
        Column("second_id", BigInteger),
        Column("pair", String(64)),
        Column("topic_id", String(48)),
        Column("case_id", String(40)),
        _required("state", String(10)),
        Column("thread_id", BigInteger),
        _required("turn", Integer, server_default="0"),
        Column("asked_topic_id", String(48)),
        Column("asked_mark", BigInteger),
        _required("ticks", String(6), server_default=""),
        Column("asked_at", BigInteger),
        Column("first_interview_id", BigInteger),
        Column("second_interview_id", BigInteger),
        Column("tried_at", BigInteger),
        _required("created_at", BigInteger),
        Column("due_at", BigInteger),
        Column("lease_until", BigInteger),
        _required("failures", Integer, server_default="0"),
        Column("ending", String(9)),
        PrimaryKeyConstraint("id", name="pk_partner_interviews"),
        sqlite_autoincrement=True,
    )
    _index(
        "partner_interviews",
        "ix_partner_interviews_asked",
        ["guild_id"],
        "asked_topic_id IS NOT NULL AND due_at IS NOT NULL",
    )
    _index("partner_interviews", "ix_partner_interviews_due_at", ["due_at"], "due_at IS NOT NULL")
    _index("partner_interviews", "ix_partner_interviews_first_id", ["first_id", "state"])
    _index("partner_interviews", "ix_partner_interviews_guild_id", ["guild_id"])
    _index("partner_interviews", "ix_partner_interviews_second_id", ["second_id", "state"])
    op.create_table(
        "interview_questions",
        _required("id", _ROW_ID),
        _required("interview_id", _ROW_ID),
        _required("number", Integer),
        _required("topic_id", String(48)),
        _required("asked_at", BigInteger),
        Column("answer", Text),
        Column("grade", Text),
        Column("answered_at", BigInteger),
        Column("follow_up", Text),
        PrimaryKeyConstraint("id", name="pk_interview_questions"),
        UniqueConstraint(
            "interview_id", "number", name="uq_interview_questions_interview_id_number"
        ),
        ForeignKeyConstraint(
            ["interview_id"], ["interviews.id"], name="fk_interview_questions_interview_id"
        ),
        sqlite_autoincrement=True,
    )


def _members() -> None:
    op.create_table(
        "member_names",
        _required("guild_id", BigInteger),
        _required("user_id", BigInteger),
        _required("name", String(64)),
        PrimaryKeyConstraint("guild_id", "user_id", name="pk_member_names"),
        sqlite_with_rowid=False,
    )
    _index("member_names", "ix_member_names_user_id", ["user_id"])
    op.create_table(
        "members",
        _required("user_id", BigInteger, autoincrement=False),
        _required("shows_profile", Boolean, server_default=false()),
        Column("zone", String(64)),
        PrimaryKeyConstraint("user_id", name="pk_members"),
    )
    op.create_table(
        "streak_days",
        _required("user_id", BigInteger),
        _required("day", Date),
        _required("counts", Boolean),
        PrimaryKeyConstraint("user_id", "day", name="pk_streak_days"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "streaks",
        _required("user_id", BigInteger, autoincrement=False),
        Column("through", Date),
        _required("current", Integer, server_default="0"),
        _required("best", Integer, server_default="0"),
        _required("freezes", Integer, server_default="0"),
        _required("unbroken", Integer, server_default="0"),
        _required("saved", Integer, server_default="0"),
        PrimaryKeyConstraint("user_id", name="pk_streaks"),
    )
    _index("streaks", "ix_streaks_through", ["through", "user_id"])
    op.create_table(
        "teams",
        _required("guild_id", BigInteger),
        _required("role_id", BigInteger),
        _required("name", String(100)),
        Column("removed_at", BigInteger),
        PrimaryKeyConstraint("guild_id", "role_id", name="pk_teams"),
    )


def _memory() -> None:
    op.create_table(
        "cards",
        _required("user_id", BigInteger),
        _required("item_id", String(48)),
        _required("state", Integer),
        Column("step", Integer),
        _required("stability", Float),
        _required("difficulty", Float),
        _required("due_at", BigInteger),
        _required("last_review_at", BigInteger),
        Column("set_aside_at", BigInteger),
        _required("first_right", Boolean),
        PrimaryKeyConstraint("user_id", "item_id", name="pk_cards"),
    )
    _index("cards", "ix_cards_set_aside", ["user_id"], "set_aside_at IS NOT NULL")
    op.create_table(
        "first_stabilities",
        _required("user_id", BigInteger),
        _required("holds_from", BigInteger),
        _required("reviews", Integer),
        _required("again", Float),
        _required("hard", Float),
        _required("good", Float),
        _required("easy", Float),
        PrimaryKeyConstraint("user_id", "holds_from", name="pk_first_stabilities"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "met",
        _required("user_id", BigInteger),
        _required("topic_id", String(48)),
        _required("last_at", BigInteger),
        Column("answered_at", BigInteger),
        Column("made", Integer),
        Column("points", Integer),
        PrimaryKeyConstraint("user_id", "topic_id", name="pk_met"),
    )


def _milestones() -> None:
    op.create_table(
        "member_milestones",
        _required("id", _ROW_ID),
        _required("guild_id", BigInteger),
        _required("user_id", BigInteger),
        _required("kind", String(8)),
        _required("name", String(64)),
        _required("role_id", BigInteger),
        _required("reached_at", BigInteger),
        _required("told", Boolean),
        Column("due_at", BigInteger),
        _required("failures", Integer, server_default="0"),
        Column("problem", Text),
        PrimaryKeyConstraint("id", name="pk_member_milestones"),
        UniqueConstraint(
            "user_id",
            "guild_id",
            "kind",
            "name",
            name="uq_member_milestones_user_id_guild_id_kind_name",
        ),
        sqlite_autoincrement=True,
    )
    _index("member_milestones", "ix_member_milestones_due_at", ["due_at"], "due_at IS NOT NULL")
    _index("member_milestones", "ix_member_milestones_guild_id", ["guild_id"])
    _index(
        "member_milestones",
        "ix_member_milestones_unfinished",
        ["guild_id"],
        "due_at IS NOT NULL OR problem IS NOT NULL",
    )
    op.create_table(
        "milestones",
        _required("guild_id", BigInteger),
        _required("kind", String(8)),
        _required("name", String(64)),
        _required("role_id", BigInteger),
        PrimaryKeyConstraint("guild_id", "kind", "name", name="pk_milestones"),
    )


def _plan() -> None:
    op.create_table(
        "plan_days",
        _required("user_id", BigInteger),
        _required("day", Date),
        _required("ready", Integer),
        PrimaryKeyConstraint("user_id", "day", name="pk_plan_days"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "plans",
        _required("user_id", BigInteger, autoincrement=False),
        _required("day", Date),
        _required("week", Text),
        _required("set_on", Date),
        _required("goal", Text),
        _required("away", Text),
        _required("checks", Text),
        _required("said", Text),
        PrimaryKeyConstraint("user_id", name="pk_plans"),
    )


def _practice() -> None:
    op.create_table(
        "practices",
        _required("id", _ROW_ID),
        _required("user_id", BigInteger),
        _required("kind", String(8)),
        Column("topic_id", String(48)),
        Column("item_ids", Text),
        _required("started_at", BigInteger),
        Column("ended_at", BigInteger),
        PrimaryKeyConstraint("id", name="pk_practices"),
        sqlite_autoincrement=True,
    )
    _index("practices", "ix_practices_user_id", ["user_id", "id"])
    _index("practices", "uq_practices_running", ["user_id"], "ended_at IS NULL", unique=True)
    op.create_table(
        "practice_questions",
        _required("id", _ROW_ID),
        _required("practice_id", _ROW_ID),
        _required("number", Integer),
        _required("item_id", String(48)),
        _required("item_mark", BigInteger),
        _required("choice_order", String(10)),
        Column("expected", Integer),
        _required("once_more", Boolean),
        _required("ends_day", Boolean),
        _required("asked_at", BigInteger),
        Column("left_out_at", BigInteger),
        PrimaryKeyConstraint("id", name="pk_practice_questions"),
        UniqueConstraint("practice_id", "number", name="uq_practice_questions_practice_id_number"),
        ForeignKeyConstraint(
            ["practice_id"], ["practices.id"], name="fk_practice_questions_practice_id"
        ),
        sqlite_autoincrement=True,
    )


def _privacy() -> None:
    op.create_table(
        "erasures",
        _required("id", _ROW_ID),
        Column("user_id", BigInteger),
        Column("guild_id", BigInteger),
        _required("state", String(7)),
        Column("due_at", BigInteger),
        Column("lease_until", BigInteger),
        _required("failures", Integer, server_default="0"),
        PrimaryKeyConstraint("id", name="pk_erasures"),
        UniqueConstraint("user_id", name="uq_erasures_user_id"),
        UniqueConstraint("guild_id", name="uq_erasures_guild_id"),
        sqlite_autoincrement=True,
    )
    _index("erasures", "ix_erasures_due_at", ["due_at"], "due_at IS NOT NULL")


def _questions() -> None:
    op.create_table(
        "asked",
        _required("guild_id", BigInteger),
        _required("item_id", String(48)),
        _required("last_at", BigInteger),
        PrimaryKeyConstraint("guild_id", "item_id", name="pk_asked"),
    )
    op.create_table(
        "own_items",
        _required("guild_id", BigInteger),
        _required("number", BigInteger),
        _required("name", String(48)),
        _required("topic_id", String(48)),
        _required("retired", Boolean),
        _required("size", Integer),
        Column("picture", String(60)),
        _required("content", Text),
        PrimaryKeyConstraint("guild_id", "number", name="pk_own_items"),
    )
    _index(
        "own_items",
        "uq_own_items_name",
        ["guild_id", "name"],
        ~column("retired", Boolean),
        unique=True,
    )
    op.create_table(
        "own_pictures",
        _required("guild_id", BigInteger),
        _required("file", String(60)),
        _required("content", LargeBinary),
        PrimaryKeyConstraint("guild_id", "file", name="pk_own_pictures"),
    )
    op.create_table(
        "own_topics",
        _required("guild_id", BigInteger),
        _required("number", BigInteger),
        _required("name", String(48)),
        _required("topic_id", String(48)),
        _required("section", String(48)),
        _required("section_title", String(100)),
        _required("title", String(100)),
        _required("size", Integer),
        _required("content", Text),
        PrimaryKeyConstraint("guild_id", "number", name="pk_own_topics"),
        UniqueConstraint("guild_id", "name", name="uq_own_topics_guild_id_name"),
    )
    op.create_table(
        "reports",
        _required("id", _ROW_ID),
        Column("guild_id", BigInteger),
        _required("user_id", BigInteger),
        _required("item_id", String(48)),
        _required("text", Text),
        _required("at", BigInteger),
        _required("settled", Boolean, server_default=false()),
        PrimaryKeyConstraint("id", name="pk_reports"),
        sqlite_autoincrement=True,
    )
    _index("reports", "ix_reports_guild_id", ["guild_id", "settled", "id"])
    _index("reports", "ix_reports_user_id", ["user_id"])
    op.create_table(
        "server_banks",
        _required("guild_id", BigInteger, autoincrement=False),
        _required("mark", BigInteger),
        Column("packs", Text),
        _required("numbers", BigInteger, server_default="0"),
        PrimaryKeyConstraint("guild_id", name="pk_server_banks"),
    )


def _recap() -> None:
    op.create_table(
        "recap_schedules",
        _required("guild_id", BigInteger, autoincrement=False),
        Column("channel_id", BigInteger),
        _required("weekday", Integer),
        _required("first_week", Date),
        Column("next_at", BigInteger),
        Column("due_at", BigInteger),
        _required("failures", Integer, server_default="0"),
        PrimaryKeyConstraint("guild_id", name="pk_recap_schedules"),
    )
    _index("recap_schedules", "ix_recap_schedules_due_at", ["due_at"], "due_at IS NOT NULL")
    op.create_table(
        "recaps",
        _required("id", _ROW_ID),
        _required("guild_id", BigInteger),
        _required("week", Date),
        _required("state", String(10)),
        _required("channel_id", BigInteger),
        Column("message_id", BigInteger),
        _required("scheduled_at", BigInteger),
        Column("tried_at", BigInteger),
        Column("due_at", BigInteger),
        Column("lease_until", BigInteger),
        _required("failures", Integer, server_default="0"),
        Column("problem", Text),
        Column("item_id", String(48)),
        _required("opened", Boolean, server_default=false()),
        PrimaryKeyConstraint("id", name="pk_recaps"),
        UniqueConstraint("guild_id", "week", name="uq_recaps_guild_id_week"),
        sqlite_autoincrement=True,
    )
    _index("recaps", "ix_recaps_due_at", ["due_at"], "due_at IS NOT NULL")


def _reminders() -> None:
    op.create_table(
        "reminders",
        _required("user_id", BigInteger, autoincrement=False),
        _required("at", String(5)),
        Column("next_at", BigInteger),
        _required("failures", Integer, server_default="0"),
        Column("problem", Text),
        Column("channel_id", BigInteger),
        Column("sent_at", BigInteger),
        _required("ignored", Integer, server_default="0"),
        PrimaryKeyConstraint("user_id", name="pk_reminders"),
    )
    _index("reminders", "ix_reminders_next_at", ["next_at"], "next_at IS NOT NULL")


def _rounds() -> None:
    op.create_table(
        "rounds",
        _required("id", _ROW_ID),
        _required("guild_id", BigInteger),
        _required("channel_id", BigInteger),
        _required("starter_id", BigInteger),
        Column("topic_id", String(48)),
        Column("difficulty", String(10)),
        Column("seconds", Integer),
        _required("hosted", Boolean, server_default=false()),
        _required("total", Integer),
        _required("phase", String(10)),
        _required("number", Integer),
        Column("due_at", BigInteger),
        Column("lease_until", BigInteger),
        _required("failures", Integer, server_default="0"),
        _required("idle", Integer),
        Column("ending", String(20)),
        _required("started_at", BigInteger),
        _required("two_played", Boolean, server_default=false()),
        Column("erased_in", Integer),
        PrimaryKeyConstraint("id", name="pk_rounds"),
        sqlite_autoincrement=True,
    )
    _index("rounds", "ix_rounds_due_at", ["due_at"], "due_at IS NOT NULL")
    _index("rounds", "ix_rounds_guild_id", ["guild_id", "id"])
    _index("rounds", "ix_rounds_running", ["guild_id"], "phase != 'ended'")
    _index("rounds", "ix_rounds_started", ["starter_id"], "phase != 'ended'")
    _index("rounds", "ix_rounds_starter_id", ["starter_id"])
    _index("rounds", "uq_rounds_running", ["channel_id"], "phase != 'ended'", unique=True)
    op.create_table(
        "round_questions",
        _required("id", _ROW_ID),
        _required("round_id", _ROW_ID),
        _required("number", Integer),
        _required("item_id", String(48)),
        _required("choice_order", String(6)),
        Column("seconds", Integer),
        Column("asked_at", BigInteger),
        Column("message_id", BigInteger),
        Column("opened_at", BigInteger),
        Column("deadline_at", BigInteger),
        Column("revealed_at", BigInteger),
        PrimaryKeyConstraint("id", name="pk_round_questions"),
        UniqueConstraint("round_id", "number", name="uq_round_questions_round_id_number"),
        ForeignKeyConstraint(["round_id"], ["rounds.id"], name="fk_round_questions_round_id"),
        sqlite_autoincrement=True,
    )
    _index("round_questions", "ix_round_questions_own", ["item_id"], "item_id LIKE '%--%'")
