"""Parts of messages that rounds and challenges share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import groupby

from discord import app_commands, ui
from discord.app_commands import locale_str

from bot.answers.model import Tally
from bot.chat import text as t
from bot.chat.messages import ENDED, PRIMARY, REVEALED, Message, Part, pager, row
from bot.chat.ways import way
from bot.games.rules import SHOWN
from bot.questions.answers import Answered
from bot.questions.model import LEVELS
from bot.questions.views import own_reasons, pictures, right_reasons

DIFFICULTY_CHOICES = [
    app_commands.Choice(name=locale_str(level.capitalize()), value=level) for level in LEVELS
]
DIFFICULTY_HELP = "How hard the questions are. Default: easy first, then harder"
"""The option `difficulty`."""

_MEDALS = 3
"""Places with a medal and figures."""
_RIGHT_LENGTH = 26
"""Characters of a question in a line of a phone."""
_RIGHT_A_PAGE = 14
_AROUND = 700
"""The most characters of a page around a question and its verdict: the title, a picture in words."""
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


def finale(
    standings: Sequence[tuple[int, Tally]],
    names: Mapping[int, str],
    *,
    questions: int,
    game: str,
    hosted: bool = False,
    repeats: bool = False,
    alone: bool = False,
) -> list[str]:
    """Return blocks of text about the end of a game that somebody answered: its news, and places.

    `hosted`: there was no clock. `repeats`: some points don't count on the boards. `alone`: none do,
    because only one member has played.
    """
    if alone:
        return _alone(standings[0][1], names, questions, game, hosted=hosted)
    shown = [(place, tally) for place, tally in standings[:SHOWN] if tally.points]
    rest = [t.name(names.get(tally.user_id)) for _, tally in standings[len(shown) : SHOWN]]
    more = len(standings) - SHOWN
    others = t.listed([*rest, *([f"{more:,} more"] if more > 0 else [])])
    lines = []
    for (place, points, figures), equals in groupby(shown, partial(_row, questions, hosted)):
        who = [t.name(names.get(tally.user_id)) for _, tally in equals]
        each = " each" if len(who) > 1 else ""
        mark = t.place_mark(place, points)
        lines.append(f"{mark} {t.listed(who)} · **{t.count(points, 'point')}**{each}{figures}")
    return [
        _news(shown, names),
        *(["\n".join(lines)] if lines else []),
        *([f"-# Also played: {others}"] if others else []),
        *([_REPEATS] if repeats else []),
    ]


def _alone(
    tally: Tally, names: Mapping[int, str], questions: int, game: str, *, hosted: bool
) -> list[str]:
    well = "Well done, " if tally.right else ""
    time = "" if hosted else f"{t.seconds(tally.average_ms)} on average. "
    return [
        f"### {well}{t.name(names.get(tally.user_id))}: {tally.right} of {questions} right",
        f"-# {time}A {game} counts on the leaderboard when two or more people play.",
    ]


def _news(shown: Sequence[tuple[int, Tally]], names: Mapping[int, str]) -> str:
    first = [t.name(names.get(tally.user_id)) for place, tally in shown if place == 1]
    if len(first) == 1:
        return f"### {first[0]} wins"
    return "### A tie for first place" if first else "### No points this time"


def _row(questions: int, hosted: bool, placed: tuple[int, Tally]) -> tuple[int, int, str]:
    """Return a member's place, points and figures. Equals have one line."""
    place, tally = placed
    right = f"{tally.right} of {questions} right"
    figures = f" · {right}" if hosted else f"\n-# {right}, {t.seconds(tally.average_ms)} on average"
    return place, tally.points, figures if place <= _MEDALS else ""


def my_answers(
    given: Sequence[Answered],
    page: int,
    link: Callable[[int], str],
    misses: ui.Button[ui.LayoutView],
) -> Message:
    """Return a page, counted from 0, of a member's own answers: each miss, then the right ones.

    `link` makes the custom id that opens a page; `misses` practises what was missed.
    """
    if not given:
        gone = "These questions were removed, so their answers can't be shown."
        return Message(ENDED, gone, row(way("practice", PRIMARY)))
    numbered = list(enumerate(given, start=1))
    right = [
        f"✅ **{n}.** {t.escape(t.cut(' '.join(answered.item.prompt.split()), _RIGHT_LENGTH))}"
        for n, answered in numbered
        if answered.right
    ]
    shown = [part for n, answered in numbered if not answered.right for part in _miss(n, answered)]
    shown += [
        ("\n".join(right[n : n + _RIGHT_A_PAGE]),) for n in range(0, len(right), _RIGHT_A_PAGE)
    ]
    page = min(page, len(shown) - 1)
    return Message(
        REVEALED,
        f"### {len(right)} of {len(given)} right{t.page_note(page, len(shown))}",
        *shown[page],
        row(
            *pager(page, len(shown), lambda _, number: link(number)),
            way("practice") if len(right) == len(given) else misses,
        ),
    )


def _miss(number: int, answered: Answered) -> list[tuple[Part | None, ...]]:
    """Return the pages of a question that a member missed, nearly always one."""
    item = answered.item
    head = f"**{number}.** {t.one_line(item.prompt)}"
    if item.code:
        head += f"\n{t.code_block(item.code, item.language)}"
    said = "\n".join(own_reasons(answered))
    you = "" if item.kind == "order" else "You: "
    blocks = [f"{you}{said}" if said else "You didn't answer this one.", right_reasons(answered)]
    if item.kind == "typed":
        blocks[-1] += f"\n-# {t.one_line(item.explanation)}"
    first, *more = t.pages(blocks, t.MAX_TEXT - len(head) - _AROUND)
    return [(head, *pictures(item), first), *((text,) for text in more)]
