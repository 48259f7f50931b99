"""Leaderboards, and members' figures as a picture with text."""

from __future__ import annotations

from collections.abc import Sequence

import discord
from discord import ui

from bot.answers.rules import PERIODS
from bot.boards.cards import Activity, Board, Details, SectionScore, Stats, TeamBoard
from bot.boards.rules import FEWEST_ACTIVE, WEEKS, level, trend
from bot.chat import text as t
from bot.chat.charts import MARGIN, big_number, fit_label, headline, labelled_bar
from bot.chat.messages import OPEN, PRIMARY, REVEALED, Message, Part, button, pager, row, separator
from bot.chat.pictures import ACCENT, INK, MUTED, WIDTH, Picture, box, draw_picture, panel, words
from bot.chat.router import PAGE, TOPIC, Route
from bot.plan.model import Outlook
from bot.plan.views import stats_line
from bot.practice.views import PRACTISE
from bot.questions.model import Topic

_PAGES = {
    "slot": "prev|next|period|switch|own",
    "period": "|".join(PERIODS),
    "topic": TOPIC,
    "page": PAGE,
}
BOARD = Route("board", _PAGES)
TEAM_BOARD = Route("teamboard", _PAGES)
SHOW_BOARD = Route("board", {**_PAGES, "slot": "show"}, once=True)
SHOW_TEAM_BOARD = Route("teamboard", {**_PAGES, "slot": "show"}, once=True)
STATS = Route("stats", {"do": "show|hide"}, once=True)

PERIOD_TITLES = {"today": "Today", "week": "This week", "month": "This month", "all": "All time"}
"""The periods that can be chosen, as members read them."""
_SECTIONS = 8
_TITLE = 28
_HEAT = ("#2b2d31", "#353b75", "#4752c4", "#7983f5", "#c0c6ff")
_CELL, _GAP = 22, 4


def board_page(board: Board, topic: Topic | None, shown_by: str | None = None) -> Message:
    """Return a page of a leaderboard: the asker's own, or one that `shown_by` shows the channel."""
    head = _board_head("Leaderboard", board, topic, t.count(board.members, "member"))
    lines = [
        f"{t.place_mark(r.place, r.points)} {t.name(r.name)} · **{t.count(r.points, 'point')}** "
        f"{trend(r.place, r.before)}".rstrip()
        for r in board.rows
    ]
    body = (
        "\n".join(lines) or "No points here yet. Start a round with </quiz start> and be the first."
    )
    if shown_by is not None:
        return Message(OPEN, head, body, *_shown(BOARD, board, shown_by, "Your place"))
    teams = button("Teams", _id(TEAM_BOARD, board, "switch", page=0)) if board.has_teams else None
    return Message(
        OPEN, head, body, separator(), _own(board), *_buttons(BOARD, SHOW_BOARD, board, teams)
    )


def team_board_page(board: TeamBoard, topic: Topic | None, shown_by: str | None = None) -> Message:
    """Return a page of the team leaderboard: the asker's own, or one shown to the channel."""
    lines = [
        f"{t.place_mark(r.place, r.tenths)} {_team(r.name)} · **{_each(r.tenths)}** · {r.members:,} active "
        f"{trend(r.place, r.before)}".rstrip()
        for r in board.rows
    ]
    if not lines and not board.has_teams:
        lines = [
            "This server has no teams yet. A moderator can make a role a team with </team add>."
        ]
    small = ", ".join(_team(name) for name in board.small)
    few = (
        f"No place yet, with fewer than {FEWEST_ACTIVE} active members: {small}" if small else None
    )
    page = (
        _board_head("Team leaderboard", board, topic, t.count(board.teams, "team")),
        "\n".join(lines)
        or f"A team is on this board once {FEWEST_ACTIVE} of its members have answered.",
        few and f"-# {few}",
    )
    if shown_by is not None:
        return Message(OPEN, *page, *_shown(TEAM_BOARD, board, shown_by, "Your team"))
    members = button("Members", _id(BOARD, board, "switch", page=0))
    return Message(
        OPEN,
        *page,
        separator(),
        _own_team(board),
        *_buttons(TEAM_BOARD, SHOW_TEAM_BOARD, board, members),
    )


def _buttons(
    route: Route, show: Route, board: Board | TeamBoard, other: ui.Button[ui.LayoutView] | None
) -> Sequence[Part | None]:
    """Return the buttons of a member's own page; an empty one can't be shown in the channel."""
    turn = pager(board.page, board.pages, lambda slot, page: _id(route, board, slot, page=page))
    share = (
        button("Show in channel", _id(show, board, "show", page=board.page)) if board.rows else None
    )
    return _periods(route, board), row(*turn, other), row(share)


def _shown(
    route: Route, board: Board | TeamBoard, shown_by: str, own: str
) -> Sequence[Part | None]:
    """Return the end of a page in a channel: anyone can open their own, but nobody can turn it."""
    return f"-# {t.name(shown_by)} shows this page.", row(
        button(own, _id(route, board, "own", page=0))
    )


def _team(name: str | None) -> str:
    return t.name(name) if name else "a former team"


def _each(tenths: int) -> str:
    """Return the points for each member, without a decimal that is zero."""
    whole, tenth = divmod(tenths, 10)
    return f"{whole:,}.{tenth} points each" if tenth else f"{t.count(whole, 'point')} each"


def _own_team(board: TeamBoard) -> str:
    if board.own is not None:
        own = board.own
        return f"Your team: {_team(own.name)} · {t.ordinal(own.place)} · {_each(own.tenths)}"
    if board.own_name is not None:
        return f"Your team: {_team(board.own_name)} · no place yet"
    return "Your team: none of your roles is one. See </team list>."


def _board_head(title: str, board: Board | TeamBoard, topic: Topic | None, size: str) -> str:
    scope = t.escape(topic.title) if topic else "All topics"
    head = f"### {title} · {PERIOD_TITLES[board.period]}\n-# {scope} · {size}"
    return head + t.page_note(board.page, board.pages)


def _periods(route: Route, board: Board | TeamBoard) -> ui.ActionRow[ui.LayoutView] | None:
    styles = dict.fromkeys(PERIODS, discord.ButtonStyle.secondary) | {board.period: PRIMARY}
    return row(
        *(
            button(PERIOD_TITLES[p], _id(route, board, "period", period=p, page=0), styles[p])
            for p in PERIODS
        )
    )


def _id(
    route: Route, board: Board | TeamBoard, slot: str, *, page: int, period: str | None = None
) -> str:
    return route.id(slot=slot, period=period or board.period, topic=board.topic_id or "", page=page)


def _own(board: Board) -> str:
    own, ahead = board.own, board.ahead
    if own is None:
        return "You: no points here yet"
    behind = f" · {ahead.points - own.points:,} behind {t.ordinal(ahead.place)}" if ahead else ""
    return f"You: {t.ordinal(own.place)} · {t.count(own.points, 'point')}{behind}"


async def stats_page(name: str, stats: Stats, *, own: bool, plan: Outlook | None = None) -> Message:
    """Return a member's figures, with a picture.

    Their `own` page also has a button that shows or hides it, and their plan, which nobody else
    sees.
    """
    head = f"### {'Your progress' if own else 'Progress'}\n{t.name(name)} · **{t.count(stats.points, 'point')}**"
    details = stats.details
    if details is None:
        return Message(REVEALED, head, _figures(stats) or None, "-# They keep the details private.")
    sections = "\n".join(
        f"-# {t.escape(s.title)} · {t.percent(s.right, s.answers)} of {t.count(s.answers, 'answer')}"
        for s in details.sections
        if s.answers
    )
    weakest = None
    if own and details.weakest:
        weakest = "**Worth another look**\n" + "\n".join(
            f"- {t.escape(topic.title)}: {right} of {given} right"
            for topic, given, right in details.weakest
        )
    return Message(
        REVEALED,
        head,
        await stats_picture(stats),
        _figures(stats) or "No answers yet. The next round or question of the day is a good start.",
        sections or None,
        stats_line(plan) if own and plan else None,
        separator() if weakest else None,
        weakest,
        *(_own_part(stats.shows, details.due) if own else ()),
    )


def _figures(stats: Stats) -> str:
    details = stats.details
    lines = []
    if stats.answers:
        parts = [t.count(stats.answers, "answer")]
        if details:
            parts += [
                f"{t.percent(details.right, stats.answers)} right",
                f"{t.count(details.days, 'day')} active",
            ]
        lines.append(" · ".join(parts))
    if stats.streak.best:
        lines.append(
            f"Streak: **{t.count(stats.streak.current, 'day')}** · best {stats.streak.best:,}"
        )
    if details and details.cards:
        lines.append(
            f"Practice: {details.learned:,} of {t.count(details.cards, 'question')} learned · {details.due:,} due"
        )
    return "\n".join(lines)


def _own_part(shows: bool, due: int) -> tuple[Part | None, ...]:
    if shows:
        said = (
            "On every server, anyone who uses </stats> on you sees this, except your weak topics."
        )
        decide = button("Hide from others", STATS.id(do="hide"))
    else:
        said = "Only you see this. Anyone who uses </stats> on you sees just your points, answers and streak."
        decide = button("Show to others", STATS.id(do="show"))
    practise = button("Practise", PRACTISE.id(topic=""), PRIMARY) if due else None
    return separator(), f"-# {said}", row(decide, practise)


async def stats_picture(stats: Stats) -> Picture | None:
    """Draw accuracy, activity, streak and practice; None if there is nothing to draw."""
    details = stats.details
    if details is None or not (stats.answers or details.cards or details.activity.answers):
        return None
    return await draw_picture("stats.png", alt_text(stats, details), lambda: svg(stats, details))


def alt_text(stats: Stats, details: Details) -> str:
    """Return everything that the picture shows, in words."""
    activity = details.activity
    weeks = (
        f"Last 12 weeks: {t.count(activity.answers, 'answer')} on {t.count(activity.days, 'day')}"
    )
    if activity.answers:
        day, most = activity.busiest
        weeks += f"; busiest day: {day.day} {day:%B} with {most:,}"
    said = [
        f"{t.percent(details.right, stats.answers)} right"
        if stats.answers
        else "No answers outside practice yet",
        f"Streak: {t.count(stats.streak.current, 'day')}",
        f"Questions learned: {details.learned:,}, due: {details.due:,}",
        weeks,
    ]
    asked = [s for s in details.sections if s.answers]
    if asked:
        by_section = (f"{s.title} {t.percent(s.right, s.answers)} of {s.answers:,}" for s in asked)
        said.append(f"Accuracy by section: {', '.join(by_section)}")
    return ". ".join(said) + "."


def svg(stats: Stats, details: Details) -> str:
    """Draw four figures, a bar for each section and a square for each day, from top to bottom."""
    sections, below = _sections(details.sections, 116)
    heat, bottom = _heat(details.activity, below + 26)
    return panel(bottom + MARGIN, _tiles(stats, details), sections, heat)


def _tiles(stats: Stats, details: Details) -> str:
    figures = (
        (t.percent(details.right, stats.answers) if stats.answers else "–", "right"),
        (f"{stats.streak.current:,}", "streak"),
        (f"{details.learned:,}", "learned"),
        (f"{details.due:,}", "due"),
    )
    return "".join(
        big_number(x, *shown) for x, shown in zip(range(MARGIN, WIDTH, 92), figures, strict=False)
    )


def _sections(sections: tuple[SectionScore, ...], top: float) -> tuple[str, float]:
    most_answered = sorted(enumerate(sections, start=1), key=lambda numbered: -numbered[1].answers)[
        :_SECTIONS
    ]
    parts = [headline(top, "Accuracy by section")]
    y = top + 32
    for n, s in sorted(most_answered, key=lambda numbered: numbered[0]):
        title = fit_label(s.title, _TITLE, f"Section {n}")
        said = f"{t.percent(s.right, s.answers)} of {s.answers:,}" if s.answers else "no answers"
        parts.append(labelled_bar(y, title, said, s.answers, (s.right, ACCENT)))
        y += 47
    return "".join(parts), y - 19


def _heat(activity: Activity, top: float) -> tuple[str, float]:
    step = _CELL + _GAP
    left, upper = WIDTH - MARGIN - WEEKS * step + _GAP, top + 42
    parts = [headline(top, "Last 12 weeks", f"{t.count(activity.days, 'day')} active")]
    for weekday, name in ((0, "Mon"), (2, "Wed"), (4, "Fri"), (6, "Sun")):
        parts.append(words(MARGIN, upper + weekday * step + 17, name, colour=MUTED))
    cells = list(activity.cells())
    free_from = left
    for week, weekday, day, _ in cells:
        x = left + week * step
        if weekday == 0 and (week == 0 or day.day <= 7) and x >= free_from:
            last = week == WEEKS - 1
            at, anchor = (WIDTH - MARGIN, "end") if last else (x, "start")
            parts.append(words(at, upper - 10, f"{day:%b}", colour=MUTED, anchor=anchor))
            free_from = x + 40
    for week, weekday, _, count in cells:
        parts.append(
            box(
                left + week * step,
                upper + weekday * step,
                _CELL,
                _CELL,
                _HEAT[level(count)],
                radius=5,
            )
        )
    week, weekday, _, _ = cells[-1]
    edge = f'stroke="{INK}" stroke-width="2"'
    ring = _CELL + 4
    parts.append(
        box(
            left + week * step - 2,
            upper + weekday * step - 2,
            ring,
            ring,
            "none",
            radius=7,
            more=edge,
        )
    )
    legend = upper + 7 * step + 22
    parts.append(words(left, legend, "Fewer", colour=MUTED))
    for n, colour in enumerate(_HEAT):
        parts.append(box(left + 56 + n * 22, legend - 14, 17, 17, colour))
    parts.append(words(left + 56 + 5 * 22 + 4, legend, "more answers", colour=MUTED))
    return "".join(parts), legend + 4
