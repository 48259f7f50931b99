"""The topics with a member's progress, and which of them can be read when."""

from __future__ import annotations

import pytest
from fsrs import Rating

from bot.answers.model import Review
from bot.core.database import Database
from bot.core.errors import UserError
from bot.memory import store as memory_store
from bot.topics.model import TopicList
from tests.banks import teaching_bank
from tests.reviews import remember
from tests.stage import ALWINA, BOB, GUILD, Stage

STRANGER = 999


@pytest.fixture
async def stage(database: Database) -> Stage:
    made = Stage(database, teaching_bank())
    await made.introduce()
    return made


async def read(
    stage: Stage, topic_id: str, user_id: int = ALWINA, guild_id: int | None = GUILD
) -> TopicList:
    return await stage.bot.topics.with_topic(user_id, guild_id, topic_id)


async def test_the_list_of_topics(stage: Stage) -> None:
    """Progress comes from the member's own cards and latest answers; what they set aside is counted."""
    answers = [
        (ALWINA, "t2-a", Rating.Again),
        (ALWINA, "t2-a", Rating.Again),
        (ALWINA, "t3-a", Rating.Good),
        (BOB, "t1-a", Rating.Good),
    ]
    for user_id, item_id, rating in answers:
        await stage.database.write(remember, item_id, Review(user_id, rating, stage.clock()))
    found = await stage.bot.topics.all(ALWINA, GUILD)
    assert {topic_id: p.level for topic_id, p in found.progress.items()} == {
        "t1": "new",
        "t2": "weak",
        "t3": "learning",
        "t4": "new",
    }
    weak = found.progress["t2"]
    assert (weak.met, weak.known, weak.misses, weak.latest, found.set_aside) == (1, 0, 2, 2, 0)
    await stage.database.write(memory_store.set_aside, ALWINA, "t2-a", stage.clock())
    found = await stage.bot.topics.all(ALWINA, GUILD)
    assert found.set_aside == 1


async def test_an_open_question_of_the_day_hides_its_topic(stage: Stage) -> None:
    """The topic can't be read while it is open on a server where the member is or was seen."""
    await stage.set_up("13:00", kind="open", answer_hours=2)
    await stage.wait(hours=1)
    topic_id = (await stage.days())[0].topic_id
    assert topic_id is not None
    seen = {"user_id": ALWINA, "guild_id": None}  # there, though she has answered nothing
    for where in ({}, seen, {"user_id": STRANGER}):
        with pytest.raises(UserError, match="is being asked on one of your servers right now"):
            await read(stage, topic_id, **where)
    await read(stage, topic_id, STRANGER, None)
    await read(stage, next(t for t in stage.bank.topics if t != topic_id))
    await stage.wait(hours=3)
    await read(stage, topic_id)
