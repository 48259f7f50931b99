"""The open question of the day: asked, answered, ticked and closed."""

from __future__ import annotations

from typing import Any

import pytest
from fsrs import Rating

from bot.answers.model import Review
from bot.answers.store import DAILY
from bot.core.database import Database
from bot.core.errors import UserError
from bot.interviews.grading.service import Ungradable
from bot.interviews.model import Assessment
from bot.memory.model import OpenAnswer
from bot.memory.store import open_answers_of, topics_met
from tests.banks import teaching_bank
from tests.fakes import DailyCard
from tests.reviews import remember
from tests.stage import ALWINA, BOB, GUILD, Stage

FULL = (
    "Held-out rows estimate the error on unseen cases. If you tune on the test set, its labels leak. "
    "The same patient must stay on one side, so groups are not spread."
)
PART = "Held-out rows estimate the error on unseen cases."
NONE = "I would rather ask somebody about it."


@pytest.fixture
async def stage(database: Database) -> Stage:
    made = Stage(database, teaching_bank())
    await made.introduce()
    return made


async def opened(stage: Stage, **options: Any) -> None:
    """Post the first open daily."""
    await stage.set_up(**{"at": "13:00", "kind": "open", **options})
    await stage.wait(hours=1)


async def test_open_questions_do_not_repeat_until_used_up(stage: Stage) -> None:
    """All topics come once, then again in the same order."""
    await opened(stage)
    await stage.wait(days=7)
    cards = [p.card for p in stage.sender.of_kind("daily")]
    topics = [card.question.id for card in cards if isinstance(card, DailyCard)]
    assert (len(topics), set(topics[:4])) == (8, {"t1", "t2", "t3", "t4"})
    assert topics[4:] == topics[:4]
    assert {d.choice_order for d in await stage.days()} == {""}


async def test_an_answer_and_its_ticks(stage: Stage) -> None:
    """Words propose what was said, the member's ticks decide, and all of it pays nothing."""
    for number in range(1, 5):
        review = Review(ALWINA, Rating.Good, stage.clock())
        await stage.database.write(remember, f"t{number}-a", review)
    await opened(stage, answer_hours=1)
    daily_id = stage.card().row_id
    given = await stage.write_daily(ALWINA, PART)
    assert given.assessment is not None
    assert given.text == PART
    assert (await stage.bot.days.today(ALWINA, GUILD)).streak.current == 1
    assert (set(given.assessment.ticked), given.assessment.counted) == ({0}, None)
    assert given.assessment.points[0].quote == PART
    assert await stage.database.read(open_answers_of, ALWINA) == {}
    for ticked in ({0, 2}, set(), {1}):
        mark = given.topic.mark
        found = await stage.bot.dailies.tick(daily_id, GUILD, ALWINA, mark, ticked)
        await stage.bot.dailies.tick(
            daily_id, GUILD, ALWINA, mark + 1, {0, 1, 2}
        )  # of other points
        assert found.assessment is not None
        assert set(found.assessment.counted or ()) == ticked
        assert found.brought_back == (3, 1)  # with two new ones
    await stage.restart()
    found = await stage.bot.dailies.feedback(daily_id, GUILD, ALWINA)
    assert found.assessment is not None
    assert found.assessment.counted == (1,)
    (answer,) = await stage.answers(DAILY)
    assert (answer.answer, answer.points, answer.local_date) == ("msm", 0, None)
    assert await stage.check_points() == {}
    assert await stage.bot.dailies.copy(daily_id, GUILD, ALWINA) is None  # it has its feedback
    counted = await stage.database.read(open_answers_of, ALWINA)
    assert counted == {answer.topic_id: OpenAnswer(answer.answered_at, 1, 3)}
    met = await stage.database.read(topics_met, ALWINA)
    assert list(met) == [answer.topic_id]  # interviews ask others first


async def test_what_is_refused(stage: Stage) -> None:
    """Another kind of answer and early looks at the model answer are refused."""
    await opened(stage)
    post = stage.card()
    with pytest.raises(UserError, match="was removed"):
        await stage.bot.dailies.answer(stage.written(ALWINA, FULL, post=post))
    for look in (
        stage.bot.dailies.feedback(post.row_id, GUILD, ALWINA),
        stage.bot.dailies.tick(post.row_id, GUILD, ALWINA, 0, {0}),
    ):
        with pytest.raises(UserError, match="Answer it first"):
            await look
    assert await stage.answers(DAILY) == []


async def test_the_model_answer_after_the_close(stage: Stage) -> None:
    """It is shown to everyone after the close, and the own answer at any time."""
    await opened(stage, answer_hours=1)
    daily_id = stage.card().row_id
    await stage.write_daily(ALWINA, PART)
    await stage.restart()
    assert await stage.bot.dailies.open_topic(stage.pressed(daily_id, ALWINA)) is None
    await stage.wait(hours=1)
    other = await stage.bot.dailies.feedback(daily_id, GUILD, BOB)
    assert (other.text, other.assessment, other.daily.revealed) == (None, None, True)
    assert (
        await stage.bot.dailies.tick(daily_id, GUILD, BOB, other.topic.mark, {0})
    ).assessment is None
    assert (await stage.bot.dailies.feedback(daily_id, GUILD, ALWINA)).text == PART
    for elsewhere in (GUILD + 1, None):
        with pytest.raises(UserError, match="That question is gone"):
            await stage.bot.dailies.feedback(daily_id, elsewhere, BOB)


async def test_a_topic_whose_answers_cannot_be_compared(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Members tick what they said without any proposal."""
    await opened(stage, answer_hours=1)

    async def refuses(*_: object) -> Assessment:
        raise Ungradable

    monkeypatch.setattr(stage.bot.grading, "assess", refuses)
    found = await stage.write_daily(ALWINA, FULL)
    assert found.assessment is not None
    assert (len(found.assessment.points), found.assessment.ticked) == (3, frozenset())


async def test_a_report_on_an_open_question(stage: Stage) -> None:
    """It is about its topic."""
    await opened(stage)
    subject = await stage.bot.dailies.item_of(stage.pressed(stage.card().row_id, ALWINA))
    assert subject == (await stage.days())[0].topic_id is not None
