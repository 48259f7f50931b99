"""Every interaction on a server brings the name of its member."""

from __future__ import annotations

import discord
from discord.ext import commands

from bot.chat.client import QuizBot
from bot.chat.router import what_is_used
from bot.members.service import Names

_UNNOTED = "privacy"
"""Who asks what is stored about them, or has it erased, leaves no name by doing so."""


class NameTags(commands.Cog):
    def __init__(self, bot: QuizBot, names: Names) -> None:
        self.names = names
        bot.router.watchers.append(self.note)

    def note(self, interaction: discord.Interaction) -> None:
        if interaction.guild_id is not None and what_is_used(interaction) != _UNNOTED:
            self.names.note(
                interaction.guild_id, interaction.user.id, interaction.user.display_name
            )
