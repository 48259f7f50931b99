"""Which answers and reports are looked at, on both databases."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection

from bot.core.database import Database
from bot.insights import store
from bot.questions.store import reports
from tests.history import ALWINA, GUILD, NOW, fill

DAYS = 60
SINCE = NOW - timedelta(days=365)


@pytest.fixture
async def old(database: Database) -> Database:
    await database.write(fill, DAYS)
    return database


async def test_only_what_is_revealed(old: Database) -> None:
    """Answers to the round's question, the challenge and the daily that are open now are not looked at."""
    in_rounds = await old.read(store.answers_in_rounds, GUILD, SINCE)
    assert len(in_rounds) == 2 * (
        3 * DAYS - 1
    )  # two members, three questions a day but the open one
    in_challenges = await old.read(store.answers_in_challenges, GUILD, SINCE)
    assert len(in_challenges) == 2 * 3 * (DAYS - 1)
    in_dailies = await old.read(store.answers_to_dailies, GUILD, SINCE.date())
    assert len(in_dailies) == 2 * (DAYS - 1)
    assert {(g.answer, g.correct) for g in (*in_rounds, *in_challenges, *in_dailies)} == {
        ("0", True)
    }
    assert await old.read(store.answers_in_rounds, GUILD + 5, SINCE) == []
    assert await old.read(store.answers_to_dailies, GUILD + 5, SINCE.date()) == []


async def test_only_the_last_year(old: Database) -> None:
    """What is older than asked for is left out."""
    since = NOW - timedelta(days=9, hours=1)
    assert len(await old.read(store.answers_in_rounds, GUILD, since)) == 2 * (3 * 10 - 1)
    assert len(await old.read(store.answers_in_challenges, GUILD, since)) == 2 * 3 * 9
    assert len(await old.read(store.answers_to_dailies, GUILD, since.date())) == 2 * 9


async def test_only_so_many(old: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest portions suffice once they have answers enough."""
    monkeypatch.setattr(store, "MOST", 50)
    rounds = await old.read(store.answers_in_rounds, GUILD, SINCE)
    assert len(rounds) == 2 * (3 * 20 - 1)
    assert min(g.at for g in rounds) == NOW - timedelta(days=19)
    assert (
        len(await old.read(store.answers_to_dailies, GUILD, SINCE.date())) == 2 * 39
    )  # of the first 20 one is open


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
