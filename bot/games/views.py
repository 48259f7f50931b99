"""Parts of messages that rounds and challenges share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from discord import app_commands
from discord.app_commands import locale_str

from bot.answers.model import Tally
from bot.chat import text as t
from bot.games.model import DIFFICULTIES
from bot.games.rules import SHOWN

DIFFICULTY_CHOICES = [
    app_commands.Choice(name=locale_str(d.capitalize()), value=d) for d in DIFFICULTIES
]
"""The values of the option `difficulty`."""

_REPEATS = (
    "-# A question counts on the leaderboard once in 30 days for each of you, "
    "so some points count only here."
)


def fewer(questions: int, wanted: int) -> str:
    """Return the end of a start line if fewer questions match than were asked for."""
    only = t.count(questions, "question matches", "questions match")
    return f" Only {only}." if questions < wanted else ""


def standing_rows(
    standings: Sequence[tuple[int, Tally]],
    names: Mapping[int, str],
    figures: Callable[[Tally], str],
    *,
    repeats: bool,
) -> list[str]:
    """Return blocks of text with place, name, points and `figures` of the first ten members.

    The first three have a block of their own. `repeats`: some points don't count on the boards.
    """
    lines = [
        f"{t.place_mark(place, tally.points)} {t.name(names.get(tally.user_id))} · "
        f"**{t.count(tally.points, 'point')}** · {figures(tally)}"
        for place, tally in standings[:SHOWN]
    ]
    more = len(standings) - SHOWN
    rows = ["\n".join(lines[:3]), "\n".join(lines[3:]), f"-# and {more:,} more" if more > 0 else ""]
    return [block for block in [*rows, _REPEATS if repeats else ""] if block]
