"""When all players of a round have answered its newest question."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.answers import store as answers_store
from bot.answers.model import Answer
from bot.answers.store import ROUND
from bot.core.database import Database
from bot.games.model import Starter
from bot.rounds import store
from bot.rounds.model import RoundOptions

AT = datetime(2027, 1, 4, 12, 0, 0, 123_000, tzinfo=UTC)
SECOND = timedelta(seconds=1)


async def created(database: Database, questions: int) -> int:
    round_id = await database.write(
        store.create,
        Starter(guild_id=1, channel_id=10, user_id=5),
        RoundOptions(seconds=20),
        [(f"item-{n}", "0123", 10 * n) for n in range(1, questions + 1)],
        now=AT,
        first_at=AT,
    )
    assert round_id is not None
    return round_id


def answer(question_id: int, user_id: int) -> Answer:
    return Answer(
        source=ROUND,
        question_id=question_id,
        user_id=user_id,
        guild_id=1,
        item_id="item-1",
        topic_id="t1",
        answer="0",
        typed=False,
        correct=True,
        points=90,
        elapsed_ms=4000,
        answered_at=AT + 4 * SECOND,
    )


@pytest.mark.parametrize(
    ("answered", "all_have"),
    [
        ({}, False),
        ({4: [1]}, False),
        ({1: [1], 4: [2]}, False),
        ({2: [1], 4: [1]}, True),
        ({3: [1], 4: [1]}, True),
        ({2: [1], 3: [2], 4: [1]}, False),
        ({1: [3], 2: [1], 3: [1, 2], 4: [1, 2, 4]}, True),
    ],
)
async def test_all_have_answered(
    database: Database, answered: dict[int, list[int]], all_have: bool
) -> None:
    """Those who answered one of the last two questions have answered this one, and there are some."""
    round_id = await created(database, 4)
    for number, members in answered.items():
        question = await database.read(store.question_of, round_id, number)
        assert question is not None
        for user_id in members:
            await database.write(answers_store.add, answer(question.id, user_id))
    asked = await database.read(store.question_of, round_id, 4)
    assert asked is not None
    assert await database.read(store.all_have_answered, asked) == all_have
