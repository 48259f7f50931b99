"""Runs the bot in the playground, from its start to a clean stop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable

import discord

from .live import LiveEnv
from .server import PlaygroundServer
from .world import create_world

log = logging.getLogger(__name__)

BATCH_SECONDS = 0.03  # events this close together are shown at once
CLEANUP_SECONDS = 5.0


async def serve(
    bot: discord.Client,
    *,
    listener: socket.socket,
    announce: Callable[[str], None],
    until: asyncio.Event,
) -> None:
    """Run `bot` on a simulated Discord, serving `listener` (from `listen`) until `until` is set.

    `announce` is called with the URL once it is ready. This starts the bot, including `setup_hook`,
    but the caller closes bot, database and socket.
    """
    env = LiveEnv(bot)
    world = create_world(env)
    server = PlaygroundServer(env, world)
    await server.start(listener)
    try:
        await env.start()
        # as if it had just been invited
        bot.dispatch("guild_join", bot.get_guild(world.guild.id))
        tasks = [
            asyncio.create_task(_publish_changes(server, env.record.changed)),
            asyncio.create_task(_clean_up(env)),
        ]
        try:
            announce(f"http://127.0.0.1:{server.port}/")
            await until.wait()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    finally:
        await server.stop()
        await env.shutdown()


async def download(attachment: discord.Attachment, most: int) -> bytes | None:
    """Return the content of an attachment, which is in memory; None if it is too large."""
    return await attachment.read() if attachment.size <= most else None


async def _publish_changes(server: PlaygroundServer, changed: asyncio.Event) -> None:
    """Update open pages soon after each change."""
    while True:
        await changed.wait()
        await asyncio.sleep(BATCH_SECONDS)
        changed.clear()
        for preview in tuple(server.previews.values()):
            try:
                preview.republish()
            except Exception:  # an error in one page must not stop the others
                log.exception("playground: a page could not be updated")


async def _clean_up(env: LiveEnv) -> None:
    while True:
        await asyncio.sleep(CLEANUP_SECONDS)
        with contextlib.suppress(Exception):
            env.discard_old_records()
