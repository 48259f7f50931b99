"""Tables of mock interviews, their questions and what members wrote."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Select, select, update

from bot.core.personal import JSON
from bot.core.tables import Instant, RowId, all_values, fetch, fetch_all, insert, metadata
from bot.interviews.model import Assessment, Interview, InterviewQuestion, encode
from bot.memory.model import OpenAnswer
from bot.memory.store import note_met, save_open_answer

# A member's mock interview, on open questions or on a case; one of each runs at a time.
interviews = sa.Table(
    "interviews",
    metadata,
    sa.Column("id", RowId, primary_key=True),
    sa.Column("user_id", sa.BigInteger, nullable=False),
    sa.Column("topic_id", sa.String(48)),
    sa.Column("case_id", sa.String(40)),
    sa.Column("total", sa.Integer, nullable=False),
    sa.Column("started_at", Instant, nullable=False),
    sa.Column("ended_at", Instant),
    sa.Index("ix_interviews_user_id", "user_id", "id"),
    sa.Index("ix_interviews_started", "user_id", "started_at"),
    sqlite_autoincrement=True,  # ids of erased rows must not be reused, because buttons hold them
)
_RUNNING = interviews.c.ended_at.is_(None)
_ON_CASE = interviews.c.case_id.is_not(None)
for _name, _where in (
    ("uq_interviews_running", sa.and_(_RUNNING, interviews.c.case_id.is_(None))),
    ("uq_interviews_running_case", sa.and_(_RUNNING, _ON_CASE)),
):
    sa.Index(_name, interviews.c.user_id, unique=True, sqlite_where=_where)

interview_questions = sa.Table(
    "interview_questions",
    metadata,
    sa.Column("id", RowId, primary_key=True),
    sa.Column("interview_id", sa.ForeignKey("interviews.id"), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("topic_id", sa.String(48), nullable=False),  # of a topic, or of a step of a case
    sa.Column("asked_at", Instant, nullable=False),
    sa.Column("answer", sa.Text),  # empty if it was given aloud, to a partner
    sa.Column("grade", sa.Text, info=JSON),  # of an `Assessment`
    sa.Column("answered_at", Instant),
    sa.Column("follow_up", sa.Text, info=JSON),  # of a `Reply`; null until it is answered or shown
    sa.UniqueConstraint("interview_id", "number"),
    sqlite_autoincrement=True,  # as above
)


def running(conn: Connection, user_id: int, *, on_case: bool = False) -> Interview | None:
    """Return the interview on open questions, or else on a case, that a member has not ended."""
    kind = _ON_CASE if on_case else interviews.c.case_id.is_(None)
    query = select(interviews).where(interviews.c.user_id == user_id, _RUNNING, kind)
    return fetch(conn, query, Interview)


def case_runs(conn: Connection, user_id: int) -> dict[str, Interview]:
    """Return a member's latest interview on each case that they were asked, by the case's id."""
    c = interviews.c
    latest = select(sa.func.max(c.id)).where(c.user_id == user_id, _ON_CASE).group_by(c.case_id)
    ids = conn.execute(latest).scalars().all()
    found = fetch_all(conn, select(interviews).where(c.id.in_(ids)), Interview)
    return {str(run.case_id): run for run in found}


def has_begun(conn: Connection, user_id: int) -> bool:
    """Whether a member has ever started an interview."""
    return (
        conn.execute(
            select(interviews.c.id).where(interviews.c.user_id == user_id).limit(1)
        ).first()
        is not None
    )


def create(
    conn: Connection,
    *,
    user_id: int,
    topic_id: str | None,
    total: int,
    now: datetime,
    case_id: str | None = None,
) -> bool:
    """Start an interview; False if the member already has one running of the same kind."""
    chosen = {"topic_id": topic_id, "case_id": case_id}
    values = {"user_id": user_id, "total": total, "started_at": now, **chosen}
    return (
        conn.execute(insert(conn, interviews).values(**values).on_conflict_do_nothing()).rowcount
        == 1
    )


def get(conn: Connection, interview_id: int) -> Interview | None:
    return fetch(conn, select(interviews).where(interviews.c.id == interview_id), Interview)


def end(conn: Connection, interview_id: int, now: datetime) -> None:
    """End an interview. One that has ended keeps its time."""
    where = interviews.c.id == interview_id, interviews.c.ended_at.is_(None)
    conn.execute(update(interviews).where(*where).values(ended_at=now))


def add_question(
    conn: Connection, interview: Interview, number: int, topic_id: str, now: datetime
) -> None:
    """Ask a question, unless that number has been asked already."""
    values = {"interview_id": interview.id, "number": number, "topic_id": topic_id, "asked_at": now}
    asked = conn.execute(
        insert(conn, interview_questions).values(**values).on_conflict_do_nothing()
    )
    if asked.rowcount == 1 and interview.case_id is None:
        note_met(conn, interview.user_id, topic_id, now)


def add_partner_answer(
    conn: Connection,
    interview_id: int | None,
    *,
    user_id: int,
    topic_id: str,
    total: int,
    assessment: Assessment,
    asked_at: datetime,
    now: datetime,
    case_id: str | None = None,
) -> int:
    """Store an answer that a partner has ticked, and return its interview's id.

    The interview is a new one if `interview_id` is None or was erased. It counts as ended, so that
    the member can take another one at the same time.
    """
    found = get(conn, interview_id) if interview_id is not None else None
    if found is None:
        values = {"user_id": user_id, "case_id": case_id, "total": total}
        times = {"started_at": asked_at, "ended_at": now}
        new = interviews.insert().values(**values, **times).returning(interviews.c.id)
        interview_id = conn.execute(new).scalar_one()
    assert interview_id is not None
    number = len(questions_of(conn, interview_id)) + 1
    asked = {"interview_id": interview_id, "number": number, "topic_id": topic_id}
    given = {"asked_at": asked_at, "answered_at": now, "answer": "", "grade": encode(assessment)}
    conn.execute(interview_questions.insert().values(**asked, **given))
    conn.execute(update(interviews).where(interviews.c.id == interview_id).values(ended_at=now))
    if case_id is None:
        note_met(conn, user_id, topic_id, now)
    _note_count(conn, user_id, topic_id, now, assessment)
    return interview_id


def question(conn: Connection, question_id: int, *, lock: bool = False) -> InterviewQuestion | None:
    """Return a question. `lock` keeps other transactions from changing it until this one ends."""
    query = select(interview_questions).where(interview_questions.c.id == question_id)
    return fetch(conn, query.with_for_update() if lock else query, InterviewQuestion)


def questions_of(conn: Connection, interview_id: int) -> list[InterviewQuestion]:
    """Return all questions of an interview in order."""
    query = select(interview_questions).where(interview_questions.c.interview_id == interview_id)
    return fetch_all(conn, query.order_by(interview_questions.c.number), InterviewQuestion)


MAX_EARLIER = 100
"""Number of a member's latest interviews that are searched for earlier answers."""


def earlier_grades(
    conn: Connection, interview: Interview, topic_ids: Collection[str]
) -> dict[str, str]:
    """Return the grade of the member's latest earlier answer to each topic, by topic id."""
    c = interview_questions.c
    own = interviews.c.user_id == interview.user_id, interviews.c.id < interview.id
    newest = select(interviews.c.id).where(*own).order_by(interviews.c.id.desc())
    # As a subquery, this made PostgreSQL read the questions of all members.
    earlier = conn.execute(newest.limit(MAX_EARLIER)).scalars().all()
    query = select(c.topic_id, c.grade).where(
        c.interview_id.in_(earlier), c.topic_id.in_(topic_ids)
    )
    rows = conn.execute(query.where(c.grade.is_not(None)).order_by(c.interview_id))
    return {row.topic_id: row.grade for row in rows}


def save_answer(conn: Connection, question_id: int, text: str, now: datetime) -> bool:
    """Store an answer; False if there is one already. A skipped question can still be answered."""
    where = interview_questions.c.id == question_id, interview_questions.c.answer.is_(None)
    return (
        conn.execute(
            update(interview_questions).where(*where).values(answer=text, answered_at=now)
        ).rowcount
        == 1
    )


def skip(conn: Connection, question_id: int, now: datetime) -> None:
    """Skip a question, unless it is answered."""
    where = interview_questions.c.id == question_id, interview_questions.c.answered_at.is_(None)
    conn.execute(update(interview_questions).where(*where).values(answered_at=now))


@all_values
def answered_since(user_id: int, since: datetime) -> Select[Any]:
    """Return when a member answered in interviews that began after a moment."""
    c = interview_questions.c
    query = select(c.answered_at).join(interviews, c.interview_id == interviews.c.id)
    own = interviews.c.user_id == user_id, interviews.c.started_at >= since
    return query.where(*own, c.answer.is_not(None))


def save_grade(
    conn: Connection, user_id: int, question: InterviewQuestion, assessment: Assessment
) -> None:
    """Store the grade of a member's answer, replacing an earlier one."""
    this = interview_questions.c.id == question.id
    conn.execute(update(interview_questions).where(this).values(grade=encode(assessment)))
    assert question.answered_at is not None
    _note_count(conn, user_id, question.topic_id, question.answered_at, assessment)


def _note_count(
    conn: Connection, user_id: int, topic_id: str, at: datetime, assessment: Assessment
) -> None:
    """Let an answer count for what the member knows, if its points were counted.

    An answer to a step of a case doesn't: a step is no topic that they have met.
    """
    if (count := assessment.count) is not None:
        save_open_answer(conn, user_id, topic_id, OpenAnswer(at, count.said, count.total))


def save_follow_up(conn: Connection, question_id: int, reply: str) -> None:
    """Store the reply to a question's follow-up, replacing an earlier one."""
    conn.execute(
        update(interview_questions)
        .where(interview_questions.c.id == question_id)
        .values(follow_up=reply)
    )
