"""The page of a plan, in words and as a picture."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from bot.chat.messages import Message, text_of
from bot.chat.pictures import can_be_drawn, to_png
from bot.memory.rules import review
from bot.plan.cards import Outlook, PlanCard, SectionOutlook
from bot.plan.outlook import build_outlook
from bot.plan.rules import Goal, Plan, Today, percent, readiness
from bot.plan.views import NO_PLAN, alt_text, confirm_page, plan_page, stats_line, svg
from bot.reminders.views import reminder
from tests.pixels import size
from tests.plan.members import START, Habits, Member
from tests.shipped import bank

NOW = datetime(2027, 1, 4, 12, tzinfo=UTC)
PAST = tuple((START.date() + timedelta(days=n), 12 * n) for n in range(0, 20, 3))


def outlook_after(days: int, kept: float) -> Outlook:
    """Return the outlook of a member who kept this share of the days."""
    plan = Plan(1, START.date() + timedelta(days=40), 20, START.date(), 0)
    member = Member(plan, Habits(kept, 20, 0.7, 1, 40), bank(), random.Random(5))
    member.plan = replace(plan, goal=percent(member.outlook(START).kept))
    for day in range(days):
        member.simulate_day(day)
    return member.outlook(START + timedelta(days=days, hours=-4))


NEW, HALFWAY, BEHIND = outlook_after(0, 1), outlook_after(20, 1), outlook_after(20, 0.25)


async def page_text(outlook: Outlook, past: tuple[tuple[date, int], ...] = PAST) -> str:
    page = await plan_page(PlanCard(outlook, past))
    assert isinstance(page, Message)
    return text_of(page)


@pytest.mark.parametrize("outlook", [NEW, HALFWAY, BEHIND], ids=["new", "half-way", "behind"])
async def test_every_number_is_shown(outlook: Outlook) -> None:
    """Text, picture and alt text have the numbers of the outlook, within the picture's bounds."""
    said, drawing = await page_text(outlook), svg(outlook, PAST)
    now, then = f"{percent(outlook.ready)}%", f"{percent(outlook.expected)}%"
    assert f"**{now} ready** · **{then}** on 13 February 2027 at this pace" in said
    written = re.findall(r">([^<]+)</text>", drawing)
    assert written[:6] == [now, "ready now", then, "on 13 Feb", f"{outlook.days}", "days to go"]
    assert f"Goal {outlook.plan.goal}%" in written
    for section in outlook.sections:
        now, then = f"{percent(section.now)}%", f"{percent(section.then)}%"
        assert f"{section.title} · {now[:-1]} to {then}" in said
        assert written[written.index(section.title) + 1] == f"{now} · {then}"
        assert (
            f"{section.title} {percent(section.now)}%, then {percent(section.then)}%"
            in alt_text(outlook)
        )
    assert all(map(can_be_drawn, written))
    assert f"{outlook.share.done} done · {outlook.share.left} left" in written
    assert f"( Start today's {outlook.share.left} )\n( Change )\n( End plan )" in said
    assert (
        f"**{outlook.share.left} " in said
        or f"{outlook.share.new} new and {outlook.share.due} due" in said
    )
    width, height = size(to_png(drawing, width=400))
    assert width == 400
    places = re.findall(r'<text x="([\d.]+)" y="([\d.]+)"', drawing)
    assert all(0 < float(x) <= 390 and 0 < float(y) < height for x, y in places)


def test_the_picture_shows_readiness() -> None:
    """It shows the same readiness as the rules."""
    cards = {item: review(None, 3, NOW - timedelta(days=3)) for item in list(bank().asked)[:120]}  # type: ignore[arg-type]
    plan = Plan(1, NOW.date() + timedelta(days=30), 15, NOW.date(), 70)
    outlook = build_outlook(plan, bank(), cards, [], "UTC", NOW)
    assert f">{percent(readiness(bank(), cards, NOW))}%</text>" in svg(outlook, ())


async def test_the_pace_in_words() -> None:
    """A new plan names its goal, and a member who is behind reads what to do, without blame."""
    assert (
        f"That's with 20 minutes of practice every day. It's also your goal: **{NEW.plan.goal}%**."
        in await page_text(NEW)
    )
    ahead = replace(HALFWAY, plan=replace(HALFWAY.plan, goal=percent(HALFWAY.expected) - 8))
    said = await page_text(ahead)
    past = f"You've practised on {HALFWAY.pace_kept} of the last {HALFWAY.pace_days} days."
    assert f"{past} That takes you past your goal of **{ahead.plan.goal}%**." in said
    on_the_way = replace(HALFWAY, plan=replace(HALFWAY.plan, goal=percent(HALFWAY.expected) + 4))
    assert (
        f"{past} You're on the way to your goal of **{on_the_way.plan.goal}%**."
        in await page_text(on_the_way)
    )
    said = await page_text(BEHIND)
    assert BEHIND.behind
    assert (
        f"Start with today's {BEHIND.share.left} and practise every day, and you'll reach **{percent(BEHIND.kept)}"
        in said
    )


async def test_the_pace_of_one_day() -> None:
    """After a single day, the page tells whether it had practice."""
    assert "You practised yesterday. You're on" in await page_text(
        replace(NEW, pace_days=1, pace_kept=1)
    )
    assert "Yesterday was a day off. You're on" in await page_text(replace(NEW, pace_days=1))


async def test_a_bank_with_many_sections() -> None:
    """The text lists twelve and counts the others; the picture has eight."""
    many = replace(
        NEW, sections=tuple(SectionOutlook(f"S{n} " + "*" * 300, 0.1, 0.9) for n in range(40))
    )
    said = await page_text(many)
    assert len(said) < 4000
    assert "S11 " in said
    assert "-# and 28 more sections" in said
    assert size(to_png(svg(many, PAST), width=400))[1] < 900


async def test_whether_a_day_fits() -> None:
    fits = replace(NEW, new=8, due=1, takes=9)
    assert "A day takes 8 new and 1 due questions, about 9 minutes. That fits." in await page_text(
        fits
    )
    more = replace(NEW, new=18, due=30, takes=48)
    assert (
        "a day takes 18 new and 30 due questions, about 48 minutes, which is more than your 20."
        in await page_text(more)
    )
    assert "To keep up, a day takes 30 due questions, about 48 minutes" in await page_text(
        replace(more, new=0)
    )


async def test_a_day_that_is_done() -> None:
    """There is no button to start, and no forecast on the interview day."""
    done = await page_text(replace(NEW, share=Today(0, 0, 12)))
    assert "Today: nothing left, 12 done" in done
    assert "Start today's" not in done
    last = replace(NEW, today=NEW.plan.day, curve=((0, 0.5),), ready=0.5)
    said = await page_text(last)
    assert "**50% ready** · your interview is today" in said
    assert "at this pace" not in said.replace(alt_text(last), "")
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
    assert said == "**Today's goal: 12 questions, 5 new and 7 due.** 16 days to go."
    assert (
        reminder(0, Goal(1, Today(1, 0, 0))).content
        == "**Today's goal: 1 new question.** Your interview is tomorrow."
    )
    assert "due today" in reminder(2, None).content
