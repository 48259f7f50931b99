"""The tables of interviews and their questions."""

from __future__ import annotations

import functools
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgspec.structs import replace
from sqlalchemy import Connection

from bot.core.database import Database
from bot.interviews import store
from bot.interviews.model import Assessment, InterviewQuestion, Point

AT = datetime(2027, 1, 4, 12, 0, 0, 456_000, tzinfo=UTC)
HOUR = timedelta(hours=1)
DOCUMENT = Path(__file__).parents[2] / "docs" / "grading.md"


async def begin(database: Database, *topics: str) -> list[InterviewQuestion]:
    """Start an interview that asks these topics an hour apart."""

    def work(conn: Connection) -> list[InterviewQuestion]:
        store.create(conn, user_id=1, topic_id=None, total=3, now=AT)
        interview = store.running(conn, 1)
        assert interview is not None
        for number, topic in enumerate(topics, start=1):
            store.add_question(conn, interview, number, topic, AT + number * HOUR)
        return store.questions_of(conn, interview.id)

    return await database.write(work)


async def test_a_member_has_one_running_interview(database: Database) -> None:
    """Another can start once it has ended. Its first end time stays."""
    (question,) = await begin(database, "t1")
    create = functools.partial(store.create, user_id=1, topic_id="t9", total=9, now=AT)
    assert not await database.write(create)
    for hours in (1, 2):
        await database.write(store.end, question.interview_id, AT + hours * HOUR)
    ended = await database.read(store.get, question.interview_id)
    assert ended is not None
    assert ended.ended_at == AT + HOUR
    assert await database.read(store.running, 1) is None
    assert await database.write(create)


async def test_each_number_is_asked_once(database: Database) -> None:
    """Of two questions with the same number, the first stays."""
    first, second = await begin(database, "t1", "t2")
    interview = await database.read(store.running, 1)
    assert interview is not None
    await database.write(store.add_question, interview, 2, "t3", AT)
    assert await database.read(store.questions_of, interview.id) == [first, second]
    assert (second.number, second.topic_id) == (2, "t2")


async def test_answers_and_skips(database: Database) -> None:
    """The first answer stays; skipped questions can be answered, answered ones not skipped."""
    answered, skipped = await begin(database, "t1", "t2")
    assert answered.open
    assert await database.write(store.save_answer, answered.id, "So.", AT)
    assert not await database.write(store.save_answer, answered.id, "Not so.", AT + HOUR)
    for question in (answered, skipped):
        await database.write(store.skip, question.id, AT + HOUR)
    kept, found = await database.read(store.questions_of, answered.interview_id)
    assert kept == replace(answered, answer="So.", answered_at=AT)
    assert (found.open, found.answer) == (False, None)
    assert await database.write(store.save_answer, skipped.id, "After all.", AT + 2 * HOUR)


async def test_the_documented_query_lists_what_was_not_found(database: Database) -> None:
    """The query in docs/grading.md returns each point that a member ticked and that was not found,
    with the closest passage and the answer."""
    counted, none, uncounted, waiting, skipped = await begin(database, "t1", "t2", "t3", "t4", "t5")
    points = (
        Point("First", "found", "Yes."),
        Point("Second", "unclear", "Perhaps."),
        Point("Third", "missing"),
        Point("Fourth", "missing"),
    )
    graded = Assessment(points, ("negated",))
    for question in (counted, none, uncounted, waiting):
        await database.write(store.save_answer, question.id, "Yes. Perhaps.", AT)
    await database.write(store.skip, skipped.id, AT)
    grades = (graded.with_count({0, 1, 2}), graded.with_count(set()), graded)
    for question, grade in zip((counted, none, uncounted), grades, strict=True):
        await database.write(store.save_grade, 1, replace(question, answered_at=AT), grade)
    queries = re.findall(r"```sql\n(.+?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
    query = queries[1 if database.shared else 0]
    rows = await database.read(lambda conn: conn.exec_driver_sql(query).all())
    assert sorted(map(tuple, rows)) == [
        ("t1", "Second", "unclear", "Perhaps.", "Yes. Perhaps."),
        ("t1", "Third", "missing", "", "Yes. Perhaps."),
    ]
