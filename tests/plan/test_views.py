"""The page of a plan, in words and as a picture."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from PIL import ImageFont

from bot.chat import pictures
from bot.chat.messages import text_of
from bot.chat.pictures import MARGIN, WIDTH, can_be_drawn, to_png
from bot.members.model import Streak
from bot.memory.model import Plan, Said, Today
from bot.plan.model import Checks, Ended, Outlook, Pace, PlannedDay, Range, SectionOutlook
from bot.plan.views import (
    alt_text,
    ended_page,
    form,
    percent,
    plan_page,
    profile_line,
    svg,
)
from bot.questions.areas import ALL
from bot.questions.model import Bank
from tests.messages import height
from tests.pixels import size
from tests.shipped import packs

START = datetime(2027, 1, 4, 12, tzinfo=UTC).date()
DAY = timedelta(days=1)
PLAN = Plan(1, START + 40 * DAY, (20,) * 7, START, ALL)
PAST = [PlannedDay(START + n * DAY, 100 + 12 * n) for n in range(0, 20, 3)]
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
    unseen=Range(0.05, 0.352),
    remembered=None,
    asked=0,
    items=700,
    then=Range(0.35, 0.45),
    twice=Range(0.5, 0.6),
    curve=((0, 0.05, 0.352), (20, 0.2, 0.4), (40, 0.35, 0.45)),
    sections=tuple(
        SectionOutlook(s.title, 0.04 * n, 0.09 * n + 0.1) for n, s in enumerate(packs().sections)
    ),
    topics=77,
    checked=0,
    checks=None,
    pace=Pace(0, 0, 0),
    questions=800,
)
HALFWAY = replace(
    NEW,
    today=replace(TODAY, day=START + 20 * DAY),
    unseen=Range(0.3, 0.36),
    remembered=0.834,
    asked=1410,
    checked=3,
    curve=((0, 0.3, 0.36), (20, 0.35, 0.45)),
    pace=Pace(18, 20, 300),
)
LAST_DAY = replace(
    HALFWAY, today=replace(TODAY, day=PLAN.day), curve=((0, 0.3, 0.36),), checks=Checks(14, 20, 20)
)
OFF = replace(TODAY, limit=0, ahead=0)


def with_week(*week: int, plan: Plan = PLAN) -> Plan:
    return replace(plan, week=week)


async def page_text(outlook: Outlook) -> str:
    return text_of(await plan_page(outlook, PAST, PLAN.user_id))


TODAYS = "Today: 30 questions, about 15 minutes"
ASK_MORE = "Answer today's questions, and I can say more."
NEW_NOW = "Today you'd know **5 to 35%** of new interview questions"
NOW = "Today you'd know **30 to 36%** of new interview questions"
HAD = "-# Of the 1,410 practised, you'd still know about 83%"
ELSEWHERE = "-# None of it is asked here, so this is about everything."
EXPLAINED = "-# You've explained 3 of 77 topics well"


@pytest.mark.parametrize(
    ("outlook", "lines"),
    [
        pytest.param(
            NEW,
            [
                NEW_NOW,
                "By 13 Feb: **35 to 45%**, after about 800 more questions",
                "40 minutes a day: **50 to 60%**",
                ASK_MORE,
            ],
            id="new",
        ),
        pytest.param(
            replace(HALFWAY, then=Range(0.39, 0.414), twice=None, asked=12, checked=0),
            [
                NOW,
                "By 13 Feb: about **40%**, after about 800 more questions",
                "-# Of the 12 practised, you'd still know about 83%",
                "-# You haven't explained a topic well yet: </interview>",
            ],
            id="few answers, and no more to gain",
        ),
        pytest.param(
            replace(HALFWAY, plan=with_week(10, 10, 10, 10, 10, 30, 0), checks=Checks(3, 6, 20)),
            [
                NOW,
                "By 13 Feb: **35 to 45%**, after about 800 more questions",
                "Twice the time: **50 to 60%**",
                "Check so far: **3 of 6** right on unseen questions",
                HAD,
                EXPLAINED,
            ],
            id="last third, weekends differ",
        ),
        pytest.param(
            replace(HALFWAY, then=Range(0.3, 0.5), twice=Range(0.35, 0.53)),
            [
                NOW,
                "By 13 Feb: **30 to 50%**, after about 800 more questions",
                "40 minutes a day: about **4 points** more",
                HAD,
                EXPLAINED,
            ],
            id="ranges that overlap",
        ),
        pytest.param(
            replace(HALFWAY, plan=with_week(*[90] * 7)),
            [
                NOW,
                "By 13 Feb: **35 to 45%**, after about 800 more questions",
                "Twice the time: **50 to 60%**",
                HAD,
                EXPLAINED,
            ],
            id="more than a plan can have",
        ),
        pytest.param(
            LAST_DAY,
            [
                NOW,
                "Your interview is today. I hope it goes well.",
                "Check: **14 of 20** right on unseen questions",
                HAD,
                EXPLAINED,
            ],
            id="the day of the interview",
        ),
        *(
            pytest.param(
                replace(LAST_DAY, plan=replace(PLAN, goal="topics:t1"), is_asked=is_asked),
                [
                    NOW.replace("new interview questions", "new questions on this")
                    if is_asked
                    else NOW,
                    "Your interview is today. I hope it goes well.",
                    "Check: **14 of 20** right on unseen questions",
                    *([] if is_asked else [ELSEWHERE]),
                    HAD,
                    EXPLAINED,
                ],
                id=f"a goal that is{' not' * (not is_asked)} asked here",
            )
            for is_asked in (False, True)
        ),
    ],
)
async def test_the_page(outlook: Outlook, lines: list[str]) -> None:
    """A few lines and a picture, then what today holds and a button for it."""
    shown = "\n".join(lines[: (n := sum(not line.startswith("-#") for line in lines))])
    details = "".join(f"{line}\n" for line in ["\n".join(lines[n:])] if line)
    page = await plan_page(outlook, PAST, PLAN.user_id)
    when = f"in {outlook.days} days" if outlook.days else "today"
    assert text_of(page) == (
        f"### Your plan: everything, {when}\n{shown}\n{details}[{alt_text(outlook, PAST)}]\n"
        f"{TODAYS}\n( Practise )\n( Edit )\n( Remove )"
    )
    picture = 3
    assert height(page) + picture <= 20
    assert size(to_png(svg(outlook, PAST), width=400))[0] == 400


@pytest.mark.parametrize(
    ("pace", "said"),
    [
        (Pace(16, 20, 300), None),
        (Pace(15, 20, 300), "if you go on as now (15 of 20 days)"),
        (Pace(0, 20, 0), "if you go on as now"),
    ],
)
async def test_who_is_behind(pace: Pace, said: str | None) -> None:
    """The forecast says that it is about their pace, without blame, and what today changes."""
    text = await page_text(replace(HALFWAY, pace=pace))
    then = f"By 13 Feb: **35 to 45%**, {said or 'after about 800 more questions'}\n"
    assert then in text
    assert ("Twice the time: " in text) == (said is not None)
    assert (f"\nEvery day you practise counts. {TODAYS}\n" in text) == (said is not None)
    assert then.replace("**", "").replace(":", "")[:-1] in alt_text(
        replace(HALFWAY, pace=pace), PAST
    )


async def test_days_off_are_not_behind() -> None:
    """They are not counted as planned, by weekday or away; nothing is asked on them."""
    weekends = replace(PLAN, week=(0,) * 5 + (60, 60))
    for plan, planned in (
        (weekends, 5),
        (replace(PLAN, away=((START, START + 9 * DAY), (PLAN.day, PLAN.day))), 10),
    ):
        behind = replace(HALFWAY, plan=plan, pace=Pace(3, 20, 60))
        assert f"if you go on as now (3 of {planned} days)" in await page_text(behind)
        assert "as now" not in await page_text(replace(behind, pace=Pace(planned, 20, 60)))
    off = await page_text(replace(HALFWAY, today=OFF, pace=Pace(1, 20, 9)))
    assert off.endswith("]\nA day off\n( Edit )\n( Remove )")
    assert ASK_MORE not in await page_text(replace(NEW, today=OFF))


async def test_a_day_that_is_done() -> None:
    """There is no button to start."""
    done = await page_text(replace(NEW, today=replace(TODAY, ahead=0, done=12)))
    assert done.endswith("\nDone for today ✓\n( Edit )\n( Remove )")


@pytest.mark.parametrize("outlook", [NEW, HALFWAY, LAST_DAY], ids=["new", "half-way", "last"])
def test_the_alt_text(outlook: Outlook) -> None:
    """It has all that the picture shows: both ends of the line, the range to come, each section."""
    alt = alt_text(outlook, PAST)
    if outlook is NEW:
        assert alt.startswith(
            "Today 5 to 35% of new interview questions. "
            "By 13 Feb 35 to 45%, after about 800 more questions. By section: "
        )
    else:
        assert alt.startswith("Today 30 to 36% of new interview questions, after 10% on 4 Jan. ")
    assert ("By 13 Feb" in alt) == (outlook is not LAST_DAY)
    written = re.findall(r">([^<]+)</text>", svg(outlook, PAST))
    for section in outlook.sections:
        now, then = percent(section.now), percent(section.then)
        figures = f"{now}%" if outlook is LAST_DAY else f"{now} · {then}%"
        assert written[written.index(section.title) + 1] == figures
        both = "" if outlook is LAST_DAY else f", then {then}%"
        assert re.search(rf"{section.title} {now}%{both}[.;]", alt)
    assert len(alt) <= 1024


FONTS = {
    weight: ImageFont.truetype(str(Path(pictures.__file__).parent / "fonts" / name), 100)
    for weight, name in (("400", "Inter-Regular.ttf"), ("600", "Inter-SemiBold.ttf"))
}


def places(drawing: str) -> list[tuple[float, float, float, str]]:
    """Return baseline, left and right edge, and words of each text, in their order."""
    pattern = r'<text x="([\d.]+)" y="([\d.]+)" font-size="(\d+)".*?anchor="(\w+)" font-weight="(\d+)">(.*?)</'
    found: list[tuple[float, float, float, str]] = []
    for x, y, points, anchor, weight, text in re.findall(pattern, drawing):
        width = FONTS[weight].getlength(text) * int(points) / 100
        left = float(x) - {"start": 0, "middle": width / 2, "end": width}[anchor]
        found.append((float(y), left, left + width, text))
    return found


@settings(max_examples=40)
@given(ago=st.integers(0, 365), days=st.integers(0, 365), share=st.sampled_from([0.0, 0.5, 1.0]))
def test_captions_never_run_together(ago: int, days: int, share: float) -> None:
    """Whatever the days and shares; all are within the picture, and can be drawn."""
    today = date(2026, 12, 28)
    outlook = replace(
        NEW,
        plan=replace(PLAN, day=today + days * DAY, set_on=today - ago * DAY),
        today=replace(TODAY, day=today),
        curve=((0, 0.0, share), (days, share, 1.0)),
        sections=tuple(SectionOutlook(s.title, share, 1.0) for s in packs().sections),
    )
    drawing = svg(outlook, [PlannedDay(today - n * DAY, 999) for n in (ago, 0)])
    found = places(drawing)
    assert len(found) == drawing.count("<text") > 20
    for y, left, right, text in found:
        assert can_be_drawn(text)
        assert MARGIN - 16 <= left < right <= WIDTH - MARGIN + 0.1
        for other_y, other_left, other_right, other in found:
            if abs(y - other_y) < 18 and (y, left, text) != (other_y, other_left, other):
                assert right + 6 <= other_left or other_right + 6 <= left, (text, other)


async def test_a_bank_with_many_sections() -> None:
    """The picture has twelve, and its alt text is no longer than Discord takes."""
    sections = tuple(SectionOutlook(f"S{n} " + "*" * 300, 0.1, 0.9) for n in range(40))
    many = replace(NEW, sections=sections)
    assert len(await page_text(many)) < 4000
    titles = re.findall(r">S(\d+) ([^<]+)<", svg(many, PAST))
    assert [number for number, _ in titles] == [str(n) for n in range(12)]
    assert max(len(f"S{number} {rest}") for number, rest in titles) == 28
    assert size(to_png(svg(many, PAST), width=400))[1] < 600


def fields(plan: Plan | None, bank: Bank, today: date = START) -> dict[str, Any]:
    """Return the fields of the form by their names."""
    parts = [part["component"] for part in form(plan, bank, today).to_components()]
    return {part["custom_id"]: part for part in parts}


def goal_menu(plan: Plan | None, bank: Bank) -> list[tuple[str, str, bool]]:
    """Return (label, value, chosen) of the form's choices of what the plan is for."""
    options = fields(plan, bank)["goal"]["options"]
    return [(o["label"], o["value"], o.get("default", False)) for o in options]


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


def test_the_form_as_it_was_filled() -> None:
    """It has the plan's minutes and days away in words, without those that have passed."""
    new = fields(None, packs())
    assert [new[name].get("value") for name in ("date", "minutes", "away")] == [None, "15", None]
    assert len(new) <= 5
    away = ((START, START + 2 * DAY), (START + 9 * DAY, START + 9 * DAY))
    made = fields(replace(with_week(*[10] * 5, 30, 30), away=away), packs(), START + DAY)
    assert [made[name]["value"] for name in ("date", "minutes", "away")] == [
        "2027-02-13",
        "10, weekends 30",
        "5-6 Jan, 13 Jan",
    ]
    assert not made["away"]["required"]


async def test_where_nothing_is_asked() -> None:
    """The page has no figures, and the plan can still be removed."""
    assert await page_text(replace(NEW, items=0, sections=(), topics=0)) == (
        "### Your plan: everything, in 40 days\n"
        "There are no questions to practise here, so I can't say how you're doing.\n( Remove )"
    )


def test_a_plan_in_the_profile() -> None:
    """A line in the member's own one."""
    assert profile_line(replace(NEW, items=0)) == "Interview on 13 Feb"
    assert profile_line(NEW) == "Interview: you'd know **5 to 35%**, **35 to 45%** on 13 Feb"
    assert profile_line(LAST_DAY) == "Interview today: you'd know **30 to 36%**"


SAID = (
    "On 4 Jan I expected you to know **40 to 50%** of new questions by then; "
    "at the end it was about **46%**."
)
OVER = Ended(
    replace(PLAN, said=Said(START, 40, 50)), PlannedDay(PLAN.day - DAY, 456), Checks(15, 20, 20)
)


@pytest.mark.parametrize(
    ("ended", "came"),
    [
        (OVER, f"{SAID} Check: **15 of 20** right at first sight.\n"),
        (replace(OVER, checks=None), f"{SAID}\n"),
        (replace(OVER, last=None), "Check: **15 of 20** right at first sight.\n"),
        (replace(OVER, last=PlannedDay(START, 400), checks=None), ""),
        (replace(OVER, plan=PLAN, checks=None), ""),
    ],
)
def test_a_plan_that_is_over(ended: Ended, came: str) -> None:
    """It tells what was said and what came, where there is both."""
    hope = "Your plan for 13 February 2027 is done. I hope the interview went well."
    assert text_of(ended_page(ended)) == f"{hope}\n{came}( Plan another one )"
