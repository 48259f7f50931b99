"""What a bot of some days' age needs: memory, rows, and time for what members ask most."""

from __future__ import annotations

import ctypes
import gc
import os
import random
import sqlite3
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from bot.app import Services, opened_database
from bot.config import database_url
from bot.core.clicks import Click
from bot.core.clock import DiscordClock
from bot.core.context import Context
from bot.core.jobs import Scheduler
from bot.questions.banks import Banks
from tests.fakes import Clock, FakeSender

TABLES = (
    "dailies",
    "daily_answers",
    "rounds",
    "round_answers",
    "practices",
    "practice_questions",
    "interviews",
    "reviews",
    "cards",
    "ledger",
    "scores",
    "score_buckets",
    "streaks",
    "asked",
    "daily_uses",
    "met",
    "meta",
)
_TIMES = 200


@dataclass(frozen=True)
class Sample:
    """A night's figures. `queries`: by what is asked, milliseconds in the middle and of the slowest hundredth."""

    day: int
    megabytes: float
    objects: int
    rows: dict[str, int]
    file_megabytes: float
    queries: dict[str, tuple[float, float]]


def memory() -> tuple[float, int]:
    """This process's resident megabytes, and how many objects of the bot's and of discord.py's classes there are."""
    gc.collect()
    if sys.platform == "linux":
        ctypes.CDLL(None).malloc_trim(0)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    own = sum(1 for found in gc.get_objects() if str(type(found).__module__).startswith(("bot.", "discord.")))
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20, own


def rows_of(database: Path) -> dict[str, int]:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as conn:
        return {name: conn.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in TABLES}


async def query_times(copy: Path, banks: Banks, now: datetime) -> dict[str, tuple[float, float]]:
    """How long use cases take on a copy of the database, one after the other, from the call to its return."""
    async with opened_database(database_url(f"sqlite:///{copy}")) as database:
        clock = Clock(now)
        context = Context(
            database, banks, DiscordClock(clock), random.Random(1), Scheduler(clock), sender=FakeSender(clock)
        )
        services = Services(context)
        rng, found = random.Random(2), {}
        asks: dict[str, tuple[str, Callable[..., Awaitable[Any]]]] = {
            "the next question of a practice": (
                "SELECT user_id, min(guild_id) FROM scores WHERE period = 'all' GROUP BY user_id",
                lambda user, guild: services.practices.start(user, guild, now),
            ),
            "an answer to the daily": (
                # members of the server who have not answered it
                "SELECT DISTINCT d.id, d.message_id, d.guild_id, d.channel_id, s.user_id FROM dailies d JOIN scores s "
                "ON s.guild_id = d.guild_id AND s.period = 'all' WHERE d.state = 'open' AND d.item_id IS NOT NULL "
                "AND NOT EXISTS (SELECT 1 FROM daily_answers a WHERE a.daily_id = d.id AND a.user_id = s.user_id)",
                lambda row, message, guild, channel, user: services.dailies.answer(
                    Click(row, message, guild, channel, user, now, picks=(0,), text="no idea")
                ),
            ),
            "a page of the month's board": (
                "SELECT DISTINCT guild_id, user_id FROM scores WHERE period = 'all'",
                lambda guild, user: services.boards.board(guild, user, period="month"),
            ),
            "a member's stats": (
                "SELECT DISTINCT guild_id, user_id FROM scores WHERE period = 'all'",
                lambda guild, user: services.boards.stats(guild, user, user),
            ),
        }
        for name, (sql, ask) in asks.items():
            with closing(sqlite3.connect(f"file:{copy}?mode=ro", uri=True)) as conn:
                given = conn.execute(sql).fetchall()
            found[name] = await _timed(ask, rng.sample(given, min(_TIMES, len(given))))
        await services.close()
        return found


async def _timed(ask: Callable[..., Awaitable[Any]], given: list[tuple[Any, ...]]) -> tuple[float, float]:
    took = []
    for arguments in given:
        began = time.perf_counter()
        await ask(*arguments)
        took.append(1000 * (time.perf_counter() - began))
    took.sort()
    return (took[len(took) // 2], took[int(0.99 * len(took))]) if took else (0.0, 0.0)
