"""What members said is wrong with an item."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from bot.core.schema import reports


def add(conn: Connection, *, guild_id: int, user_id: int, item_id: str, text: str, at: datetime) -> None:
    conn.execute(reports.insert().values(guild_id=guild_id, user_id=user_id, item_id=item_id, text=text, at=at))
