"""Leaderboards, a member's figures and the list of topics."""

from __future__ import annotations

from collections.abc import Mapping

import discord

from bot.domain.leaderboard import PERIODS, Board
from bot.domain.questions import Bank, Topic
from bot.services.boards import Stats
from bot.ui import custom_ids as ids
from bot.ui import text as t
from bot.ui.cards import OPEN, REVEALED, Card, button, line, place_mark, row

_PERIOD_TITLES = {"today": "Today", "week": "This week", "month": "This month", "all": "All time"}
_TOPICS_A_PAGE = 13


def board_card(board: Board, topic: Topic | None) -> Card:
    """One page of a board, always with the asker's own place."""
    scope = t.escape(topic.title) if topic else "All topics"
    head = f"### Leaderboard · {_PERIOD_TITLES[board.period]}\n-# {scope} · {t.count(board.members, 'member')}"
    if board.pages > 1:
        head += f" · page {board.page + 1} of {board.pages}"
    lines = [
        f"{place_mark(r.place, r.points)} <@{r.user_id}> · **{t.count(r.points, 'point')}** {r.trend}".rstrip()
        for r in board.rows
    ]
    body = "\n".join(lines) or "Nobody has points here yet. Start a round with /quiz start and be the first."
    periods = row(
        *(
            button(
                _PERIOD_TITLES[period],
                _id(board, "period", period=period, page=0),
                discord.ButtonStyle.primary if period == board.period else discord.ButtonStyle.secondary,
            )
            for period in PERIODS
        )
    )
    turn = None
    if board.pages > 1:
        turn = row(
            button("Back", _id(board, "prev", page=max(board.page - 1, 0)), disabled=board.page == 0),
            button("Next", _id(board, "next", page=board.page + 1), disabled=board.page == board.pages - 1),
        )
    return Card(OPEN, head, body, line(), _own(board), periods, turn)


def stats_card(stats: Stats, asker_id: int) -> Card:
    """A member's figures in words."""
    whose = "Your progress" if stats.user_id == asker_id else "Progress"
    head = f"### {whose}\n<@{stats.user_id}> · **{t.count(stats.points, 'point')}**"
    if not stats.answers:
        return Card(REVEALED, head, "No answers yet. The next round or question of the day is a good start.")
    figures = (
        f"{t.count(stats.answers, 'answer')} · {t.percent(stats.right, stats.answers)} right · "
        f"{t.count(stats.days, 'day')} active"
    )
    if stats.streak.best:
        figures += f"\nStreak: **{t.count(stats.streak.current, 'day')}** · best {stats.streak.best:,}"
    sections = "\n".join(
        f"{t.escape(s.title)}\n"
        f"-# {t.bar(s.right, s.answers)}  {t.percent(s.right, s.answers)} of {t.count(s.answers, 'answer')}"
        for s in stats.sections
        if s.answers
    )
    weakest = "\n".join(f"- {t.escape(topic.title)}: {right} of {given} right" for topic, given, right in stats.weakest)
    return Card(REVEALED, head, figures, line(), sections, f"**Worth another look**\n{weakest}" if weakest else None)


def topics_card(bank: Bank, progress: Mapping[str, tuple[int, int]], page: int) -> Card:
    """The bank at a glance, a page at a time, with the asker's own share of right answers."""
    pages = _topic_pages(bank)
    page = min(page, len(pages) - 1)
    items = len(bank.items)
    head = (
        f"### {t.escape(bank.title)}\n-# {t.count(len(bank.topics), 'topic')} · {t.count(items, 'question')}"
        f" · page {page + 1} of {len(pages)}"
    )
    lines = []
    for topic in pages[page]:
        given, right = progress.get(topic.id, (0, 0))
        own = f" · **{right} of {given} right**" if given else ""
        number = f"**{topic.number}.** " if topic.number else ""
        lines.append(f"{number}{t.escape(topic.title)} · {t.count(len(topic.items), 'question')}{own}")
    section = bank.section_titles[pages[page][0].section_id]
    turn = row(
        button("Back", ids.TOPICS.id(slot="prev", page=max(page - 1, 0)), disabled=page == 0),
        button("Next", ids.TOPICS.id(slot="next", page=page + 1), disabled=page == len(pages) - 1),
    )
    return Card(OPEN, head, f"**{t.escape(section)}**", "\n".join(lines), turn if len(pages) > 1 else None)


def _topic_pages(bank: Bank) -> list[tuple[Topic, ...]]:
    return [
        section.topics[start : start + _TOPICS_A_PAGE]
        for section in bank.sections
        for start in range(0, len(section.topics), _TOPICS_A_PAGE)
    ]


def _id(board: Board, slot: str, *, page: int, period: str | None = None) -> str:
    return ids.BOARD.id(slot=slot, period=period or board.period, topic=board.topic_id or "", page=page)


def _own(board: Board) -> str:
    own = board.own
    if own is None:
        return "You: no points here yet"
    if own.next_place is None:
        return f"You: {t.ordinal(own.place)} · {t.count(own.points, 'point')}"
    behind = f"{own.behind:,} behind {t.ordinal(own.next_place)}"
    return f"You: {t.ordinal(own.place)} · {t.count(own.points, 'point')} · {behind}"
