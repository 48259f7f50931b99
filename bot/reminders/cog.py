"""The button "Remind me" and its card."""

from __future__ import annotations

import discord
from discord.ext import commands

from bot.chat.client import QuizBot
from bot.chat.replies import say, say_here
from bot.chat.router import Fields, modal_texts, modal_zone
from bot.reminders import views as view
from bot.reminders.work import Reminders

_PRACTISING = {"practice", "today"}


class RemindersCog(commands.Cog):
    def __init__(self, bot: QuizBot, reminders: Reminders) -> None:
        self._now = bot.context.now
        self._reminders = reminders
        bot.router.add(view.REMIND, self.show)
        bot.router.add(view.CHANGE, self.change)
        bot.router.add(view.FORM, self.submitted)

    async def show(self, interaction: discord.Interaction, _fields: Fields) -> None:
        found = await self._reminders.get(interaction.user.id, interaction.guild_id)
        await say(interaction, view.card(*found, self._now()))

    async def change(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Turn a reminder on or off, or open its form.

        The form also comes if nothing tells the member's time zone.
        """
        user_id, guild_id, what = interaction.user.id, interaction.guild_id, fields["what"]
        if what == "off":
            off = await self._reminders.turn_off(user_id, guild_id)
            await say_here(interaction, view.card(*off, self._now()))
            return
        found, zone = await self._reminders.get(user_id, guild_id)
        at = found.at if found is not None else view.EVENING
        at_or_now = None if what == "tomorrow" else at
        if what == "time" or zone is None:
            await interaction.response.send_modal(view.form(at_or_now, zone, self._now()))
        else:
            await self._set(interaction, at_or_now)

    async def submitted(self, interaction: discord.Interaction, _fields: Fields) -> None:
        zone = modal_zone(interaction)
        at = modal_texts(interaction).get("at")
        await self._set(interaction, at if at is None else at.strip(), zone)

    async def _set(
        self, interaction: discord.Interaction, at: str | None, zone: str | None = None
    ) -> None:
        found = await self._reminders.set(interaction.user.id, interaction.guild_id, at, zone)
        await say_here(interaction, view.card(*found, self._now()))

    @commands.Cog.listener()
    async def on_app_command_completion(
        self, interaction: discord.Interaction, command: object
    ) -> None:
        """Tell a member who practises why their reminder turned itself off, once."""
        if getattr(command, "name", None) in _PRACTISING:
            off = await self._reminders.take_problem(interaction.user.id, interaction.guild_id)
            if off is not None:
                await say(interaction, view.card(*off, self._now()))
