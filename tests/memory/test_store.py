"""Cards move with the log, and are what a replay of the log gives."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fsrs import Rating
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, func, select

from bot.answers import store as answer_log
from bot.answers.store import DAILY, PRACTICE, ROUND, Answer, review_of
from bot.core.database import Database
from bot.memory import store as memory
from bot.memory.rules import MemoryCard, review
from bot.memory.store import cards
from tests.answers.entries import counted, several_on_one_database

AT = datetime(2027, 1, 4, 12, tzinfo=UTC)
DAY = timedelta(days=1)
AGAIN, HARD, GOOD = Rating.Again, Rating.Hard, Rating.Good
MEMBERS = itertools.count(1)


def rated(
    user_id: int, rating: Rating, at: datetime, *, source: str = ROUND, item: str = "lora"
) -> Answer:
    """Return a counted answer to a question of its own, as FSRS rates it."""
    answer = counted(1, user_id, 0, source=source, item=item, at=at)
    return replace(answer, rating=rating.value)


def record(conn: Connection, given_then: Sequence[Answer]) -> dict[int, MemoryCard]:
    """Store answers to one item, and move the cards."""
    for answer in given_then:
        answer_log.add(conn, answer)
    reviews = [review_of(answer) for answer in given_then]
    return memory.record(conn, given_then[0].item_id if given_then else "lora", reviews)


async def test_cards_of_many_members_at_once(database: Database) -> None:
    """One question's answers move each member's card; a second question moves them on."""
    first = [rated(2, GOOD, AT), rated(1, AGAIN, AT + DAY)]
    made = await database.write(record, first)
    assert made == {1: review(None, AGAIN, AT + DAY), 2: review(None, GOOD, AT)}
    assert await database.read(memory.cards_of, 1) == {"lora": made[1]}
    moved = await database.write(record, [rated(2, HARD, AT + 2 * DAY, source=DAILY)])
    assert moved == {2: review(made[2], HARD, AT + 2 * DAY)}
    assert await database.read(memory.cards_of, 2) == {"lora": moved[2]}
    assert await database.write(record, []) == {}


async def test_a_card_in_one_transaction_with_its_answer(database: Database) -> None:
    """If the transaction fails later, the card is not stored either."""

    def fail(conn: Connection) -> None:
        record(conn, [rated(1, GOOD, AT)])
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await database.write(fail)
    assert await database.read(memory.cards_of, 1) == {}


async def test_an_earlier_answer_that_is_counted_later(database: Database) -> None:
    """A round's answer moves the card at its place among the others, though it is counted last."""
    await database.write(record, [rated(1, GOOD, AT, source=PRACTICE)])
    late = await database.write(record, [rated(1, AGAIN, AT - timedelta(seconds=5))])
    assert late == {1: review(review(None, AGAIN, AT - timedelta(seconds=5)), GOOD, AT)}


EVENTS = st.lists(
    st.tuples(
        st.sampled_from([ROUND, PRACTICE]),
        st.integers(0, 5 * 24 * 60),
        st.integers(0, 24 * 60),
        st.sampled_from([AGAIN, HARD, GOOD]),
        st.booleans(),
    ),
    min_size=1,
    max_size=8,
)
"""Answers: source, minute, delay before they count in a round, and rating.

The last says whether the member calls a right answer in practice a guess afterwards.
"""


@several_on_one_database
@given(events=EVENTS)
async def test_a_card_equals_a_replay_of_the_log(
    database: Database, events: list[tuple[str, int, int, Rating, bool]]
) -> None:
    """For any order of rounds that count late and of practice, a card is what the log says."""
    user_id = next(MEMBERS) + 1_000_000
    steps: list[tuple[int, int, Answer, bool]] = []
    for n, (source, minute, delay, rating, guessed) in enumerate(events):
        answer = rated(user_id, rating, AT + timedelta(minutes=minute), source=source)
        counts_at = minute + delay if source == ROUND else minute
        steps.append((counts_at, n, answer, guessed and source == PRACTICE))

    def work(conn: Connection) -> tuple[MemoryCard | None, MemoryCard | None]:
        for _, _, answer, _ in steps:  # a round's answer is in the log before it is rated
            if answer.source == ROUND:
                answer_log.add(conn, replace(answer, rating=None))
        for _, _, answer, guessed in sorted(steps, key=lambda step: step[:2]):
            key = answer.source, answer.question_id, user_id
            if answer.source == ROUND:
                answer_log.change(conn, *key, rating=answer.rating)
            else:
                answer_log.add(conn, answer)
            memory.record(conn, "lora", [review_of(answer)])
            if guessed and answer.rating != AGAIN:
                answer_log.change(conn, *key, rating=AGAIN.value)
                memory.replay(conn, user_id, "lora")
        moved = memory.card_of(conn, user_id, "lora")
        memory.replay(conn, user_id, "lora")
        return moved, memory.card_of(conn, user_id, "lora")

    moved, replayed = await database.write(work)
    expected = None
    order = [(step[2].answered_at, step[2].source, step[2].question_id, step) for step in steps]
    for at, _, _, (_, _, answer, guessed) in sorted(order, key=lambda known: known[:3]):
        rating = AGAIN if guessed else Rating(answer.rating or 0)
        expected = review(expected, rating, at)
    assert moved == replayed == expected


async def test_a_replay_without_reviews(database: Database) -> None:
    """A card stays as it is if the log has no review of it."""
    await database.write(memory.replay, 1, "lora")
    assert await database.read(memory.cards_of, 1) == {}


async def test_a_replay_keeps_a_question_set_aside(database: Database) -> None:
    """A member isn't asked again what they have set aside because its card is computed again."""
    await database.write(record, [rated(1, GOOD, AT)])
    assert await database.write(memory.set_aside, 1, "lora", AT)
    await database.write(memory.replay, 1, "lora")
    assert await database.read(memory.items_set_aside, 1) == {"lora"}


async def test_a_thousand_answers(database: Database) -> None:
    """A reveal with a thousand answers moves a thousand cards, new ones and known ones."""
    members = range(1, 1001)
    await database.write(record, [rated(user_id, GOOD, AT) for user_id in members[:500]])
    made = await database.write(record, [rated(user_id, GOOD, AT + DAY) for user_id in members])
    assert len(made) == 1000
    assert {type(card) for card in made.values()} == {MemoryCard}

    def count(conn: Connection) -> Any:
        return conn.execute(select(func.count()).select_from(cards)).scalar_one()

    assert await database.read(count) == 1000
