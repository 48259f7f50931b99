"""Members' reports by question, and measured difficulties, on both databases."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from fsrs import Rating
from sqlalchemy import Connection

from bot.answers.store import Review
from bot.core.database import Database
from bot.insights import store
from bot.memory import store as memory_store
from bot.questions.model import Measured
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
    assert await database.read(store.reports_by_subject, GUILD, SINCE) == {"t1-a": 2, "t1": 1}


async def test_members_with_cards(database: Database) -> None:
    """They come in the order of ids, each once, from any id on and up to a limit."""
    assert await database.read(store.range_of_members) is None
    assert await database.read(store.members_from, 0, 9) == []
    members = [3, 7, 8, 2**60]
    for item_id in ("t1-a", "t1-b"):
        reviews = [Review(user_id, Rating.Good, NOW) for user_id in members]
        await database.write(memory_store.record, item_id, reviews)
    assert await database.read(store.range_of_members) == (3, 2**60)
    for first in (0, 3, 4, 7, 9, 2**60, 2**61):
        expected = [user_id for user_id in members if user_id >= first]
        assert await database.read(store.members_from, first, 9) == expected
        assert await database.read(store.members_from, first, 2) == expected[:2]
        assert await database.read(store.members_from, first, 0) == []


async def test_first_answers(database: Database) -> None:
    """They are those of the named members; later answers change nothing."""
    await database.write(memory_store.record, "t1-a", [Review(3, Rating.Again, NOW)])
    await database.write(memory_store.record, "t1-b", [Review(3, Rating.Hard, NOW)])
    await database.write(memory_store.record, "t1-a", [Review(7, Rating.Good, NOW)])
    later = NOW + timedelta(days=1)
    await database.write(memory_store.record, "t1-a", [Review(3, Rating.Good, later)])
    found = await database.read(store.first_answers, [3, 9])
    assert sorted(found) == [(3, "t1-a", False), (3, "t1-b", True)]
    assert await database.read(store.first_answers, [7]) == [(7, "t1-a", True)]
    assert await database.read(store.first_answers, []) == []


async def test_stored_difficulties(database: Database) -> None:
    """Saving replaces, and forgetting removes what is named."""
    first = {"a": Measured(0.5, 9), "b": Measured(-1.25, 40)}
    await database.write(store.save_difficulties, first)
    assert await database.read(store.difficulties) == first
    await database.write(store.save_difficulties, {"b": Measured(2.0, 41), "c": Measured(0.0, 5)})
    await database.write(store.save_difficulties, {})
    await database.write(store.forget_difficulties, ["a", "unknown"])
    assert await database.read(store.difficulties) == {
        "b": Measured(2.0, 41),
        "c": Measured(0.0, 5),
    }
