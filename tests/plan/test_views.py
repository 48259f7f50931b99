"""The page of a plan, in words and as a picture."""

from __future__ import annotations

import random
import re
from collections.abc import Collection
from datetime import date, timedelta
from typing import Any

import pytest
from discord import ui
from msgspec.structs import replace

from bot.chat.messages import Message, text_of
from bot.chat.pictures import can_be_drawn, to_png
from bot.plan.cards import Outlook, PlanCard, SectionOutlook, TopicChoice, Whole
from bot.plan.outlook import choose_topics, set_goal
from bot.plan.rules import Goal, Plan, Today, percent
from bot.plan.views import (
    NO_PLAN,
    alt_text,
    confirm_page,
    plan_page,
    stats_line,
    svg,
    topic_lists,
    topics_page,
)
from bot.practice.rules import PlannedDay
from bot.questions.areas import ALL
from bot.questions.model import Bank
from bot.reminders.views import reminder
from tests.pixels import size
from tests.plan.members import START, Habits, Member
from tests.shipped import bank, packs

PAST = tuple(PlannedDay(START.date() + timedelta(days=n), 12 * n, 10) for n in range(0, 20, 3))


def outlook_after(days: int, weekdays: Collection[int] = range(7), topics: int = 12) -> Outlook:
    """Return the outlook after days of a plan for 40 days, of a member who practises on these."""
    some = bank().only(list(bank().asked_topics)[:topics])
    plan = Plan(1, START.date() + timedelta(days=40), 20, START.date(), 0, ALL, "")
    member = Member(
        plan,
        Habits(0.5, frozenset(weekdays)),
        some,
        random.Random(5),
        abilities={section.id: 0.5 for section in some.sections},
        difficulties={item.id: item.expected_difficulty for item in some.asked.values()},
    )
    at = member.situation(START)
    member.plan, _ = choose_topics(plan, at)
    member.plan = set_goal(member.outlook(START)).plan
    for day in range(days):
        member.simulate_day(day)
    return member.outlook(START + timedelta(days=days, hours=-4))


NEW, HALFWAY, BEHIND = outlook_after(0), outlook_after(20), outlook_after(20, [6])
PART = outlook_after(0, topics=50)


async def page_text(outlook: Outlook, past: tuple[PlannedDay, ...] = PAST) -> str:
    page = await plan_page(PlanCard(outlook, past))
    assert isinstance(page, Message)
    return text_of(page)


@pytest.mark.parametrize(
    "outlook", [NEW, HALFWAY, BEHIND, PART], ids=["new", "half-way", "behind", "part"]
)
async def test_every_number_is_shown(outlook: Outlook) -> None:
    """Text, picture and alt text have the numbers of the outlook, within the picture's bounds."""
    said, drawing = await page_text(outlook), svg(outlook, PAST)
    now, then = f"{percent(outlook.ready)}%", f"{percent(outlook.expected)}%"
    how = "at this pace" if outlook.pace_days else "if you practise every day"
    assert f"**{now} ready** · **{then}** on 13 February 2027 {how}" in said
    written = re.findall(r">([^<]+)</text>", drawing)
    topics = f"of {outlook.of_topics} topics" if outlook.is_part else "topics"
    assert written[:2] == [f"{outlook.topics}", topics]
    assert written[2:8] == [now, "ready now", then, "on 13 Feb", f"{outlook.days}", "days to go"]
    assert f"Goal {outlook.plan.goal}%" in written
    for section in outlook.sections:
        now, then = f"{percent(section.now)}%", f"{percent(section.then)}%"
        assert written[written.index(section.title) + 1] == f"{now} · {then}"
        assert (
            f"{section.title} {percent(section.now)}%, then {percent(section.then)}%"
            in alt_text(outlook)
        )
    assert all(map(can_be_drawn, written))
    assert f"{outlook.share.done} done · {outlook.share.left} left" in written
    assert f"( Start today's {outlook.share.left} )\n" in said
    assert said.endswith("( Choose topics )\n( Edit )\n( End plan )")
    assert (
        f"**{outlook.share.left} " in said
        or f", {outlook.share.new} new and {outlook.share.due} to review**" in said
    )
    width, height = size(to_png(drawing, width=400))
    assert width == 400
    places = re.findall(r'<text x="([\d.]+)" y="([\d.]+)"', drawing)
    assert all(0 < float(x) <= 390 and 0 < float(y) < height for x, y in places)


async def test_a_part_of_the_goal() -> None:
    """The number of topics that fit comes first; the effort for all is said once."""
    said = await page_text(PART)
    assert said.startswith(f"### Your plan: {PART.topics} of 50 topics\n")
    assert (
        f"20 minutes a day are enough to get **{PART.topics} topics** to **90%** or more. "
        f"What interviews ask most comes first: {PART.next_topics[0]} · " in said
    )
    assert PART.plan.goal == 90
    assert "would take" not in said
    whole = Whole(50, 45, date(2027, 5, 3))
    page = await plan_page(PlanCard(PART, whole=whole))
    assert isinstance(page, Message)
    ways = "about 45 minutes a day, or 20 minutes a day until 3 May 2027."
    assert f"All 50 topics would take {ways}" in text_of(page)
    few = await page_text(replace(PART, topics=1, next_topics=("Tokenization",)))
    assert "are enough to get **1 topic** to **90%** or more: Tokenization\n" in few


@pytest.mark.parametrize(
    ("whole", "words"),
    [
        (Whole(50, 45, None), "All 50 topics would take about 45 minutes a day."),
        (
            Whole(2, None, date(2027, 5, 3)),
            "Both topics would take 20 minutes a day until 3 May 2027.",
        ),
        (Whole(1, 30, None), "All of this topic would take about 30 minutes a day."),
        (
            Whole(50, None, None),
            "won't fit before then. With Choose topics you pick what matters most.",
        ),
    ],
)
async def test_what_the_whole_goal_would_take(whole: Whole, words: str) -> None:
    page = await plan_page(PlanCard(PART, whole=whole))
    assert isinstance(page, Message)
    assert words in text_of(page)


async def test_the_pace_in_words() -> None:
    """A member who is behind reads what to do, without blame."""
    assert "You've practised" not in await page_text(NEW)
    past = f"You've practised on {HALFWAY.pace_kept} of the last {HALFWAY.pace_days} days."
    ahead = replace(HALFWAY, plan=replace(HALFWAY.plan, goal=percent(HALFWAY.ready) - 1))
    assert f"{past} You're past your goal of **{ahead.plan.goal}%**." in await page_text(ahead)
    near = replace(HALFWAY, plan=replace(HALFWAY.plan, goal=percent(HALFWAY.ready) + 1))
    said = await page_text(near)
    assert f"{past} You're on course for your goal of **{near.plan.goal}%**." in said
    said = await page_text(BEHIND)
    assert BEHIND.behind
    assert BEHIND.fits
    assert f"Start with today's {BEHIND.share.left}, practise every day, and you reach" in said
    assert f"you reach about **{percent(BEHIND.kept)}%**." in said
    slow = replace(BEHIND, pace_kept=BEHIND.pace_days)
    assert "It goes a little slower than planned: your goal was 90%." in await page_text(slow)
    assert "you reach about" not in await page_text(replace(BEHIND, fits=False))


async def test_the_pace_of_one_day() -> None:
    """After a single day, the page tells whether it had practice."""
    new = replace(NEW, plan=replace(NEW.plan, goal=percent(NEW.expected)), pace_days=1)
    assert "You practised yesterday. You're on course" in await page_text(replace(new, pace_kept=1))
    assert "Yesterday was a day off. You're on" in await page_text(new)


async def test_a_bank_with_many_sections() -> None:
    """The picture has eight, the text the next twelve, and counts the others."""
    many = replace(
        NEW,
        sections=tuple(SectionOutlook(f"S{n} " + "*" * 300, 2, 0.1, 0.9) for n in range(40)),
    )
    said = (await page_text(many)).replace(alt_text(many), "")
    assert len(said) < 4000
    assert "S7 " not in said
    assert "S8 " in said
    assert " · 2 topics · 10 to 90%" in said
    assert "S19 " in said
    assert "-# and 20 more sections" in said
    assert size(to_png(svg(many, PAST), width=400))[1] < 900


async def test_whether_a_day_fits() -> None:
    """If not, a button takes as many topics as fit; with one topic there is nothing to leave out."""
    fits = await page_text(replace(NEW, questions=9, takes=5))
    assert "An average day: 9 questions, about 5 minutes." in fits
    assert "( Fit to my time )" not in fits
    shorter = await page_text(replace(NEW, questions=3, takes=2))
    assert "Later days are shorter: about 3 questions, 2 minutes." in shorter
    tight = replace(NEW, fits=False, takes=48)
    said = await page_text(tight)
    needs = "a day would need about 48 minutes, more than your 20."
    assert f"To finish all 12 topics, {needs} **Fit to my time** keeps those that fit." in said
    assert "( Fit to my time )" in said
    one = await page_text(replace(tight, topics=1, of_topics=1))
    assert f"To finish, {needs}" in one
    assert "Fit to my time" not in one


def menus(page: Message) -> list[ui.Select[Any]]:
    return [item for item in page.walk_children() if isinstance(item, ui.Select)]


def test_the_page_for_choosing_topics() -> None:
    """Each section has a list with what is chosen; many are on several pages, within limits."""
    choice = TopicChoice(packs(), "2 topics", {"tokenization", "overfitting"}, 1, 2, 15)
    lists = topic_lists(packs())
    assert [each.title for each in lists] == [section.title for section in packs().sections]
    page = topics_page(choice, 0)
    said = text_of(page)
    assert "Now: **2 topics**. 1 of 2 topics fit into your minutes." in said
    areas, *found = menus(page)
    assert len(found) == 4
    chosen = [o.value for menu in found for o in menu.options if o.default]
    assert "tokenization" in chosen
    assert set(chosen) <= set(choice.chosen)
    assert [o.value for o in areas.options[:2]] == [ALL, "pack:questions"]
    last = [menu.placeholder or "" for menu in menus(topics_page(choice, 99))[1:]]
    assert [words.split(" · ")[0] for words in last] == [each.title for each in lists[8:]]
    fits = text_of(topics_page(replace(choice, fitting=2), 0))
    assert "All of it fits into your minutes." in fits
    whole = text_of(topics_page(choice, 0, Whole(2, 30, None)))
    assert "Both topics would take about 30 minutes a day." in whole


def test_areas_beyond_a_menu() -> None:
    """A menu has at most 25; the page says how to reach the others. Without any it is left out."""
    section = packs().sections[0]
    many = Bank("Many", tuple(replace(section, id=f"s{n}", title=f"S{n}") for n in range(30)))
    choice = TopicChoice(many, "everything", (), 30, 30, 15)
    page = topics_page(choice, 0)
    assert len(menus(page)[0].options) == 25
    assert "For more areas use </plan> with `goal`." in text_of(page)
    assert menus(topics_page(replace(choice, bank=Bank("Empty", ())), 0)) == []


def test_a_long_section_has_several_lists() -> None:
    """A select menu has at most 25 options."""
    section = packs().sections[0]
    many = tuple(replace(section.topics[0], id=f"t{n}") for n in range(60))
    large = Bank("Large", (replace(section, topics=many),))
    assert [(each.part, len(each.topics)) for each in topic_lists(large)] == [
        (0, 25),
        (1, 25),
        (2, 10),
    ]


async def test_a_goal_that_is_not_asked_here() -> None:
    """The page says that it is about everything, and offers nothing that would change the plan."""
    said = await page_text(replace(NEW, is_asked=False, fits=False))
    assert "Nothing of what your plan is for is asked here" in said
    assert "Fit to my time )" not in said
    assert "Nothing of what your plan is for" not in await page_text(NEW)


async def test_a_day_that_is_done() -> None:
    """There is no button to start, and no forecast on the interview day."""
    done = await page_text(replace(NEW, share=Today(0, 0, 12)))
    assert "Today: nothing left, 12 done" in done
    some = await page_text(replace(NEW, share=Today(5, 7, 3)))
    assert "Today: **12 questions, 5 new and 7 to review**, 3 done" in some
    assert "Start today's" not in done
    last = replace(NEW, today=NEW.plan.day, curve=((0, 0.5),))
    said = await page_text(last)
    assert "**50% ready** · your interview is today" in said
    assert "at this pace" not in said.replace(alt_text(last), "")
    assert "Choose topics" not in said
    assert size(to_png(svg(last, ()), width=400))[0] == 400


async def test_pages_without_a_plan() -> None:
    """One sentence tells how to make a plan; a plan that is over is mentioned once."""
    assert await plan_page(PlanCard(None)) == NO_PLAN
    said = await plan_page(PlanCard(None, ended=date(2026, 12, 12)))
    assert isinstance(said, str)
    assert said.startswith(
        "Your plan for 12 December 2026 is done. I hope the interview went well."
    )
    page = await plan_page(PlanCard(NEW, ended=date(2026, 12, 12)))
    assert isinstance(page, Message)
    assert "I hope the interview went well." in text_of(page)
    assert "### End your plan for 12 December 2026?" in text_of(confirm_page(date(2026, 12, 12)))


def test_plans_elsewhere() -> None:
    """A line in the member's own statistics, and the day's goal in the reminder."""
    assert stats_line(NEW).startswith(
        f"Plan: **0% ready** · **{percent(NEW.expected)}%** on 13 February 2027"
    )
    said = reminder(9, Goal(16, Today(5, 7, 0))).content
    assert said == "**Today's goal: 12 questions, 5 new and 7 to review.** 16 days to go."
    assert (
        reminder(0, Goal(1, Today(1, 0, 0))).content
        == "**Today's goal: 1 new question.** Your interview is tomorrow."
    )
    assert "due today" in reminder(2, None).content
