"""A plan is set, changed, kept, and ends; practice and reminders follow it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from fsrs import Rating

from bot.core.errors import UserError
from bot.core.servers import set_zone
from bot.memory import store as memory
from bot.memory.store import ReviewedAnswer
from bot.plan import rules, store
from bot.plan.rules import Plan, percent
from bot.plan.service import Shown
from bot.practice.rules import NEW_A_DAY
from bot.practice.service import Asking, Nothing, PracticeVerdict, Screen
from bot.practice.store import latest_answers
from bot.questions.model import Item
from tests.banks import small_bank
from tests.practice.test_service import answer, go_on, practise, start
from tests.stage import ALWINA, BOB, GUILD, Stage


async def meet(stage: Stage, *items: str, rating: Rating = Rating.Again) -> None:
    for number, item_id in enumerate(items, start=1):
        given = [ReviewedAnswer(ALWINA, rating, stage.clock())]
        await stage.database.write(memory.record, "round", number, item_id, given)


async def plan(
    stage: Stage, day: str = "in 16 days", minutes: int | None = None, user_id: int = ALWINA
) -> Shown:
    return await stage.bot.plans.set(user_id, GUILD, day, minutes)


async def test_a_plan_is_set_and_changed(stage: Stage) -> None:
    """What is not named stays; the goal is what the plan comes to if every day is kept; nobody has another's."""
    today = stage.clock().date()
    first = (await plan(stage)).outlook
    assert first is not None
    assert first.plan == Plan(
        ALWINA, today + timedelta(days=16), rules.MINUTES, today, percent(first.kept)
    )
    assert first.kept == first.expected > first.ready == 0
    stage.clock.turn(days=3)
    changed = (await stage.bot.plans.set(ALWINA, GUILD, None, 40)).outlook
    assert changed is not None
    assert (changed.plan.day, changed.plan.minutes, changed.plan.set_on) == (
        first.plan.day,
        40,
        today,
    )
    moved = (await plan(stage, "in 60 days")).outlook
    assert moved is not None
    assert (moved.plan.day, moved.plan.minutes) == (today + timedelta(days=63), 40)
    assert await stage.bot.plans.look(BOB, GUILD) == Shown(None)


async def test_what_is_no_plan(stage: Stage) -> None:
    """Minutes without a day are none, nor is a day that is refused; what was set stays."""
    with pytest.raises(UserError, match="I need the date of your interview as well"):
        await stage.bot.plans.set(ALWINA, GUILD, None, 20)
    assert await stage.bot.plans.get(ALWINA) is None
    kept = (await plan(stage)).outlook
    with pytest.raises(UserError, match="is in the past"):
        await plan(stage, "2020-01-01")
    assert kept is not None
    assert await stage.bot.plans.get(ALWINA) == kept.plan


async def test_which_day_it_is(stage: Stage) -> None:
    """The member's own zone decides, as it does for practice, else the server's."""
    await stage.database.write(
        set_zone, GUILD, "Pacific/Kiritimati"
    )  # where noon in London is tomorrow
    shown = (await plan(stage, "in 2 days")).outlook
    assert shown is not None
    assert (shown.today, shown.zone) == (date(2027, 1, 5), "Pacific/Kiritimati")
    await stage.bot.reminders.set(ALWINA, None, "09:00", "UTC")
    shown = (await stage.bot.plans.look(ALWINA, GUILD)).outlook
    assert shown is not None
    assert (shown.today, shown.days) == (date(2027, 1, 4), 3)


async def test_practice_follows_the_plan(stage: Stage) -> None:
    """As many new items as the day's share has, in its order, instead of twenty; the next day there are more."""
    stage = Stage(stage.database, small_bank(12))
    await plan(stage, "in 10 days")
    shown = (await stage.bot.plans.look(ALWINA, GUILD)).outlook
    assert shown is not None
    assert (shown.share.new, shown.share.due) == (6, 0)
    order = [item.id for item in rules.in_order(stage.bank, {}, stage.clock())]
    met = await practise(stage)
    assert [item.id for item in met] == order[:6]
    assert await start(stage) == Nothing(None, next_in=2, more_tomorrow=True, planned=True)
    shown = (await stage.bot.plans.look(ALWINA, GUILD)).outlook
    assert shown is not None
    assert (shown.share.left, shown.share.done) == (0, 6)
    assert len(await practise(stage, user_id=BOB)) == NEW_A_DAY
    stage.clock.turn(days=1)
    assert (
        len(await practise(stage)) == 6
    )  # 42 are left for 9 days, the last of which is for repeating


async def test_a_miss_makes_no_room_for_more(stage: Stage) -> None:
    """What is asked again counts as due, and the new ones of a day stay as many."""
    stage = Stage(stage.database, small_bank(12))
    await plan(stage, "in 10 days")
    screen: Screen = await start(stage)
    new: list[Item] = []
    for _ in range(30):
        if isinstance(screen, Asking):
            new += [screen.item] if screen.question.fresh else []
            await answer(stage, screen, right=len(new) > 2)
            stage.clock.turn(minutes=4)
            screen = await go_on(stage, screen.question.practice_id)
    assert not isinstance(screen, Asking | PracticeVerdict)
    assert len(new) == 6


async def test_one_topic_only(stage: Stage) -> None:
    """Practice of a topic brings its new items, as many as the plan has."""
    await plan(stage, "in 2 days", 5)
    screen = await start(stage, topic="t2")
    assert isinstance(screen, Asking)
    assert (screen.item.id, screen.new) == ("t2-a", 3)


async def test_the_line_so_far(stage: Stage) -> None:
    """How ready somebody was is noted at the beginning and at the end of a practice, and whenever they look."""
    await plan(stage)
    await practise(stage)
    stage.clock.turn(days=2)
    assert isinstance(await start(stage), Asking)
    shown = await stage.bot.plans.look(ALWINA, GUILD)
    today = stage.clock().date()
    assert shown.outlook is not None
    assert [day for day, _ in shown.past] == [today - timedelta(days=2), today]
    assert shown.past[-1][1] == round(1000 * shown.outlook.ready) > 0
    assert await practise(stage, user_id=BOB)
    assert await stage.database.read(store.ready_since, BOB, today) == []


async def test_the_end(stage: Stage) -> None:
    """A member may end it; else it ends when its day has passed, which is told once. New ones are twenty again."""
    assert not await stage.bot.plans.end(ALWINA)
    await plan(stage)
    await practise(stage)
    assert await stage.bot.plans.end(ALWINA)
    assert await stage.bot.plans.look(ALWINA, GUILD) == Shown(None)
    assert await stage.database.read(store.ready_since, ALWINA, date(2027, 1, 1)) == []
    last = (await plan(stage, "in 3 days")).outlook
    assert last is not None
    stage.clock.turn(days=3)
    on_the_day = (await stage.bot.plans.look(ALWINA, GUILD)).outlook
    assert on_the_day is not None
    assert (on_the_day.days, on_the_day.share.new) == (0, 0)
    stage.clock.turn(days=1)
    assert await stage.bot.plans.standing(ALWINA, GUILD) is None
    assert (await asked_new(stage)).new > 0
    ended = [await stage.bot.plans.take_ended(ALWINA, GUILD) for _ in range(2)]
    assert ended == [last.plan.day, None]
    assert await stage.bot.plans.get(ALWINA) is None


async def ready_now(stage: Stage) -> int:
    shown = (await stage.bot.plans.look(ALWINA, GUILD)).outlook
    assert shown is not None
    return percent(shown.ready)


async def test_misses_make_nobody_ready(stage: Stage) -> None:
    """Eight wrong answers are 0%, right ones raise it, and one that was a guess counts as a miss."""
    stage = Stage(stage.database, small_bank(2))
    await plan(stage)
    items = sorted(stage.bank.asked)
    await meet(stage, *items)
    assert await ready_now(stage) == 0
    screen = await asked_new(stage)
    verdict = await answer(stage, screen)
    assert await ready_now(stage) == percent(1 / len(items))
    await stage.bot.practices.guess(verdict.question.id, ALWINA, GUILD)
    assert await ready_now(stage) == 0
    stage.clock.turn(minutes=30)
    await practise(stage)
    assert await ready_now(stage) == 100


async def asked_new(stage: Stage) -> Asking:
    screen = await start(stage)
    assert isinstance(screen, Asking)
    return screen


async def test_a_new_plan_after_an_old_one(stage: Stage) -> None:
    """One that is over is told of with the next one, which begins anew."""
    await plan(stage, "in 2 days", 60)
    assert len(await stage.database.read(store.ready_since, ALWINA, date(2027, 1, 1))) == 1
    stage.clock.turn(days=9)
    shown = await plan(stage, "in 20 days")
    assert shown.ended == date(2027, 1, 6)
    assert shown.outlook is not None
    assert shown.past == tuple(
        await stage.database.read(store.ready_since, ALWINA, date(2027, 1, 1))
    )
    assert (shown.outlook.plan.minutes, shown.outlook.plan.set_on) == (
        rules.MINUTES,
        stage.clock().date(),
    )


async def test_the_reminder_names_the_days_goal(stage: Stage) -> None:
    """What is left of the share, new ones too, so that it also comes when nothing is due; not when all is done."""
    stage = Stage(stage.database, small_bank(12))
    await stage.bot.reminders.set(ALWINA, GUILD, "18:00", "UTC")
    await plan(stage, "in 10 days")
    await stage.wait(hours=7)
    assert stage.sender.reminders == [(ALWINA, 6)]
    await stage.wait(hours=16)
    assert len(await practise(stage)) > 5
    await stage.wait(hours=3)
    assert len(stage.sender.reminders) == 1
    await stage.wait(days=11)
    assert 2 < len(stage.sender.reminders) < 14
    assert await stage.bot.plans.standing(ALWINA, GUILD) is None


async def test_the_latest_answers(stage: Stage) -> None:
    """Those in practice, oldest first, of which a limit keeps the newest; they say whether an item was new."""
    await meet(stage, "t1-a")
    items = [item.id for item in await practise(stage)]
    since = stage.clock() - timedelta(days=1)
    found = await stage.database.read(latest_answers, ALWINA, since, 400)
    assert [a.item_id for a in found] == items
    assert [a.fresh for a in found] == [item_id != "t1-a" for item_id in items]
    assert {a.rating for a in found} == {Rating.Good}
    assert {a.elapsed_ms for a in found} == {5000}
    assert await stage.database.read(latest_answers, ALWINA, since, 3) == found[-3:]
    assert await stage.database.read(latest_answers, ALWINA, stage.clock(), 3) == found[-1:]
    assert await stage.database.read(latest_answers, BOB, since, 3) == []
