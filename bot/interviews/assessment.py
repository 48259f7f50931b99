"""How graded answers and follow-ups are stored as JSON."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec
from msgspec.structs import replace

from bot.interviews.cards import SAID, Assessment, Point, Reply
from bot.interviews.grading import State


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
