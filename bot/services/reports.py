"""What members say is wrong with a question."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Connection

from bot.domain.errors import Refusal
from bot.storage import daily, reports, rounds
from bot.storage.database import Database


class Reports:
    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    async def add(self, source: str, row_id: int, guild_id: int | None, user_id: int, text: str) -> None:
        """Store a report on the item of a question card; `source` is "round" or "daily"."""

        def store(conn: Connection) -> None:
            row = rounds.question(conn, row_id) if source == "round" else daily.get(conn, row_id)
            if row is None or row.item_id is None or guild_id is None:
                raise Refusal("I don't know this question any more, so there is nothing to report it to.")
            reports.add(conn, guild_id=guild_id, user_id=user_id, item_id=row.item_id, text=text, at=self._now())

        await self._database.write(store)
