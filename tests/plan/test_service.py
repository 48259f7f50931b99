"""Setting, changing and ending plans, and how practice and reminders follow them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from fsrs import Rating
from msgspec.structs import replace

from bot.answers.model import Review
from bot.core.errors import UserError
from bot.core.servers import set_zone
from bot.members.model import Dates
from bot.memory import store as memory
from bot.memory.model import Said
from bot.plan import store
from bot.plan.checks import MOST_CHECKS
from bot.plan.model import Checks, Outlook, PlannedDay
from bot.practice.model import Asking
from bot.questions.areas import ALL
from tests.banks import small_bank
from tests.practice.test_service import practise, start
from tests.stage import ALWINA, BOB, GUILD, Stage


async def meet(stage: Stage, *items: str, rating: Rating = Rating.Again) -> None:
    for item_id in items:
        given = [Review(ALWINA, rating, stage.clock())]
        await stage.database.write(memory.record, item_id, given)


async def plan(
    stage: Stage,
    day: str = "in 16 days",
    minutes: str = "15",
    goal: str | None = None,
    away: str = "",
) -> Outlook:
    outlook, _ = await stage.bot.plans.set(ALWINA, GUILD, day, minutes, goal, away)
    return outlook


async def shown(stage: Stage) -> Outlook:
    page = await stage.bot.plans.page(ALWINA, GUILD)
    assert page is not None
    return page[0]


async def recorded(stage: Stage, user_id: int = ALWINA) -> list[date]:
    days = await stage.database.read(store.days_since, user_id, date(2027, 1, 1))
    return [day.day for day in days]


async def test_an_unknown_goal_is_refused(stage: Stage) -> None:
    """It changes nothing."""
    before = (await plan(stage)).plan
    with pytest.raises(UserError, match="I don't know what"):
        await plan(stage, "in 9 days", goal="cooking")
    assert await stage.database.read(store.get, ALWINA) == before


async def test_no_plan_without_questions(stage: Stage) -> None:
    stage = Stage(stage.database, small_bank(0))
    with pytest.raises(UserError, match="no questions to practise here yet"):
        await plan(stage)


async def test_the_date_of_a_member(stage: Stage) -> None:
    """Without a zone of their own it is the server's, where it may already be tomorrow."""
    await stage.database.write(set_zone, GUILD, "Pacific/Kiritimati")
    outlook = await plan(stage, "in 2 days")
    assert (outlook.today.day, outlook.today.zone) == (date(2027, 1, 5), "Pacific/Kiritimati")


@pytest.mark.parametrize(
    ("zone", "midnight"),
    [
        ("America/Havana", datetime(2027, 3, 14, 5)),  # the clock goes from 23:59 to 01:00
        ("Pacific/Kiritimati", datetime(2027, 3, 28, 10)),
    ],
)
async def test_a_day_ends_at_the_members_midnight(
    stage: Stage, zone: str, midnight: datetime
) -> None:
    """Days to go and the end of a plan change there, in this very second."""
    last = midnight.replace(tzinfo=UTC) - timedelta(seconds=1)
    stage.clock.at = last - timedelta(days=9)
    await stage.bot.reminders.set(ALWINA, GUILD, "09:00", zone)
    day = last.astimezone(ZoneInfo(zone)).date()
    await plan(stage, day.isoformat())
    for at, days in ((last - timedelta(hours=26), 1), (last, 0)):
        stage.clock.at = at
        assert (await shown(stage)).days == days
    stage.clock.turn(seconds=1)
    assert await stage.bot.plans.page(ALWINA, GUILD) is None
    ended = await stage.bot.plans.end_if_over(ALWINA, GUILD)
    assert ended is not None
    assert ended.plan.day == day
    assert await stage.bot.plans.end_if_over(ALWINA, GUILD) is None


async def test_a_plan_is_changed(stage: Stage) -> None:
    """Its goal and the day when it was set stay, and so can its day, which the form sends again."""
    first = (await plan(stage, "in 4 days", goal="topics:t1")).plan
    stage.clock.turn(days=3)
    changed = (await plan(stage, first.day.isoformat(), "30")).plan
    assert replace(changed, said=None) == replace(first, week=(30,) * 7, said=None)


async def test_what_was_said(stage: Stage) -> None:
    """It is the forecast when the plan was made, as long as it is about these days and minutes; without
    an answer before, it is the first one that is shown after some.
    """
    assert (await plan(stage)).plan.said is None
    await practise(stage)
    outlook = await shown(stage)
    made = await stage.database.read(store.get, ALWINA)
    assert made is not None
    low, high = (round(100 * share) for share in outlook.then)
    assert made.said == Said(made.set_on, low, high)
    stage.clock.turn(days=3)
    again = (await plan(stage, made.day.isoformat())).plan
    assert again == made == await stage.database.read(store.get, ALWINA)
    today = stage.clock().date()
    for change in (
        plan(stage, made.day.isoformat(), "20"),
        plan(stage, "in 5 days"),
        plan(stage, "in 5 days", goal="topics:t1"),
        plan(stage, "in 5 days", away="tomorrow"),
    ):
        said = (await change).plan.said
        assert said is not None
        assert said.on == today


async def test_days_away(stage: Stage) -> None:
    """They last until they are over. A change keeps those that have passed, for the streak."""
    made = (await plan(stage, "in 16 days", away="tomorrow, in 3 days - in 5 days")).plan
    first = made.set_on
    assert made.away == tuple(
        (first + timedelta(days=a), first + timedelta(days=b)) for a, b in [(1, 1), (3, 5)]
    )
    for day in range(8):
        outlook = await shown(stage)
        assert outlook.today.is_off == (day in {1, 3, 4, 6})
        assert bool(outlook.today.to_do) == (not outlook.today.is_off)
        stage.clock.turn(days=1)
        if day == 3:
            changed = await plan(stage, made.day.isoformat(), away="today, in 2 days")
            made = changed.plan
    assert [(a - first).days for a, _ in made.away] == [1, 3, 6]
    dates = Dates(ALWINA, {}, "UTC", first, first + timedelta(days=9), stage.clock())
    asked = await stage.database.read(store.asked_on, dates)
    assert [(day - first).days for day in asked] == [2, 5, 7, 8, 9]


async def test_no_plan_without_a_day_to_practise(stage: Stage) -> None:
    """The days away are all there are, or no weekday is left."""
    for minutes, away in (("15", "today - in 9 days"), ("weekends 30", "in 5 days - in 6 days")):
        with pytest.raises(UserError, match="That leaves no day to practise"):
            await plan(stage, "in 9 days", minutes, away=away)


async def test_practice_follows_the_plan(stage: Stage) -> None:
    """The day is what fits into the plan's minutes: on its page, in practice, and once it is done."""
    stage = Stage(stage.database, small_bank(30))
    day = (await plan(stage, "in 10 days", "10")).today
    assert (day.to_do, day.minutes) == (20, 10)
    asked_, over = await practise(stage)
    assert [question.total for question in asked_] == [20] * 20
    assert (over.today.to_do, over.today.done) == (0, 20)
    assert (await shown(stage)).today == replace(over.today, may_remind=True)
    stage.clock.turn(days=1)
    assert (await shown(stage)).today.to_do == over.today.tomorrow


async def test_checks(stage: Stage) -> None:
    """Practice asks them in the last third alone, each day as many; a first answer in a round counts."""
    stage = Stage(stage.database, small_bank(30))
    checks = (await plan(stage, "in 6 days", "5")).plan.checks
    seen, _ = await practise(stage)
    await meet(stage, checks[3])
    assert not {asking.item.id for asking in seen} & {*checks}
    stage.clock.turn(days=4)
    for places in ([2, 3, 4, 5, 6, 7], [8, 9, 10, 11, 12]):
        seen, _ = await practise(stage)
        labels = [asking.check for asking in seen if asking.check is not None]
        assert labels == [(place, 12) for place in places]
        assert {asking.item.id for asking in seen[: len(places)]} <= {*checks}
        assert (await shown(stage)).checks == Checks(places[-1] - 1, places[-1], 12, 0.25)
        stage.clock.turn(days=1)


async def test_checks_belong_to_a_goal(stage: Stage) -> None:
    """They stay when the day or the minutes change; another goal has its own."""
    stage = Stage(stage.database, small_bank(30))
    first = (await plan(stage)).plan
    assert len(first.checks) == MOST_CHECKS
    assert (await plan(stage, "in 20 days", "30")).plan.checks == first.checks
    second = (await plan(stage, goal="section:second")).plan
    assert {stage.bank.topic_of(stage.bank.asked[i]).section_id for i in second.checks} == {
        "second"
    }
    assert (await plan(stage, "in 3 days", goal=ALL)).plan.checks != first.checks


async def test_days_are_forgotten_when_the_goal_changes(stage: Stage) -> None:
    """They were about other topics. A change of the date alone keeps them."""
    await plan(stage)
    await practise(stage)
    stage.clock.turn(days=1)
    await plan(stage, "in 20 days")
    assert len(await recorded(stage)) == 2
    await plan(stage, goal="topics:t1")
    assert len(await recorded(stage)) == 1


async def test_recorded_days(stage: Stage) -> None:
    """They are recorded at the start and end of practice, and when the plan is shown."""
    await plan(stage)
    await practise(stage)
    stage.clock.turn(days=2)
    assert isinstance(await start(stage), Asking)
    page = await stage.bot.plans.page(ALWINA, GUILD)
    assert page is not None
    outlook, past = page
    today = stage.clock().date()
    assert [day.day for day in past] == [today - timedelta(days=2), today]
    assert past[-1].ready == round(1000 * outlook.unseen.middle) > 0
    await start(stage, BOB)
    assert await recorded(stage, BOB) == []


async def test_the_end_of_a_plan(stage: Stage) -> None:
    """A member can remove it, and nothing of it is left."""
    assert not await stage.bot.plans.end(ALWINA)
    await plan(stage)
    await practise(stage)
    assert await stage.bot.plans.end(ALWINA)
    assert await recorded(stage) == []


async def test_how_a_plan_went(stage: Stage) -> None:
    """Once it is over: what was said, what was last recorded, and how the check questions went."""
    made = (await plan(stage, "in 4 days")).plan
    stage.clock.turn(days=3)
    await practise(stage)
    last = await shown(stage)
    stage.clock.turn(days=2)
    ended = await stage.bot.plans.end_if_over(ALWINA, GUILD)
    assert ended is not None
    assert ended.plan.said is not None
    assert (replace(ended.plan, said=None), ended.checks) == (made, last.checks)
    assert ended.last == PlannedDay(last.today.day, round(1000 * last.unseen.middle))
    assert ended.checks is not None


async def test_a_plan_after_one_that_is_over(stage: Stage) -> None:
    """Nothing is carried over."""
    await plan(stage, "in 2 days", "60", "topics:t1")
    stage.clock.turn(days=9)
    today = stage.clock().date()
    new = (await plan(stage, "in 20 days")).plan
    assert (new.set_on, new.goal) == (today, ALL)
    assert await recorded(stage) == []  # before a first answer
    await practise(stage)
    await shown(stage)
    assert await recorded(stage) == [today]


async def test_a_goal_that_is_not_asked_here(stage: Stage) -> None:
    """The plan stays as it was, and nothing is recorded."""
    await practise(stage)
    kept = replace((await plan(stage)).plan, goal="topics:elsewhere")
    await stage.database.write(store.save, kept)
    stage.clock.turn(days=1)
    outlook = await shown(stage)
    assert not outlook.is_asked
    await practise(stage)
    assert len(await recorded(stage)) == 1
    await plan(stage, kept.day.isoformat(), "40")
    changed = replace(kept, week=(40,) * 7, said=None)
    assert await stage.database.read(store.get, ALWINA) == changed
