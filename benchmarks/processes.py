"""The same answers, stored by one process on SQLite, and by one to three on one PostgreSQL."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from sqlalchemy import URL

from benchmarks.clicks import at_rate, clicker, start_rounds
from benchmarks.client import Client
from benchmarks.measure import cpu_seconds, percentile, scratch
from benchmarks.table import Figure, Section
from tests.loopback.world import World
from tests.postgres import running

TITLE = "Processes"
_ROUNDS = 30
_RATE = 50
_MOST = 3
_MB = 1 << 20


@dataclass(frozen=True, slots=True)
class Measured:
    """Milliseconds from a click to its answer; CPU an answer in milliseconds; memory in MB."""

    p50: float
    p99: float
    cpu: float
    all_cpu: float
    """With the database's."""
    rss: float


async def section(quick: bool) -> Section:
    """Measure all arrangements in turns."""
    seconds, turns = (5.0, 1) if quick else (15.0, 3)
    sqlite: list[Measured] = []
    postgres: list[list[Measured]] = [[] for _ in range(_MOST)]
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, range(os.cpu_count() or 1))  # the server inherits them
    with running() as server:
        os.sched_setaffinity(0, cores)
        for seed in range(turns):
            sqlite.append(await _measured(None, 1, seconds, seed))
            for number, found in enumerate(postgres):
                url = server.migrated()
                found.append(await _measured(url, number + 1, seconds, seed))
                server.give_back(url)

    def figure(name: str, unit: str, count: int, get: Callable[[Measured], float]) -> Figure:
        bot = [get(measured) for measured in postgres[count - 1]]
        return Figure(f"{count} on PostgreSQL: {name}", unit, bot, [get(m) for m in sqlite])

    figures = []
    for count in range(1, _MOST + 1):
        figures += [
            figure("CPU an answer", "ms", count, lambda m: m.cpu),
            figure("the same with the database's", "ms", count, lambda m: m.all_cpu),
            figure("latency p50", "ms", count, lambda m: m.p50),
            figure("latency p99", "ms", count, lambda m: m.p99),
            figure("memory of all processes", "MB", count, lambda m: m.rss),
        ]
    return Section(
        TITLE,
        f"{_RATE} clicks a second on {_ROUNDS} open rounds, each by another member and committed to "
        "the disk before it is acknowledged. The processes share all cores with the database and "
        "the load. They are compared with one process on SQLite.",
        figures,
        yardstick="SQLite",
    )


async def _measured(url: URL | None, count: int, seconds: float, seed: int) -> Measured:
    """Measure so many processes, each with one shard."""
    rng = random.Random(seed)
    postmaster = None if url is None else await _tuned(url)
    env = {} if url is None else {"DATABASE_URL": _address(url)}
    with scratch() as folder:
        async with World() as world, AsyncExitStack() as stack:
            clients = []
            for number in range(count):
                shards = {"SHARD_COUNT": str(count), "SHARD_IDS": str(number)}
                name = f"p{number}" if url else ""
                client = Client("bot", world, folder, all_cores=True, name=name, env=env | shards)
                clients.append(await stack.enter_async_context(client))
            click = clicker(world, await start_rounds(world, _ROUNDS), rng)
            await at_rate(click, _RATE, 3.0, rng)

            def used() -> tuple[float, float]:
                own = sum(client.cpu for client in clients)
                return own, own + (_cpu_of_server(postmaster) if postmaster else 0.0)

            before = used()
            latencies = [1000 * s for s in await at_rate(click, _RATE, seconds, rng)]
            cpu, all_cpu = (
                1000 * (now - then) / len(latencies)
                for now, then in zip(used(), before, strict=True)
            )
            for client in clients:
                client.check()
            rss = sum(client.rss for client in clients) / _MB
    p50, p99 = percentile(latencies, 0.5), percentile(latencies, 0.99)
    return Measured(p50=p50, p99=p99, cpu=cpu, all_cpu=all_cpu, rss=rss)


def _address(url: URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


async def _tuned(url: URL) -> int:
    """Let the server keep what it commits, unlike in tests; return the id of its first process."""
    connection = await asyncpg.connect(_address(url))
    try:
        await connection.execute("ALTER SYSTEM RESET ALL")
        await connection.execute("SELECT pg_reload_conf()")
        return int((await connection.fetchval("SELECT pg_read_file('postmaster.pid')")).split()[0])
    finally:
        await connection.close()


def _cpu_of_server(pid: int) -> float:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()
    own = cpu_seconds(pid, ended_children=True)
    return own + sum(cpu_seconds(int(child)) for child in children)
