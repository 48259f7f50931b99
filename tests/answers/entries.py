"""Counted answers for tests, and periods told differently from the product's own way."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from bot.answers import store as answer_log
from bot.answers import totals
from bot.answers.model import Answer
from bot.answers.store import ROUND

AT = datetime(2027, 1, 4, 12, tzinfo=UTC)
DAY = date(2027, 1, 4)  # a Monday
TOPICS = ("t1", "t2", "t3")
GUILDS = itertools.count(1)
QUESTIONS = itertools.count(1_000)  # tests use lower ids for questions of their own

# Days around the turns of week, month and year; few points so that there are ties, and many that differ little.
DAYS = st.dates(date(2026, 12, 25), date(2027, 2, 3))
POINTS = st.integers(0, 3) | st.integers(10_000, 10_100)
LINES = st.lists(
    st.tuples(st.integers(1, 6), st.sampled_from(TOPICS), POINTS, st.booleans(), DAYS), max_size=40
)

several_on_one_database = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
"""Each example has a server of its own, so they don't need an empty database."""


def counted(
    guild_id: int,
    user_id: int,
    points: int,
    day: date = DAY,
    topic: str = "t1",
    right: bool = True,
    *,
    at: datetime = AT,
    source: str = ROUND,
    item: str = "",
    team: int | None = None,
) -> Answer:
    """Return an answer to a question of its own that was counted on a date."""
    return Answer(
        source=source,
        question_id=next(QUESTIONS),
        user_id=user_id,
        guild_id=guild_id,
        item_id=item,
        topic_id=topic,
        answer="0",
        typed=False,
        correct=right,
        points=points,
        elapsed_ms=1000,
        answered_at=at,
        team_id=team,
        local_date=day,
        paid=points,
    )


def store_counted(conn: Connection, given: Iterable[Answer]) -> None:
    """Store counted answers with the totals that they make, server by server and day by day."""

    def place_and_day(answer: Answer) -> tuple[int, date]:
        return answer.guild_id or 0, answer.local_date or date.min

    for _, group in itertools.groupby(sorted(given, key=place_and_day), key=place_and_day):
        batch = list(group)
        for answer in batch:
            assert answer_log.add(conn, answer)
        totals.add(conn, batch)


def start_of(period: str, day: date) -> date:
    """The first date of a period, told differently from the product's own way."""
    while period != "all" and not _begins(period, day):
        day -= timedelta(days=1)
    return date(1970, 1, 1) if period == "all" else day


def _begins(period: str, day: date) -> bool:
    return {"today": True, "week": day.isoweekday() == 1, "month": day.day == 1}[period]
