"""The figures of a profile, and those that others see."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

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


async def test_everything_counts_from_the_first_day(stage: Stage) -> None:
    """Whoever only does interviews, or answers open dailies, is active, without a share of right ones."""
    assert (await details(stage)).is_empty
    skipped: Any = await stage.bot.interviews.start(ALWINA, GUILD)
    step: Any = await stage.bot.interviews.skip(skipped.question_id, ALWINA, GUILD)
    assert (await details(stage)).is_empty
    await stage.bot.interviews.answer(step.question_id, ALWINA, "It depends.")
    found = await details(stage)
    assert (sum(found.days), found.answers, found.is_empty) == (1, 0, False)
    await stage.set_up("13:00", kind="open")
    await stage.wait(days=1, hours=2)
    await stage.write_daily(ALWINA, "It depends.")
    found = await details(stage)
    assert (sum(found.days), found.answers) == (2, 0)


async def test_only_the_member_reads_what_was_expected_of_them(stage: Stage) -> None:
    """Also if their profile is shown to others."""
    screen: Any = await stage.bot.practices.start(ALWINA, GUILD, stage.clock())
    pressed = stage.pressed(screen.question.id, ALWINA)
    await stage.bot.practices.answer(replace(pressed, picks=(0,)))
    await stage.bot.profiles.show(ALWINA, True)
    own = (await profile(stage)).calibration
    assert own is not None
    assert own.answers == 1
    others = await profile(stage, BOB)
    assert others.details is not None
    assert others.calibration is None


async def test_questions_met_and_known(stage: Stage) -> None:
    """Items of the bank count; on the first day those that are right are known, later fewer."""
    for item_id in ("t1-a", "t1-b", "t2-a", "t2-b"):
        await practise(stage, ALWINA, item_id, Rating.Good)
    await practise(stage, ALWINA, "t3-a", Rating.Again)
    await practise(stage, ALWINA, "gone", Rating.Good)
    found = await details(stage)
    assert (found.met, found.known) == (5, 4)
    topics = await stage.bot.topics.all(ALWINA, GUILD)
    assert round(sum(p.known for p in topics.progress.values())) == 4
    stage.clock.turn(days=60)
    later = await details(stage)
    topics = await stage.bot.topics.all(ALWINA, GUILD)
    assert (later.met, later.known) == (5, round(sum(p.known for p in topics.progress.values())))
    assert later.known < 4
