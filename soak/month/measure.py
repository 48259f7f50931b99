"""What a bot of some days' age needs: memory, rows, and time for what members ask most."""

from __future__ import annotations

import ctypes
import gc
import os
import random
import re
import sqlite3
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

from bot.app import Services, opened_database
from bot.config import database_url
from bot.core.clicks import Click
from bot.core.clock import DiscordClock
from bot.core.context import Context
from bot.core.jobs import Scheduler
from bot.questions.banks import Banks
from tests.fakes import Clock, FakeSender
from tests.loopback.world import World

TABLES = (
    "dailies",
    "daily_answers",
    "rounds",
    "round_answers",
    "challenges",
    "challenge_answers",
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
class Memory:
    """Of this process, in megabytes. `objects`: how many there are of the bot's and of discord.py's classes.

    `resident` has the holes, too, that whatever needed much for a while has left behind. `in_use` has not: it is what
    Python's objects take, and what C has asked for and not given back. `loopback` is the part of the simulated Discord.
    """

    resident: float
    in_use: float
    loopback: float
    objects: int


@dataclass(frozen=True)
class Sample:
    """A night's figures. `queries`: by what is asked, milliseconds in the middle and of the slowest hundredth."""

    day: int
    memory: Memory
    rows: dict[str, int]
    file_megabytes: float
    queries: dict[str, tuple[float, float]]


def memory(world: World) -> Memory:
    """What this process takes now, once what is garbage is gone. Needs CPython on Linux."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return Memory(
        resident=pages * os.sysconf("SC_PAGE_SIZE") / 2**20,
        in_use=(_used_by_python() + _used_by_c()) / 2**20,
        loopback=held_by([world.channels, world.interactions, world.calls]) / 2**20,
        objects=sum(
            str(type(o).__module__).startswith(("bot.", "discord.")) for o in gc.get_objects()
        ),
    )


def _used_by_python() -> int:
    """Bytes of the blocks that Python's own allocator has given out, which it tells nowhere but on stderr."""
    with tempfile.TemporaryFile() as told:
        stderr = os.dup(2)
        os.dup2(told.fileno(), 2)
        try:
            sys._debugmallocstats()
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
        told.seek(0)
        found = re.search(rb"# bytes in allocated blocks\s*=\s*([\d,]+)", told.read())
    assert found is not None
    return int(found[1].replace(b",", b""))


_MALLINFO = (
    "arena",
    "ordblks",
    "smblks",
    "hblks",
    "hblkhd",
    "usmblks",
    "fsmblks",
    "uordblks",
    "fordblks",
    "keepcost",
)


class _MallInfo(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in _MALLINFO]


def _used_by_c() -> int:
    """Bytes that malloc has given out, to SQLite and to Python for what is large."""
    told = ctypes.CDLL(None).mallinfo2
    told.restype = _MallInfo
    info = told()
    return int(info.uordblks + info.hblkhd)


_SHARED = (type, ModuleType, FunctionType, BuiltinFunctionType, MethodType)
_OTHERS = ("asyncio", "_asyncio", "aiohttp", "bot.", "discord.", "soak.")


def held_by(roots: Iterable[object]) -> int:
    """Bytes of all that can be reached from values, each once, but for classes, functions and what others keep."""
    seen: set[int] = set()
    waiting, total = list(roots), 0
    while waiting:
        found = waiting.pop()
        if (
            id(found) in seen
            or isinstance(found, _SHARED)
            or type(found).__module__.startswith(_OTHERS)
        ):
            continue
        seen.add(id(found))
        total += sys.getsizeof(found)
        waiting += gc.get_referents(found)
    return total


def rows_of(database: Path) -> dict[str, int]:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as conn:
        return {name: conn.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in TABLES}


async def query_times(copy: Path, banks: Banks, now: datetime) -> dict[str, tuple[float, float]]:
    """How long use cases take on a copy of the database, one after the other, from the call to its return."""
    async with opened_database(database_url(f"sqlite:///{copy}")) as database:
        clock = Clock(now)
        context = Context(
            database,
            banks,
            DiscordClock(clock),
            random.Random(1),
            Scheduler(database.read, clock),
            sender=FakeSender(clock),
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


async def _timed(
    ask: Callable[..., Awaitable[Any]], given: list[tuple[Any, ...]]
) -> tuple[float, float]:
    took = []
    for arguments in given:
        began = time.perf_counter()
        await ask(*arguments)
        took.append(1000 * (time.perf_counter() - began))
    took.sort()
    return (took[len(took) // 2], took[int(0.99 * len(took))]) if took else (0.0, 0.0)
