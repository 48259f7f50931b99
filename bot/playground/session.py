"""One evening in the playground: from a bot that has not started to a clean stop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable

import discord

from .live import LiveEnv
from .server import Desk
from .world import found

log = logging.getLogger(__name__)

GATHER_SECONDS = 0.03  # events close together are shown at once
TIDY_SECONDS = 5.0


async def serve(
    bot: discord.Client,
    *,
    door: socket.socket,
    announce: Callable[[str], None],
    until: asyncio.Event,
) -> None:
    """Run ``bot`` on a simulated Discord behind ``door`` (from ``listen``) until ``until`` is set.

    ``announce`` gets the address once people can use it. The bot is started (its ``setup_hook`` runs) but never
    closed: bot, database and door belong to the caller.
    """
    env = LiveEnv(bot)
    world = found(env)
    desk = Desk(env, world)
    await desk.start(door)
    try:
        await env.start()
        bot.dispatch(
            "guild_join", bot.get_guild(world.guild.id)
        )  # as when somebody has just invited it
        tasks = [
            asyncio.create_task(_publish(desk, env.tape.moved)),
            asyncio.create_task(_tidy(env)),
        ]
        try:
            announce(f"http://127.0.0.1:{desk.port}/")
            await until.wait()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    finally:
        await desk.stop()
        await env.shutdown()


async def _publish(desk: Desk, moved: asyncio.Event) -> None:
    """Show open pages what happened, soon after it happened."""
    while True:
        await moved.wait()
        await asyncio.sleep(GATHER_SECONDS)
        moved.clear()
        for preview in tuple(desk.previews.values()):
            try:
                preview.republish()
            except Exception:  # one page that cannot be drawn must not stop the others
                log.exception("playground: a page could not be updated")


async def _tidy(env: LiveEnv) -> None:
    while True:
        await asyncio.sleep(TIDY_SECONDS)
        with contextlib.suppress(Exception):
            env.tidy()
