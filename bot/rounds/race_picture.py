"""The picture beside the standings: how a round was won that was open until its second half."""

from __future__ import annotations

import logging

from bot.chat import text as t
from bot.chat.pictures import INK, MUTED, TRACK, Picture, drawn, line, panel, words
from bot.points.rules import places
from bot.rounds.race_rules import Race

log = logging.getLogger(__name__)

_LEFT, _RIGHT, _TOP, _BOTTOM = 20, 270, 68, 198
_COLOURS = ("#7983f5", INK, MUTED)
_STYLES = ('stroke-width="4"', 'stroke-width="2.5"', 'stroke-width="2.5" stroke-dasharray="2 6"')
_APART = 22


async def race_picture(race: Race) -> Picture | None:
    """A line for each of the first three. None if it can't be drawn: the standings do without it."""
    try:
        return await drawn("race.png", alt_text(race), lambda: svg(race))
    except Exception:
        log.exception("the race of a round could not be drawn")
        return None


def caption(race: Race) -> str:
    """What the picture shows, in a sentence."""
    return f"<@{race.winner_id}> took the lead for good with question {race.lead_at}"


def alt_text(race: Race) -> str:
    """The points of each line, question by question."""
    courses = "; ".join(
        f"{place}: {', '.join(f'{points:,}' for points in course)}"
        for place, course in zip(_places(race), race.totals, strict=True)
    )
    return f"The winner took the lead for good with question {race.lead_at}. Points after each question. {courses}."


def svg(race: Race) -> str:
    questions, most = len(race.totals[0]), max(max(course) for course in race.totals)

    def x(question: int) -> float:
        return _LEFT + (_RIGHT - _LEFT) * question / questions

    def y(points: float) -> float:
        return _BOTTOM - (_BOTTOM - _TOP) * points / most

    parts = [
        words(_LEFT, 36, "Points after each question", size=18, bold=True),
        line([(_LEFT, _BOTTOM), (_RIGHT, _BOTTOM)], TRACK),
        line([(x(race.lead_at), _TOP - 10), (x(race.lead_at), _BOTTOM)], TRACK),
        words(x(race.lead_at), _BOTTOM + 24, str(race.lead_at), colour=MUTED, anchor="middle"),
    ]
    parts.append(words(_LEFT, _BOTTOM + 24, "Start", colour=MUTED))
    if _RIGHT - x(race.lead_at) > 30:
        parts.append(words(_RIGHT, _BOTTOM + 24, str(questions), colour=MUTED, anchor="middle"))
    ends = [y(course[-1]) for course in race.totals]
    for n in range(1, len(ends)):
        ends[n] = max(ends[n], ends[n - 1] + _APART)
    shown = list(zip(race.totals, _COLOURS, _STYLES, ends, strict=False))
    for course, colour, style, _ in reversed(shown):  # the winner's line lies above the others
        points = [(_LEFT, _BOTTOM), *((x(n), y(total)) for n, total in enumerate(course, 1))]
        parts.append(line(points, colour, style))
    for place, (course, colour, _, end) in zip(_places(race), shown, strict=True):
        said = f"{place} · {course[-1]:,}"
        parts.append(words(_RIGHT + 12, end + 6, said, colour=colour, bold=course is race.totals[0]))
    return panel(_BOTTOM + 42, *parts)


def _places(race: Race) -> list[str]:
    return [t.ordinal(place) for place in places([course[-1] for course in race.totals])]
