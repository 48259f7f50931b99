"""Leaderboards and the list of topics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import pairwise

import discord

from bot.boards.progress import LEVELS, Progress, weakest
from bot.chat import custom_ids as ids
from bot.chat import text as t
from bot.points.leaderboard import PERIODS, Board
from bot.questions.model import Bank, Topic
from bot.questions.views import OPEN, Message, button, line, place_mark, row

_PERIOD_TITLES = {"today": "Today", "week": "This week", "month": "This month", "all": "All time"}
_TOPICS_A_PAGE = 10
_MARKS = {"new": "○", "learning": "◐", "known": "●", "weak": "△"}
_LEGEND = (
    "A question is learned once it should last you a week. A topic is known when half of its questions are learned, "
    "and weak when two of your last five answers in it were wrong."
)


def board_card(board: Board, topic: Topic | None) -> Message:
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
    return Message(OPEN, head, body, line(), _own(board), periods, turn)


def topics_card(bank: Bank, topics: Mapping[str, Progress], page: int) -> Message:
    """The bank at a glance, a page at a time, with the asker's own progress and a way to the weakest topic."""
    pages = _topic_pages(bank)
    page = min(page, len(pages) - 1)
    levels = Counter(p.level for p in topics.values())
    head = (
        f"### {t.escape(bank.title)}\n-# {t.count(len(bank.topics), 'topic')} · {t.count(len(bank.items), 'question')}"
        f" · page {page + 1} of {len(pages)}\n"
        + " · ".join(f"{_MARKS[level]} {levels[level]:,} {level}" for level in LEVELS if levels[level])
    )
    section = bank.section_titles[pages[page][0].section_id]
    lines = "\n".join(_topic_line(topic, topics[topic.id]) for topic in pages[page])
    buttons = []
    if len(pages) > 1:
        buttons = [
            button("Back", ids.TOPICS.id(slot="prev", page=max(page - 1, 0)), disabled=page == 0),
            button("Next", ids.TOPICS.id(slot="next", page=page + 1), disabled=page == len(pages) - 1),
        ]
    first = weakest(topics)
    advice = None
    if first is not None:
        advice = f"Weakest now: **{t.escape(bank.topics[first].title)}**"
        buttons.append(button("Practise it", ids.PRACTISE.id(topic=first), discord.ButtonStyle.primary))
    return Message(
        OPEN,
        head,
        f"**{t.escape(section)}**",
        lines,
        line(),
        advice,
        f"-# {_LEGEND}",
        row(*buttons),
    )


def _topic_line(topic: Topic, progress: Progress) -> str:
    number = f"**{topic.number}.** " if topic.number else ""
    if progress.level == "new":
        state = f"New · {t.count(progress.items, 'question')}"
    else:
        state = f"{progress.level.capitalize()} · {progress.learned} of {progress.items} learned"
        state += f" · {progress.due} due" if progress.due else ""
    return f"{_MARKS[progress.level]} {number}{t.escape(topic.title)}\n-# {state}"


def _topic_pages(bank: Bank) -> list[tuple[Topic, ...]]:
    """Pages of one section each, of about the same length."""
    pages = []
    for section in bank.sections:
        number = -(-len(section.topics) // _TOPICS_A_PAGE)
        cuts = [-(-len(section.topics) * n // number) for n in range(number + 1)]
        pages += [section.topics[start:end] for start, end in pairwise(cuts)]
    return pages


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
