"""The list of topics, and which of them can be read when."""

from __future__ import annotations

from datetime import timedelta

import pytest
from fsrs import Rating

from bot.answers.store import Review
from bot.core.database import Database
from bot.core.errors import UserError
from bot.memory import store as memory_store
from bot.study.cards import InPlay, StudyPage
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
) -> StudyPage | InPlay:
    return await stage.bot.studies.page(user_id, guild_id, topic_id)


async def test_a_topic_with_ones_own_progress(stage: Stage) -> None:
    """A member's answers count wherever they gave them, and only for them."""
    await stage.start(questions=1, topic_id="t2", difficulty="easy")
    await stage.run()
    await stage.answer(BOB, right=False)
    await stage.wait(minutes=2)
    alwina, bob = await read(stage, "t2"), await read(stage, "t2", BOB, None)
    assert isinstance(alwina, StudyPage)
    assert isinstance(bob, StudyPage)
    assert (alwina.progress.level, bob.progress.level) == ("new", "learning")
    assert sorted(str(item.days) for item in bob.items) == ["0", "None", "None", "None"]
    assert all(item.days is None for item in alwina.items)
    assert (alwina.asks_openly, alwina.list_page, alwina.topic.title) == (True, 1, "Topic 2")


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
    found = await stage.bot.studies.topics(ALWINA, GUILD)
    assert {topic_id: p.level for topic_id, p in found.progress.items()} == {
        "t1": "new",
        "t2": "weak",
        "t3": "learning",
        "t4": "new",
    }
    weak = found.progress["t2"]
    assert (weak.met, weak.due, weak.misses, weak.latest, found.set_aside) == (1, 1, 2, 2, 0)
    await stage.database.write(memory_store.set_aside, ALWINA, "t2-a", stage.clock())
    found = await stage.bot.studies.topics(ALWINA, GUILD)
    assert (found.progress["t2"].due, found.set_aside) == (0, 1)


async def test_an_open_question_of_the_day_hides_its_topic(stage: Stage) -> None:
    """The topic can't be read while it is open on a server where the member is or was seen."""
    await stage.set_up("13:00", kind="open", answer_hours=2)
    await stage.wait(hours=1)
    topic_id = (await stage.days())[0].topic_id
    assert topic_id is not None
    other = next(t for t in stage.bank.topics if t != topic_id)
    closes = stage.clock() + timedelta(hours=2)
    assert await read(stage, topic_id) == InPlay(stage.bank.topics[topic_id], closes)
    assert isinstance(
        await read(stage, topic_id, ALWINA, None), InPlay
    )  # seen there, though she has answered nothing
    assert isinstance(await read(stage, topic_id, STRANGER), InPlay)
    assert isinstance(await read(stage, topic_id, STRANGER, None), StudyPage)
    assert isinstance(await read(stage, other), StudyPage)
    await stage.wait(hours=3)
    assert isinstance(await read(stage, topic_id), StudyPage)


async def test_an_unknown_topic(stage: Stage) -> None:
    """The refusal names the command that lists topics."""
    with pytest.raises(UserError, match="/topics"):
        await read(stage, "gone")
