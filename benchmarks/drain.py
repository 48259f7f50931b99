"""Thousands of questions of the day that fall due in the same minute, under Discord's rate limits."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from benchmarks.client import Client
from benchmarks.options import Options, scratch
from benchmarks.play import COMMAND, Unanswered, new_user
from benchmarks.stub import payloads
from benchmarks.stub.server import Json, Stub
from benchmarks.table import Section, absolute
from bot.rounds.rules import LEAD

_LIMIT = 50
"""Requests a second that Discord lets a bot make."""
_SOON = LEAD.total_seconds() + 2
"""Seconds to the due time: later than what wakes the bot."""
_STALLED = 60.0


@dataclass(frozen=True, slots=True)
class Drained:
    """`share` of the rate limit that was used, from the due time to the last post, without the time it was down."""

    share: float
    missing: int
    twice: int
    refused: int


async def section(options: Options) -> Section:
    """A whole drain, and one in which the bot is killed when half of it is posted and then started again."""
    count = 500 if options.quick else 10_000
    made = Section(
        "Questions of the day",
        f"{count:,} servers, all due at the same moment. The stub allows {_LIMIT} requests a second in all and refuses "
        "more with 429, as Discord does; this alone sets how fast a drain can be. One run of each.",
    )
    for killed in (False, True):
        title = "killed half-way" if killed else "drain"
        with scratch() as folder:
            result = await drain(count, folder, kill=killed)
        made.figures += [
            absolute(
                f"{title}: share of the rate limit used",
                [result.share * 100],
                "%",
                goal=95,
                sense=">=",
            ),
            absolute(f"{title}: missing", [result.missing], "", goal=0),
            absolute(f"{title}: posted twice", [result.twice], "", goal=0),
            absolute(f"{title}: requests refused with 429", [result.refused], ""),
        ]
    return made


async def drain(count: int, folder: Path, *, kill: bool) -> Drained:
    """Let `count` dailies fall due at once and wait until they are posted, or nothing moves any more."""
    posted: list[float] = []
    async with Stub(servers=count + 1, channels=2, roles=2, limited=True) as stub:
        assert stub.limits is not None

        def post(_channel: int, _shown: Json, at: float) -> None:
            posted.append(at)

        async with Client("bot", stub, folder) as client:
            await client.settle(2.5)
            due = time.monotonic() + _SOON
            schedule(client.database, count, time.time() + _SOON)
            wake(stub, count)
            await asyncio.sleep(_SOON / 2)
            stub.on_post = post
            down = 0.0
            if kill:
                await _until(posted, count // 2)
                await client.kill()
                before, at = len(posted), time.monotonic()
                await client.start()
                await _until(posted, before + 1)
                down = posted[before] - at
            await _until(posted, count)
        seconds = posted[-1] - due - down
        made = [len(stub.posted.get(payloads.channel_id(n), ())) for n in range(count)]
        return Drained(
            share=len(posted) / seconds / _LIMIT,
            missing=sum(not number for number in made),
            twice=sum(max(0, number - 1) for number in made),
            refused=stub.limits.refused,
        )


def schedule(database: Path, count: int, due: float) -> None:
    """Write schedules for the first servers beside the running bot: each posts in its first channel at `due`."""
    due_ms = int(due * 1000)
    rows = [
        (payloads.guild_id(n), payloads.channel_id(n), due_ms - 3_600_000, due_ms)
        for n in range(count)
    ]
    at = time.strftime("%H:%M", time.gmtime(due))
    with closing(sqlite3.connect(database, timeout=10)) as conn, conn:
        conn.executemany(
            "INSERT INTO daily_schedules "
            "(guild_id, channel_id, at, zone, kind, answer_hours, thread, paused, settled_until, next_at) "
            f"VALUES (?, ?, '{at}', 'UTC', 'choice', 23, 0, 0, ?, ?)",
            rows,
        )


def wake(stub: Stub, server: int) -> None:
    """Let the bot look at its deadlines soon, as a command does that stores one: a round starts on one more server."""
    data = {
        "id": "1",
        "name": "quiz",
        "type": 1,
        "options": [{"name": "start", "type": 1, "options": []}],
    }
    data["resolved"] = {}
    template = payloads.InteractionTemplate(COMMAND, server, payloads.channel_id(server), data)
    stub.send(server, template.fill(stub.snowflake(), new_user()))


async def _until(posted: list[float], count: int) -> None:
    last = time.monotonic()
    before = len(posted)
    while len(posted) < count:
        await asyncio.sleep(0.05)
        if len(posted) > before:
            before, last = len(posted), time.monotonic()
        elif time.monotonic() - last > _STALLED:
            raise Unanswered(f"{len(posted)} of {count} dailies were posted, then nothing more")
