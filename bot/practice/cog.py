"""/practice: private spaced repetition. /remind: a direct message on days on which something is due."""

from __future__ import annotations

import discord
from discord import app_commands
from discord.ext import commands

from bot.chat import custom_ids as ids
from bot.chat.client import QuizBot
from bot.chat.options import topic_choices, zone_choices
from bot.chat.replies import say, say_here
from bot.chat.router import Fields
from bot.core.errors import UserError
from bot.core.snowflakes import created_at
from bot.practice.views import present, reminder_state
from bot.reminders.store import Reminder


class Practice(commands.Cog):
    def __init__(self, bot: QuizBot) -> None:
        self.bot = bot
        for route, handler in (
            (ids.PRACTISE, self.again),
            (ids.NEXT, self.next),
            (ids.END, self.end),
            (ids.QUIET, self.quiet),
        ):
            bot.router.add(route, handler)

    @app_commands.command(description="Practise in private: what you missed first, then something new")
    @app_commands.describe(topic="Ask about one topic only")
    @app_commands.autocomplete(topic=topic_choices)
    @app_commands.allowed_installs(guilds=True, users=True)
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
    async def practice(self, interaction: discord.Interaction, topic: str | None = None) -> None:
        await self._start(interaction, topic)

    @app_commands.command(description="A direct message on days on which your practice has something due")
    @app_commands.describe(
        time="When, as HH:MM in 24 hours; leave it out to see or turn off what is set",
        timezone="Your clock, for example Europe/Berlin",
    )
    @app_commands.autocomplete(timezone=zone_choices)
    @app_commands.allowed_installs(guilds=True, users=True)
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
    async def remind(
        self, interaction: discord.Interaction, time: str | None = None, timezone: str | None = None
    ) -> None:
        reminders, user_id = self.bot.services.reminders, interaction.user.id
        reminder: Reminder | None
        if time is not None:
            zone = timezone.strip() if timezone is not None else None
            reminder = await reminders.set(user_id, interaction.guild_id, time.strip(), zone)
        elif timezone is not None:
            raise UserError("I need a time as well: use /remind with time, for example 09:00, and your timezone.")
        else:
            reminder = await reminders.get(user_id)
        await say(interaction, reminder_state(reminder))

    async def again(self, interaction: discord.Interaction, fields: Fields) -> None:
        await self._start(interaction, fields["topic"] or None)

    async def next(self, interaction: discord.Interaction, fields: Fields) -> None:
        screen = await self.bot.services.practices.go_on(
            int(fields["practice"]), interaction.user.id, interaction.guild_id, created_at(interaction.id)
        )
        await present(interaction, screen, self.bot.bank)

    async def end(self, interaction: discord.Interaction, fields: Fields) -> None:
        summary = await self.bot.services.practices.end(
            int(fields["practice"]), interaction.user.id, interaction.guild_id
        )
        await present(interaction, summary, self.bot.bank)

    async def quiet(self, interaction: discord.Interaction, _fields: Fields) -> None:
        await self.bot.services.reminders.turn_off(interaction.user.id)
        await say_here(interaction, reminder_state(None))

    async def _start(self, interaction: discord.Interaction, topic_id: str | None) -> None:
        screen = await self.bot.services.practices.start(
            interaction.user.id, interaction.guild_id, created_at(interaction.id), topic_id
        )
        await present(interaction, screen, self.bot.bank)


async def setup(bot: QuizBot) -> None:
    await bot.add_cog(Practice(bot))
