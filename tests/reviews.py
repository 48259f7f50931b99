"""Reviews for tests, as if members had answered questions."""

from __future__ import annotations

import itertools

from sqlalchemy import Connection

from bot.answers import store as answer_log
from bot.answers.model import Answer, Review
from bot.answers.store import ROUND
from bot.memory import store as memory_store

QUESTIONS = itertools.count(10**9)


def remember(conn: Connection, item_id: str, *reviews: Review, source: str = ROUND) -> None:
    """Store members' reviews of an item in the log, and move their cards on by them."""
    for review in reviews:
        answer = Answer(
            source=source,
            question_id=next(QUESTIONS),
            user_id=review.user_id,
            guild_id=None,
            item_id=item_id,
            topic_id="",
            answer="0",
            typed=False,
            correct=review.rating > 1,
            points=0,
            elapsed_ms=review.elapsed_ms,
            answered_at=review.at,
            rating=review.rating.value,
        )
        answer_log.add(conn, answer)
        memory_store.record(conn, item_id, [review])
