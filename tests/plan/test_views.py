"""The page of a plan, in words and as a picture."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from bot.chat.messages import text_of
from bot.chat.pictures import can_be_drawn, to_png
from bot.plan.model import DayShare, Outlook, Pace, Plan, PlannedDay, SectionOutlook
from bot.plan.views import (
    alt_text,
    form,
    percent,
    plan_page,
    profile_line,
    svg,
)
from bot.questions.areas import ALL
from bot.questions.model import Bank
from bot.reminders.views import reminder
from tests.pixels import size
from tests.shipped import packs

START = datetime(2027, 1, 4, 12, tzinfo=UTC).date()
PLAN = Plan(1, START + timedelta(days=40), 20, START, ALL)
PAST = [PlannedDay(START + timedelta(days=n), 12 * n) for n in range(0, 20, 3)]
NEW = Outlook(
    plan=PLAN,
    zone="UTC",
    today=START,
    goal="everything",
    is_asked=True,
    next_topics=("Attention", "Tokenization", "LoRA"),
    curve=((0, 0.0), (20, 0.3), (40, 0.45)),
    with_twice=0.6,
    sections=tuple(
        SectionOutlook(s.title, len(s.topics), 0.1 * n, 0.1 * n + 0.05)
        for n, s in enumerate(packs().sections[:6])
    ),
    pace=Pace(30, 0, 0, 0, 0),
    share=DayShare(40, 30, 0, 0),
)
HALFWAY = replace(
    NEW,
    today=START + timedelta(days=20),
    curve=((0, 0.31), (20, 0.52)),
    pace=Pace(25, 3, 15, 20, 300),
    share=DayShare(20, 9, 20, 3),
)


async def page_text(outlook: Outlook) -> str:
    return text_of(await plan_page(outlook, PAST, PLAN.user_id))


@pytest.mark.parametrize("outlook", [NEW, HALFWAY], ids=["new", "half-way"])
async def test_every_number_is_shown(outlook: Outlook) -> None:
    """Text, picture and alt text have the numbers of the outlook, within the picture's bounds."""
    said, drawing = await page_text(outlook), svg(outlook, PAST)
    now, then = f"{percent(outlook.ready)}%", f"{percent(outlook.expected)}%"
    how = "at this pace" if outlook.pace.days else "with 20 minutes a day"
    assert f"About **{now}** ready today, **{then}** on 13 February 2027 {how}." in said
    assert "With twice the time: **60%**." in said
    written = re.findall(r">([^<]+)</text>", drawing)
    days = f"{outlook.share.days}"
    assert written[:6] == [now, "ready now", then, "on 13 Feb", days, "days to go"]
    for section in outlook.sections:
        now, then = f"{percent(section.now)}%", f"{percent(section.then)}%"
        assert written[written.index(section.title) + 1] == f"{now} · {then}"
        assert f"{section.title} {now}, then {then}" in alt_text(outlook)
    assert all(map(can_be_drawn, written))
    assert f"( Start today's {outlook.share.left} )\n" in said
    assert said.endswith("( Edit )\n( Remove )")
    assert "Next: Attention · Tokenization · LoRA" in said
    width, height = size(to_png(drawing, width=400))
    assert width == 400
    places = re.findall(r'<text x="([\d.]+)" y="([\d.]+)"', drawing)
    assert all(0 < float(x) <= 390 and 0 < float(y) < height for x, y in places)


async def test_the_pace_in_words() -> None:
    """The page tells on how many days the member practised, without blame."""
    assert "You've practised" not in await page_text(NEW)
    assert "You've practised on 15 of the last 20 days." in await page_text(HALFWAY)
    one = replace(NEW, pace=Pace(30, 0, 1, 1, 9))
    assert "You practised yesterday." in await page_text(one)
    off = replace(NEW, pace=Pace(30, 0, 0, 1, 0))
    assert "Yesterday was a day off." in await page_text(off)
    enough = await page_text(replace(NEW, with_twice=0.45))
    assert "twice the time" not in enough


async def test_a_bank_with_many_sections() -> None:
    """The picture has eight, the text the next twelve, and counts the others."""
    sections = tuple(SectionOutlook(f"S{n} " + "*" * 300, 2, 0.1, 0.9) for n in range(40))
    many = replace(NEW, sections=sections)
    said = await page_text(many)
    assert len(said) < 4000
    assert re.findall(r">S(\d+) ", svg(many, PAST)) == [str(n) for n in range(8)]
    assert re.findall(r"\n-# S(\d+) ", said) == [str(n) for n in range(8, 20)]
    assert " · 2 topics · 10 to 90%" in said
    assert "-# and 20 more sections" in said
    assert size(to_png(svg(many, PAST), width=400))[1] < 900


async def test_a_day_that_is_done() -> None:
    """There is no button to start, and no forecast on the interview day."""
    done = await page_text(replace(NEW, share=DayShare(40, 0, 0, 12)))
    assert "Today: nothing left, 12 done" in done
    assert "Start today's" not in done
    some = await page_text(replace(NEW, share=DayShare(40, 5, 7, 3)))
    assert "Today: **12 questions, 5 new and 7 to review**, 3 done" in some
    last = replace(NEW, today=PLAN.day, curve=((0, 0.5),), share=DayShare(0, 0, 2, 0))
    said = await page_text(last)
    assert "About **50%** ready. Your interview is today." in said
    assert size(to_png(svg(last, ()), width=400))[0] == 400


async def test_a_goal_that_is_not_asked_here() -> None:
    """The page says that it is about everything."""
    here = "Nothing of what your plan is for is asked here"
    assert here in await page_text(replace(NEW, is_asked=False))
    assert here not in await page_text(NEW)


def goal_menu(plan: Plan | None, bank: Bank) -> list[tuple[str, str, bool]]:
    """Return (label, value, chosen) of the form's choices of what the plan is for."""
    parts = form(plan, bank).to_components()
    (menu,) = (p["component"] for p in parts if p["component"].get("custom_id") == "goal")
    return [(o["label"], o["value"], o.get("default", False)) for o in menu["options"]]


def test_what_the_form_offers() -> None:
    """Everything, packs and sections, within Discord's limit; a goal of another server can be kept."""
    offered = goal_menu(None, packs())
    assert offered[0] == ("Everything", ALL, True)
    assert sum(chosen for *_, chosen in offered) == 1
    assert f"section:{packs().sections[0].id}" in [value for _, value, _ in offered]
    elsewhere = replace(PLAN, goal="section:elsewhere")
    assert goal_menu(elsewhere, packs())[0] == ("As before", "kept", True)
    section = packs().sections[0]
    many = Bank("Many", tuple(replace(section, id=f"s{n}", title=f"S{n}") for n in range(30)))
    assert len(goal_menu(elsewhere, many)) == 25


def test_plans_elsewhere() -> None:
    """A line in the member's own profile, and the day's share in the reminder."""
    assert profile_line(NEW) == (
        "Plan: About **0%** ready today, **45%** on 13 February 2027 with 20 minutes a day. "
        "With twice the time: **60%**. 30 questions left today."
    )
    said = reminder(9, DayShare(16, 5, 7, 0)).content
    assert said == "**Today's goal: 12 questions, 5 new and 7 to review.** 16 days to go."
    assert (
        reminder(0, DayShare(1, 1, 0, 0)).content
        == "**Today's goal: 1 new question.** Your interview is tomorrow."
    )
    assert "due today" in reminder(2, None).content
