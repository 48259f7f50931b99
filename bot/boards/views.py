"""Pages of leaderboards."""

from __future__ import annotations

from collections.abc import Sequence

import discord
from discord import ui
from msgspec import Struct

from bot.answers.rules import PERIODS
from bot.boards.model import Board, TeamBoard
from bot.boards.rules import FEWEST_ACTIVE, trend
from bot.chat import text as t
from bot.chat.messages import OPEN, PRIMARY, Message, Part, button, pager, row, separator
from bot.chat.router import PAGE, TOPIC, Route
from bot.chat.ways import way
from bot.members.views import TEAMS
from bot.questions.model import Topic

_PAGES = {
    "slot": "prev|next|period|switch|own",
    "of": "members|teams",
    "period": "|".join(PERIODS),
    "topic": TOPIC,
    "page": PAGE,
}
BOARD = Route("board", _PAGES)
SHOW_BOARD = Route("board", {**_PAGES, "slot": "show"}, once=True)

PERIOD_TITLES = {"today": "Today", "week": "This week", "month": "This month", "all": "All time"}
"""The periods that can be chosen, as members read them."""
_EMPTY = {"today": "today", "week": "this week", "month": "this month", "all": "here"}


class Asked(Struct, frozen=True):
    """The choices that lead to a page.

    `shown_by` is the name of the member who shows it in the channel; on a member's own page None.
    """

    of: str
    period: str
    topic: Topic | None
    shown_by: str | None = None

    def id(self, slot: str, *, page: int = 0, of: str = "", period: str = "") -> str:
        """Return the id of a button that leads to another page."""
        route = SHOW_BOARD if slot == "show" else BOARD
        topic = self.topic.id if self.topic else ""
        return route.id(
            slot=slot, of=of or self.of, period=period or self.period, topic=topic, page=page
        )


def board_page(board: Board, asked: Asked) -> Message:
    """Return a page of the leaderboard."""
    lines = [
        f"{t.place_mark(r.place, r.points)} {t.name(r.name)} · **{t.count(r.points, 'point')}** "
        f"{trend(r.place, r.before)}".rstrip()
        for r in board.rows
    ]
    nobody = f"Nobody yet {_EMPTY[asked.period]}."
    head = _head("Leaderboard", asked, board, t.count(board.size, "member"))
    other = button("Teams", asked.id("switch", of="teams")) if board.has_teams else None
    own = _own(board) if board.rows else None
    return _page(
        asked, board, head, "\n".join(lines) or nobody, own=own, whose="place", other=other
    )


def team_board_page(board: TeamBoard, asked: Asked, *, manages: bool = False) -> Message:
    """Return a page of the team leaderboard; `manages` says whether its reader can make teams."""
    lines = [
        f"{t.place_mark(r.place, r.tenths)} {_team(r.name)} · **{_each(r.tenths)}** · {r.members:,} active "
        f"{trend(r.place, r.before)}".rstrip()
        for r in board.rows
    ]
    if board.small:
        small = ", ".join(_team(name) for name in board.small)
        lines.append(f"-# No place yet, with fewer than {FEWEST_ACTIVE} active members: {small}")
    first = None
    nobody = f"A team is on this board once {FEWEST_ACTIVE} of its members have answered."
    if not board.has_teams:
        nobody = "This server has no teams yet. A moderator can make a role a team in </settings>."
        if manages:
            nobody = "This server has no teams yet."
            first = button("Make a role a team", TEAMS.id(what="open"), PRIMARY)
    head = _head("Team leaderboard", asked, board, t.count(board.size, "team"))
    other = button("Members", asked.id("switch", of="members"))
    return _page(
        asked,
        board,
        head,
        "\n".join(lines) or nobody,
        own=_own_team(board),
        whose="team",
        other=other,
        first=first,
    )


def _page(
    asked: Asked,
    board: Board | TeamBoard,
    *parts: str,
    own: str | None,
    whose: str,
    other: ui.Button[ui.LayoutView] | None,
    first: ui.Button[ui.LayoutView] | None = None,
) -> Message:
    """Return the asker's own page with their place and buttons, or one shown to the channel.

    Anyone can open their own from that one, but nobody can turn it. An empty page can't be shown:
    it has `first` instead, by default a button to start a round.
    """
    end: Sequence[Part | None]
    if asked.shown_by is not None:
        open_own = button(f"Your {whose}", asked.id("own"))
        end = f"-# {t.name(asked.shown_by)} shows this page.", row(open_own)
    else:
        turn = pager(board.page, board.pages, lambda slot, page: asked.id(slot, page=page))
        show = button("Show in channel", asked.id("show", page=board.page))
        last = show if board.rows else first or way("quiz", PRIMARY)
        end = separator(), own, _periods(asked), row(*turn, other), row(last)
    return Message(OPEN, *parts, *end)


def _head(title: str, asked: Asked, board: Board | TeamBoard, size: str) -> str:
    scope = t.escape(asked.topic.title) if asked.topic else "All topics"
    sizes = f" · {size}" if board.rows else ""
    head = f"### {title} · {PERIOD_TITLES[asked.period]}\n-# {scope}{sizes}"
    return head + t.page_note(board.page, board.pages)


def _periods(asked: Asked) -> ui.ActionRow[ui.LayoutView] | None:
    styles = dict.fromkeys(PERIODS, discord.ButtonStyle.secondary) | {asked.period: PRIMARY}
    return row(
        *(button(PERIOD_TITLES[p], asked.id("period", period=p), styles[p]) for p in PERIODS)
    )


def _own(board: Board) -> str:
    own, ahead = board.own, board.ahead
    if own is None:
        return "You: no points here yet"
    behind = f" · {ahead.points - own.points:,} behind {t.ordinal(ahead.place)}" if ahead else ""
    return f"You: {t.ordinal(own.place)} · {t.count(own.points, 'point')}{behind}"


def _own_team(board: TeamBoard) -> str:
    if board.own is not None:
        own = board.own
        return f"Your team: {_team(own.name)} · {t.ordinal(own.place)} · {_each(own.tenths)}"
    if board.own_name is not None:
        return f"Your team: {_team(board.own_name)} · no place yet"
    return "Your team: none of your roles is one"


def _team(name: str | None) -> str:
    return t.name(name) if name else "a former team"


def _each(tenths: int) -> str:
    """Return the points for each member, without a decimal that is zero."""
    whole, tenth = divmod(tenths, 10)
    return f"{whole:,}.{tenth} points each" if tenth else f"{t.count(whole, 'point')} each"
