"""Parts of messages that rounds and challenges share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from discord import app_commands
from discord.app_commands import locale_str

from bot.answers.model import Tally
from bot.chat import text as t
from bot.games.rules import SHOWN
from bot.questions.model import LEVELS

DIFFICULTY_CHOICES = [
    app_commands.Choice(name=locale_str(level.capitalize()), value=level) for level in LEVELS
]
DIFFICULTY_HELP = "How hard the questions are. Default: easy first, then harder"
"""The option `difficulty`."""

_REPEATS = (
    "-# A question counts on the leaderboard once in 30 days for each of you, "
    "so some points count only here."
)


def amount(levels: Sequence[str]) -> str:
    """Return the number of questions of each level: "2 easy, 1 hard", "3 easy questions"."""
    number = Counter(levels)
    parts = [f"{number[level]} {level}" for level in LEVELS if number[level]]
    if len(parts) == 1:
        return t.count(len(levels), f"{levels[0]} question")
    return ", ".join(parts)


def times(shortest: int, longest: int) -> str:
    """Return the time limits of questions in words."""
    return f"{shortest} s each" if shortest == longest else f"{shortest} to {longest} s"


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
