"""Resident memory: with no server, and by how much it grows with them and with what they store."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from benchmarks.client import Client, Kind
from benchmarks.drain import schedule
from benchmarks.options import Options, scratch
from benchmarks.play import COMMAND, Unanswered, new_user
from benchmarks.stub import payloads
from benchmarks.stub.server import Stub
from benchmarks.table import Section, absolute, compared
from bot.questions.bank import pack_files
from bot.questions.own import own_id

_MB = 1 << 20
_OWN = 50
"""Questions of its own that a server has."""
_IN_FLIGHT = 8
_ROUNDS = 3


async def section(options: Options) -> Section:
    """RSS after READY, once everything has settled, with 0, 1,000 and 10,000 servers."""
    sizes = (0, 1000) if options.quick else (0, 1000, 10_000)
    used: dict[int, tuple[list[float], list[float]]] = {size: ([], []) for size in sizes}
    kinds: tuple[Kind, Kind] = ("bare", "bot")
    for _ in range(min(options.rounds, _ROUNDS)):
        for size, sides in used.items():
            for kind, side in zip(kinds, sides, strict=True):
                side.append(await resident(kind, size) / _MB)
    made = Section(
        "Memory",
        "A server has 25 channels, 15 roles and one member, the bot. At most 2,500 servers a shard, as on Discord. "
        f"{_ROUNDS} rounds at most; what servers store is measured once. Of their own questions the bot keeps those "
        "that were asked last, and lets go what is idle.",
    )
    made.figures.append(compared("RSS idle, no server", used[0], "MB", goal=1.6))
    for size in sizes[1:]:
        made.figures.append(compared(f"RSS with {size:,} servers", used[size], "MB"))
        bare, bot = (
            [(more - none) * 1000 / size for none, more in zip(few, many, strict=True)]
            for few, many in zip(used[0], used[size], strict=True)
        )
        made.figures.append(
            compared(f"growth a 1,000 servers, 0 to {size:,}", (bare, bot), "MB", goal=1.0)
        )
    for own, stored in ((0, "a schedule"), (_OWN, f"a schedule and {_OWN} questions of their own")):
        idle, asked = await with_stored(sizes[-1], own)
        title = f"RSS with {sizes[-1]:,} servers that have {stored}"
        made.figures.append(absolute(title, [idle / _MB], "MB"))
        made.figures.append(absolute(f"{title}, after /topics on each", [asked / _MB], "MB"))
    return made


async def resident(kind: Kind, servers: int) -> int:
    """Bytes that a client holds when it has been idle for a while."""
    with scratch() as folder:
        async with Stub() as stub, Client(kind, stub, folder):
            pass  # the first start makes the tables and registers the commands, which later starts need not
        async with Stub(servers=servers) as stub, Client(kind, stub, folder) as client:
            await client.settle(2.5)  # discord.py waits 2 s for further servers before it is ready
            return client.rss


async def with_stored(servers: int, own: int) -> tuple[int, int]:
    """Bytes that the bot holds for servers with schedules and so many own questions: idle, and once each was used."""
    with scratch() as folder:
        async with Stub() as stub, Client("bot", stub, folder) as client:
            database = client.database
        await asyncio.to_thread(_store, database, servers, own)
        async with Stub(servers=servers) as stub, Client("bot", stub, folder) as client:
            await client.settle(2.5)
            idle = client.rss
            await _ask_everywhere(stub)
            await client.settle(2.5)
            return idle, client.rss


def _store(database: Path, servers: int, own: int) -> None:
    """Questions are copies of shipped ones, in one topic of each server."""
    schedule(database, servers, time.time() + 80_000)
    shipped = json.loads(pack_files(())[0].read_bytes())
    found = (
        item
        for section in shipped["sections"]
        for topic in section["topics"]
        for item in topic["items"]
    )
    contents = [
        json.dumps({k: v for k, v in item.items() if k != "id"})
        for item in found
        if item["kind"] == "choice"
    ]
    guilds = [payloads.guild_id(n) for n in range(servers if own else 0)]
    topics = [(guild, own_id(guild, 1)) for guild in guilds]
    items = [(g, n + 2, f"ours-{n}", topic, contents[n]) for g, topic in topics for n in range(own)]
    with closing(sqlite3.connect(database, timeout=10)) as conn, conn:
        conn.executemany(
            "INSERT INTO server_banks (guild_id, mark, numbers) VALUES (?, ?, ?)",
            [(g, g, own + 1) for g in guilds],
        )
        conn.executemany(
            "INSERT INTO own_topics (guild_id, number, name, topic_id, section, section_title, title, content) "
            "VALUES (?, 1, 'ours', ?, 'house', 'Our house', 'Ours', '{}')",
            topics,
        )
        conn.executemany(
            "INSERT INTO own_items (guild_id, number, name, topic_id, retired, content) VALUES (?, ?, ?, ?, 0, ?)",
            items,
        )


async def _ask_everywhere(stub: Stub, patience: float = 60.0) -> None:
    """`/topics` on every server, a few at a time: it needs all of the server's questions."""
    waiting: set[int] = set()
    free = asyncio.Semaphore(_IN_FLIGHT)

    def answered(number: int, _kind: int, _at: float) -> None:
        if number in waiting:
            waiting.remove(number)
            free.release()

    stub.on_callback = answered
    data: dict[str, Any] = {"id": "1", "name": "topics", "type": 1, "options": [], "resolved": {}}
    try:
        for n in range(stub.servers):
            async with asyncio.timeout(patience):
                await free.acquire()
            number = stub.snowflake()
            waiting.add(number)
            template = payloads.InteractionTemplate(COMMAND, n, payloads.channel_id(n), data)
            stub.send(n, template.fill(number, new_user()))
        async with asyncio.timeout(patience):
            for _ in range(_IN_FLIGHT):
                await free.acquire()
    except TimeoutError:
        raise Unanswered(f"{len(waiting)} of {stub.servers} commands were not answered") from None
