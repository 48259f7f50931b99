"""News: what members are told once, with the next private reply that they get on a server.

A reply to a command leads to it, and the end of something private, such as a practice. Answers
don't, so nothing is read for it while they are given.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands
from msgspec import Struct

from bot.chat.messages import Message
from bot.chat.replies import TRANSIENT_ERRORS, say_all
from bot.core.database import StorageError

log = logging.getLogger(__name__)


class News(Struct, frozen=True):
    """Private messages for a member; `told` stores that they have them."""

    messages: Sequence[str | Message]
    told: Callable[[], Awaitable[object]] | None = None


Source = Callable[[discord.Interaction, str], Awaitable[News | None]]
"""Returns what a feature has to tell a member on a server, after a command or, with "", a button."""


def tell_news(interaction: discord.Interaction) -> None:
    """Let the member have their news after the reply to a button or form."""
    interaction.client.dispatch("private_end", interaction)


class NewsCog(commands.Cog):
    def __init__(self, *sources: Source) -> None:
        self._sources = sources
        self._telling: set[tuple[int, int]] = set()
        """The servers and members that are being told something now."""

    @commands.Cog.listener()
    async def on_app_command_completion(
        self,
        interaction: discord.Interaction,
        command: app_commands.Command[Any, ..., None] | app_commands.ContextMenu,
    ) -> None:
        await self._tell(interaction, command.name)

    @commands.Cog.listener()
    async def on_private_end(self, interaction: discord.Interaction) -> None:
        await self._tell(interaction, "")

    async def _tell(self, interaction: discord.Interaction, command: str) -> None:
        """Tell a member their news, unless the reply was a modal: nothing can be shown after one."""
        member = interaction.guild_id or 0, interaction.user.id
        modal = interaction.response.type is discord.InteractionResponseType.modal
        if interaction.guild_id is None or modal or member in self._telling:
            return
        self._telling.add(member)
        try:
            for source in self._sources:
                await _tell_from(source, interaction, command)
        finally:
            self._telling.discard(member)


async def _tell_from(source: Source, interaction: discord.Interaction, command: str) -> None:
    try:
        found = await source(interaction, command)
        if found is not None:
            await say_all(interaction, found.messages)
            if found.told is not None:
                await found.told()
    except (discord.HTTPException, StorageError, *TRANSIENT_ERRORS) as error:
        log.info("news were not told, to be tried again (%s)", type(error).__name__)
