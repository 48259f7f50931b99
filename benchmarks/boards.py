"""Pages of a leaderboard, with the asker's own place, as the ledger grows to ten million rows."""

from __future__ import annotations

import random
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from sqlalchemy import URL, Connection

from benchmarks.measure import percentile
from benchmarks.options import Options, scratch
from benchmarks.table import Figure, Section, absolute
from bot.boards.rules import PAGE_SIZE
from bot.boards.store import board as read_board
from bot.core.database import open_database
from bot.points.rules import PERIODS, bucket, period_start

_TODAY = date(2027, 1, 14)
_DAYS = [_TODAY - timedelta(days=n) for n in (0, 1, 7, 31)]
"""Every member played on these, so that each period has one before it."""
_TOPICS = 3
_ENTRIES = 50
"""Lines of the ledger a member."""
_BIG, _OTHERS = 1, 5
_SHARE = 0.75
"""Of all members are on the big server, whose boards are read; the others are on a few more."""
_CALLS = 500


@dataclass(frozen=True, slots=True)
class Timed:
    """Seconds a call of `read_board` takes."""

    p50: float
    p99: float


async def section(options: Options) -> Section:
    """500 calls for random members, periods, topics and pages of a big server, most of them far down."""
    made = Section(
        "Boards",
        f"`boards.store.board`, {_CALLS} calls for random members, periods, topics and pages of one server that has "
        f"three quarters of all members; {_ENTRIES} lines of the ledger a member.",
    )
    sizes = (10_000, 1_000_000) if options.quick else (10_000, 1_000_000, 10_000_000)
    found: dict[int, list[Timed]] = {}
    for size in sizes:
        with scratch() as folder:
            file = await filled(folder / "boards.db", size)
            found[size] = [await timed(file, size, seed) for seed in range(options.rounds)]
    for size in sizes:
        goal = 5 if size == sizes[-1] else None
        name = f"{size:,} lines, {members_of(size):,} members on the board"
        made.figures.append(absolute(f"{name}: p50", [t.p50 * 1000 for t in found[size]], "ms"))
        made.figures.append(absolute(f"{name}: p99", [t.p99 * 1000 for t in found[size]], "ms", goal=goal))
    for name in ("p50", "p99"):
        made.figures.append(_growth(name, found[sizes[0]], found[sizes[-1]], sizes[-1]))
    return made


def _growth(name: str, small: list[Timed], large: list[Timed], size: int) -> Figure:
    ratios = sorted(getattr(b, name) / getattr(a, name) for a, b in zip(small, large, strict=True))
    spread = (ratios[0], ratios[-1]) if len(ratios) > 1 else None
    return Figure(f"{size:,} lines against 10,000: {name}", ratios[len(ratios) // 2], "×", goal=1.5, spread=spread)


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
            "WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN ('ledger', 'scores')"
        ).fetchall()
        for name, _ in indexes:
            conn.execute(f"DROP INDEX {name}")
        days = " ".join(f"WHEN {n} THEN '{day}'" for n, day in enumerate(_DAYS))
        conn.execute(
            f"""
            WITH RECURSIVE lines(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM lines WHERE i < {size - 1})
            INSERT INTO ledger
                   (source, source_id, user_id, guild_id, topic_id, item_id, points, correct, local_date, at)
            SELECT 'round', i / 100, i % {members},
                   CASE WHEN i % {members} < {members_of(size)} THEN {_BIG} ELSE {_BIG + 1} + i % {_OTHERS} END,
                   't' || (i / {members} / {len(_DAYS)} % {_TOPICS}), 'i' || (i % 500),
                   max(0, abs(i * 2654435761 % 131) - 30), abs(i * 2654435761 % 131) > 30,
                   CASE i / {members} % {len(_DAYS)} {days} END, 0
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
