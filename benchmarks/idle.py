"""Memory of an idle process, with and without servers, and the time that a start takes."""

from __future__ import annotations

from benchmarks.client import Client, Kind
from benchmarks.measure import scratch
from benchmarks.table import Figure, Section
from tests.loopback.world import World

TITLE = "Memory and start"
_SERVERS = 1000
_CHANNELS = 25
_ROLES = 15
_MB = 1 << 20


async def section(quick: bool) -> Section:
    """Start both clients with no server and with a thousand, in turns."""
    kinds: tuple[Kind, Kind] = ("bare", "bot")
    alone: dict[Kind, list[float]] = {"bare": [], "bot": []}
    crowded: dict[Kind, list[float]] = {"bare": [], "bot": []}
    starts: dict[Kind, list[float]] = {"bare": [], "bot": []}
    for _ in range(1 if quick else 3):
        for kind in kinds:
            with scratch() as folder:
                async with World() as world, Client(kind, world, folder):
                    pass  # the first start makes the tables and registers the commands
                async with World() as world, Client(kind, world, folder) as client:
                    starts[kind].append(client.started_in)
                    await client.settle(2.5)
                    alone[kind].append(client.rss / _MB)
                async with World() as world:
                    _add_servers(world)
                    async with Client(kind, world, folder) as client:
                        await client.settle(2.5)
                        crowded[kind].append(client.rss / _MB)
    return Section(
        TITLE,
        f"Resident memory after READY, once the process is idle. A server has {_CHANNELS} "
        f"channels, {_ROLES} roles and one member, the bot.",
        [
            Figure("RSS, no server", "MB", alone["bot"], alone["bare"], at_most=1.8),
            Figure(f"RSS, {_SERVERS:,} servers", "MB", crowded["bot"], crowded["bare"]),
            Figure("start to READY, warm", "s", starts["bot"], starts["bare"], at_most=2.5),
        ],
    )


def _add_servers(world: World) -> None:
    for number in range(_SERVERS):
        guild = world.add_guild(f"Study group {number}")
        for channel in range(_CHANNELS):
            world.add_channel(guild, f"channel-{channel}")
        guild.roles = {world.snowflake(): f"role {role}" for role in range(_ROLES)}
