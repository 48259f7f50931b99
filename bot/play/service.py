"""Drawing the items of a round or challenge."""

from __future__ import annotations

import random
from dataclasses import dataclass

from bot.core.database import Connection
from bot.core.errors import UserError
from bot.play import rules
from bot.questions import drawing
from bot.questions.in_play import InPlay
from bot.questions.model import Bank, Item
from bot.questions.store import asked_in


@dataclass(frozen=True, slots=True)
class Draw:
    """The number of items to draw, their topic (None for all) and difficulty."""

    questions: int
    topic_id: str | None = None
    difficulty: str = "mixed"


def draw_items(
    conn: Connection, in_play: InPlay, guild_id: int, bank: Bank, wanted: Draw, rng: random.Random
) -> list[Item]:
    """Draw items that are not in play on the server; refuses if none is left.

    Items that the server was not asked for the longest time come first.
    """
    fitting = [
        item
        for item in bank.asked.values()
        if rules.fits(item, topic_id=wanted.topic_id, difficulty=wanted.difficulty)
    ]
    if not fitting:
        raise UserError(
            "No question matches these options. Try another topic, or mixed difficulty."
        )
    hidden = in_play.items(conn, guild_id)
    free = [item for item in fitting if item.id not in hidden]
    if not free:
        raise UserError(
            "Everything that matches is being asked on this server right now. "
            "Try another topic, or mixed difficulty, or start again in a few minutes."
        )
    return drawing.draw(free, asked_in(conn, guild_id), wanted.questions, rng)
