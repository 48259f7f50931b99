"""How graded answers and follow-ups are stored as JSON, and which key points members lack most."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence

import msgspec
from msgspec.structs import replace

from bot.interviews.cards import COUNTED, SAID, Assessment, Point, Reply
from bot.interviews.grading import State

_COUNTED = {state[0] for state in COUNTED}


def encode(value: Assessment | Reply) -> str:
    return msgspec.json.encode(value).decode()


def ticked_by_partner(points: Sequence[str], ticks: Collection[int]) -> Assessment:
    """Return the assessment of an answer to another member, who ticked these points, by index."""
    said = tuple(sorted(ticks))
    found = tuple(
        Point(text, SAID if n in ticks else str(State.MISSING)) for n, text in enumerate(points)
    )
    return Assessment(found, counted=said, by_partner=True)


def merged(stored: str | None, graded: Assessment) -> Assessment:
    """Return what to store of a grade if another one, encoded, was stored in the meantime.

    A model's rulings outlive a grade without one, and the member's own count outlives any.
    """
    if stored is None:
        return graded
    earlier = decode(stored)
    if earlier.model and not graded.model:
        return earlier
    return replace(graded, counted=earlier.counted)


def decode(text: str) -> Assessment:
    """Return the assessment that `encode` stored."""
    return msgspec.json.decode(text, type=Assessment)


def decode_reply(text: str) -> Reply:
    """Return the follow-up that `encode` stored."""
    return msgspec.json.decode(text, type=Reply)


def most_lacking(states: Iterable[str], points: Sequence[str], limit: int) -> list[tuple[str, int]]:
    """Return the key points that most answers lack, as (text, number of answers).

    `states` are the `Assessment.states` of all answers. A point that may say the opposite is lacking
    too. Answers that were graded by another number of key points are left out.
    """
    comparable = [given for given in states if len(given) == len(points)]
    counts = Counter(
        index for given in comparable for index, state in enumerate(given) if state not in _COUNTED
    )
    ranked = sorted(counts.items(), key=lambda count: (-count[1], count[0]))
    return [(points[index], number) for index, number in ranked[:limit]]
