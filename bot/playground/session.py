"""Runs the bot in the playground, from its start to a clean stop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable
from pathlib import Path

import discord

from .kept import restore, save
from .live import LiveEnv
from .server import PlaygroundServer
from .world import create_world, welcome

log = logging.getLogger(__name__)

BATCH_SECONDS = 0.03  # events this close together are shown at once
CLEANUP_SECONDS = 5.0


async def serve(
    bot: discord.Client,
    *,
    listener: socket.socket,
    announce: Callable[[str], None],
    until: asyncio.Event,
    keep: Path | None = None,
) -> None:
    """Run `bot` on a simulated Discord, serving `listener` (from `listen`) until `until` is set.

    `announce` is called with the URL once it is ready. This starts the bot, including `setup_hook`,
    but the caller closes bot, database and socket. The messages are kept in the file `keep`, if
    there is one, and read from it.
    """
    env = LiveEnv(bot)
    world = create_world(env)
    is_new = keep is None or not restore(env.backend, keep)
    if is_new:
        welcome(env, world)
    server = PlaygroundServer(env, world)
    await server.start(listener)
    try:
        await env.start()
        if is_new:  # as if it had just been invited
            bot.dispatch("guild_join", bot.get_guild(world.guild.id))
        tasks = [
            asyncio.create_task(_publish_changes(server, env.record.changed)),
            asyncio.create_task(_clean_up(env, keep)),
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
        if keep:
            save(env.backend, keep)


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
            await asyncio.sleep(0)  # the bot's turn


async def _clean_up(env: LiveEnv, keep: Path | None) -> None:
    saved = 0
    while True:
        await asyncio.sleep(CLEANUP_SECONDS)
        with contextlib.suppress(Exception):
            env.discard_old_records()
        changes = env.record.changes
        if keep and changes != saved and save(env.backend, keep):
            saved = changes
