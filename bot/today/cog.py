"""/today: what a member's day holds."""

from __future__ import annotations

import discord
from discord import app_commands
from discord.ext import commands

from bot.chat.permissions import is_on_server
from bot.chat.replies import defer_here, say_here
from bot.chat.router import guild_id_of
from bot.daily.service import Dailies
from bot.memory.today_service import Days
from bot.today.views import page


class TodayCog(commands.Cog):
    def __init__(self, days: Days, dailies: Dailies) -> None:
        self.days = days
        self.dailies = dailies

    @app_commands.command(description="What today holds, your streak, and what comes next")
    @app_commands.allowed_installs(guilds=True, users=True)
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
    async def today(self, interaction: discord.Interaction) -> None:
        """Show the page, in place of the private message whose button led to it."""
        user_id = interaction.user.id
        today = await defer_here(interaction, self.days.today(user_id, interaction.guild_id))
        if not is_on_server(interaction):
            await say_here(interaction, page(today))
            return
        work = self.dailies.others(guild_id_of(interaction), user_id)
        others = await defer_here(interaction, work)
        sets_up = interaction.permissions.manage_guild and not others.scheduled
        await say_here(interaction, page(today, others=others, sets_up=sets_up))
