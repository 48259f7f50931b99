"""Lines of a ledger for tests, and periods told differently from the product's own way."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from bot.points.store import Entry

AT = datetime(2027, 1, 4, 12, tzinfo=UTC)
DAY = date(2027, 1, 4)  # a Monday
TOPICS = ("t1", "t2", "t3")
GUILDS, SOURCES = itertools.count(1), itertools.count(1)

# Days around the turns of week, month and year; few points so that there are ties, and many so that buckets are shared.
DAYS = st.dates(date(2026, 12, 25), date(2027, 2, 3))
POINTS = st.integers(0, 3) | st.integers(10_000, 10_100)
LINES = st.lists(
    st.tuples(st.integers(1, 6), st.sampled_from(TOPICS), POINTS, st.booleans(), DAYS), max_size=40
)

several_on_one_database = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
"""Each example has a server of its own, so they don't need an empty database."""


def entry(
    guild_id: int, user_id: int, points: int, day: date = DAY, topic: str = "t1", right: bool = True
) -> Entry:
    return Entry("round", next(SOURCES), user_id, guild_id, topic, points, right, day, AT)


def start_of(period: str, day: date) -> date:
    """The first date of a period, told differently from the product's own way."""
    while period != "all" and not _begins(period, day):
        day -= timedelta(days=1)
    return date(1970, 1, 1) if period == "all" else day


def _begins(period: str, day: date) -> bool:
    return {"today": True, "week": day.isoweekday() == 1, "month": day.day == 1}[period]
