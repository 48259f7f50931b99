"""/remind: a direct message on days when practice is due."""

from __future__ import annotations

import discord
from discord import app_commands
from discord.ext import commands

from bot.chat.client import QuizBot
from bot.chat.options import zone_choices
from bot.chat.replies import say, say_here
from bot.chat.router import Fields
from bot.core.errors import UserError
from bot.reminders import views as view
from bot.reminders.service import Reminders as RemindersService
from bot.reminders.store import Reminder


class Reminders(commands.Cog):
    def __init__(self, bot: QuizBot, reminders: RemindersService) -> None:
        self.reminders = reminders
        bot.router.add(view.REMIND, self.pause_or_resume)

    @app_commands.command(description="Get a direct message on days when practice is due")
    @app_commands.describe(
        time="When, as HH:MM on a 24-hour clock. Leave it out to see, pause or resume your reminder",
        timezone="Your time zone, for example Europe/Berlin",
    )
    @app_commands.autocomplete(timezone=zone_choices)
    @app_commands.allowed_installs(guilds=True, users=True)
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
    async def remind(
        self, interaction: discord.Interaction, time: str | None = None, timezone: str | None = None
    ) -> None:
        reminder: Reminder | None
        if time is not None:
            zone = timezone.strip() if timezone is not None else None
            reminder = await self.reminders.set(
                interaction.user.id, interaction.guild_id, time.strip(), zone
            )
        elif timezone is not None:
            raise UserError(
                "I need a time as well. Use </remind> with both, for example 09:00 and Europe/Berlin."
            )
        else:
            reminder = await self.reminders.get(interaction.user.id)
        await say(interaction, view.state(reminder))

    async def pause_or_resume(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Handle the buttons of a reminder and of `/remind`."""
        change = self.reminders.pause if fields["what"] == "pause" else self.reminders.resume
        await say_here(interaction, view.state(await change(interaction.user.id)))

    @commands.Cog.listener()
    async def on_app_command_completion(
        self, interaction: discord.Interaction, command: object
    ) -> None:
        """Tell a member who practises why their reminder paused itself, once."""
        if getattr(command, "name", None) == "practice":
            problem = await self.reminders.take_problem(interaction.user.id)
            if problem is not None:
                await say(interaction, problem)
