"""The page of a plan, in words and as a picture."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from bot.chat.messages import text_of
from bot.chat.pictures import can_be_drawn, to_png
from bot.members.model import Streak
from bot.memory.model import Plan, Today
from bot.plan.model import Outlook, Pace, PlannedDay, Range, SectionOutlook
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
from tests.pixels import size
from tests.shipped import packs

START = datetime(2027, 1, 4, 12, tzinfo=UTC).date()
PLAN = Plan(1, START + timedelta(days=40), (20,) * 7, START, ALL)
PAST = [PlannedDay(START + timedelta(days=n), 12 * n) for n in range(0, 20, 3)]
TODAY = Today(
    day=START,
    zone="UTC",
    limit=40,
    done=0,
    ahead=30,
    again=(),
    minutes=15,
    right=0,
    new=0,
    regained=0,
    dailies=(),
    streak=Streak(),
    tomorrow=12,
    more=True,
    may_remind=False,
)
NEW = Outlook(
    plan=PLAN,
    today=TODAY,
    goal="everything",
    is_asked=True,
    curve=((0, 0.0, 0.0), (20, 0.3, 0.3), (40, 0.45, 0.45)),
    unseen=Range(0, 0),
    remembered=None,
    asked=0,
    items=300,
    then=Range(0.45, 0.45),
    twice=Range(0.6, 0.6),
    sections=tuple(
        SectionOutlook(s.title, 0.1 * n, 0.1 * n + 0.05) for n, s in enumerate(packs().sections[:6])
    ),
    topics=50,
    checked=0,
    checks=None,
    pace=Pace(0, 0, 0),
)
HALFWAY = replace(
    NEW,
    today=replace(TODAY, day=START + timedelta(days=20)),
    unseen=Range(0.31, 0.31),
    then=Range(0.52, 0.52),
    curve=((0, 0.31, 0.31), (20, 0.52, 0.52)),
    pace=Pace(15, 20, 300),
)


async def page_text(outlook: Outlook) -> str:
    return text_of(await plan_page(outlook, PAST, PLAN.user_id))


@pytest.mark.parametrize(
    ("outlook", "said"),
    [
        (
            NEW,
            "About **0%** ready today\n**45%** on 13 Feb with 20 minutes a day\n"
            "**60%** with twice the time",
        ),
        (
            HALFWAY,
            "About **31%** ready today\n**52%** on 13 Feb at this pace, 15 of the last 20 days\n"
            "**60%** with twice the time",
        ),
        (
            replace(NEW, pace=Pace(1, 1, 9), twice=None),
            "About **0%** ready today\n**45%** on 13 Feb at this pace",
        ),
        (
            replace(NEW, pace=Pace(0, 9, 0), twice=None),
            "About **0%** ready today\n**45%** on 13 Feb at this pace",
        ),
        (
            replace(NEW, today=replace(TODAY, day=PLAN.day), unseen=Range(0.5, 0.5)),
            "About **50%** ready today, the day of your interview",
        ),
    ],
)
async def test_three_lines_and_a_picture(outlook: Outlook, said: str) -> None:
    """Then what today holds and a button for it. Nothing else counts, and no line says what another
    one does."""
    assert await page_text(outlook) == (
        f"### Your plan: everything\n{said}\n[{alt_text(outlook)}]\n"
        "Today: 30 questions, about 15 minutes\n( Practise )\n( Edit )\n( Remove )"
    )
    assert size(to_png(svg(outlook, PAST), width=400))[0] == 400


@pytest.mark.parametrize("outlook", [NEW, HALFWAY], ids=["new", "half-way"])
async def test_the_picture(outlook: Outlook) -> None:
    """It and its alt text have the shares of each section. All words are within its bounds."""
    drawing = svg(outlook, PAST)
    written = re.findall(r">([^<]+)</text>", drawing)
    for section in outlook.sections:
        now, then = f"{percent(section.now)}%", f"{percent(section.then)}%"
        assert written[written.index(section.title) + 1] == f"{now} · {then}"
        assert f"{section.title} {now}, then {then}" in alt_text(outlook)
    assert "13 Feb" in written
    assert all(map(can_be_drawn, written))
    width, height = size(to_png(drawing, width=400))
    assert width == 400
    places = re.findall(r'<text x="([\d.]+)" y="([\d.]+)"', drawing)
    assert all(0 < float(x) <= 390 and 0 < float(y) < height for x, y in places)


async def test_a_bank_with_many_sections() -> None:
    """The picture has eight, and its alt text is no longer than Discord takes."""
    sections = tuple(SectionOutlook(f"S{n} " + "*" * 300, 0.1, 0.9) for n in range(40))
    many = replace(NEW, sections=sections)
    assert len(await page_text(many)) < 4000
    assert re.findall(r">S(\d+) ", svg(many, PAST)) == [str(n) for n in range(8)]
    assert size(to_png(svg(many, PAST), width=400))[1] < 900


async def test_a_day_that_is_done() -> None:
    """There is no button to start."""
    done = await page_text(replace(NEW, today=replace(TODAY, ahead=0, done=12)))
    assert done.endswith("\nDone for today ✓\n( Edit )\n( Remove )")


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


def test_a_plan_in_the_profile() -> None:
    """A line in the member's own one."""
    assert profile_line(NEW) == "Ready: about **0%**, **45%** on 13 Feb"
    last = replace(NEW, today=replace(TODAY, day=PLAN.day))
    assert profile_line(last) == "Ready: about **0%** on the day of your interview"
