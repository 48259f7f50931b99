"""Members' practices and their questions; the answers are in the log."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Select, bindparam, select, update

from bot.answers.rules import slow_in_practice
from bot.answers.sources import Source, Terms
from bot.answers.store import PRACTICE, answers
from bot.core.limits import MAX_PIECES
from bot.core.personal import SECRET
from bot.core.tables import (
    Instant,
    RowId,
    all_rows,
    constant,
    first_row,
    insert,
    metadata,
)
from bot.practice.model import Practice, PracticeQuestion

# Members' practices. At most one of a member is running.
practices = sa.Table(
    "practices",
    metadata,
    sa.Column("id", RowId, primary_key=True),
    sa.Column("user_id", sa.BigInteger, nullable=False),
    sa.Column("kind", sa.String(8), nullable=False),  # a `Kind`
    sa.Column("topic_id", sa.String(48)),
    # the only items it asks, separated by spaces; null: any
    sa.Column("item_ids", sa.Text),
    sa.Column("started_at", Instant, nullable=False),
    sa.Column("ended_at", Instant),
    sa.Index("ix_practices_user_id", "user_id", "id"),
    sqlite_autoincrement=True,  # ids of erased rows must not be reused, because buttons hold them
)
_RUNNING = practices.c.ended_at.is_(None)
sa.Index(
    "uq_practices_running",
    practices.c.user_id,
    unique=True,
    sqlite_where=_RUNNING,
)

practice_questions = sa.Table(
    "practice_questions",
    metadata,
    sa.Column("id", RowId, primary_key=True),
    sa.Column("practice_id", sa.ForeignKey("practices.id"), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("item_id", sa.String(48), nullable=False),
    # the item as it was shown; it could show what is right
    sa.Column("item_mark", sa.BigInteger, nullable=False, info=SECRET),
    # it could show the place of the right answer
    sa.Column("choice_order", sa.String(MAX_PIECES), nullable=False, info=SECRET),
    # the bot expects so many of a thousand such answers to be right; null if the item was met before
    sa.Column("expected", sa.Integer),
    sa.Column("once_more", sa.Boolean, nullable=False),  # it was missed shortly before
    sa.Column("ends_day", sa.Boolean, nullable=False),  # as `PracticeQuestion` describes
    sa.Column("asked_at", Instant, nullable=False),
    sa.Column("left_out_at", Instant),  # when it was dropped without an answer
    sa.UniqueConstraint("practice_id", "number"),
    sqlite_autoincrement=True,  # ids are never reused: the log keeps those of erased questions
)


def _lock_running(_conn: Connection, _user_id: int, question_ids: Collection[int]) -> set[int]:
    """Return all questions: nobody but the member has seen their answers."""
    return set(question_ids)


SOURCE = Source(
    name=PRACTICE,
    terms=lambda _conn, _question_id: Terms(),
    points=lambda _right, _elapsed_ms, _limit_ms: 0,
    slow_after=lambda item, _seconds: slow_in_practice(item),
    lock_running=_lock_running,
)


def create(conn: Connection, **values: object) -> Practice | None:
    """Begin a practice; `values` are its columns. None if the member has a running one."""
    query = insert(conn, practices).values(**values)
    query = query.on_conflict_do_nothing(index_elements=["user_id"], index_where=_RUNNING)
    row = conn.execute(query.returning(practices)).first()
    return None if row is None else Practice(**row._mapping)


@first_row(Practice)
def get(practice_id: int, user_id: int, *, lock: bool = False) -> Select[Any]:
    """Return a member's own practice; with `lock`, locked until this transaction ends."""
    query = select(practices).where(practices.c.id == practice_id, practices.c.user_id == user_id)
    return query.with_for_update() if lock else query


@first_row(Practice)
def running(user_id: int) -> Select[Any]:
    """Return a member's running practice."""
    return select(practices).where(practices.c.user_id == user_id, _RUNNING)


def end(conn: Connection, practice_id: int, at: datetime) -> None:
    conn.execute(update(practices).where(practices.c.id == practice_id).values(ended_at=at))


def add_question(conn: Connection, **values: object) -> PracticeQuestion:
    """Store a new question; `values` are its columns."""
    return PracticeQuestion(**conn.execute(_INSERT, values).one()._mapping)


_INSERT = practice_questions.insert().returning(practice_questions)
_UPDATE = update(practice_questions).where(practice_questions.c.id == bindparam("row_id"))


def change_question(conn: Connection, question_id: int, **values: object) -> None:
    conn.execute(_UPDATE, {"row_id": question_id, **values})


@first_row(PracticeQuestion)
def question(question_id: int) -> Select[Any]:
    return _with_answers().where(practice_questions.c.id == question_id)


@all_rows(PracticeQuestion)
def questions_of(practice_id: int) -> Select[Any]:
    """Return all questions of a practice in order; at most the last is open."""
    query = _with_answers().where(practice_questions.c.practice_id == practice_id)
    return query.order_by(practice_questions.c.number)


def _with_answers() -> Select[Any]:
    c = answers.c
    own = (c.source == constant(PRACTICE)) & (c.question_id == practice_questions.c.id)
    query = select(practice_questions, c.answer, c.correct, c.answered_at, c.rating)
    return query.select_from(practice_questions).outerjoin(answers, own)


def last_asked(conn: Connection, user_id: int) -> datetime | None:
    """Return when a member's newest practice asked its latest question."""
    newest = (
        select(practices.c.id)
        .where(practices.c.user_id == user_id)
        .order_by(practices.c.id.desc())
        .limit(1)
    )
    asked = select(practice_questions.c.asked_at).where(
        practice_questions.c.practice_id == newest.scalar_subquery()
    )
    return conn.execute(asked.order_by(practice_questions.c.number.desc()).limit(1)).scalar()
