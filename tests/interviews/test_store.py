"""Rows of interviews and their questions, and which topics must not be shown."""

from __future__ import annotations

import functools
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import Connection

from bot.core.database import Database
from bot.daily import open_store as open_answers
from bot.daily import store as daily_store
from bot.daily.open_store import OpenAnswer
from bot.daily.store import DailyAnswer
from bot.interviews import store
from bot.interviews.store import InterviewQuestion
from bot.points import store as scores
from bot.points.store import Entry

AT = datetime(2027, 1, 4, 12, 0, 0, 456_000, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = date(2027, 1, 4)


async def begin(database: Database, user_id: int = 1, *topics: str) -> list[InterviewQuestion]:
    """An interview with these topics asked, an hour apart."""

    def work(conn: Connection) -> list[InterviewQuestion]:
        store.create(conn, user_id=user_id, topic_id=None, total=3, now=AT)
        interview = store.running(conn, user_id)
        assert interview is not None
        for number, topic in enumerate(topics, start=1):
            store.add_question(conn, interview.id, number, topic, AT + number * HOUR)
        return store.questions_of(conn, interview.id)

    return await database.write(work)


async def test_one_runs_at_a_time(database: Database) -> None:
    """A second one is not begun before the first has ended; the end keeps its first time."""
    (question,) = await begin(database, 1, "t1")
    create = functools.partial(store.create, user_id=1, topic_id="t9", total=9, now=AT)
    assert not await database.write(create)
    for hours in (1, 2):
        await database.write(store.end, question.interview_id, AT + hours * HOUR)
    ended = await database.read(store.get, question.interview_id)
    assert ended is not None
    assert ended.ended_at == AT + HOUR
    assert await database.read(store.running, 1) is None
    assert await database.write(create)


async def test_a_number_is_asked_once(database: Database) -> None:
    """Of two second questions the first stays."""
    first, second = await begin(database, 1, "t1", "t2")
    await database.write(store.add_question, first.interview_id, 2, "t3", AT)
    assert [q.topic_id for q in await database.read(store.questions_of, first.interview_id)] == ["t1", "t2"]
    assert second.number == 2


async def test_answers_skips_and_grades(database: Database) -> None:
    """The first answer stays; a skipped question takes one; an answered one can't be skipped; a grade is replaced."""
    answered, skipped = await begin(database, 1, "t1", "t2")
    assert answered.open
    assert await database.write(store.save_answer, answered.id, "So.", AT)
    assert not await database.write(store.save_answer, answered.id, "Not so.", AT + HOUR)
    await database.write(store.skip, answered.id, AT + HOUR)
    await database.write(store.skip, skipped.id, AT + HOUR)
    for grade in ("{}", '{"a":1}'):
        await database.write(store.save_grade, answered.id, grade, 40)
    found = await database.read(store.question, answered.id)
    assert found == InterviewQuestion(answered.id, answered.interview_id, 1, "t1", AT + HOUR, "So.", '{"a":1}', 40, AT)
    left_out = await database.read(store.question, skipped.id)
    assert left_out is not None
    assert (left_out.open, left_out.answer) == (False, None)
    assert await database.write(store.save_answer, skipped.id, "After all.", AT + 2 * HOUR)


async def test_when_topics_were_last_met(database: Database) -> None:
    """In interviews of this member, and in open dailies that they answered; others do not count."""
    await begin(database, 1, "t1", "t2")
    await begin(database, 2, "t3")
    await opened(database, "t1", 1, answered_by=1, at=AT + 9 * HOUR)
    await opened(database, "t4", 1, day=1, answered_by=2)
    assert await database.read(store.last_asked, 1) == {"t1": AT + 9 * HOUR, "t2": AT + 2 * HOUR}


async def test_which_topics_are_not_revealed(database: Database) -> None:
    """Open dailies that are not closed, of the server and of servers where the member has points; none of others."""
    await opened(database, "here", 1)
    await opened(database, "closed", 1, day=1, state="closed")
    await opened(database, "played", 2, state="closing")
    await opened(database, "strange", 3)
    await opened(database, None, 1, day=2)
    await database.write(scores.add, [Entry("round", 1, 7, 2, "t1", 0, False, DAY, AT)])
    assert await database.read(store.unrevealed_topics, 7, 1) == {"here", "played"}
    assert await database.read(store.unrevealed_topics, 7, None) == {"played"}
    assert await database.read(store.unrevealed_topics, 8, None) == set()


async def test_an_open_answer_and_its_second_grade(database: Database) -> None:
    """Text and grade stand beside the daily's answer; a second grade changes both, and none without an answer."""
    daily_id = await opened(database, "t1", 1, answered_by=1)
    assert await database.read(open_answers.get, daily_id, 1) == OpenAnswer(daily_id, 1, "So.", "{}")
    assert await database.read(open_answers.outcome, daily_id) == [("cdm", 40)]

    def regrade(conn: Connection, user_id: int) -> bool:
        return open_answers.regrade(conn, daily_id, user_id, grade="[]", answer="ccm", correct=True, points=67)

    assert await database.write(regrade, 1)
    assert not await database.write(regrade, 2)
    assert await database.read(open_answers.outcome, daily_id) == [("ccm", 67)]
    answer = await database.read(daily_store.answer_of, daily_id, 1)
    assert answer == DailyAnswer(daily_id, 1, "ccm", True, 67, AT)
    assert await database.read(daily_store.used_topics, 1) == {"t1": DAY}
    assert await database.read(daily_store.used_items, 1) == {}


async def opened(
    database: Database,
    topic_id: str | None,
    guild_id: int,
    *,
    day: int = 0,
    state: str = "open",
    at: datetime = AT,
    answered_by: int | None = None,
) -> int:
    """A daily with an open question, or without, perhaps answered."""

    def work(conn: Connection) -> int:
        values = {"state": state, "scheduled_at": AT, "opened_at": at, "topic_id": topic_id}
        daily_id = daily_store.create(conn, guild_id, DAY + timedelta(days=day), **values)
        assert daily_id is not None
        if answered_by is not None:
            daily_store.add_answer(conn, DailyAnswer(daily_id, answered_by, "cdm", False, 40, AT))
            open_answers.add(conn, OpenAnswer(daily_id, answered_by, "So.", "{}"))
        return daily_id

    return await database.write(work)
