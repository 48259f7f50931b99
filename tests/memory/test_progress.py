"""What is read for /stats and /topics, and what a member decided to show."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from fsrs import Rating

from bot.core.database import Database
from bot.memory import progress
from bot.memory import store as memory
from bot.memory.store import ReviewedAnswer
from bot.points import store as scores
from bot.points.store import Entry

AT = datetime(2027, 1, 4, 12, tzinfo=UTC)
ADA, BOB, GUILD = 101, 102, 1


async def review(
    database: Database, source: str, number: int, item_id: str, at: datetime, rating: Rating = Rating.Good
) -> None:
    await database.write(memory.record, source, number, item_id, [ReviewedAnswer(ADA, rating, at)])


async def test_latest_ratings_are_newest_first(database: Database) -> None:
    """Answers of every source, of this member only."""
    await review(database, "round", 1, "a", AT, Rating.Again)
    await review(database, "practice", 1, "b", AT + timedelta(hours=2))
    await review(database, "daily", 1, "c", AT + timedelta(hours=1), Rating.Hard)
    assert await database.read(progress.latest_ratings, ADA) == [
        ("b", Rating.Good),
        ("c", Rating.Hard),
        ("a", Rating.Again),
    ]
    assert await database.read(progress.latest_ratings, BOB) == []


async def test_practised_at(database: Database) -> None:
    """Answers in practice from a moment on, oldest first; rounds and dailies are not practice."""
    for n, source in enumerate(("practice", "practice", "round", "daily", "practice")):
        await review(database, source, n + 1, f"i{n}", AT + timedelta(hours=n))
    since = AT + timedelta(hours=1)
    assert await database.read(progress.practised_at, ADA, since) == [since, AT + timedelta(hours=4)]
    assert await database.read(progress.practised_at, BOB, AT) == []


async def test_what_a_member_shows(database: Database) -> None:
    """Nothing until they say so; the last word counts, for this member only."""
    assert await database.read(progress.shows_stats, ADA) is False
    for shows in (True, True, False, True):
        await database.write(progress.set_shows_stats, ADA, shows)
        assert await database.read(progress.shows_stats, ADA) is shows
    assert await database.read(progress.shows_stats, BOB) is False


async def test_answers_by_day(database: Database) -> None:
    """Answers of a member on a server by local date, over all topics, for the dates that were asked for."""
    days = [date(2027, 1, n) for n in (1, 2, 3)]
    lines = (
        (ADA, GUILD, days[0], "t1"),
        (ADA, GUILD, days[0], "t2"),
        (ADA, GUILD, days[2], "t1"),
        (ADA, 2, days[1], "t1"),
        (BOB, GUILD, days[1], "t1"),
        (ADA, GUILD, date(2026, 12, 31), "t1"),
    )
    for number, (user, guild, day, topic) in enumerate(lines, start=1):
        await database.write(scores.add, [Entry("round", number, user, guild, topic, 5, True, day, AT)])
    assert await database.read(scores.answers_by_day, GUILD, ADA, days) == {days[0]: 2, days[2]: 1}
