"""/profile and its buttons."""

from __future__ import annotations

import discord
from discord import app_commands
from discord.ext import commands

from bot.chat.client import QuizBot
from bot.chat.messages import Message
from bot.chat.replies import defer_if_slow, say, say_here, show
from bot.chat.router import Fields, guild_id_of, modal_zone
from bot.memory.today_service import Days
from bot.plan.service import Plans
from bot.profile import views as view
from bot.profile.service import Profiles


class ProfileCog(commands.Cog):
    def __init__(self, bot: QuizBot, profiles: Profiles, plans: Plans, days: Days) -> None:
        self.bot = bot
        self.profiles = profiles
        self.plans = plans
        self.days = days
        bot.router.add(view.PROFILE, self.change)
        bot.router.add(view.ZONE, self.change_zone)

    @app_commands.command(description="What you've reached, and your own settings")
    @app_commands.describe(member="Whose profile to show. Default: yours")
    @app_commands.guild_only()
    @app_commands.allowed_installs(guilds=True, users=False)
    async def profile(
        self, interaction: discord.Interaction, member: discord.Member | None = None
    ) -> None:
        page = self._page(interaction, member or interaction.user)
        await say(interaction, await defer_if_slow(interaction, page))

    async def change(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Show the member's profile to others or hide it, or open the form for the time zone."""
        if fields["do"] == "zone":
            zone = await self.profiles.zone(interaction.user.id, interaction.guild_id)
            await interaction.response.send_modal(view.zone_form(zone, self.bot.context.now()))
            return
        guild_id_of(interaction)  # refuses before anything is stored
        await self.profiles.show(interaction.user.id, fields["do"] == "show")
        page = self._page(interaction, interaction.user)
        await show(interaction, await defer_if_slow(interaction, page, edits=True))

    async def change_zone(self, interaction: discord.Interaction, _fields: Fields) -> None:
        """Change the member's zone to the one that was typed, else to the one that was picked."""
        guild_id_of(interaction)  # refuses before anything is stored
        await self.profiles.set_zone(interaction.user.id, modal_zone(interaction))
        page = self._page(interaction, interaction.user)
        await say_here(interaction, await defer_if_slow(interaction, page, edits=True))

    async def _page(
        self, interaction: discord.Interaction, member: discord.Member | discord.User
    ) -> Message:
        guild_id, user_id = guild_id_of(interaction), interaction.user.id
        profile = await self.profiles.read(guild_id, member.id, user_id)
        if member.id != user_id:
            return await view.others_profile(member.display_name, profile, guild_id)
        plan = await self.plans.outlook(user_id, guild_id)
        today = plan.today if plan else await self.days.today(user_id, guild_id)
        return await view.own_profile(member.display_name, profile, guild_id, today, plan)
