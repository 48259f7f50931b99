"""Which topics can be read when, on a real database."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.core.database import Database
from bot.core.errors import UserError
from bot.study.rules import InPlay, StudyPage
from tests.banks import teaching_bank
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
    """What a member answered anywhere counts; others have their own; elsewhere it is the same."""
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


async def test_the_open_question_of_the_day_waits(stage: Stage) -> None:
    """It has no page while it is open on a server where the member asks or was seen; after its close all have it."""
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


async def test_a_topic_that_is_not_there(stage: Stage) -> None:
    """It is refused, with a way to those that are."""
    with pytest.raises(UserError, match="/topics"):
        await read(stage, "gone")
