"""The page of a plan, a few lines with a picture, and its form."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import discord
from discord import ui

from bot.chat import text as t
from bot.chat.messages import DANGER, ENDED, OPEN, PRIMARY, Message, button, row
from bot.chat.modals import fields_modal, text_field
from bot.chat.pictures import (
    INK,
    MARGIN,
    MUTED,
    PAPER,
    TRACK,
    WIDTH,
    area,
    box,
    draw_picture,
    fit_label,
    headline,
    panel,
    right_aligned,
    stroke,
    words,
)
from bot.chat.router import Route
from bot.memory.model import Plan
from bot.memory.views import todays
from bot.plan.dates import short_date, within, written_away, written_date
from bot.plan.model import Ended, Outlook, PlannedDay, Range
from bot.plan.week import MINUTES, MOST, written_week
from bot.questions.areas import ALL, area_options
from bot.questions.model import Bank
from bot.questions.views import PRACTISE

PLAN = Route("plan", {"do": "form|ask|end|show"}, once=True)
PLAN_FORM = Route("planform", {}, once=True)
KEPT = "kept"
"""The form's value for a goal that it can't offer, because nothing of it is asked here."""

NO_PLAN = "Your plan is gone. Set another with </plan>."
_ELSEWHERE = "-# None of it is asked here, so this is about everything."
_NARROW = 3
"""A range of fewer points is said as one figure."""
_KEPT = 0.8
"""Whoever practised on this share of the planned days keeps their plan."""
_CHART_LEFT, _CHART_HEIGHT = 62, 110
"""Left edge of the chart, next to its scale, and its height."""
_LABELS_APART = 100
"""Least distance of dates in the chart."""
_SECTION_BARS, _TITLE_LENGTH = 12, 28
"""Sections in the picture, and characters of a title there."""
_BAR_WIDTH, _BAR_HEIGHT = 258, 25
"""The size of a section's bar, which has its title; its figures are to the right of it."""
_FEWEST_CHECKS = 5
"""Checks to have answered before they are spoken of."""
_MOST_OPTIONS = 25
"""Options of a select menu, which Discord limits."""
_BAND, _NOW, _THEN = "#949cf7", "#4752c4", "#3b4074"
"""Colours; text on the last two has a contrast of 6:1 and more."""


async def plan_page(outlook: Outlook, past: Sequence[PlannedDay], key: int) -> Message:
    """The page of a plan; `key` is that of a `FairQueue`."""
    goal = t.escape(t.cut(outlook.goal, 80))
    heading = f"### Your plan: {goal}, {t.days_ahead(outlook.days)}"
    if not outlook.items:
        nothing = "There are no questions to practise here, so I can't say how you're doing."
        return Message(OPEN, heading, nothing, row(button("Remove", PLAN.id(do="ask"))))
    to_do = todays(outlook.today)
    if outlook.today.to_do and _is_behind(outlook):
        to_do = f"Every day you practise counts. {to_do}"
    return Message(
        OPEN,
        "\n".join([heading, *_known(outlook)]),
        "\n".join(_details(outlook)) or None,
        await draw_picture("plan.png", alt_text(outlook, past), lambda: svg(outlook, past), key),
        to_do,
        row(
            button("Practise", PRACTISE.id(topic=""), PRIMARY) if outlook.today.to_do else None,
            button("Edit", PLAN.id(do="form")),
            button("Remove", PLAN.id(do="ask")),
        ),
    )


def percent(share: float) -> int:
    return round(100 * share)


def in_words(found: Range) -> str:
    """Say a range in bold: `35 to 45%`, or `about 40%` if it is narrow."""
    low, high = map(percent, found)
    if high - low < _NARROW:
        return f"about **{percent(found.middle)}%**"
    return f"**{low} to {high}%**"


def _known(outlook: Outlook) -> list[str]:
    """Say what is known today and on the interview day, and what twice the time would change."""
    lines = [f"Today you'd know {in_words(outlook.unseen)} of {_of_what(outlook)}"]
    if outlook.days:
        day = short_date(outlook.plan.day)
        lines.append(f"By {day}: {in_words(outlook.then)}, {_condition(outlook)}")
        if outlook.twice is not None:
            lines.append(f"{_twice_the_time(outlook)}: {_compared(outlook.twice, outlook.then)}")
    else:
        lines.append("Your interview is today. I hope it goes well.")
    if not outlook.asked and outlook.today.to_do:
        lines.append("Answer today's questions, and I can say more.")
    if (checks := outlook.checks) is not None and checks.answered >= _FEWEST_CHECKS:
        so_far = " so far" if checks.answered < checks.total else ""
        right = f"**{checks.right:,} of {checks.answered:,}** right"
        lines.append(f"Check{so_far}: {right} on unseen questions")
    return lines


def _compared(more: Range, less: Range) -> str:
    """Say a range, or how far it is above another one that it overlaps: that is known better."""
    if more.low > less.high:
        return in_words(more)
    points = max(percent(more.middle - less.middle), 1)
    return f"about **{t.count(points, 'point')}** more"


def _details(outlook: Outlook) -> list[str]:
    """Say what these figures are about, and what is known of other questions."""
    lines = [] if outlook.is_asked else [_ELSEWHERE]
    if outlook.remembered is not None:
        had, again = outlook.asked, percent(outlook.remembered)
        lines.append(f"-# Of the {had:,} practised, you'd still know about {again}%")
    if outlook.checked:
        topics = t.count(outlook.topics, "topic")
        lines.append(f"-# You've explained {outlook.checked:,} of {topics} well")
    elif outlook.asked:
        lines.append("-# You haven't explained a topic well yet: </interview>")
    return lines


def _of_what(outlook: Outlook) -> str:
    is_part = outlook.is_asked and outlook.plan.goal != ALL
    return "new questions on this" if is_part else "new interview questions"


def _condition(outlook: Outlook) -> str:
    """Return the condition of a forecast: the plan, or habits so far."""
    own = outlook.pace
    if _is_behind(outlook):
        days = f" ({own.practised:,} of {_planned_days(outlook):,} days)" if own.practised else ""
        return f"if you go on as now{days}"
    return f"after about {t.count(outlook.questions, 'more question')}"


def _twice_the_time(outlook: Outlook) -> str:
    week = outlook.plan.week
    if _is_even(week) and 2 * week[0] <= MOST and not _is_behind(outlook):
        return f"{2 * week[0]} minutes a day"
    return "Twice the time"


def _is_even(week: Sequence[int]) -> bool:
    return len(set(week)) == 1


def _is_behind(outlook: Outlook) -> bool:
    """Whether the member practised on clearly fewer days than planned, so far."""
    return outlook.pace.practised < _KEPT * _planned_days(outlook)


def _planned_days(outlook: Outlook) -> int:
    """Return how many of the days of a member's pace asked something."""
    today = outlook.today.day
    days = (today - timedelta(days=n + 1) for n in range(outlook.pace.days))
    return sum(outlook.plan.minutes_on(day) > 0 for day in days)


def profile_line(outlook: Outlook) -> str:
    """A plan's line in its member's own profile."""
    if not outlook.items:
        return f"Interview on {short_date(outlook.plan.day)}"
    known = f"you'd know {in_words(outlook.unseen)}"
    if not outlook.days:
        return f"Interview today: {known}"
    return f"Interview: {known}, {in_words(outlook.then)} on {short_date(outlook.plan.day)}"


def ended_page(ended: Ended) -> Message:
    """The page that a member reads once after the day of their plan: what was said, and what came."""
    said, last, checks = ended.plan.said, ended.last, ended.checks
    came = []
    if said is not None and last is not None and last.day > said.on:
        expected = in_words(Range(said.low / 100, said.high / 100))
        came.append(
            f"On {short_date(said.on)} I expected you to know {expected} of new questions by then; "
            f"at the end it was about **{percent(last.ready / 1000)}%**."
        )
    if checks is not None:
        came.append(f"Check: **{checks.right:,} of {checks.answered:,}** right at first sight.")
    return Message(
        ENDED,
        f"Your plan for {written_date(ended.plan.day)} is done. I hope the interview went well.",
        " ".join(came) or None,
        row(button("Plan another one", PLAN.id(do="form"))),
    )


def confirm_page(day: date) -> Message:
    """The question before a plan is removed."""
    return Message(
        ENDED,
        f"### Remove your plan for {written_date(day)}?\n"
        "What you've learned stays, and practice goes on without a plan.",
        row(
            button("Remove plan", PLAN.id(do="end"), DANGER),
            button("Keep it", PLAN.id(do="show")),
        ),
    )


def removed_page() -> Message:
    return Message(
        ENDED,
        "Your plan is removed. What you've learned stays.",
        row(button("Plan another one", PLAN.id(do="form"))),
    )


def form(plan: Plan | None, bank: Bank, today: date) -> ui.Modal:
    """The modal that makes a plan, or changes it."""
    goal = ALL if plan is None else plan.goal
    areas = [pair for pair in area_options(bank) if len(pair[1]) <= 100][:_MOST_OPTIONS]
    if goal not in {area for _, area in areas}:
        areas = [("As before", KEPT), *areas[: _MOST_OPTIONS - 1]]
        goal = KEPT
    options = [
        discord.SelectOption(label=t.cut(label, 100), value=area, default=area == goal)
        for label, area in areas
    ]
    menu: ui.Select[ui.LayoutView] = ui.Select(custom_id="goal", options=options)
    away = within(() if plan is None else plan.away, today, date.max)
    return fields_modal(
        "Your plan",
        PLAN_FORM.id(),
        text_field(
            "date",
            "Date of the interview",
            "" if plan is None else plan.day.isoformat(),
            40,
            "Like 14 December, 14.12.2026, in two weeks or next Friday",
        ),
        text_field(
            "minutes",
            "Minutes a day",
            MINUTES if plan is None else written_week(plan.week),
            80,
            'Like "15", "10, weekends 30" or "Mon-Fri 10, Sat 30"',
        ),
        ui.Label(text="What for", component=menu),
        text_field(
            "away",
            "Days without practice",
            written_away(away, today),
            400,
            'Like "24-26 Dec, 31 Dec"',
            needed=False,
        ),
    )


def alt_text(outlook: Outlook, past: Sequence[PlannedDay]) -> str:
    """Everything that the picture shows."""
    today = f"Today {_plain(outlook.unseen)} of {_of_what(outlook)}"
    if before := _before(outlook, past):
        first = before[0]
        today += f", after {percent(first.ready / 1000)}% on {short_date(first.day)}"
    then = f"By {short_date(outlook.plan.day)} {_plain(outlook.then)}, {_condition(outlook)}"
    parts = [today] + ([then] if outlook.days else [])
    sections = [
        f"{s.title} {percent(s.now)}%" + (f", then {percent(s.then)}%" if outlook.days else "")
        for s in outlook.sections
    ]
    parts += [f"By section: {'; '.join(sections)}"] if sections else []
    return ". ".join(parts) + "."


def _plain(found: Range) -> str:
    return in_words(found).replace("**", "")


def _before(outlook: Outlook, past: Sequence[PlannedDay]) -> list[PlannedDay]:
    """Return the recorded days before today."""
    return [recorded for recorded in past if recorded.day < outlook.today.day]


def svg(outlook: Outlook, past: Sequence[PlannedDay]) -> str:
    """The picture: the line so far and the range to come, and a bar for each section."""
    chart, below = _chart(outlook, _before(outlook, past), MARGIN)
    if not outlook.sections:
        return panel(below, chart)
    sections, bottom = _sections(outlook, below + 38)
    return panel(bottom, chart, sections)


def _chart(outlook: Outlook, before: Sequence[PlannedDay], top: float) -> tuple[str, float]:
    """The line so far, and the range to come as a band, from 0 to 100%."""
    start = before[0].day if before else outlook.today.day
    whole = max((outlook.plan.day - start).days, 1)
    right, base = WIDTH - MARGIN, top + _CHART_HEIGHT

    def position(days: int, share: float) -> tuple[float, float]:
        return _CHART_LEFT + (right - _CHART_LEFT) * days / whole, base - _CHART_HEIGHT * share

    parts = []
    for share in (0, 0.5, 1):
        _, y = position(0, share)
        parts.append(stroke([(_CHART_LEFT, y), (right, y)], TRACK))
        parts.append(
            words(_CHART_LEFT - 8, y + 6, f"{percent(share)}%", colour=MUTED, anchor="end")
        )
    past_days = (outlook.today.day - start).days
    now = position(past_days, outlook.unseen.middle)
    lows = [position(past_days + day, low) for day, low, _ in outlook.curve]
    highs = [position(past_days + day, high) for day, _, high in outlook.curve]
    parts.append(area([*lows, *reversed(highs)], _BAND))
    if before:
        so_far = [position((each.day - start).days, each.ready / 1000) for each in before]
        parts.append(stroke([*so_far, now], INK, 'stroke-width="3"'))
    parts.append(box(now[0] - 5, now[1] - 5, 10, 10, INK, radius=5))
    parts += _day_labels(outlook, start, now[0], base + 24)
    return "".join(parts), base + 24


def _day_labels(outlook: Outlook, start: date, today: float, y: float) -> list[str]:
    """The labels of the first day, of today if there is room, and of the interview day."""
    right = WIDTH - MARGIN
    labels = [words(right, y, short_date(outlook.plan.day), colour=MUTED, anchor="end")]
    if start == outlook.today.day:
        return [*labels, words(_CHART_LEFT, y, "Today", colour=MUTED)]
    if today - _CHART_LEFT > _LABELS_APART:
        labels.append(words(_CHART_LEFT, y, short_date(start), colour=MUTED))
    if right - today > _LABELS_APART:
        middle = max(today, _CHART_LEFT + 24)
        labels.append(words(middle, y, "Today", colour=MUTED, anchor="middle"))
    return labels


def _sections(outlook: Outlook, top: float) -> tuple[str, float]:
    day = f" · {short_date(outlook.plan.day)}" if outlook.days else ""
    parts = [headline(top, "By section", f"now{day}")]
    y = top + 12
    for n, s in enumerate(outlook.sections[:_SECTION_BARS], start=1):
        title = fit_label(s.title, _TITLE_LENGTH, f"Section {n}")
        for share, colour in sorted([(s.then, _THEN), (s.now, _NOW)], reverse=True):
            parts.append(box(MARGIN, y, _BAR_WIDTH * share, _BAR_HEIGHT, colour))
        parts.append(words(MARGIN + 6, y + 18, title))
        right = MARGIN + _BAR_WIDTH
        parts.append(box(right, y, WIDTH - right, _BAR_HEIGHT, PAPER))  # hides a title's end
        then = f" · {percent(s.then)}" if outlook.days else ""
        parts.append(right_aligned(y + 18, f"{percent(s.now)}{then}%"))
        y += _BAR_HEIGHT + 4
    return "".join(parts), y + 10
