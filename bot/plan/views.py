"""The page of a plan, three lines with a picture, and its form."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import discord
from discord import ui

from bot.chat import text as t
from bot.chat.messages import DANGER, ENDED, OPEN, PRIMARY, Message, button, row
from bot.chat.modals import fields_modal, text_field
from bot.chat.pictures import (
    ACCENT,
    INK,
    MARGIN,
    MUTED,
    TRACK,
    WIDTH,
    box,
    draw_picture,
    fit_label,
    headline,
    labelled_bar,
    panel,
    stroke,
    words,
)
from bot.chat.router import Route
from bot.memory.model import Plan
from bot.memory.views import todays
from bot.plan.dates import written_date
from bot.plan.model import Outlook, PlannedDay, SectionOutlook
from bot.plan.rules import LEAST_MINUTES, MINUTES, MOST_MINUTES
from bot.questions.areas import ALL, area_options
from bot.questions.model import Bank
from bot.questions.views import PRACTISE

PLAN = Route("plan", {"do": "form|ask|end|show"}, once=True)
PLAN_FORM = Route("planform", {}, once=True)
KEPT = "kept"
"""The form's value for a goal that it can't offer, because nothing of it is asked here."""

NO_PLAN = "Your plan is gone. Set another with </plan>."
_ELSEWHERE = (
    "-# Nothing of what your plan is for is asked here, so this page is about everything that is."
)
_CHART_LEFT, _CHART_HEIGHT = 62, 130
"""Left edge of the chart, next to its scale, and its height."""
_SECTION_BARS, _TITLE_LENGTH = 8, 28
"""Sections in the picture, and characters of a title there."""
_MOST_OPTIONS = 25
"""Options of a select menu, which Discord limits."""
_EXPECTED_COLOUR = "#949cf7"


async def plan_page(outlook: Outlook, past: Sequence[PlannedDay], key: int) -> Message:
    """The page of a plan; `key` is that of a `FairQueue`."""
    heading = f"### Your plan: {t.escape(t.cut(outlook.goal, 80))}"
    return Message(
        OPEN,
        "\n".join([heading, *_readiness(outlook)]),
        None if outlook.is_asked else _ELSEWHERE,
        await draw_picture("plan.png", alt_text(outlook), lambda: svg(outlook, past), key),
        todays(outlook.today),
        row(
            button("Practise", PRACTISE.id(topic=""), PRIMARY) if outlook.today.to_do else None,
            button("Edit", PLAN.id(do="form")),
            button("Remove", PLAN.id(do="ask")),
        ),
    )


def percent(share: float) -> int:
    return round(100 * share)


def _readiness(outlook: Outlook) -> list[str]:
    """Say readiness now and on the interview day, and what twice the time would change."""
    now = f"About **{percent(outlook.unseen.middle)}%** ready today"
    if not outlook.days:
        return [f"{now}, the day of your interview"]
    then = percent(outlook.then.middle)
    twice = then if outlook.twice is None else percent(outlook.twice.middle)
    lines = [now, f"**{then}%** on {_short(outlook.plan.day)} {_condition(outlook)}"]
    return [*lines, f"**{twice}%** with twice the time"] if twice > then else lines


def _condition(outlook: Outlook) -> str:
    """Say under which condition a forecast holds: the habits of the past days, else the plan."""
    own = outlook.pace
    if not own.days:
        return f"with {max(outlook.plan.week)} minutes a day"
    if own.practised and own.days > 1:
        return f"at this pace, {own.practised:,} of the last {own.days:,} days"
    return "at this pace"


def profile_line(outlook: Outlook) -> str:
    """A plan's line in its member's own profile."""
    ready = f"Ready: about **{percent(outlook.unseen.middle)}%**"
    if not outlook.days:
        return f"{ready} on the day of your interview"
    return f"{ready}, **{percent(outlook.then.middle)}%** on {_short(outlook.plan.day)}"


def ended_page(day: date) -> Message:
    """The page that a member reads once after the day of their plan."""
    return Message(
        ENDED,
        f"Your plan for {written_date(day)} is done. I hope the interview went well.",
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


def form(plan: Plan | None, bank: Bank) -> ui.Modal:
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
            str(MINUTES if plan is None else max(plan.week)),
            3,
            f"From {LEAST_MINUTES} to {MOST_MINUTES}",
        ),
        ui.Label(text="What for", component=menu),
    )


def alt_text(outlook: Outlook) -> str:
    """Everything that the picture shows."""
    parts = [
        f"{percent(outlook.unseen.middle)}% ready now",
        f"{percent(outlook.then.middle)}% on {written_date(outlook.plan.day)} {_condition(outlook)}",
        t.count(outlook.days, "day") + " to go",
    ]
    sections = (f"{s.title} {percent(s.now)}%, then {percent(s.then)}%" for s in outlook.sections)
    return ". ".join([*parts, f"By section: {'; '.join(sections)}"]) + "."


def svg(outlook: Outlook, past: Sequence[PlannedDay]) -> str:
    """The picture: the curve, and a bar for each section."""
    chart, below = _chart(outlook, past, MARGIN)
    sections, bottom = _sections(outlook.sections, _short(outlook.plan.day), below + 42)
    return panel(bottom, chart, sections)


def _short(day: date) -> str:
    return f"{day.day} {day:%b}"


def _chart(outlook: Outlook, past: Sequence[PlannedDay], top: float) -> tuple[str, float]:
    """Past readiness, and the expected curve dashed, from 0 to 100%."""
    start = min([outlook.today.day, *(recorded.day for recorded in past)])
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
    line_so_far = [
        position((recorded.day - start).days, recorded.ready / 1000)
        for recorded in past
        if recorded.day < outlook.today.day
    ]
    now = position(past_days, outlook.unseen.middle)
    ahead = [position(past_days + day, (low + high) / 2) for day, low, high in outlook.curve]
    if line_so_far:
        parts.append(stroke([*line_so_far, now], INK, 'stroke-width="3"'))
    if len(ahead) > 1:
        parts.append(stroke(ahead, _EXPECTED_COLOUR, 'stroke-width="3" stroke-dasharray="1 7"'))
    parts.append(box(now[0] - 5, now[1] - 5, 10, 10, INK, radius=5))
    parts += _day_labels(outlook, start, position(past_days, 0)[0], base + 24)
    return "".join(parts), base + 24


def _day_labels(outlook: Outlook, start: date, today: float, y: float) -> list[str]:
    """The labels of the first day, of today if there is room, and of the interview day."""
    right = WIDTH - MARGIN
    labels = [words(right, y, _short(outlook.plan.day), colour=MUTED, anchor="end")]
    if start == outlook.today.day:
        return [*labels, words(_CHART_LEFT, y, "Today", colour=MUTED)]
    if today - _CHART_LEFT > 90:
        labels.append(words(_CHART_LEFT, y, _short(start), colour=MUTED))
    if right - today > 90:
        labels.append(
            words(max(today, _CHART_LEFT + 24), y, "Today", colour=MUTED, anchor="middle")
        )
    return labels


def _sections(sections: tuple[SectionOutlook, ...], day: str, top: float) -> tuple[str, float]:
    parts = [headline(top, "By section", f"now · {day}")]
    y = top + 32
    for n, s in enumerate(sections[:_SECTION_BARS], start=1):
        title = fit_label(s.title, _TITLE_LENGTH, f"Section {n}")
        now, then = (f"{percent(share)}%" for share in (s.now, s.then))
        shares = sorted([(s.then, _EXPECTED_COLOUR), (s.now, ACCENT)], reverse=True)
        parts.append(labelled_bar(y, title, f"{now} · {then}", 1, *shares))
        y += 47
    return "".join(parts), y
