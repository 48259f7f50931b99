"""Mock interviews, their questions and what members wrote."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select, update

from bot.core.schema import dailies, interview_questions, interviews, ledger, open_answers
from bot.core.upsert import insert


@dataclass(frozen=True, slots=True)
class Interview:
    """A row of `interviews`; see the schema for the columns."""

    id: int
    user_id: int
    topic_id: str | None
    total: int
    started_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class InterviewQuestion:
    """A row of `interview_questions`. One that was skipped has a time but no answer."""

    id: int
    interview_id: int
    number: int
    topic_id: str
    asked_at: datetime
    answer: str | None
    grade: str | None
    score: int | None
    answered_at: datetime | None

    @property
    def open(self) -> bool:
        return self.answered_at is None


def running(conn: Connection, user_id: int) -> Interview | None:
    """The interview that a member has not ended."""
    row = conn.execute(
        select(interviews).where(interviews.c.user_id == user_id, interviews.c.ended_at.is_(None))
    ).first()
    return Interview(**row._mapping) if row else None


def create(conn: Connection, *, user_id: int, topic_id: str | None, total: int, now: datetime) -> bool:
    """Begin an interview; False if the member has one running."""
    values = {"user_id": user_id, "topic_id": topic_id, "total": total, "started_at": now}
    return conn.execute(insert(conn, interviews).values(**values).on_conflict_do_nothing()).rowcount == 1


def get(conn: Connection, interview_id: int) -> Interview | None:
    row = conn.execute(select(interviews).where(interviews.c.id == interview_id)).first()
    return Interview(**row._mapping) if row else None


def end(conn: Connection, interview_id: int, now: datetime) -> None:
    """End an interview; one that has ended keeps its time."""
    where = interviews.c.id == interview_id, interviews.c.ended_at.is_(None)
    conn.execute(update(interviews).where(*where).values(ended_at=now))


def add_question(conn: Connection, interview_id: int, number: int, topic_id: str, now: datetime) -> None:
    """Ask a question; nothing happens if that number has been asked."""
    values = {"interview_id": interview_id, "number": number, "topic_id": topic_id, "asked_at": now}
    conn.execute(insert(conn, interview_questions).values(**values).on_conflict_do_nothing())


def question(conn: Connection, question_id: int) -> InterviewQuestion | None:
    row = conn.execute(select(interview_questions).where(interview_questions.c.id == question_id)).first()
    return InterviewQuestion(**row._mapping) if row else None


def questions_of(conn: Connection, interview_id: int) -> list[InterviewQuestion]:
    """All questions of an interview, in their order."""
    rows = conn.execute(
        select(interview_questions)
        .where(interview_questions.c.interview_id == interview_id)
        .order_by(interview_questions.c.number)
    )
    return [InterviewQuestion(**row._mapping) for row in rows]


def save_answer(conn: Connection, question_id: int, text: str, now: datetime) -> bool:
    """Keep what a member wrote; False if they have answered before. A question they skipped takes an answer."""
    where = interview_questions.c.id == question_id, interview_questions.c.answer.is_(None)
    return conn.execute(update(interview_questions).where(*where).values(answer=text, answered_at=now)).rowcount == 1


def skip(conn: Connection, question_id: int, now: datetime) -> None:
    """Leave a question out, unless it is answered."""
    where = interview_questions.c.id == question_id, interview_questions.c.answered_at.is_(None)
    conn.execute(update(interview_questions).where(*where).values(answered_at=now))


def save_grade(conn: Connection, question_id: int, grade: str, score: int) -> None:
    """Keep the grade of an answer, in place of an earlier one."""
    conn.execute(
        update(interview_questions).where(interview_questions.c.id == question_id).values(grade=grade, score=score)
    )


def last_asked(conn: Connection, user_id: int) -> dict[str, datetime]:
    """When a member last met a topic's open question, in an interview or by answering it as a daily."""
    in_interviews = (
        select(interview_questions.c.topic_id, interview_questions.c.asked_at.label("at"))
        .join(interviews, interviews.c.id == interview_questions.c.interview_id)
        .where(interviews.c.user_id == user_id)
    )
    in_dailies = (
        select(dailies.c.topic_id, dailies.c.opened_at.label("at"))
        .join(open_answers, open_answers.c.daily_id == dailies.c.id)
        .where(open_answers.c.user_id == user_id, dailies.c.topic_id.is_not(None))
    )
    met = in_interviews.union_all(in_dailies).subquery()
    rows = conn.execute(select(met.c.topic_id, func.max(met.c.at).label("last")).group_by(met.c.topic_id))
    return {row.topic_id: row.last for row in rows}


def unrevealed_topics(conn: Connection, user_id: int, guild_id: int | None) -> set[str]:
    """Topics whose open question is a daily that is still open, on this server or one where the member played."""
    played = select(ledger.c.guild_id).where(ledger.c.user_id == user_id)
    here = (dailies.c.guild_id == (guild_id or 0)) | dailies.c.guild_id.in_(played)
    query = select(dailies.c.topic_id).where(
        here, dailies.c.topic_id.is_not(None), dailies.c.state.in_(["posting", "threading", "open", "closing"])
    )
    return {topic_id for topic_id in conn.execute(query).scalars() if topic_id}
