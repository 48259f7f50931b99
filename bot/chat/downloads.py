"""Large files that are made for members, one at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TypeVar

import discord

from bot.chat.replies import defer_if_slow
from bot.core.computing import FairLock
from bot.core.errors import UserError
from bot.core.limits import MAX_DOWNLOADS

T = TypeVar("T")


class Downloads:
    """Makes large files one after the other: each is in memory until Discord has it."""

    def __init__(self) -> None:
        self._turns = FairLock()
        self._wanted = 0

    @asynccontextmanager
    async def made(
        self, interaction: discord.Interaction, make: Callable[[], Awaitable[T]]
    ) -> AsyncIterator[T]:
        """Make a file in its server's or member's turn, which lasts until the block ends.

        Upload the file inside the block. Refuses if too many others wait.
        """
        if self._wanted >= MAX_DOWNLOADS:
            raise UserError("I'm making many files for others right now. Try again in 10 minutes.")
        self._wanted += 1
        try:
            async with AsyncExitStack() as turn:

                async def make_in_turn() -> T:
                    key = interaction.guild_id or interaction.user.id
                    await turn.enter_async_context(self._turns.acquire(key))
                    return await make()

                yield await defer_if_slow(interaction, make_in_turn())
        finally:
            self._wanted -= 1
