"""The checks of a month find what they are for: each is shown a good database, and then one with a fault in it."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from bot.config import database_url
from bot.core.database import open_database
from bot.points.store import Entry, add
from soak.month import checks
from tests.loopback.faults import Call
from tests.loopback.world import World

pytestmark = pytest.mark.thorough

START = datetime(2026, 10, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def test_a_daily_is_expected_on_each_local_date() -> None:
    """At nine in Berlin, also over the end of summer time; where the bot was away or the zone changed it may be."""
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


def test_a_missing_daily_a_second_one_and_one_left_open_are_found(tmp_path: Path) -> None:
    """So is one on a date on which there should be none."""
    now = START + 3 * DAY
    wanted = {1: checks.expected([(START, "09:00", "UTC")], [], now)}
    rows = [
        (1, f"2026-10-{12 + n}", "closed", _ms(START + n * DAY + timedelta(hours=20)))
        for n in range(3)
    ]
    assert _dailies(tmp_path, rows, wanted, now) == []
    assert "has no daily on 2026-10-13" in _dailies(tmp_path, [rows[0], rows[2]], wanted, now)[0]
    assert "two dailies" in _dailies(tmp_path, [*rows, rows[1]], wanted, now)[0]
    assert (
        "has a daily on 2026-10-19"
        in _dailies(tmp_path, [*rows, (1, "2026-10-19", "closed", 0)], wanted, now)[0]
    )
    left_open = (1, "2026-10-13", "open", rows[1][3])
    assert "is 'open'" in _dailies(tmp_path, [rows[0], left_open, rows[2]], wanted, now)[0]


def _dailies(
    folder: Path,
    rows: list[tuple[int, str, str, int]],
    wanted: dict[int, checks.Expected],
    now: datetime,
) -> list[str]:
    file = _database(
        folder,
        "CREATE TABLE dailies (guild_id, local_date, state, closes_at, message_id DEFAULT 7)",
    )
    with closing(sqlite3.connect(file)) as conn, conn:
        conn.executemany(
            "INSERT INTO dailies (guild_id, local_date, state, closes_at) VALUES (?, ?, ?, ?)", rows
        )
    return list(checks.dailies(file, wanted, now))


def test_a_wrong_streak_is_found(tmp_path: Path) -> None:
    """Days one and two answered, three missed, four answered: runs of 1, 2 and 1, of which 2 is the best."""
    file = _database(
        tmp_path,
        "CREATE TABLE dailies (id, guild_id, local_date, opened_at, closes_at, message_id DEFAULT 7)",
        "CREATE TABLE daily_answers (daily_id, user_id, answered_at, streak)",
        "CREATE TABLE streaks (guild_id, user_id, through, current, best, freezes)",
        *(
            f"INSERT INTO dailies VALUES ({n}, 1, '2026-10-1{n}', {100 * n}, {100 * n + 90}, 7)"
            for n in range(1, 5)
        ),
        *(
            f"INSERT INTO daily_answers VALUES ({n}, 5, {100 * n + 10}, {run})"
            for n, run in ((1, 1), (2, 2), (4, 1))
        ),
        "INSERT INTO streaks VALUES (1, 5, '2026-10-13', 0, 2, 0)",
    )
    assert list(checks.streaks(file)) == []
    for fault in (
        "UPDATE daily_answers SET streak = 3 WHERE daily_id = 4",
        "UPDATE streaks SET best = 3",
        "UPDATE streaks SET freezes = 1",
    ):
        bad = tmp_path / "bad.db"
        shutil.copy(file, bad)
        with closing(sqlite3.connect(bad)) as conn, conn:
            conn.execute(fault)
        assert len(list(checks.streaks(bad))) == 1, fault


def test_a_promised_answer_that_is_not_there_is_found(tmp_path: Path) -> None:
    """Of a practice and of an interview, and one that another member has."""
    file = _database(
        tmp_path,
        "CREATE TABLE practices (id, user_id)",
        "CREATE TABLE practice_questions (id, practice_id, answer)",
        "CREATE TABLE interviews (id, user_id)",
        "CREATE TABLE interview_questions (id, interview_id, answer)",
        "INSERT INTO practices VALUES (1, 5)",
        "INSERT INTO practice_questions VALUES (10, 1, '0'), (11, 1, NULL)",
        "INSERT INTO interviews VALUES (1, 5)",
        "INSERT INTO interview_questions VALUES (20, 1, 'text')",
    )
    assert list(checks.told(file, [("practice", 10, 5), ("interview", 20, 5)])) == []
    assert (
        len(
            list(
                checks.told(file, [("practice", 11, 5), ("practice", 10, 6), ("interview", 21, 5)])
            )
        )
        == 3
    )


def test_a_request_for_a_server_that_the_bot_has_left_is_found() -> None:
    """What was on its way when it was removed is none, nor what comes after it was added again."""
    world = World()
    guild = world.add_guild()
    channel = world.add_channel(guild, "quiz")

    def sent(at: float) -> list[str]:
        call = Call("POST", "/channels/{}/messages", (str(channel.id),), {}, {}, [], at)
        return list(checks.calls_to_gone(world, [call], {guild.id: [(100.0, 200.0)]}))

    assert [len(sent(at)) for at in (99.0, 101.0, 150.0, 201.0)] == [0, 0, 1, 0]


@pytest.mark.parametrize(
    "fault",
    [
        "UPDATE scores SET points = points + 1 WHERE period = 'week'",
        "DELETE FROM score_buckets",
        "UPDATE scores SET days = days + 1 WHERE period = 'all'",
        "DELETE FROM ledger",
    ],
)
async def test_sums_that_are_not_the_ledgers_are_found(
    tmp_path: Path, migrated: Path, fault: str
) -> None:
    """Points, days and buckets, each in a copy of the database."""
    file = tmp_path / "bot.db"
    shutil.copy(migrated, file)
    entries = [
        Entry(
            "round",
            n,
            5,
            1,
            "attention",
            90,
            True,
            date(2026, 10, 12 + n),
            START + n * DAY,
            f"i{n}",
        )
        for n in range(3)
    ]
    async with open_database(database_url(f"sqlite:///{file}")) as database:
        await database.write(add, entries)
    assert await checks.sums(file) == []
    with closing(sqlite3.connect(file)) as conn, conn:
        conn.execute(fault)
    assert await checks.sums(file) != []


async def test_sums_that_nothing_shows_any_more_may_be_gone(tmp_path: Path, migrated: Path) -> None:
    """The bot drops a server's days, weeks and months after ninety days; that is no fault."""
    file = tmp_path / "bot.db"
    shutil.copy(migrated, file)
    async with open_database(database_url(f"sqlite:///{file}")) as database:
        for n in (0, 120, 121, 122):
            day = START + n * DAY
            entry = Entry("round", n, 5, 1, "attention", 90, True, day.date(), day, f"i{n}")
            await database.write(add, [entry])
    with closing(sqlite3.connect(file)) as conn:
        assert (
            conn.execute(
                "SELECT * FROM scores WHERE start < '2026-12-01' AND period = 'today'"
            ).fetchall()
            == []
        )
    assert await checks.sums(file) == []


def _database(folder: Path, *statements: str) -> Path:
    file = folder / "copy.db"
    file.unlink(missing_ok=True)
    with closing(sqlite3.connect(file)) as conn, conn:
        for statement in statements:
            conn.execute(statement)
    return file


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)
