"""Every interaction on a server brings the name of its member."""

from __future__ import annotations

import discord
from discord.ext import commands

from bot.chat.client import QuizBot
from bot.members.service import Names


class NameTags(commands.Cog):
    def __init__(self, bot: QuizBot, names: Names) -> None:
        self.names = names
        bot.router.watchers.append(self.note)

    def note(self, interaction: discord.Interaction) -> None:
        if interaction.guild_id is not None:
            self.names.note(interaction.guild_id, interaction.user.id, interaction.user.display_name)
