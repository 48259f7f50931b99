"""Large files that are made for members, few at a time."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TypeVar

import discord

from bot.chat.replies import defer_if_slow
from bot.core.computing import FairQueue
from bot.core.limits import MAX_UPLOADS, MAX_UPLOADS_WAITING

T = TypeVar("T")
_UPLOADS = FairQueue("files", most=MAX_UPLOADS_WAITING, at_once=MAX_UPLOADS)


@asynccontextmanager
async def uploading(
    interaction: discord.Interaction,
    make: Callable[[], Awaitable[T]],
    *,
    before: Callable[[], Awaitable[object]] | None = None,
) -> AsyncIterator[T]:
    """Make a file in its server's or member's turn, which lasts until the block ends.

    `before` is work that takes long and keeps no memory, so that others' turns don't wait for it.

    Upload the file inside the block. discord.py and aiohttp leave what they sent in cycles, so it is
    collected here: the interpreter would do so only after many more files.
    """
    async with AsyncExitStack() as turn:

        async def make_in_turn() -> T:
            if before is not None:
                await before()
            key = interaction.guild_id or interaction.user.id
            await turn.enter_async_context(_UPLOADS.turn(key))
            turn.callback(gc.collect, 1)  # of young objects: a full collection would hold up clicks
            return await make()

        yield await defer_if_slow(interaction, make_in_turn())
