"""The page of teams in /settings, and what is said about a streak."""

from __future__ import annotations

from collections.abc import Mapping

import discord
from discord import ui

from bot.chat import text as t
from bot.chat.messages import OPEN, Message, role_list, row, separator
from bot.chat.router import Route
from bot.core.limits import MAX_TEAMS
from bot.members.model import Streak, StreakNews

TEAMS = Route("teams", {"what": "open|add|remove"}, once=True, command="</settings>")
_RULES = """\
-# Members play for the highest of their roles that is a team, and points go to the team that they had when they \
answered. </leaderboard> compares teams by points per active member."""


def teams_page(teams: Mapping[int, str], note: str | None = None) -> Message:
    """Return the page of a server's teams, by role id with their names.

    `note` says what was just done.
    """
    head = f"### Teams\n-# {t.count(len(teams), 'team')} of {MAX_TEAMS}" if teams else "### Teams"
    lines = "\n".join(f"<@&{role_id}>" for role_id in teams)
    full = len(teams) >= MAX_TEAMS
    return Message(
        OPEN,
        head,
        note,
        separator() if note else None,
        lines or "No teams yet. Pick a role, and its members play together.",
        None if full else row(role_list(TEAMS.id(what="add"), None, "Make a role a team")),
        row(_removal(teams)) if teams else None,
        _RULES,
    )


def _removal(teams: Mapping[int, str]) -> ui.Select[ui.LayoutView]:
    return ui.Select(
        custom_id=TEAMS.id(what="remove"),
        placeholder="Remove a team",
        options=[
            discord.SelectOption(label=t.cut(name, 100), value=str(role_id))
            for role_id, name in teams.items()
        ],
    )


def added(role_id: int) -> str:
    return f"<@&{role_id}> is a team now. Points count for it from here on."


def removed(role_id: int) -> str:
    return f"<@&{role_id}> is no longer a team. What it has won stays on the boards."


def streak_news(streak: Streak, news: StreakNews) -> list[str]:
    """Return lines about what a date changed: saved dates, a milestone, a new freeze."""
    lines = []
    if news.saved == 1:
        lines.append(f"You missed a day, and a freeze kept your streak. {_freezes_left(streak)}")
    elif news.saved:
        lines.append(
            f"You missed {news.saved} days, and your freezes kept your streak. {_freezes_left(streak)}"
        )
    if news.milestone:
        lines.append(f"**{news.milestone} days in a row.** Well done.")
    if news.earned:
        lines.append("You've earned a freeze: it keeps your streak when you miss a day.")
    return lines


def _freezes_left(streak: Streak) -> str:
    if streak.freezes:
        return f"{t.count(streak.freezes, 'freeze')} left."
    return "None left; seven days in a row earn one."
