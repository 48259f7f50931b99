"""The page of a plan, in words and as a picture."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

import discord
from discord import ui
from msgspec import Struct

from bot.chat import text as t
from bot.chat.charts import MARGIN, bar, big_number, fit_label, headline, labelled_bar
from bot.chat.messages import DANGER, ENDED, OPEN, PRIMARY, Message, button, pager, row, separator
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
from bot.chat.router import PAGE, Route
from bot.plan.cards import Outlook, PlanCard, SectionOutlook, TopicChoice, Whole
from bot.plan.dates import written_date
from bot.plan.rules import (
    LEAST_MINUTES,
    MOST_MINUTES,
    NEAR,
    Plan,
    Today,
    percent,
)
from bot.practice.rules import PlannedDay
from bot.practice.views import PRACTISE
from bot.questions.areas import area_options
from bot.questions.model import Bank, Topic

PLAN = Route("plan", {"do": "form|ask|end|show|fit|topics"}, once=True)
PLAN_FORM = Route("planform", {}, once=True)
PLAN_GOAL = Route("plangoal", {"page": PAGE}, once=True)
PLAN_TOPICS = Route(
    "plantopics", {"page": PAGE, "section": "[a-z0-9-]{1,70}", "part": PAGE}, once=True
)
PLAN_PAGE = Route("planpage", {"slot": "prev|next", "page": PAGE})

NO_PLAN = "There's no plan yet. Use </plan> with the date of your interview, and I'll say how ready you'll be."
_ELSEWHERE = (
    "-# Nothing of what your plan is for is asked here, so this page is about everything that is."
)
_CHART_LEFT, _CHART_HEIGHT = 62, 130
"""Left edge of the chart, next to its scale, and its height."""
_SECTION_BARS, _SECTION_LINES, _TITLE_LENGTH = 8, 12, 28
"""Sections in the picture and in the text below, and characters of a title in the picture."""
_MOST_OPTIONS, _LISTS_A_PAGE = 25, 4
"""Topics in a select menu, which Discord limits, and select menus on a page."""
_SHORTER = 0.7
"""A later day is called shorter if it has at most this share of today's questions."""
_EXPECTED_COLOUR, _BAND_COLOUR, _GOAL_COLOUR = "#949cf7", "#2f5d45", "#7ccf9b"
"""Colours of the expected curve, and of the goal's band and label."""


async def plan_page(card: PlanCard) -> Message | str:
    """The page of a plan, or a sentence if there is none."""
    outlook = card.outlook
    note = ended(card.ended) if card.ended else None
    if outlook is None:
        return note or NO_PLAN
    return Message(
        OPEN,
        f"### {_title(outlook)}\n{readiness_line(outlook)}",
        note,
        None if outlook.is_asked else _ELSEWHERE,
        await plan_picture(outlook, card.past),
        _today(outlook),
        _coverage(outlook),
        _whole(card.whole, outlook.plan.minutes) if card.whole else None,
        _pace(outlook),
        _daily_load(outlook),
        _more_sections(outlook),
        separator(),
        f"-# Only you see this · {outlook.plan.minutes} minutes a day · time zone {outlook.zone}",
        row(
            button(f"Start today's {outlook.share.left:,}", PRACTISE.id(topic=""), PRIMARY)
            if outlook.share.left
            else None,
            button("Fit to my time", PLAN.id(do="fit")) if _can_shrink(outlook) else None,
            button("Choose topics", PLAN.id(do="topics")) if outlook.days else None,
            button("Edit", PLAN.id(do="form")),
            button("End plan", PLAN.id(do="ask")),
        ),
    )


def _title(outlook: Outlook) -> str:
    """For example `Your plan: 20 of 103 topics`."""
    if outlook.is_part:
        return f"Your plan: {outlook.topics:,} of {t.count(outlook.of_topics, 'topic')}"
    return f"Your plan: {t.escape(t.cut(outlook.goal, 80))}"


def _coverage(outlook: Outlook) -> str | None:
    """The part of the goal that fits into the minutes, in a new plan, and the next topics."""
    first = " · ".join(t.escape(t.cut(title, 60)) for title in outlook.next_topics)
    if not outlook.days or not first or outlook.of_topics == 1:
        return None
    if outlook.pace_days or not outlook.is_part or not outlook.fits:
        return f"Next: {first}"
    plan, topics = outlook.plan, t.count(outlook.topics, "topic")
    enough = f"{plan.minutes} minutes a day are enough to get **{topics}** to **{plan.goal}%**"
    if outlook.topics <= len(outlook.next_topics):
        return f"{enough} or more: {first}"
    return f"{enough} or more. What interviews ask most comes first: {first}"


def _whole(whole: Whole, minutes: int) -> str:
    """The effort to be ready for all of a goal, with these minutes so far."""
    topics = f"All {whole.topics:,} topics" if whole.topics > 2 else "Both topics"
    if whole.topics == 1:
        topics = "All of this topic"
    same = f"{minutes} minutes a day until {written_date(whole.day)}" if whole.day else ""
    more = f"about {whole.minutes} minutes a day" if whole.minutes else ""
    if not same and not more:
        return f"{topics} won't fit before then. With Choose topics you pick what matters most."
    return f"{topics} would take {', or '.join(filter(None, [more, same]))}."


def _can_shrink(outlook: Outlook) -> bool:
    """Return whether fewer topics would fit better into the minutes."""
    return bool(outlook.days) and outlook.is_asked and not outlook.fits and outlook.topics > 1


def readiness_line(outlook: Outlook) -> str:
    """Readiness now and on the interview day."""
    now = f"**{percent(outlook.ready)}% ready**"
    if not outlook.days:
        return f"{now} · your interview is today"
    then = f"**{percent(outlook.expected)}%** on {written_date(outlook.plan.day)}"
    return f"{now} · {then} {_condition(outlook)}"


def _condition(outlook: Outlook) -> str:
    return "at this pace" if outlook.pace_days else "if you practise every day"


def ended(day: date) -> str:
    """The sentence that a member reads once after the day of their plan."""
    return (
        f"Your plan for {written_date(day)} is done. I hope the interview went well. If there's another one ahead, "
        "set its date with </plan>."
    )


def confirm_page(day: date) -> Message:
    """The question before a plan is ended."""
    return Message(
        ENDED,
        f"### End your plan for {written_date(day)}?\nWhat you've learned stays, and practice goes on without a plan.",
        row(button("End plan", PLAN.id(do="end"), DANGER), button("Keep it", PLAN.id(do="show"))),
    )


def ended_page() -> Message:
    """The page after a plan was ended."""
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


class TopicList(Struct, frozen=True):
    """Some topics of a section, the `part`-th ones, that a select menu can show."""

    section_id: str
    title: str
    part: int
    topics: tuple[Topic, ...]


def topic_lists(bank: Bank) -> list[TopicList]:
    """Return the topics of each section in lists."""
    lists = []
    for section in bank.sections:
        topics = tuple(topic for topic in section.topics if topic.items)
        for part, start in enumerate(range(0, len(topics), _MOST_OPTIONS)):
            some = topics[start : start + _MOST_OPTIONS]
            lists.append(TopicList(section.id, section.title, part, some))
    return lists


def topics_page(choice: TopicChoice, page: int, whole: Whole | None = None) -> Message:
    """The page for choosing what a plan is for: a whole area, or topics one by one.

    `whole` is what all of a goal would take that was chosen just now and does not fit.
    """
    lists = topic_lists(choice.bank)
    pages = max(-(-len(lists) // _LISTS_A_PAGE), 1)
    page = min(page, pages - 1)
    first = page * _LISTS_A_PAGE
    goal = t.escape(t.cut(choice.goal, 80))
    fitting = f"{choice.fitting:,} of {t.count(choice.of_topics, 'topic')}"
    fit = "All of it fits" if choice.fitting == choice.of_topics else f"{fitting} fit"
    areas = area_options(choice.bank)
    more = " For more areas use </plan> with `goal`." if len(areas) > _MOST_OPTIONS else ""
    turn = pager(page, pages, lambda slot, number: PLAN_PAGE.id(slot=slot, page=number))
    return Message(
        OPEN,
        f"### Choose your topics\nNow: **{goal}**. {fit} into your minutes.",
        _whole(whole, choice.minutes) if whole else None,
        row(_area_menu(areas[:_MOST_OPTIONS], page)) if areas else None,
        f"Or only some topics:{more}",
        *(
            row(_topic_menu(each, choice.chosen, page))
            for each in lists[first : first + _LISTS_A_PAGE]
        ),
        row(button("Done", PLAN.id(do="show"), PRIMARY), *turn),
    )


def _area_menu(areas: Sequence[tuple[str, str]], page: int) -> ui.Select[ui.LayoutView]:
    options = [discord.SelectOption(label=t.cut(label, 100), value=goal) for label, goal in areas]
    return ui.Select(
        custom_id=PLAN_GOAL.id(page=page), options=options, placeholder="A whole area…"
    )


def _topic_menu(found: TopicList, chosen: Collection[str], page: int) -> ui.Select[ui.LayoutView]:
    options = [
        discord.SelectOption(
            label=t.cut(topic.title, 100),
            value=topic.id,
            description="Asked in nearly every interview" if topic.weight == 3 else None,
            default=topic.id in chosen,
        )
        for topic in found.topics
    ]
    picked = sum(topic.id in chosen for topic in found.topics)
    return ui.Select(
        custom_id=PLAN_TOPICS.id(page=page, section=found.section_id, part=found.part),
        options=options,
        placeholder=t.cut(f"{found.title} · {picked or 'none'} of {len(found.topics)}", 150),
        min_values=0,
        max_values=len(options),
    )


def stats_line(outlook: Outlook) -> str:
    """A plan's line in its member's own statistics."""
    return f"Plan: {readiness_line(outlook)} · {t.count(outlook.share.left, 'question')} left today"


def goal_words(share: Today) -> str:
    """For example `12 questions, 5 new and 7 to review`, or only one kind."""
    if share.new and share.due:
        return f"{t.count(share.left, 'question')}, {share.new:,} new and {share.due:,} to review"
    if share.new:
        return f"{share.new:,} new {'question' if share.new == 1 else 'questions'}"
    return f"{t.count(share.due, 'question')} to review"


def _pace(outlook: Outlook) -> str | None:
    """How the current pace compares with the goal, without blame."""
    if not outlook.days or not outlook.pace_days:
        return None
    goal, kept = outlook.plan.goal, percent(outlook.kept)
    past = f"You've practised on {outlook.pace_kept:,} of the last {outlook.pace_days:,} days."
    if outlook.pace_days == 1:
        past = "You practised yesterday." if outlook.pace_kept else "Yesterday was a day off."
    if percent(outlook.ready) > goal:
        return f"{past} You're past your goal of **{goal}%**."
    if not outlook.behind:
        return f"{past} You're on course for your goal of **{goal}%**."
    if not outlook.fits:
        return past
    if outlook.pace_kept == outlook.pace_days:
        return f"{past} It goes a little slower than planned: your goal was {goal}%."
    left = outlook.share.left
    start = f"Start with today's {left:,}" if left else "Come back tomorrow"
    return f"{past} {start}, practise every day, and you reach about **{kept}%**."


def _daily_load(outlook: Outlook) -> str | None:
    """The number of questions a day takes, and whether they fit."""
    if not outlook.days:
        return None
    minutes = outlook.plan.minutes
    if outlook.fits:
        takes = t.count(min(outlook.takes, minutes), "minute")
        questions = t.count(outlook.questions, "question")
        if outlook.questions < _SHORTER * outlook.share.whole:
            return f"Later days are shorter: about {questions}, {takes}."
        return f"An average day: {questions}, about {takes}."
    takes = t.count(outlook.takes, "minute")
    if outlook.topics == 1:
        return f"To finish, a day would need about {takes}, more than your {minutes}."
    return (
        f"To finish all {outlook.topics:,} topics, a day would need about {takes}, more than "
        f"your {minutes}. "
        "**Fit to my time** keeps those that fit."
    )


def _more_sections(outlook: Outlook) -> str | None:
    """Readiness of the sections that the picture has no room for, if a message has room for them."""
    more = outlook.sections[_SECTION_BARS:]
    lines = [
        f"-# {t.escape(t.cut(s.title, 60))} · {t.count(s.topics, 'topic')} · "
        f"{percent(s.now)} to {percent(s.then)}%"
        for s in more[:_SECTION_LINES]
    ]
    if len(more) > _SECTION_LINES:
        lines.append(f"-# and {t.count(len(more) - _SECTION_LINES, 'more section')}")
    return "\n".join(lines) or None


def _today(outlook: Outlook) -> str:
    share = outlook.share
    done = f", {share.done:,} done" if share.done else ""
    if not share.left:
        return f"Today: nothing left{done}"
    return f"Today: **{goal_words(share)}**{done}"


async def plan_picture(outlook: Outlook, past: tuple[PlannedDay, ...]) -> Picture:
    return await draw_picture("plan.png", alt_text(outlook), lambda: svg(outlook, past))


def alt_text(outlook: Outlook) -> str:
    """Everything that the picture shows."""
    share = outlook.share
    day = written_date(outlook.plan.day)
    then = f"{percent(outlook.expected)}% on {day} {_condition(outlook)}"
    parts = [t.count(outlook.topics, "topic")]
    if outlook.is_part:
        parts = [f"{outlook.topics:,} of {t.count(outlook.of_topics, 'topic')}"]
    parts += [f"{percent(outlook.ready)}% ready now", then, f"Goal {outlook.plan.goal}%"]
    parts.append(t.count(outlook.days, "day") + " to go")
    parts.append(f"Today {share.done:,} done, {share.left:,} left")
    sections = (f"{s.title} {percent(s.now)}%, then {percent(s.then)}%" for s in outlook.sections)
    return ". ".join([*parts, f"By section: {'; '.join(sections)}"]) + "."


def svg(outlook: Outlook, past: tuple[PlannedDay, ...]) -> str:
    """The picture: two figures, the curve, a bar for each section, and today's share."""
    chart, below = _chart(outlook, past, 104)
    sections, bottom = _sections(outlook.sections, _short(outlook.plan.day), below + 42)
    share, bottom = _today_bar(outlook, bottom + 8)
    return panel(bottom + MARGIN, _figures(outlook), chart, sections, share)


def _figures(outlook: Outlook) -> str:
    day = _short(outlook.plan.day)
    topics = "topic" if outlook.topics == 1 else "topics"
    if outlook.is_part:
        topics = f"of {outlook.of_topics:,} topics"
    figures = (
        (MARGIN, f"{outlook.topics:,}", topics, INK),
        (126, f"{percent(outlook.ready)}%", "ready now", INK),
        (212, f"{percent(outlook.expected)}%", f"on {day}", _EXPECTED_COLOUR),
        (298, f"{outlook.days:,}", "day to go" if outlook.days == 1 else "days to go", INK),
    )
    return "".join(big_number(*values) for values in figures)


def _short(day: date) -> str:
    return f"{day.day} {day:%b}"


def _chart(outlook: Outlook, past: tuple[PlannedDay, ...], top: float) -> tuple[str, float]:
    """Past readiness, the expected curve dashed, and the goal as a band, from 0 to 100%."""
    start = min([outlook.today, *(recorded.day for recorded in past)])
    whole = max((outlook.plan.day - start).days, 1)
    right, base = WIDTH - MARGIN, top + _CHART_HEIGHT

    def position(days: int, share: float) -> tuple[float, float]:
        return _CHART_LEFT + (right - _CHART_LEFT) * days / whole, base - _CHART_HEIGHT * share

    goal = outlook.plan.goal / 100
    high, low = (position(0, min(max(goal + by, 0), 1))[1] for by in (NEAR / 100, -NEAR / 100))
    parts = []
    for share in (0, 0.5, 1):
        _, y = position(0, share)
        parts.append(stroke([(_CHART_LEFT, y), (right, y)], TRACK))
        parts.append(
            words(_CHART_LEFT - 8, y + 6, f"{percent(share)}%", colour=MUTED, anchor="end")
        )
    parts.append(box(_CHART_LEFT, high, right - _CHART_LEFT, low - high, _BAND_COLOUR, radius=2))
    past_days = (outlook.today - start).days
    line_so_far = [
        position((recorded.day - start).days, recorded.ready / 1000)
        for recorded in past
        if recorded.day < outlook.today
    ]
    now = position(past_days, outlook.ready)
    ahead = [position(past_days + day, share) for day, share in outlook.curve]
    if line_so_far:
        parts.append(stroke([*line_so_far, now], INK, 'stroke-width="3"'))
    if len(ahead) > 1:
        parts.append(stroke(ahead, _EXPECTED_COLOUR, 'stroke-width="3" stroke-dasharray="1 7"'))
    parts.append(box(now[0] - 5, now[1] - 5, 10, 10, INK, radius=5))
    parts.append(_goal_label(outlook.plan.goal, high, low, top))
    parts += _day_labels(outlook, start, position(past_days, 0)[0], base + 24)
    return "".join(parts), base + 24


def _goal_label(goal: int, high: float, low: float, top: float) -> str:
    """The goal's label, above its band or, without room there, below."""
    y = high - 7 if high - 22 > top else low + 20
    # The box hides lines of the scale behind the label.
    background = box(_CHART_LEFT + 4, y - 17, 90, 22, PAPER, radius=0)
    return background + words(_CHART_LEFT + 8, y, f"Goal {goal}%", colour=_GOAL_COLOUR)


def _day_labels(outlook: Outlook, start: date, today: float, y: float) -> list[str]:
    """The labels of the first day, of today if there is room, and of the interview day."""
    right = WIDTH - MARGIN
    labels = [words(right, y, _short(outlook.plan.day), colour=MUTED, anchor="end")]
    if start == outlook.today:
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


def _today_bar(outlook: Outlook, top: float) -> tuple[str, float]:
    """The bar of today's share, partly filled by questions done."""
    done, left = outlook.share.done, outlook.share.left
    head = headline(top, "Today", f"{done:,} done · {left:,} left")
    return head + bar(top + 14, done + left, (done, ACCENT)), top + 22
