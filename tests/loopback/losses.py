"""Losses that people cause: of channels, messages, roles, threads and the bot's membership."""

from __future__ import annotations

from tests.loopback.model import Guild
from tests.loopback.world import World


async def remove_bot(world: World, guild: Guild) -> None:
    """Remove the bot from the server."""
    guild.left = True
    del world.guilds[guild.id]
    await world.gateway.emit("GUILD_DELETE", {"id": str(guild.id)})


async def add_bot(world: World, guild: Guild) -> None:
    """Add the bot to the server again.

    The event has no `unavailable` field, unlike after an outage.
    """
    guild.left = False
    world.guilds[guild.id] = guild
    payload = guild.payload(world.bot)
    del payload["unavailable"]
    await world.gateway.emit("GUILD_CREATE", payload)


async def outage(world: World, guild: Guild) -> None:
    """Simulate an outage of the server: no events, and requests fail."""
    guild.outage = True
    await world.gateway.emit("GUILD_DELETE", {"id": str(guild.id), "unavailable": True})


async def end_outage(world: World, guild: Guild) -> None:
    guild.outage = False
    await world.gateway.emit("GUILD_CREATE", guild.payload(world.bot))
