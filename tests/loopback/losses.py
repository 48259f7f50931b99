"""Losses that people cause: of channels, messages, roles, threads and the bot's membership."""

from __future__ import annotations

from tests.loopback.model import Channel, Guild, Message
from tests.loopback.world import World


async def delete_channel(world: World, channel: Channel) -> None:
    channel.deleted = True
    await world.gateway.emit("CHANNEL_DELETE", channel.payload())


async def delete_message(world: World, message: Message) -> None:
    message.deleted = True
    where = {"channel_id": str(message.channel.id), "guild_id": str(message.channel.guild.id)}
    await world.gateway.emit("MESSAGE_DELETE", {"id": str(message.id), **where})


async def lock(world: World, thread: Channel) -> None:
    """Lock a thread like a moderator: the bot can still read it."""
    thread.locked = True
    await world.gateway.emit("THREAD_UPDATE", thread.payload())


async def add_role(world: World, guild: Guild, name: str) -> int:
    role_id = world.snowflake()
    guild.roles[role_id] = name
    role = next(r for r in guild.payload(world.bot)["roles"] if r["id"] == str(role_id))
    await world.gateway.emit("GUILD_ROLE_CREATE", {"guild_id": str(guild.id), "role": role})
    return role_id


async def delete_role(world: World, guild: Guild, role_id: int) -> None:
    del guild.roles[role_id]
    await world.gateway.emit(
        "GUILD_ROLE_DELETE", {"guild_id": str(guild.id), "role_id": str(role_id)}
    )


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
