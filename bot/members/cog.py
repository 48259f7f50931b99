"""Every interaction on a server brings the name of its member."""

from __future__ import annotations

import logging

import discord
from discord.ext import commands

from bot.chat.client import QuizBot
from bot.core.database import StorageError
from bot.members.service import Names

log = logging.getLogger(__name__)


class NameTags(commands.Cog):
    def __init__(self, bot: QuizBot, names: Names) -> None:
        self.bot = bot
        self.names = names

    @commands.Cog.listener()
    async def on_interaction(self, interaction: discord.Interaction) -> None:
        if interaction.guild_id is None:
            return
        try:
            await self.names.note(interaction.guild_id, interaction.user.id, interaction.user.display_name)
        except StorageError as error:  # the member's own request says so; the name comes with the next one
            log.warning("a name was not stored: %s", type(error).__name__)
