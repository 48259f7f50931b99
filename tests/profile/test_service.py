"""The figures of a profile, and those that others see."""

from __future__ import annotations

from datetime import datetime, timedelta

from fsrs import Rating
from msgspec.structs import replace
from sqlalchemy import Connection

from bot.answers import store as answer_log
from bot.answers.store import PRACTICE, review_of
from bot.memory import store as memory
from bot.profile.model import Details, Profile
from tests.answers.entries import counted, store_counted
from tests.fakes import START
from tests.stage import ALWINA, BOB, GUILD, Stage


async def profile(stage: Stage, asker: int = ALWINA) -> Profile:
    """Return Alwina's profile, as somebody may see it."""
    return await stage.bot.profiles.read(GUILD, ALWINA, asker)


async def details(stage: Stage) -> Details:
    """Return all figures that Alwina sees of herself."""
    found = (await profile(stage)).details
    assert found is not None
    return found


async def practise(
    stage: Stage, user_id: int, item_id: str, *ratings: Rating, at: datetime | None = None
) -> None:
    """Answer an item in practice with these ratings, a day apart, the first at a moment."""

    def store(conn: Connection) -> None:
        for n, rating in enumerate(ratings):
            then = (at or stage.clock()) + timedelta(days=n)
            answer = counted(0, user_id, 0, source=PRACTICE, item=item_id, at=then)
            answer = replace(answer, guild_id=None, local_date=None, paid=None, rating=rating.value)
            answer_log.add(conn, answer)
            memory.record(conn, item_id, [review_of(answer)])

    await stage.database.write(store)


async def test_activity_is_of_every_answer_by_the_members_date(stage: Stage) -> None:
    """Rounds and practice of the last twelve weeks, by the date in the member's zone."""
    await stage.bot.profiles.set_zone(ALWINA, "Pacific/Kiritimati")  # it is Tuesday there
    round_ = counted(GUILD, ALWINA, 0, right=False, at=START - timedelta(days=2))
    await stage.database.write(store_counted, [replace(round_, rating=Rating.Again.value)])
    await practise(stage, ALWINA, "t1-a", Rating.Good, at=START - timedelta(weeks=13))
    late_on_sunday = START - timedelta(hours=3)
    await practise(stage, ALWINA, "t1-a", Rating.Good, at=late_on_sunday)
    await practise(stage, ALWINA, "t1-b", Rating.Good)
    await practise(stage, BOB, "t1-a", Rating.Good)
    activity = await details(stage)
    assert (activity.answers, activity.right) == (3, 2)
    assert activity.days == (*(0,) * 10, 1, 2)


async def test_questions_met_and_learned(stage: Stage) -> None:
    """Items of the bank count; they are learned once they would last a week."""
    await practise(stage, ALWINA, "t1-a", Rating.Good, at=START - timedelta(days=20))
    await practise(stage, ALWINA, "t1-b", Rating.Again)
    await practise(stage, ALWINA, "gone", Rating.Again)
    found = await details(stage)
    assert (found.met, found.learned) == (2, 0)
    await practise(stage, ALWINA, "t1-a", Rating.Good)
    found = await details(stage)
    assert (found.met, found.learned) == (2, 1)
