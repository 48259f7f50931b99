"""Pages of a leaderboard, with the asker's own place, as the ledger grows to ten million rows."""

from __future__ import annotations

import random
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from sqlalchemy import URL, Connection

from benchmarks.measure import percentile
from benchmarks.options import Options, scratch
from benchmarks.table import Figure, Section, absolute
from bot.boards.rules import PAGE_SIZE
from bot.boards.service import Boards
from bot.boards.store import board as read_board
from bot.core.clock import DiscordClock
from bot.core.context import Context
from bot.core.database import open_database
from bot.core.jobs import Scheduler
from bot.points.rules import PERIODS, bucket, period_start
from bot.questions.bank import load_packs
from bot.questions.banks import Banks
from tests.fakes import Clock, FakeSender

_TODAY = date(2027, 1, 14)
_DAYS = [_TODAY - timedelta(days=n) for n in (0, 1, 7, 31)]
"""Every member played on these, so that each period has one before it."""
_TOPICS = 3
_ENTRIES = 50
"""Lines of the ledger a member."""
_BIG, _OTHERS = 1, 5
_SHARE = 0.75
"""Of all members are on the big server, whose boards are read; the others are on a few more."""
_TEAMS = 2
"""On the big server; each member plays for one of them."""
_CALLS = 500


@dataclass(frozen=True, slots=True)
class Timed:
    """Seconds a call takes."""

    p50: float
    p99: float


async def section(options: Options) -> Section:
    """500 calls for random members, periods, topics and pages of a big server, most of them far down."""
    made = Section(
        "Boards",
        f"`boards.store.board`, {_CALLS} calls for random members, periods, topics and pages of one server that has "
        f"three quarters of all members; {_ENTRIES} lines of the ledger a member. The board of teams, from the call to "
        f"its return, is that of {_TEAMS} teams, for which all of them play.",
    )
    sizes = (10_000, 1_000_000) if options.quick else (10_000, 1_000_000, 10_000_000)
    found: dict[int, list[Timed]] = {}
    of_teams: dict[int, list[Timed]] = {}
    for size in sizes:
        with scratch() as folder:
            file = await filled(folder / "boards.db", size)
            found[size] = [await timed(file, size, seed) for seed in range(options.rounds)]
            of_teams[size] = [await timed_teams(file, size, seed) for seed in range(options.rounds)]
    for size in sizes:
        goal = 5 if size == sizes[-1] else None
        name = f"{size:,} lines, {members_of(size):,} members on the board"
        made.figures.append(absolute(f"{name}: p50", [t.p50 * 1000 for t in found[size]], "ms"))
        made.figures.append(
            absolute(f"{name}: p99", [t.p99 * 1000 for t in found[size]], "ms", goal=goal)
        )
        made.figures += [
            absolute(f"{name}, teams: p50", [t.p50 * 1000 for t in of_teams[size]], "ms"),
            absolute(
                f"{name}, teams: p99", [t.p99 * 1000 for t in of_teams[size]], "ms", goal=goal
            ),
        ]
    for shown, taken in (("", found), (", teams", of_teams)):
        for name in ("p50", "p99"):
            title = f"{sizes[-1]:,} lines against {sizes[0]:,}{shown}: {name}"
            made.figures.append(_growth(title, name, taken[sizes[0]], taken[sizes[-1]]))
    return made


def _growth(title: str, name: str, small: list[Timed], large: list[Timed]) -> Figure:
    ratios = [getattr(b, name) / getattr(a, name) for a, b in zip(small, large, strict=True)]
    return absolute(title, ratios, "×", goal=1.5)


def members_of(size: int) -> int:
    """Members of the big server."""
    return int(size // _ENTRIES * _SHARE)


async def timed(file: Path, size: int, seed: int) -> Timed:
    rng = random.Random(seed)
    seconds: list[float] = []

    def look(conn: Connection) -> None:
        topic = rng.choice([None, *(f"t{n}" for n in range(_TOPICS))])
        page = rng.randrange(members_of(size) // PAGE_SIZE)
        user = rng.randrange(members_of(size))
        period = rng.choice(PERIODS)
        began = time.perf_counter()
        board = read_board(conn, _BIG, period, _TODAY, user_id=user, topic_id=topic, page=page)
        seconds.append(time.perf_counter() - began)
        assert board.own is not None
        assert len(board.rows) == PAGE_SIZE

    async with open_database(URL.create("sqlite", database=str(file))) as database:
        for _ in range(_CALLS // 10 + _CALLS):
            await database.read(look)
    measured = seconds[_CALLS // 10 :]
    return Timed(percentile(measured, 0.5), percentile(measured, 0.99))


async def timed_teams(file: Path, size: int, seed: int) -> Timed:
    """The board of teams for random periods, for members of either team."""
    rng, clock = random.Random(seed), Clock(datetime.combine(_TODAY, datetime.min.time(), UTC))
    seconds: list[float] = []
    async with open_database(URL.create("sqlite", database=str(file))) as database:
        scheduler, sender = Scheduler(database.read, clock), FakeSender(clock)
        boards = Boards(
            Context(database, Banks(load_packs()), DiscordClock(clock), rng, scheduler, sender)
        )
        for _ in range(_CALLS // 10 + _CALLS):
            roles, period = [1 + rng.randrange(_TEAMS)], rng.choice(PERIODS)
            began = time.perf_counter()
            board = await boards.team_board(_BIG, roles, period=period)
            seconds.append(time.perf_counter() - began)
            assert board.own is not None
            assert sum(row.members for row in board.rows) == members_of(size)
    measured = seconds[_CALLS // 10 :]
    return Timed(percentile(measured, 0.5), percentile(measured, 0.99))


async def filled(file: Path, size: int) -> Path:
    """A database with so many lines in the ledger and the sums that belong to them, written by SQLite itself."""
    async with open_database(URL.create("sqlite", database=str(file))):
        pass  # has made the tables
    members = size // _ENTRIES
    with closing(sqlite3.connect(file)) as conn, conn:
        for pragma in ("synchronous = OFF", "cache_size = -400000", "temp_store = MEMORY"):
            conn.execute(f"PRAGMA {pragma}")
        conn.create_function("bucket", 1, bucket, deterministic=True)
        indexes = conn.execute(
            "SELECT name, sql FROM sqlite_master "
            "WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN ('ledger', 'scores', 'team_members')"
        ).fetchall()
        for name, _ in indexes:
            conn.execute(f"DROP INDEX {name}")
        days = " ".join(f"WHEN {n} THEN '{day}'" for n, day in enumerate(_DAYS))
        conn.execute(
            f"""
            WITH RECURSIVE lines(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM lines WHERE i < {size - 1})
            INSERT INTO ledger
                   (source, source_id, user_id, guild_id, topic_id, item_id, points, correct, local_date, at, team_id)
            SELECT 'round', i / 100, i % {members},
                   CASE WHEN i % {members} < {members_of(size)} THEN {_BIG} ELSE {_BIG + 1} + i % {_OTHERS} END,
                   't' || (i / {members} / {len(_DAYS)} % {_TOPICS}), 'i' || (i % 500),
                   max(0, abs(i * 2654435761 % 131) - 30), abs(i * 2654435761 % 131) > 30,
                   CASE i / {members} % {len(_DAYS)} {days} END, 0,
                   CASE WHEN i % {members} < {members_of(size)} THEN 1 + i % {members} % {_TEAMS} END
            FROM lines
            """
        )
        conn.execute(
            """
            CREATE TEMP TABLE sums AS
            SELECT guild_id, local_date, topic_id, user_id,
                   sum(points) AS points, count(*) AS answers, sum(correct) AS good
            FROM ledger GROUP BY 1, 2, 3, 4
            """
        )
        for period in PERIODS:
            starts = " ".join(f"WHEN '{day}' THEN '{period_start(period, day)}'" for day in _DAYS)
            for topic in ("''", "topic_id"):
                conn.execute(
                    f"""
                    INSERT INTO scores (guild_id, period, start, topic_id, user_id, points, answers, "right")
                    SELECT guild_id, '{period}', CASE local_date {starts} END, {topic}, user_id,
                           sum(points), sum(answers), sum(good)
                    FROM sums GROUP BY 1, 2, 3, 4, 5
                    """
                )
        _fill_teams(conn)
        for _, sql in indexes:
            conn.execute(sql)
        conn.execute(
            """
            INSERT INTO score_buckets (guild_id, period, start, topic_id, low, members)
            SELECT guild_id, period, start, topic_id, bucket(points), count(*) FROM scores GROUP BY 1, 2, 3, 4, 5
            """
        )
    with closing(sqlite3.connect(file)) as conn:
        conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return file


def _fill_teams(conn: sqlite3.Connection) -> None:
    """All that members of the big server have won, they have won for their team."""
    conn.executemany(
        "INSERT INTO teams (guild_id, role_id, name) VALUES (?, ?, ?)",
        [(_BIG, 1 + n, f"Team {1 + n}") for n in range(_TEAMS)],
    )
    conn.execute(
        f"""
        INSERT INTO team_members (guild_id, period, start, topic_id, team_id, user_id, points, answers)
        SELECT guild_id, period, start, topic_id, 1 + user_id % {_TEAMS}, user_id, points, answers
        FROM scores WHERE guild_id = {_BIG} ORDER BY 1, 2, 3, 4, 5, 6
        """
    )
    conn.execute(
        """
        INSERT INTO team_scores (guild_id, period, start, topic_id, team_id, points, members)
        SELECT guild_id, period, start, topic_id, team_id, sum(points), count(*)
        FROM team_members GROUP BY 1, 2, 3, 4, 5
        """
    )
