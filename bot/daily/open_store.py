"""What members wrote to open dailies, beside what is stored of every answer to a daily."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select, update

from bot.core.schema import daily_answers, open_answers
from bot.core.upsert import insert


@dataclass(frozen=True, slots=True)
class OpenAnswer:
    """A row of `open_answers`; see the schema for the columns."""

    daily_id: int
    user_id: int
    text: str
    grade: str


def add(conn: Connection, answer: OpenAnswer) -> None:
    """Store the text of an answer that `bot.daily.store.add_answer` took."""
    conn.execute(insert(conn, open_answers).values(**{name: getattr(answer, name) for name in OpenAnswer.__slots__}))


def get(conn: Connection, daily_id: int, user_id: int) -> OpenAnswer | None:
    row = conn.execute(
        select(open_answers).where(open_answers.c.daily_id == daily_id, open_answers.c.user_id == user_id)
    ).first()
    return OpenAnswer(**row._mapping) if row else None


def regrade(
    conn: Connection, daily_id: int, user_id: int, *, grade: str, answer: str, correct: bool, points: int
) -> bool:
    """Put another grade in place of the first; False if the answer is gone."""
    where = open_answers.c.daily_id == daily_id, open_answers.c.user_id == user_id
    if conn.execute(update(open_answers).where(*where).values(grade=grade)).rowcount == 0:
        return False
    where = daily_answers.c.daily_id == daily_id, daily_answers.c.user_id == user_id
    conn.execute(update(daily_answers).where(*where).values(answer=answer, correct=correct, points=points))
    return True


def outcome(conn: Connection, daily_id: int) -> list[tuple[str, int]]:
    """All answers to an open daily as (states of the key points, points)."""
    query = select(daily_answers.c.answer, daily_answers.c.points).where(daily_answers.c.daily_id == daily_id)
    return [(row.answer, row.points) for row in conn.execute(query)]
