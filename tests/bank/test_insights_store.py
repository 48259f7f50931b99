"""Members' reports by question, on both databases."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import Connection

from bot.bank import store
from bot.core.database import Database
from bot.questions.store import reports
from tests.history import ALWINA, GUILD, NOW

SINCE = NOW - timedelta(days=365)


async def test_reports(database: Database) -> None:
    """Members who reported are counted, each once, by what it was about, on this server and since then."""
    said: dict[str, Any] = {"user_id": ALWINA, "text": "odd", "guild_id": GUILD, "at": NOW}

    def report(conn: Connection) -> None:
        others: list[dict[str, Any]] = [
            {"at": SINCE - timedelta(days=1)},
            {"guild_id": 9},
            {"guild_id": None},
        ]
        for changes in ({}, {}, {"user_id": ALWINA + 1}, *others):
            conn.execute(reports.insert().values({**said, "item_id": "t1-a", **changes}))
        conn.execute(reports.insert().values({**said, "item_id": "t1"}))

    await database.write(report)
    assert await database.read(store.count_reporters, GUILD, SINCE) == {"t1-a": 2, "t1": 1}
