"""Setting, changing and ending plans, and how practice and reminders follow them."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from typing import Any

import pytest
from fsrs import Rating
from msgspec.structs import replace

from bot.answers.store import Review
from bot.core.errors import UserError
from bot.core.servers import set_zone
from bot.memory import store as memory
from bot.memory.ability import Ability
from bot.memory.fitting import Fit
from bot.memory.rules import DEFAULT, MemoryCard
from bot.memory.service import knowledge
from bot.plan import rules, service, store
from bot.plan.cards import Outlook, PlanCard
from bot.plan.goals import items_in_order
from bot.plan.outlook import Situation, choose_topics
from bot.plan.rules import Plan, percent
from bot.practice.cards import Asking, Nothing
from bot.practice.rules import LENGTH, NEW_A_DAY
from bot.practice.store import latest_answers
from bot.questions.areas import ALL
from tests.banks import small_bank
from tests.practice.test_service import asked, practise, start
from tests.stage import ALWINA, BOB, GUILD, Stage


async def meet(stage: Stage, *items: str, rating: Rating = Rating.Again) -> None:
    for item_id in items:
        given = [Review(ALWINA, rating, stage.clock())]
        await stage.database.write(memory.record, item_id, given)


async def plan(
    stage: Stage,
    day: str = "in 16 days",
    minutes: int | None = None,
    user_id: int = ALWINA,
    goal: str | None = None,
) -> PlanCard:
    return await stage.bot.plans.set(user_id, GUILD, day, minutes, goal)


def outlook_of(card: PlanCard) -> Outlook:
    assert card.outlook is not None
    return card.outlook


async def shown(stage: Stage) -> Outlook:
    return outlook_of(await stage.bot.plans.card(ALWINA, GUILD))


async def test_a_plan_is_set_and_changed(stage: Stage) -> None:
    """Arguments that are left out stay; the goal assumes that every day is kept."""
    today = stage.clock().date()
    first = outlook_of(await plan(stage))
    assert first.plan == Plan(
        user_id=ALWINA,
        day=today + timedelta(days=16),
        minutes=rules.MINUTES,
        set_on=today,
        goal=min(percent(first.kept), rules.HIGHEST_GOAL),
        goal_of=ALL,
        topic_ids="",
    )
    assert first.kept == first.expected > first.ready == 0
    stage.clock.turn(days=3)
    changed = outlook_of(await stage.bot.plans.set(ALWINA, GUILD, None, 40))
    assert (changed.plan.day, changed.plan.minutes, changed.plan.set_on) == (
        first.plan.day,
        40,
        today,
    )
    moved = outlook_of(await plan(stage, "in 60 days"))
    assert (moved.plan.day, moved.plan.minutes) == (today + timedelta(days=63), 40)
    assert await stage.bot.plans.card(BOB, GUILD) == PlanCard(None)


async def test_invalid_plans_are_refused(stage: Stage) -> None:
    """A plan needs a valid day, and a refusal changes nothing."""
    with pytest.raises(UserError, match="I need the date of your interview as well"):
        await stage.bot.plans.set(ALWINA, GUILD, None, 20)
    assert await stage.database.read(store.get, ALWINA) is None
    kept = outlook_of(await plan(stage))
    with pytest.raises(UserError, match="is in the past"):
        await plan(stage, "2020-01-01")
    assert await stage.database.read(store.get, ALWINA) == kept.plan


async def test_the_date_of_a_member(stage: Stage) -> None:
    """The member's own zone decides, else the server's."""
    await stage.database.write(
        set_zone, GUILD, "Pacific/Kiritimati"
    )  # where it is already tomorrow
    card = outlook_of(await plan(stage, "in 2 days"))
    assert (card.today, card.zone) == (date(2027, 1, 5), "Pacific/Kiritimati")
    await stage.bot.reminders.set(ALWINA, None, "09:00", "UTC")
    card = await shown(stage)
    assert (card.today, card.days) == (date(2027, 1, 4), 3)


async def test_practice_follows_the_plan(stage: Stage) -> None:
    """New items are those of the day's share, in its order, rather than twenty."""
    stage = Stage(stage.database, small_bank(12))
    await plan(stage, "in 10 days")
    card = await shown(stage)
    assert (card.share.new, card.share.due) == (11, 0)
    ability = Ability(0.0, {}, {})
    topics = stage.bank.asked_topics.values()
    met = await practise(stage)
    # ability changes with each answer, so the order may
    assert met[0] == next(items_in_order(topics, {}, ability))
    assert len(met) == 11
    assert await start(stage) == Nothing(None, next_in=2, more_tomorrow=True, planned=True)
    card = await shown(stage)
    assert (card.share.left, card.share.done) == (0, 11)
    assert len(await practise(stage, user_id=BOB)) == NEW_A_DAY
    stage.clock.turn(days=1)
    assert len(await practise(stage)) == 10  # 37 are left for 8 days and one day of repetition


async def test_practice_of_one_topic(stage: Stage) -> None:
    """It has as many new items of the topic as the plan allows, also of one outside the plan."""
    await plan(stage, "in 2 days", 5, goal="topics:t1")
    screen = await asked(stage, topic="t2")
    assert (screen.item.topic_id, screen.new) == ("t2", 3)


async def test_the_plans_topics_come_first(stage: Stage) -> None:
    """Due items of the plan come before its new ones, and those before due items elsewhere."""
    await meet(stage, "t1-a", "t2-a", "t3-a", rating=Rating.Good)
    stage.clock.turn(days=4)
    await plan(stage, goal="topics:t2")
    card = await shown(stage)
    assert (card.topics, card.of_topics, card.goal) == (1, 1, "Topic 2")
    assert (card.share.new, card.share.due) == (3, 1)
    met = [item.id for item in await practise(stage)]
    assert met[0] == "t2-a"
    assert {item_id[:2] for item_id in met[:4]} == {"t2"}
    assert sorted(met[4:]) == ["t1-a", "t3-a"]


async def test_a_plan_goes_on_with_the_rest_of_its_goal(stage: Stage) -> None:
    """Once the topics that fit are met, the others of the goal follow, and then no more."""
    stage = Stage(stage.database, small_bank(60))
    chosen = outlook_of(await plan(stage, "in 3 days", 5))
    assert chosen.is_part
    fitting = set(chosen.plan.topic_ids.split())
    await meet(
        stage,
        *(i.id for i in stage.bank.asked.values() if i.topic_id in fitting),
        rating=Rating.Good,
    )
    card = await shown(stage)
    assert card.share.new == 10
    assert {item.topic_id for item in await practise(stage)}.isdisjoint(fitting)


async def test_a_goal_is_kept_until_it_is_changed(stage: Stage) -> None:
    """A goal stays when the date changes; it can be typed, and is checked."""
    first = outlook_of(await plan(stage, goal="second"))
    assert (first.plan.goal_of, first.goal) == ("section:second", "Second")
    moved = outlook_of(await plan(stage, "in 30 days"))
    assert moved.plan.goal_of == "section:second"
    with pytest.raises(UserError, match="Pick one from the list"):
        await plan(stage, goal="cooking")
    assert await stage.database.read(store.get, ALWINA) == moved.plan
    assert outlook_of(await plan(stage, goal="Everything")).plan.goal_of == ALL


async def test_days_are_forgotten_when_the_topics_change(stage: Stage) -> None:
    """They were about other topics. A change of the date alone keeps them."""
    await plan(stage)
    await practise(stage)
    stage.clock.turn(days=1)
    assert len((await plan(stage, "in 20 days")).past) == 2
    assert len((await plan(stage, goal="topics:t1")).past) == 1


async def test_recorded_days(stage: Stage) -> None:
    """They are recorded at the start and end of practice, and when the plan is shown."""
    await plan(stage)
    await practise(stage)
    stage.clock.turn(days=2)
    assert isinstance(await start(stage), Asking)
    card = await stage.bot.plans.card(ALWINA, GUILD)
    today = stage.clock().date()
    assert [day.day for day in card.past] == [today - timedelta(days=2), today]
    outlook = outlook_of(card)
    assert card.past[-1].ready == round(1000 * outlook.ready) > 0
    assert [day.share for day in card.past] == [10, outlook.share.whole]
    assert await practise(stage, user_id=BOB)
    assert await stage.database.read(store.days_since, BOB, today) == []


async def test_the_end_of_a_plan(stage: Stage) -> None:
    """A member can end it; otherwise it ends after its day, which is told once."""
    assert not await stage.bot.plans.end(ALWINA)
    await plan(stage)
    await practise(stage)
    assert await stage.bot.plans.end(ALWINA)
    assert await stage.bot.plans.card(ALWINA, GUILD) == PlanCard(None)
    assert await stage.database.read(store.days_since, ALWINA, date(2027, 1, 1)) == []
    last = outlook_of(await plan(stage, "in 3 days"))
    stage.clock.turn(days=3)
    on_the_day = await shown(stage)
    assert (on_the_day.days, on_the_day.share.new) == (0, 0)
    stage.clock.turn(days=1)
    assert await stage.bot.plans.outlook(ALWINA, GUILD) is None
    assert (await asked(stage)).new > 0
    ended = [await stage.bot.plans.end_if_over(ALWINA, GUILD) for _ in range(2)]
    assert ended == [last.plan.day, None]
    assert await stage.database.read(store.get, ALWINA) is None


async def test_a_plan_after_one_that_is_over(stage: Stage) -> None:
    """The page of the new plan mentions the old one, and nothing is carried over."""
    await plan(stage, "in 2 days", 60)
    assert len(await stage.database.read(store.days_since, ALWINA, date(2027, 1, 1))) == 1
    stage.clock.turn(days=9)
    card = await plan(stage, "in 20 days")
    assert card.ended == date(2027, 1, 6)
    assert card.past == tuple(await stage.database.read(store.days_since, ALWINA, date(2027, 1, 1)))
    new = outlook_of(card).plan
    assert (new.minutes, new.set_on) == (rules.MINUTES, stage.clock().date())


async def test_the_reminder_has_the_days_goal(stage: Stage) -> None:
    """It comes if only new items are left, and not if the share is done."""
    stage = Stage(stage.database, small_bank(12))
    await stage.bot.reminders.set(ALWINA, GUILD, "18:00", "UTC")
    await plan(stage, "in 10 days")
    await stage.wait(hours=7)
    assert stage.sender.reminders == [(ALWINA, 11)]
    await stage.wait(hours=16)
    assert len(await practise(stage)) > 5
    await stage.wait(hours=3)
    assert len(stage.sender.reminders) == 1
    await stage.wait(days=11)
    assert 2 < len(stage.sender.reminders) < 14
    assert await stage.bot.plans.outlook(ALWINA, GUILD) is None


async def test_the_latest_answers(stage: Stage) -> None:
    """They are practice answers, oldest first, limited to the newest, and marked if the item was
    new."""
    await meet(stage, "t1-a")
    items = [item.id for item in await practise(stage)]
    since = stage.clock() - timedelta(days=1)
    found = await stage.database.read(latest_answers, ALWINA, since, 400)
    assert [a.item_id for a in found] == items
    assert [a.fresh for a in found] == [item_id != "t1-a" for item_id in items]
    assert {a.rating for a in found} == {Rating.Good}
    assert await stage.database.read(latest_answers, ALWINA, since, 3) == found[-3:]
    assert await stage.database.read(latest_answers, ALWINA, stage.clock(), 3) == found[-1:]
    assert await stage.database.read(latest_answers, BOB, since, 3) == []


@pytest.mark.parametrize(("days", "early"), [(6, True), (7, False)])
async def test_nearly_due_items_in_the_last_week(stage: Stage, days: int, early: bool) -> None:
    """They come after the new ones, and count in the day's share. Before that week they wait."""
    await meet(stage, "t1-a", rating=Rating.Easy)
    stage.clock.turn(days=7)
    assert isinstance(card := await stage.database.read(memory.card_of, ALWINA, "t1-a"), MemoryCard)
    assert card.due_at > stage.clock()
    outlook = outlook_of(await plan(stage, f"in {days} days"))
    assert (outlook.share.new, outlook.share.due) == (10, early)
    met = [item.id for item in await practise(stage)]
    assert len(met) == 10 + early
    assert (met[-1] == "t1-a") is early
    assert "t1-a" not in met[:10]
    after = await shown(stage)
    assert (after.share.left, after.share.done) == (0, 10 + early)


async def test_nearly_due_items_need_time(stage: Stage) -> None:
    """The day's share has none of them if new items take all of the minutes."""
    await meet(stage, "t1-a", rating=Rating.Easy)
    stage.clock.turn(days=7)
    short = outlook_of(await plan(stage, "in 3 days", 5))
    assert (short.share.new, short.share.due) == (10, 0)
    longer = outlook_of(await plan(stage, "in 3 days", 6))
    assert (longer.share.new, longer.share.due) == (10, 1)


async def test_nearly_due_items_of_other_topics_wait(stage: Stage) -> None:
    """Only the plan's own topics are repeated early."""
    await meet(stage, "t1-a", "t2-a", rating=Rating.Easy)
    stage.clock.turn(days=7)
    await plan(stage, "in 3 days", goal="topics:t2")
    met = [item.id for item in await practise(stage)]
    assert met[-1] == "t2-a"
    assert "t1-a" not in met


async def test_changes_at_once_are_made_in_turn(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each computes once, because choosing topics takes long."""
    await plan(stage)
    chosen: list[Plan] = []

    def choose(found: Plan, at: Situation) -> Any:
        chosen.append(found)
        return choose_topics(found, at)

    monkeypatch.setattr(service, "choose_topics", choose)
    await asyncio.gather(*(plan(stage, minutes=minutes) for minutes in range(10, 16)))
    assert sorted(found.minutes for found in chosen) == list(range(10, 16))


async def test_topics_picked_in_two_lists_at_once(stage: Stage) -> None:
    """A pick that comes while another is computed keeps that one; what is not picked goes."""
    plans = stage.bot.plans
    assert await plans.topics(ALWINA, GUILD) is None
    await plan(stage)
    await asyncio.gather(
        plans.choose(ALWINA, GUILD, ["t1", "t3"], ["t1"]),
        plans.choose(ALWINA, GUILD, ["t2"], ["t2"]),
    )
    choice = await plans.topics(ALWINA, GUILD)
    assert choice is not None
    assert (set(choice.chosen), choice.goal) == ({"t1", "t2"}, "2 topics")
    await plans.choose(ALWINA, GUILD, ["t1", "t3"], [])
    assert (await shown(stage)).plan.goal_of == "topics:t2"


async def test_a_change_on_the_interview_day(stage: Stage) -> None:
    """It keeps topics, goal and days, because nothing can be planned any more."""
    stage = Stage(stage.database, small_bank(60))
    before = outlook_of(await plan(stage, "in 5 days", 5))
    stage.clock.turn(days=5)
    changed = await stage.bot.plans.set(ALWINA, GUILD, before.plan.day.isoformat(), 60)
    assert outlook_of(changed).plan == replace(before.plan, minutes=60)
    assert (len(changed.past), changed.whole) == (2, None)


async def test_the_day_before_can_still_be_edited(stage: Stage) -> None:
    """The form sends the date that it was filled with."""
    day = outlook_of(await plan(stage, "in 4 days")).plan.day
    stage.clock.turn(days=3)
    edited = outlook_of(await stage.bot.plans.set(ALWINA, GUILD, day.isoformat(), 30)).plan
    assert (edited.day, edited.minutes) == (day, 30)


async def test_a_goal_that_is_not_asked_here(stage: Stage) -> None:
    """The plan stays as it was, and nothing is recorded."""
    before = outlook_of(await plan(stage))
    kept = replace(before.plan, goal_of="topics:elsewhere", topic_ids="elsewhere")
    await stage.database.write(store.save, kept)
    stage.clock.turn(days=1)
    page = await stage.bot.plans.card(ALWINA, GUILD)
    outlook = outlook_of(page)
    assert (outlook.is_asked, outlook.topics, len(page.past)) == (False, 3, 1)
    await practise(stage)
    assert len(await stage.database.read(store.days_since, ALWINA, kept.set_on)) == 1
    await stage.bot.plans.set(ALWINA, GUILD, None, 40)
    assert await stage.database.read(store.get, ALWINA) == replace(kept, minutes=40)
    with pytest.raises(UserError, match="at least one topic"):
        await stage.bot.plans.choose(ALWINA, GUILD, ["t1"], [])


async def test_no_plan_without_questions(stage: Stage) -> None:
    stage = Stage(stage.database, small_bank(0))
    with pytest.raises(UserError, match="no questions to practise here yet"):
        await plan(stage)


async def test_misses_elsewhere_come_first(stage: Stage) -> None:
    """Also in a practice of one topic that the plan is not about."""
    await meet(stage, "t3-a")
    stage.clock.turn(hours=1)
    await plan(stage, goal="topics:t1")
    assert (await asked(stage)).item.id == "t3-a"
    assert (await asked(stage, topic="t3")).item.id == "t3-a"


async def test_complete_days_count_on_the_page(stage: Stage) -> None:
    """After days without anything left, the pace is what the minutes allow."""
    stage = Stage(stage.database, small_bank(60))
    await plan(stage, "in 40 days", 60)
    for _ in range(3):
        while len(await practise(stage)) == LENGTH:
            pass
        stage.clock.turn(days=1)
    kept, at = await stage.database.read(stage.bot.plans._situation, ALWINA, GUILD)
    assert kept is not None
    assert at.pace(kept).complete == at.pace(kept).kept == 3


async def test_items_in_play_are_not_repeated_in_the_forecast(stage: Stage) -> None:
    await plan(stage)
    await stage.start(4)
    await stage.run()
    hidden = stage.card().card.item.id  # type: ignore[union-attr]
    _, at = await stage.database.read(stage.bot.plans._situation, ALWINA, GUILD)
    assert not at.known.may_ask(hidden)


async def test_own_parameters_are_used(stage: Stage) -> None:
    """A member whose recall falls otherwise is otherwise ready, and practice follows the same recall."""
    await meet(stage, *sorted(stage.bank.asked), rating=Rating.Good)
    stage.clock.turn(days=1)
    await plan(stage, "in 4 days")
    before = await shown(stage)
    steep = (*DEFAULT.parameters[:20], 0.8)
    fit = Fit(steep, 0.5, 0.4)
    await stage.database.write(memory.save_fit, ALWINA, fit, 0, stage.clock())
    after = await shown(stage)
    assert (before.ready, before.expected) != (after.ready, after.expected)
    assert [s.now for s in before.sections] != [s.now for s in after.sections]
    known = await stage.database.read(knowledge, ALWINA, stage.bank, "UTC", stage.clock())
    assert known.model.parameters == steep
