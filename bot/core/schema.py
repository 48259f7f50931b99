"""The tables. What a column means is said here; how it came about is in `migrations/`.

Instants are stored as whole milliseconds since 1970 in UTC: exact, comparable, the same in SQLite and PostgreSQL.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)


def milliseconds(at: datetime) -> int:
    """An aware datetime as milliseconds since 1970 in UTC."""
    return (at - _EPOCH) // _MS


class Instant(TypeDecorator[datetime]):
    """An aware datetime, kept as milliseconds since 1970 in UTC."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else milliseconds(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return None if value is None else _EPOCH + value * _MS


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)
RowId = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by itself only for INTEGER keys

meta = Table(
    "meta",
    metadata,
    Column("key", String(100), primary_key=True),
    Column("value", Text, nullable=False),
)

guilds = Table(
    "guilds",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),
    Column("zone", String(64), nullable=False),  # IANA name; decides where a day of the boards begins
)

# One row a round. `phase` is what the round does next and `due_at` when, or until when a process has claimed it:
#   ask        post question `number`
#   asking     the post is on its way; whether Discord has it is not known yet
#   open       members answer; due at the reveal
#   reveal     closed, the card is being edited; scored as it leaves
#   standings  post the standings
#   closing    the standings are on their way
#   ended
rounds = Table(
    "rounds",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("guild_id", BigInteger, nullable=False),
    Column("channel_id", BigInteger, nullable=False),
    Column("starter_id", BigInteger, nullable=False),
    Column("topic_id", String(48)),
    Column("difficulty", String(10), nullable=False),
    Column("seconds", Integer, nullable=False),
    Column("total", Integer, nullable=False),
    Column("phase", String(10), nullable=False),
    Column("number", Integer, nullable=False),  # the current question, from 1
    Column("due_at", Instant, nullable=False),
    Column("idle", Integer, nullable=False),  # questions in a row that nobody answered
    Column("ending", String(20)),  # why it ends early, once that is decided
    Column("detail", Text),  # the reason in words, for logs and status
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Index(
        "uq_rounds_running",
        "channel_id",
        unique=True,
        sqlite_where=text("phase != 'ended'"),
        postgresql_where=text("phase != 'ended'"),
    ),
    Index("ix_rounds_due", "due_at", sqlite_where=text("phase != 'ended'"), postgresql_where=text("phase != 'ended'")),
)

round_questions = Table(
    "round_questions",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("round_id", ForeignKey("rounds.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("item_id", String(48), nullable=False),
    Column("choice_order", String(6), nullable=False),
    Column("asked_at", Instant),  # when the post was tried
    Column("message_id", BigInteger),
    Column("opened_at", Instant),  # the message's own time, by its snowflake
    Column("deadline_at", Instant),
    Column("revealed_at", Instant),
    UniqueConstraint("round_id", "number"),
)

round_answers = Table(
    "round_answers",
    metadata,
    Column("question_id", ForeignKey("round_questions.id"), primary_key=True),
    Column("user_id", BigInteger, primary_key=True, autoincrement=False),
    Column("answer", String(100), nullable=False),  # see bot.questions.answers
    Column("correct", Boolean, nullable=False),
    Column("points", Integer, nullable=False),
    Column("elapsed_ms", Integer, nullable=False),
    Column("answered_at", Instant, nullable=False),
    Index("ix_round_answers_user_id", "user_id"),
)

# When a server last met an item, in a round or a daily.
asked = Table(
    "asked",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),
    Column("item_id", String(48), primary_key=True),
    Column("last_at", Instant, nullable=False),
)

daily_schedules = Table(
    "daily_schedules",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),
    Column("channel_id", BigInteger, nullable=False),
    Column("at", String(5), nullable=False),  # HH:MM
    Column("zone", String(64), nullable=False),
    Column("topic_id", String(48)),
    Column("kind", String(6), nullable=False),
    Column("answer_hours", Integer, nullable=False),
    Column("role_id", BigInteger),
    Column("thread", Boolean, nullable=False),
    Column("paused", Boolean, nullable=False),
    Column("settled_until", Instant, nullable=False),  # post times up to here have been decided
    Column("next_at", Instant),  # computed from the rule; null while paused
    Index("ix_daily_schedules_next_at", "next_at"),
)

# One row a server and local date, whatever became of it. `state`:
#   posting    on its way, or tried again until it is too late
#   threading  posted; its thread is still to be opened
#   open       members answer; due at the close
#   closing    the card is being edited
#   closed
#   skipped    left out by a manager
#   missed     could not be posted in time; `problem` says why
dailies = Table(
    "dailies",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("guild_id", BigInteger, nullable=False),
    Column("local_date", Date, nullable=False),
    Column("state", String(10), nullable=False),
    Column("item_id", String(48)),
    Column("choice_order", String(6), nullable=False),
    Column("channel_id", BigInteger),
    Column("message_id", BigInteger),
    Column("scheduled_at", Instant, nullable=False),
    Column("tried_at", Instant),  # when a post was first tried whose outcome is not known; null if none was
    Column("opened_at", Instant),
    Column("closes_at", Instant),
    Column("due_at", Instant),  # when there is work on this row; null when there is none
    Column("problem", Text),
    Column("topic_id", String(48)),  # of an open question, which has no item
    UniqueConstraint("guild_id", "local_date"),
    Index("ix_dailies_due_at", "due_at"),
)

daily_answers = Table(
    "daily_answers",
    metadata,
    Column("daily_id", ForeignKey("dailies.id"), primary_key=True),
    Column("user_id", BigInteger, primary_key=True, autoincrement=False),
    Column("answer", String(100), nullable=False),
    Column("correct", Boolean, nullable=False),
    Column("points", Integer, nullable=False),
    Column("answered_at", Instant, nullable=False),
    Column("streak", Integer, nullable=False, server_default="0"),  # the member's, with this answer
    Index("ix_daily_answers_user_id", "user_id"),
)

# What a member wrote to an open daily; `daily_answers` holds the points. `grade`: see bot.interviews.grading.
open_answers = Table(
    "open_answers",
    metadata,
    Column("daily_id", ForeignKey("dailies.id"), primary_key=True),
    Column("user_id", BigInteger, primary_key=True, autoincrement=False),
    Column("text", Text, nullable=False),
    Column("grade", Text, nullable=False),
    Index("ix_open_answers_user_id", "user_id"),
)

# Every point won, once: the source's key is the question's or the daily's id.
ledger = Table(
    "ledger",
    metadata,
    Column("source", String(5), primary_key=True),  # round, daily
    Column("source_id", BigInteger, primary_key=True, autoincrement=False),
    Column("user_id", BigInteger, primary_key=True, autoincrement=False),
    Column("guild_id", BigInteger, nullable=False),
    Column("topic_id", String(48), nullable=False),
    Column("points", Integer, nullable=False),
    Column("correct", Boolean, nullable=False),
    Column("local_date", Date, nullable=False),  # in the server's zone, as it was then
    Column("at", Instant, nullable=False),
    Index("ix_ledger_user_id", "user_id", "guild_id"),
)

# Sums of the ledger by period and topic ('' for all topics), kept in the transaction that writes the ledger.
scores = Table(
    "scores",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),
    Column("period", String(5), primary_key=True),
    Column("start", Date, primary_key=True),
    Column("topic_id", String(48), primary_key=True),
    Column("user_id", BigInteger, primary_key=True, autoincrement=False),
    Column("points", BigInteger, nullable=False),
    Column("answers", Integer, nullable=False),
    Column("right", Integer, nullable=False),
    Index("ix_scores_user_id", "user_id"),
)
Index("ix_scores_board", *[*scores.primary_key][:4], scores.c.points.desc(), scores.c.user_id)  # in a board's order

# How many members of a board have points in a bucket (see `bot.points.leaderboard.bucket`), kept in the transaction
# that changes `scores`: so a place costs the same on a board of any size. A bucket without members has no row.
score_buckets = Table(
    "score_buckets",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),
    Column("period", String(5), primary_key=True),
    Column("start", Date, primary_key=True),
    Column("topic_id", String(48), primary_key=True),
    Column("low", BigInteger, primary_key=True, autoincrement=False),  # the bucket's lowest points
    Column("members", Integer, nullable=False),
    sqlite_with_rowid=False,
)

# What members said is wrong with an item, or with the open question of the topic whose id stands in its place.
reports = Table(
    "reports",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("guild_id", BigInteger, nullable=False),
    Column("user_id", BigInteger, nullable=False),
    Column("item_id", String(48), nullable=False),
    Column("text", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Index("ix_reports_user_id", "user_id"),
)

# One FSRS card a member and item they met, on any server or in private; see `bot.memory.rules`.
cards = Table(
    "cards",
    metadata,
    Column("user_id", BigInteger, primary_key=True, autoincrement=False),
    Column("item_id", String(48), primary_key=True),
    Column("state", Integer, nullable=False),
    Column("step", Integer),
    Column("stability", Float, nullable=False),
    Column("difficulty", Float, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("last_review_at", Instant, nullable=False),
    Index("ix_cards_due", "user_id", "due_at"),
)

# Every review of a card, once: what the cards were computed from, and what parameters can be fitted to.
reviews = Table(
    "reviews",
    metadata,
    Column("user_id", BigInteger, primary_key=True, autoincrement=False),
    Column("source", String(8), primary_key=True),  # round, daily, practice
    Column("source_id", BigInteger, primary_key=True, autoincrement=False),  # of the question answered
    Column("item_id", String(48), nullable=False),
    Column("rating", Integer, nullable=False),
    Column("elapsed_ms", Integer),
    Column("at", Instant, nullable=False),
    Index("ix_reviews_at", "user_id", "at"),
)

# A member's practice; one runs at a time.
practices = Table(
    "practices",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("user_id", BigInteger, nullable=False),
    Column("topic_id", String(48)),
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Index(
        "uq_practices_running",
        "user_id",
        unique=True,
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
    Index("ix_practices_user_id", "user_id"),
)

# One that was left out unanswered has `answered_at` but no answer.
practice_questions = Table(
    "practice_questions",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("practice_id", ForeignKey("practices.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("item_id", String(48), nullable=False),
    Column("choice_order", String(6), nullable=False),
    Column("fresh", Boolean, nullable=False),  # the member had no card of the item before
    Column("asked_at", Instant, nullable=False),
    Column("answer", String(100)),
    Column("correct", Boolean),
    Column("answered_at", Instant),
    UniqueConstraint("practice_id", "number"),
)

# The daily reminder to practise, by direct message; no row if a member wants none.
reminders = Table(
    "reminders",
    metadata,
    Column("user_id", BigInteger, primary_key=True, autoincrement=False),
    Column("at", String(5), nullable=False),  # HH:MM
    Column("zone", String(64), nullable=False),
    Column("next_at", Instant),  # null once it has stopped by itself
    Column("problem", Text),  # why it stopped
    Index("ix_reminders_next_at", "next_at"),
)

# A member's mock interview; one runs at a time.
interviews = Table(
    "interviews",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("user_id", BigInteger, nullable=False),
    Column("topic_id", String(48)),
    Column("total", Integer, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Index(
        "uq_interviews_running",
        "user_id",
        unique=True,
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
    Index("ix_interviews_user_id", "user_id"),
)

interview_questions = Table(
    "interview_questions",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("interview_id", ForeignKey("interviews.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("topic_id", String(48), nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("answer", Text),
    Column("grade", Text),
    Column("score", Integer),  # percent
    Column("answered_at", Instant),
    UniqueConstraint("interview_id", "number"),
)

# What a member decided about themselves, for all servers.
members = Table(
    "members",
    metadata,
    Column("user_id", BigInteger, primary_key=True, autoincrement=False),
    Column("shows_stats", Boolean, nullable=False),  # others may look at their /stats
)
