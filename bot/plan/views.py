"""A plan in words, with its picture: how ready now and on the day, by section, and what today brings."""

from __future__ import annotations

from datetime import date

from discord import ui

from bot.chat import text as t
from bot.chat.charts import MARGIN, bar, big_number, fit_label, headline, labelled_bar
from bot.chat.messages import DANGER, ENDED, OPEN, PRIMARY, Message, button, row, separator
from bot.chat.modals import fields_modal, text_field
from bot.chat.pictures import (
    ACCENT,
    INK,
    MUTED,
    PAPER,
    TRACK,
    WIDTH,
    Picture,
    box,
    draw_picture,
    panel,
    words,
)
from bot.chat.pictures import polyline as stroke
from bot.chat.router import Route
from bot.plan.dates import said
from bot.plan.rules import (
    LEAST_MINUTES,
    MOST_MINUTES,
    NEAR,
    Outlook,
    Plan,
    SectionOutlook,
    Today,
    percent,
)
from bot.plan.service import Shown
from bot.practice.views import PRACTISE

PLAN = Route("plan", {"do": "form|ask|end|show"}, once=True)
PLAN_FORM = Route("planform", {}, once=True)

NONE = "There's no plan yet. Use </plan> with the date of your interview, and I'll say how ready you'll be."
_LEFT, _CHART = 62, 130
"""Where the chart begins, beside its scale, and its height."""
_SECTIONS, _LINES, _TITLE = 8, 12, 28
"""Sections in the picture and in the words, and characters of a title in the picture."""
_LATER, _BAND, _GOAL = "#949cf7", "#2f5d45", "#7ccf9b"
"""What is expected, and the goal with its words."""


async def plan_page(shown: Shown) -> Message | str:
    """How a plan stands; a sentence where there is none."""
    outlook, note = shown.outlook, ended(shown.ended) if shown.ended else None
    if outlook is None:
        return note or NONE
    return Message(
        OPEN,
        f"### Your plan\n{in_short(outlook)}",
        note,
        await plan_picture(outlook, shown.past),
        _today(outlook),
        _pace(outlook),
        _takes(outlook),
        _by_section(outlook),
        separator(),
        f"-# Only you see this · {outlook.plan.minutes} minutes a day · days by {outlook.zone}",
        row(
            button(f"Start today's {outlook.share.left:,}", PRACTISE.id(topic=""), PRIMARY)
            if outlook.share.left
            else None,
            button("Change", PLAN.id(do="form")),
            button("End plan", PLAN.id(do="ask")),
        ),
    )


def in_short(outlook: Outlook) -> str:
    """Readiness now and on the day."""
    now = f"**{percent(outlook.ready)}% ready**"
    if not outlook.days:
        return f"{now} · your interview is today"
    return f"{now} · **{percent(outlook.expected)}%** on {said(outlook.plan.day)} at this pace"


def ended(day: date) -> str:
    """What a member reads once after the day of their plan."""
    return (
        f"Your plan for {said(day)} is done. I hope the interview went well. If there's another one ahead, "
        "set its date with </plan>."
    )


def confirm(day: date) -> Message:
    """The question before a plan is forgotten."""
    return Message(
        ENDED,
        f"### End your plan for {said(day)}?\nWhat you've learned stays, and practice goes on without a plan.",
        row(button("End plan", PLAN.id(do="end"), DANGER), button("Keep it", PLAN.id(do="show"))),
    )


def forgotten() -> Message:
    """A plan has been ended."""
    return Message(
        ENDED, "Your plan has ended. What you've learned stays. You can set another with </plan>."
    )


def form(plan: Plan) -> ui.Modal:
    """The modal that changes a plan."""
    minutes = f"From {LEAST_MINUTES} to {MOST_MINUTES}"
    return fields_modal(
        "Your plan",
        PLAN_FORM.id(),
        text_field(
            "date",
            "Date of the interview",
            plan.day.isoformat(),
            40,
            "Like 2026-12-12 or 12 December",
        ),
        text_field("minutes", "Minutes a day", str(plan.minutes), 3, minutes),
    )


def stats_line(outlook: Outlook) -> str:
    """The plan among a member's own figures."""
    return f"Plan: {in_short(outlook)} · {t.count(outlook.share.left, 'question')} left today"


def goal_words(share: Today) -> str:
    """`12 questions, 5 new and 7 due`; one kind needs no sum."""
    both = f", {share.new:,} new and {share.due:,} due" if share.new and share.due else ""
    return f"{t.count(share.left, 'question')}{both}" if both else _kinds(share.new, share.due)


def _pace(outlook: Outlook) -> str | None:
    """How the present pace compares with the goal, without blame."""
    if not outlook.days:
        return None
    goal, kept = outlook.plan.goal, percent(outlook.kept)
    if not outlook.pace_days:
        return f"That's with {outlook.plan.minutes} minutes of practice every day. It's also your goal: **{goal}%**."
    past = f"You've practised on {outlook.pace_kept:,} of the last {outlook.pace_days:,} days."
    if outlook.pace_days == 1:
        past = "You practised yesterday." if outlook.pace_kept else "Yesterday was a day off."
    if outlook.behind:
        start = (
            f"Start with today's {outlook.share.left:,}"
            if outlook.share.left
            else "Come back tomorrow"
        )
        return f"{past} Your goal is {goal}%. {start} and practise every day, and you'll reach **{kept}%**."
    if percent(outlook.expected) > goal + NEAR:
        return f"{past} That takes you past your goal of **{goal}%**."
    return f"{past} You're on the way to your goal of **{goal}%**."


def _by_section(outlook: Outlook) -> str | None:
    """Now and on the day; of a bank with very many sections the first ones, so that a message holds them."""
    lines = [
        f"-# {t.escape(t.cut(s.title, 60))} · {percent(s.now)} to {percent(s.then)}%"
        for s in outlook.sections[:_LINES]
    ]
    if len(outlook.sections) > _LINES:
        lines.append(f"-# and {t.count(len(outlook.sections) - _LINES, 'more section')}")
    head = f"**By section, today to {outlook.plan.day.day} {outlook.plan.day:%b}**"
    return "\n".join([head, *lines]) if lines else None


def _takes(outlook: Outlook) -> str | None:
    """What a day takes, and whether that fits."""
    if not outlook.days:
        return None
    day = f"{_kinds(outlook.new, outlook.due)}, about {t.count(outlook.takes, 'minute')}"
    if outlook.fits:
        return f"A day takes {day}. That fits."
    why = "To see everything" if outlook.new else "To keep up"
    return (
        f"{why}, a day takes {day}, which is more than your {outlook.plan.minutes}. "
        "I bring what is due first, then as many new questions as fit."
    )


def _today(outlook: Outlook) -> str:
    share = outlook.share
    done = f", {share.done:,} done" if share.done else ""
    if not share.left:
        return f"Today: nothing left{done}"
    return f"Today: **{_kinds(share.new, share.due)}** left{done}"


def _kinds(new: int, due: int) -> str:
    """`5 new and 7 due questions`."""
    kinds = " and ".join(f"{n:,} {kind}" for n, kind in ((new, "new"), (due, "due")) if n)
    return f"{kinds or 'no'} {'question' if new + due == 1 else 'questions'}"


async def plan_picture(outlook: Outlook, past: tuple[tuple[date, int], ...]) -> Picture:
    return await draw_picture("plan.png", alt_text(outlook), lambda: svg(outlook, past))


def alt_text(outlook: Outlook) -> str:
    """Everything that the picture says."""
    share = outlook.share
    then = f"{percent(outlook.expected)}% on {said(outlook.plan.day)} at this pace"
    parts = [f"{percent(outlook.ready)}% ready now", then, f"Goal {outlook.plan.goal}%"]
    parts.append(f"Today {share.done:,} done, {share.left:,} left")
    sections = (f"{s.title} {percent(s.now)}%, then {percent(s.then)}%" for s in outlook.sections)
    return ". ".join([*parts, f"By section: {'; '.join(sections)}"]) + "."


def svg(outlook: Outlook, past: tuple[tuple[date, int], ...]) -> str:
    """The picture, top to bottom: two figures, the line to the day, a bar for each section, today's share."""
    chart, below = _chart(outlook, past, 104)
    sections, bottom = _sections(outlook.sections, below + 42)
    share, bottom = _share(outlook, bottom + 8)
    return panel(bottom + MARGIN, _figures(outlook), chart, sections, share)


def _figures(outlook: Outlook) -> str:
    day = f"{outlook.plan.day.day} {outlook.plan.day:%b}"
    figures = (
        (MARGIN, f"{percent(outlook.ready)}%", "ready now", INK),
        (150, f"{percent(outlook.expected)}%", f"on {day}", _LATER),
        (280, f"{outlook.days:,}", "day to go" if outlook.days == 1 else "days to go", INK),
    )
    return "".join(big_number(*shown) for shown in figures)


def _chart(outlook: Outlook, past: tuple[tuple[date, int], ...], top: float) -> tuple[str, float]:
    """Readiness so far, dashed what is expected, the goal as a band; the scale is from 0 to 100%."""
    start = min([outlook.today, *(day for day, _ in past)])
    whole = max((outlook.plan.day - start).days, 1)
    right, base = WIDTH - MARGIN, top + _CHART

    def at(days: int, share: float) -> tuple[float, float]:
        return _LEFT + (right - _LEFT) * days / whole, base - _CHART * share

    goal = outlook.plan.goal / 100
    high, low = (at(0, min(max(goal + by, 0), 1))[1] for by in (NEAR / 100, -NEAR / 100))
    parts = []
    for share in (0, 0.5, 1):
        _, y = at(0, share)
        parts.append(stroke([(_LEFT, y), (right, y)], TRACK))
        parts.append(words(_LEFT - 8, y + 6, f"{percent(share)}%", colour=MUTED, anchor="end"))
    parts.append(box(_LEFT, high, right - _LEFT, low - high, _BAND, radius=2))
    parts.append(_goal_label(outlook.plan.goal, high, low, top))
    lived = (outlook.today - start).days
    line_so_far = [
        at((day - start).days, ready / 1000) for day, ready in past if day < outlook.today
    ]
    now = at(lived, outlook.ready)
    ahead = [at(lived + day, share) for day, share in outlook.curve]
    if line_so_far:
        parts.append(stroke([*line_so_far, now], INK, 'stroke-width="3"'))
    if len(ahead) > 1:
        parts.append(stroke(ahead, _LATER, 'stroke-width="3" stroke-dasharray="1 7"'))
    parts.append(box(now[0] - 5, now[1] - 5, 10, 10, INK, radius=5))
    parts += _ends(outlook, start, at(lived, 0)[0], base + 24)
    return "".join(parts), base + 24


def _goal_label(goal: int, high: float, low: float, top: float) -> str:
    """The goal in words, above its band or, where there is no room, below."""
    y = high - 7 if high - 22 > top else low + 20
    behind = box(
        _LEFT + 4, y - 17, 90, 22, PAPER, radius=0
    )  # so that no line of the scale runs through the words
    return behind + words(_LEFT + 8, y, f"Goal {goal}%", colour=_GOAL)


def _ends(outlook: Outlook, start: date, today: float, y: float) -> list[str]:
    """The days below the chart: its first, today if that is apart, and the interview's."""
    right = WIDTH - MARGIN
    labels = [
        words(right, y, f"{outlook.plan.day.day} {outlook.plan.day:%b}", colour=MUTED, anchor="end")
    ]
    if start == outlook.today:
        return [*labels, words(_LEFT, y, "Today", colour=MUTED)]
    if today - _LEFT > 90:
        labels.append(words(_LEFT, y, f"{start.day} {start:%b}", colour=MUTED))
    if right - today > 90:
        labels.append(words(max(today, _LEFT + 24), y, "Today", colour=MUTED, anchor="middle"))
    return labels


def _sections(sections: tuple[SectionOutlook, ...], top: float) -> tuple[str, float]:
    parts = [headline(top, "By section", "now · then")]
    y = top + 32
    for n, s in enumerate(sections[:_SECTIONS], start=1):
        title = fit_label(s.title, _TITLE, f"Section {n}")
        now, then = (f"{percent(share)}%" for share in (s.now, s.then))
        shares = sorted([(s.then, _LATER), (s.now, ACCENT)], reverse=True)
        parts.append(labelled_bar(y, title, f"{now} · {then}", 1, *shares))
        y += 47
    return "".join(parts), y


def _share(outlook: Outlook, top: float) -> tuple[str, float]:
    """The day's share, and what of it is done."""
    done, left = outlook.share.done, outlook.share.left
    head = headline(top, "Today", f"{done:,} done · {left:,} left")
    return head + bar(top + 14, done + left, (done, ACCENT)), top + 22
