"""What members say is wrong with a question."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Connection

from bot.core.database import Database
from bot.core.errors import UserError
from bot.daily import store as daily
from bot.questions import store as reports
from bot.rounds import store as rounds


class Reports:
    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    async def add(self, source: str, row_id: int, guild_id: int | None, user_id: int, text: str) -> None:
        """Store a report on the item or open question of a card; `source` is "round" or "daily"."""

        def store(conn: Connection) -> None:
            about = _asked(conn, source, row_id)
            if about is None or guild_id is None:
                raise UserError("I don't know this question any more, so there is nothing to report it to.")
            reports.add(conn, guild_id=guild_id, user_id=user_id, item_id=about, text=text, at=self._now())

        await self._database.write(store)


def _asked(conn: Connection, source: str, row_id: int) -> str | None:
    """The id of the item that a card asks, or of the topic whose open question it is."""
    if source == "round":
        question = rounds.question(conn, row_id)
        return question.item_id if question else None
    day = daily.get(conn, row_id)
    return day.item_id or day.topic_id if day else None
