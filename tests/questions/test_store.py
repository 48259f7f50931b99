"""When members met what topics, in whatever feature."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection

from bot.core.database import Database
from bot.interviews import store as interviews
from bot.questions import store

AT = datetime(2027, 1, 4, 12, 0, 0, 456_000, tzinfo=UTC)
HOUR = timedelta(hours=1)


def interview(conn: Connection, user_id: int, *topics: str) -> None:
    """An interview with these topics asked, an hour apart."""
    interviews.create(conn, user_id=user_id, topic_id=None, total=3, now=AT)
    running = interviews.running(conn, user_id)
    assert running is not None
    for number, topic in enumerate(topics, start=1):
        interviews.add_question(conn, running, number, topic, AT + number * HOUR)


async def test_when_topics_were_last_met(database: Database) -> None:
    """In interviews of this member, and wherever else it was noted; what others meet does not count."""
    await database.write(interview, 1, "t1", "t2")
    await database.write(interview, 2, "t3")
    await database.write(store.note_met, 1, "t1", AT + 9 * HOUR)
    await database.write(store.note_met, 2, "t4", AT)
    assert await database.read(store.topics_met, 1) == {"t1": AT + 9 * HOUR, "t2": AT + 2 * HOUR}
