"""The dates that dailies must have, and virtual time."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import discord
import pytest

from bot.answers.model import Tally
from bot.config import database_url
from bot.core.database import open_database
from bot.core.snowflakes import earliest_id
from bot.core.tables import milliseconds
from soak.month import checks
from soak.month.__main__ import START, objects_in_use, virtual_time

pytestmark = pytest.mark.thorough
DAY = timedelta(days=1)


def test_a_daily_is_expected_on_each_local_date() -> None:
    """Also when summer time ends; where the bot was away or the zone changed it may be missing."""
    rules = [(START, "09:00", "Europe/Berlin")]
    found = checks.expected(rules, [], START + 20 * DAY)
    assert found.must == {date(2026, 10, 12) + n * DAY for n in range(20)}
    away = checks.expected(rules, [(START + 2 * DAY, START + 4 * DAY)], START + 20 * DAY)
    assert away.may == {date(2026, 10, 14), date(2026, 10, 15)}
    assert away.must == found.must - away.may
    rules.append((START + 10 * DAY + timedelta(hours=12), "09:00", "America/New_York"))
    moved = checks.expected(rules, [], START + 20 * DAY)
    assert {date(2026, 10, 22), date(2026, 10, 23)} <= moved.may
    assert moved.must | moved.may == found.must


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        ("SELECT 1", ""),
        ("DELETE FROM dailies WHERE local_date = '2026-10-13'", "has no daily on 2026-10-13"),
        ("UPDATE dailies SET local_date = '2026-10-12'", "two dailies"),
        ("UPDATE dailies SET local_date = '2026-10-19'", "has a daily on 2026-10-19"),
        ("UPDATE dailies SET state = 'open'", "is 'open'"),
        ("UPDATE dailies SET scheduled_at = scheduled_at - 120000", "has a late daily on"),
        (
            "UPDATE dailies SET schedule_id = 2 WHERE local_date = '2026-10-13'",
            "(daily 1) has no daily",
        ),
    ],
)
def test_wrong_dailies_are_found(tmp_path: Path, damage: str, sentence: str) -> None:
    """A missing daily, a second one, one on a wrong date, a late one, and one left open."""
    file = tmp_path / "copy.db"
    with closing(sqlite3.connect(file)) as conn, conn:
        conn.execute(
            "CREATE TABLE dailies (guild_id, schedule_id, local_date, state, scheduled_at, "
            "closes_at, message_id)"
        )
        conn.execute("CREATE TABLE daily_schedules AS SELECT 1 AS id, 1 AS guild_id")
        for n in range(3):
            at = START + n * DAY + timedelta(hours=9)
            scheduled = milliseconds(at)
            closes = scheduled + 11 * 3_600_000
            row = 1, 1, f"2026-10-{12 + n}", "closed", scheduled, closes, earliest_id(at)
            conn.execute("INSERT INTO dailies VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        conn.execute(damage)
    now = START + 3 * DAY
    wanted = {(1, 1): checks.expected([(START, "09:00", "UTC")], [], now)}
    found = list(checks.dailies(file, wanted, now))
    assert any(sentence in line for line in found) if sentence else found == []


def test_a_day_passes_at_once_and_work_takes_no_time(tmp_path: Path) -> None:
    """A day's sleep takes no real time; a socket, a thread and a query take no virtual time."""

    async def live() -> None:
        await asyncio.sleep(86_400)
        began = asyncio.get_running_loop().time()
        await asyncio.to_thread(time.sleep, 0.05)

        async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(await reader.readline())
            writer.close()

        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"hello\n")
        assert await asyncio.wait_for(reader.readline(), 3) == b"hello\n"
        writer.close()
        server.close()
        async with open_database(database_url(f"sqlite:///{tmp_path / 'bot.db'}")) as database:
            query = database.read(lambda conn: conn.exec_driver_sql("SELECT 1").scalar())
            assert await asyncio.wait_for(query, 3) == 1
        assert asyncio.get_running_loop().time() == began

    with virtual_time() as (runner, clocks):
        runner.run(live())
        clocks.offset = 10
        assert discord.utils.utcnow() == START + timedelta(days=1, seconds=10)
        assert time.time() == (START + DAY).timestamp()
    assert abs(time.time() - datetime.now(UTC).timestamp()) < 5


def test_structs_of_numbers_count_as_objects() -> None:
    """The month would show a leak of them, though the garbage collector does not track them."""
    before = objects_in_use()
    leaked = [Tally(n, 0, 0, 0, 0) for n in range(1000)]
    assert objects_in_use() - before > len(leaked) / 2
