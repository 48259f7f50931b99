"""Pure rules that rounds and challenges share: time limits and points."""

from __future__ import annotations

import re
from datetime import timedelta
from math import ceil

from bot.questions.model import PLACING_SECONDS, Item

SHOWN = 10
"""Members named in the standings."""
FULL_POINTS = 100
"""Points for a right answer without delay."""
LEAST_TIME, MOST_TIME = 15, 90
"""Seconds for an item if no time was asked for; code to put in order may take half as long again."""
SHORTEST_GRACE, LONGEST_GRACE = timedelta(seconds=0.25), timedelta(seconds=1.5)
_WORDS_A_SECOND = 200 / 60
_SECONDS_A_LINE = 2
"""For reading a line of code, a log or a table."""
_SECONDS_A_PICTURE = 5
"""For looking at a picture; reading what it shows in words is counted too."""
_WORDS_AROUND_A_NUMBER = 9
_DIGIT = re.compile(r"\d")


def reading_time(text: str) -> float:
    """Return the seconds that it takes to read a text at 200 words a minute."""
    return len(text.split()) / _WORDS_A_SECOND


def seconds_for(item: Item) -> int:
    """Return an item's time limit if none was asked for: 15 to 135 seconds in steps of five.

    It has time for reading (a formula as it is read aloud, code line by line, what a picture
    shows), for looking at a picture, for thinking (more for difficult items, and for choices or
    lines that are judged one by one), for working out a number (an estimate takes longer), for
    typing, and for placing lines of code.
    """
    shown = item.picture.alt if item.picture else ""
    reading = reading_time(
        " ".join([item.prompt, item.spoken or "", shown, *(c.text for c in item.choices)])
    ) + _SECONDS_A_LINE * len([*(item.code or "").splitlines(), *item.pieces])
    reading += _SECONDS_A_PICTURE if item.picture else 0
    judged = len(item.choices) if item.kind == "multiple" else len(item.lines)
    thinking = 4 + 2 * (item.difficulty + judged)
    is_worked_out = not item.lines and _is_worked_out(item)
    working_out = 10 if item.tolerance else 5 if is_worked_out else 0
    placing = PLACING_SECONDS * len(item.lines)
    typing = 5 + 0.3 * len(item.accept[0]) if item.kind == "typed" else 0
    working = working_out * item.difficulty + typing + placing
    most = MOST_TIME * 3 // 2 if item.lines else MOST_TIME
    return min(max(5 * ceil((reading + thinking + working) / 5), LEAST_TIME), most)


def _is_worked_out(item: Item) -> bool:
    """Return whether the answer is a number, computed from numbers in the prompt."""
    answers = [item.choices[n].text for n in item.right] or [item.accept[0]]
    others = [choice.text for choice in item.choices if not choice.correct]
    return (
        all(_DIGIT.search(text) for text in [item.prompt, *answers])
        and 2 * sum(bool(_DIGIT.search(text)) for text in others) >= len(others)
        and max(len(text.split()) for text in answers) <= _WORDS_AROUND_A_NUMBER
    )


def grace(delay: timedelta) -> timedelta:
    """Return how long to wait for answers given in time that are still on their way.

    `delay` is how long events take to reach us.
    """
    return min(max(delay, SHORTEST_GRACE), LONGEST_GRACE)


def points(right: bool, elapsed_ms: int | None, limit_ms: int | None) -> int:
    """Return the points for one answer: 100 at once, 50 at the deadline, 0 if wrong or late.

    `elapsed_ms` runs from the question's message to the interaction, both on Discord's clock.
    Without a limit a right answer is worth 100 at any time.
    """
    if not right or (limit_ms is not None and (elapsed_ms or 0) > limit_ms):
        return 0
    if limit_ms is None:
        return FULL_POINTS
    return round(FULL_POINTS * (1 - max(0, elapsed_ms or 0) / (2 * limit_ms)))
