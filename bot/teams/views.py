"""The list of a server's teams."""

from __future__ import annotations

from collections.abc import Sequence

from bot.chat import text as t
from bot.chat.messages import OPEN, Message, separator
from bot.core.limits import MAX_TEAMS

_RULES = """\
-# You play for the highest of your roles that is a team, and your points go to the team you had when you answered. \
</leaderboard> compares teams by points per active member."""


def listed(teams: Sequence[int], note: str | None = None) -> Message:
    """Return the list of teams, below a note on the last change."""
    lines = "\n".join(f"<@&{role_id}>" for role_id in teams)
    none = "This server has no teams yet. A moderator can make a role a team with </team add>."
    head = f"### Teams\n-# {t.count(len(teams), 'team')} of {MAX_TEAMS}" if teams else "### Teams"
    return Message(
        OPEN, head, note, separator() if note else None, lines or none, _RULES if teams else None
    )


def added(role_id: int) -> str:
    return f"<@&{role_id}> is a team now. Points count for it from here on."


def removed(role_id: int) -> str:
    return f"<@&{role_id}> is no longer a team. What it has won stays on the boards."
