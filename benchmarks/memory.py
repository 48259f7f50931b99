"""Resident memory: with no server, and by how much it grows with them."""

from __future__ import annotations

from benchmarks.client import Client, Kind
from benchmarks.options import Options, scratch
from benchmarks.stub.server import Stub
from benchmarks.table import Section, compared

_MB = 1 << 20


async def section(options: Options) -> Section:
    """RSS after READY, once everything has settled, with 0, 1,000 and 10,000 servers."""
    sizes = (0, 1000) if options.quick else (0, 1000, 10_000)
    used: dict[int, tuple[list[float], list[float]]] = {size: ([], []) for size in sizes}
    kinds: tuple[Kind, Kind] = ("bare", "bot")
    for _ in range(options.rounds):
        for size, sides in used.items():
            for kind, side in zip(kinds, sides, strict=True):
                side.append(await resident(kind, size) / _MB)
    made = Section(
        "Memory",
        "A server has 25 channels, 15 roles and one member, the bot. At most 2,500 servers a shard, as on Discord.",
    )
    made.figures.append(compared("RSS idle, no server", used[0], "MB", goal=1.6))
    for size in sizes[1:]:
        made.figures.append(compared(f"RSS with {size:,} servers", used[size], "MB"))
        bare, bot = (
            [(more - none) * 1000 / size for none, more in zip(few, many, strict=True)]
            for few, many in zip(used[0], used[size], strict=True)
        )
        made.figures.append(compared(f"growth a 1,000 servers, 0 to {size:,}", (bare, bot), "MB", goal=1.0))
    return made


async def resident(kind: Kind, servers: int) -> int:
    """Bytes that a client holds when it has been idle for a while."""
    with scratch() as folder:
        async with Stub() as stub, Client(kind, stub, folder):
            pass  # the first start makes the tables and registers the commands, which later starts need not
        async with Stub(servers=servers) as stub, Client(kind, stub, folder) as client:
            await client.settle(2.5)  # discord.py waits 2 s for further servers before it is ready
            return client.rss
