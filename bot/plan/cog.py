"""/plan: how ready a member will be on the day of their interview, and what to do until then."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from bot.chat.client import QuizBot
from bot.chat.messages import Message
from bot.chat.replies import defer_here, defer_if_slow, say, say_here
from bot.chat.router import Fields, modal_fields
from bot.plan import views as view
from bot.plan.service import Plans


class PlanCog(commands.Cog):
    def __init__(self, bot: QuizBot, plans: Plans) -> None:
        self.plans = plans
        bot.router.add(view.PLAN, self.pressed)
        bot.router.add(view.PLAN_FORM, self.submitted)

    @app_commands.command(
        description="How ready you'll be on the day of your interview, and what to do until then"
    )
    @app_commands.allowed_installs(guilds=True, users=True)
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
    async def plan(self, interaction: discord.Interaction) -> None:
        """Show the member's plan, or its form if there is none."""
        user_id, guild_id = interaction.user.id, interaction.guild_id
        ended = await self.plans.end_if_over(user_id, guild_id)
        plan, bank, today = await self.plans.form(user_id, guild_id)
        if ended is not None:
            await say(interaction, view.ended_page(ended))
        elif plan is None:
            await interaction.response.send_modal(view.form(None, bank, today))
        else:
            await say(interaction, await defer_if_slow(interaction, self._page(interaction)))

    async def pressed(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Handle the buttons of the page."""
        plan, bank, today = await self.plans.form(interaction.user.id, interaction.guild_id)
        if fields["do"] == "form":
            await interaction.response.send_modal(view.form(plan, bank, today))
        elif plan is None or fields["do"] == "show":
            await self._show(interaction, self._page(interaction))
        elif fields["do"] == "ask":
            await say_here(interaction, view.confirm_page(plan.day))
        else:
            await self.plans.end(interaction.user.id)
            await say_here(interaction, view.removed_page())

    async def submitted(self, interaction: discord.Interaction, _fields: Fields) -> None:
        """Make or change the plan as the form says."""
        fields = modal_fields(interaction)
        names = ("date", "minutes", "goal", "away")
        day, minutes, goal, away = (" ".join(fields.get(name, [])).strip() for name in names)
        user_id, guild_id = interaction.user.id, interaction.guild_id
        kept_or_new = None if goal == view.KEPT else goal

        async def work() -> Message:
            page = await self.plans.set(user_id, guild_id, day, minutes, kept_or_new, away)
            return await view.plan_page(*page, guild_id or user_id)

        await self._show(interaction, work())

    async def _page(self, interaction: discord.Interaction) -> Message | str:
        user_id, guild_id = interaction.user.id, interaction.guild_id
        page = await self.plans.page(user_id, guild_id)
        return view.NO_PLAN if page is None else await view.plan_page(*page, guild_id or user_id)

    async def _show(
        self, interaction: discord.Interaction, work: Coroutine[Any, Any, Message | str]
    ) -> None:
        """Replace the private message that was used with the plan, or say why there is none."""
        page = await defer_here(interaction, work)
        if isinstance(page, str):
            await say(interaction, page)
        else:
            await say_here(interaction, page)

    @commands.Cog.listener()
    async def on_app_command_completion(
        self, interaction: discord.Interaction, command: object
    ) -> None:
        """Tell members once, with their next day, practice or profile, that their plan is over."""
        if getattr(command, "name", None) in {"today", "practice", "profile"}:
            ended = await self.plans.end_if_over(interaction.user.id, interaction.guild_id)
            if ended is not None:
                await say(interaction, view.ended_page(ended))
