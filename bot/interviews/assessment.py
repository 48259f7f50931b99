"""How graded answers and follow-ups are stored as JSON, and which key points members lack most."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from bot.interviews.cards import COUNTED, Assessment, Part, Point, Reply

_COUNTED = {state[0] for state in COUNTED}


def encode(value: Assessment | Reply) -> str:
    return json.dumps(asdict(value), ensure_ascii=False, separators=(",", ":"))


def decode(text: str) -> Assessment:
    """Return the assessment that `encode` stored."""
    data: dict[str, Any] = json.loads(text)
    return Assessment(
        **{
            **data,
            "points": tuple(Point(**point) for point in data["points"]),
            "flags": tuple(data["flags"]),
            "counted": None if data["counted"] is None else tuple(data["counted"]),
        }
    )


def decode_reply(text: str) -> Reply:
    """Return the follow-up that `encode` stored."""
    data: dict[str, Any] = json.loads(text)
    parts = tuple(Part(**part) for part in data["parts"])
    return Reply(**{**data, "parts": parts})


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
