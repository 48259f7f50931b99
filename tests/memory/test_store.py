"""Cards and their log: each answer counts once, and the cards are what the log says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from fsrs import Rating
from sqlalchemy import Connection, select

from bot.core.database import Database
from bot.memory import store as memory
from bot.memory.rules import MemoryCard, review
from bot.memory.store import ReviewedAnswer, cards, reviews

ALWINA, BOB = 101, 102
AT = datetime(2027, 1, 4, 12, tzinfo=UTC)
DAY = timedelta(days=1)
AGAIN, HARD, GOOD = Rating.Again, Rating.Hard, Rating.Good


def log(conn: Connection) -> list[tuple[int, str, int, str, int, int | None, datetime]]:
    return [
        tuple(row)
        for row in conn.execute(select(reviews).order_by(reviews.c.at, reviews.c.user_id))
    ]


async def test_cards_of_many_members_at_once(database: Database) -> None:
    """One question's answers move each member's card and fill the log; a second question moves them on."""
    made = await database.write(
        memory.record,
        "round",
        5,
        "lora",
        [ReviewedAnswer(2, GOOD, AT, 900), ReviewedAnswer(1, AGAIN, AT + DAY, 4000)],
    )
    assert made == {1: review(None, AGAIN, AT + DAY), 2: review(None, GOOD, AT)}
    assert await database.read(memory.cards_of, 1) == {"lora": made[1]}
    moved = await database.write(
        memory.record, "daily", 5, "lora", [ReviewedAnswer(2, HARD, AT + 2 * DAY)]
    )
    assert moved == {2: review(made[2], HARD, AT + 2 * DAY)}
    assert await database.read(memory.cards_of, 2) == {"lora": moved[2]}
    assert await database.read(log) == [
        (2, "round", 5, "lora", 3, 900, AT),
        (1, "round", 5, "lora", 1, 4000, AT + DAY),
        (2, "daily", 5, "lora", 2, None, AT + 2 * DAY),
    ]


async def test_an_answer_counts_once(database: Database) -> None:
    """The same answer again changes neither card nor log, whoever else stands beside it."""
    first = await database.write(memory.record, "round", 5, "lora", [ReviewedAnswer(1, GOOD, AT)])
    again = await database.write(
        memory.record,
        "round",
        5,
        "lora",
        [ReviewedAnswer(1, AGAIN, AT + DAY), ReviewedAnswer(2, GOOD, AT)],
    )
    assert list(again) == [2]
    assert (await database.read(memory.cards_of, 1))["lora"] == first[1]
    assert len(await database.read(log)) == 2


async def test_cards_and_log_in_one_transaction(database: Database) -> None:
    """What fails later in the transaction takes the reviews with it."""

    def fail(conn: Connection) -> None:
        memory.record(conn, "round", 5, "lora", [ReviewedAnswer(1, GOOD, AT)])
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await database.write(fail)
    assert await database.read(log) == []
    assert await database.read(memory.cards_of, 1) == {}


async def test_an_earlier_answer_that_comes_later(database: Database) -> None:
    """A round's answer counts at its reveal: the log's order is the order in which the card moved."""
    await database.write(memory.record, "practice", 1, "lora", [ReviewedAnswer(1, GOOD, AT)])
    await database.write(
        memory.record, "round", 5, "lora", [ReviewedAnswer(1, AGAIN, AT - timedelta(seconds=5))]
    )
    ms = timedelta(milliseconds=1)
    assert [row[-1] for row in await database.read(log)] == [AT, AT + ms]
    card = (await database.read(memory.cards_of, 1))["lora"]
    assert card == review(review(None, GOOD, AT), AGAIN, AT + ms)


async def test_a_thousand_answers(database: Database) -> None:
    """A reveal with a thousand answers moves a thousand cards, new ones and known ones."""
    everyone = [ReviewedAnswer(user_id, GOOD, AT, 1000) for user_id in range(1, 1001)]
    await database.write(memory.record, "round", 1, "lora", everyone[:500])
    made = await database.write(memory.record, "round", 2, "lora", everyone)
    assert len(made) == 1000
    assert {type(card) for card in made.values()} == {MemoryCard}

    def count(conn: Connection) -> tuple[int, int]:
        return len(conn.execute(select(cards)).all()), len(log(conn))

    assert await database.read(count) == (1000, 1500)


async def reviewed(
    database: Database,
    source: str,
    number: int,
    item_id: str,
    at: datetime,
    rating: Rating = Rating.Good,
) -> None:
    await database.write(
        memory.record, source, number, item_id, [ReviewedAnswer(ALWINA, rating, at)]
    )


async def test_latest_ratings_are_newest_first(database: Database) -> None:
    """Answers of every source, of this member only."""
    await reviewed(database, "round", 1, "a", AT, Rating.Again)
    await reviewed(database, "practice", 1, "b", AT + timedelta(hours=2))
    await reviewed(database, "daily", 1, "c", AT + timedelta(hours=1), Rating.Hard)
    assert await database.read(memory.latest_ratings, ALWINA) == [
        ("b", Rating.Good),
        ("c", Rating.Hard),
        ("a", Rating.Again),
    ]
    assert await database.read(memory.latest_ratings, BOB) == []


async def test_practised_at(database: Database) -> None:
    """Answers in practice from a moment on, oldest first; rounds and dailies are not practice."""
    for n, source in enumerate(("practice", "practice", "round", "daily", "practice")):
        await reviewed(database, source, n + 1, f"i{n}", AT + timedelta(hours=n))
    since = AT + timedelta(hours=1)
    assert await database.read(memory.practised_at, ALWINA, since) == [
        since,
        AT + timedelta(hours=4),
    ]
    assert await database.read(memory.practised_at, BOB, AT) == []
