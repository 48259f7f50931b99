"""/daily: a manager sets up the question of the day. /today: everyone looks at it."""

from __future__ import annotations

from typing import Literal

import discord
from discord import app_commands
from discord.ext import commands

from bot.chat.client import QuizBot
from bot.chat.options import topic_choices, zone_choices
from bot.chat.permissions import daily_problem, require_manage
from bot.chat.replies import say
from bot.core.errors import UserError
from bot.daily import rules
from bot.daily import views as view
from bot.daily.service import Wanted
from bot.daily.store import Schedule


@app_commands.guild_only()
@app_commands.allowed_installs(guilds=True, users=False)
@app_commands.default_permissions(manage_guild=True)
class Daily(commands.GroupCog, group_name="daily", group_description="Set up the question of the day"):
    def __init__(self, bot: QuizBot) -> None:
        self.bot = bot

    async def interaction_check(self, interaction: discord.Interaction, /) -> bool:
        require_manage(interaction)
        return True

    @app_commands.command(description="Turn the question of the day on, or change it")
    @app_commands.describe(
        channel="Where it is posted",
        time="When, as HH:MM in 24 hours, for example 09:00",
        timezone="Whose clock, for example Europe/Berlin",
        topic="Ask about one topic only",
        kind="choice (if you don't say), open: answered in sentences, or mixed: every third day open",
        answer_hours="How long it can be answered (23 hours if you don't say)",
        role="A role to ping once when it is posted",
        thread="Open a thread for discussion with each question",
    )
    @app_commands.autocomplete(timezone=zone_choices, topic=topic_choices)
    async def setup(
        self,
        interaction: discord.Interaction,
        channel: discord.TextChannel,
        time: str,
        timezone: str,
        topic: str | None = None,
        kind: Literal["choice", "open", "mixed"] = "choice",
        answer_hours: app_commands.Range[int, rules.MIN_HOURS, rules.MAX_HOURS] = rules.DEFAULT_HOURS,
        role: discord.Role | None = None,
        thread: bool = False,
    ) -> None:
        problem = daily_problem(channel, thread=thread, role=role)
        if problem:
            raise UserError(problem)
        wanted = Wanted(
            channel_id=channel.id,
            at=time.strip(),
            zone=timezone.strip(),
            topic_id=topic,
            kind=kind,
            answer_hours=answer_hours,
            role_id=role.id if role else None,
            thread=thread,
        )
        status = await self.bot.services.dailies.setup(_guild_id(interaction), wanted)
        await say(interaction, view.set_up(status))

    @app_commands.command(description="Post today's question now, if it has not been posted")
    async def post(self, interaction: discord.Interaction) -> None:
        status = await self.bot.services.dailies.status(_guild_id(interaction))
        problem = self._problem(interaction, status.schedule)
        if problem:
            raise UserError(problem)
        schedule = await self.bot.services.dailies.post(_guild_id(interaction))
        await say(interaction, f"Today's question is on its way to <#{schedule.channel_id}>.")

    @app_commands.command(description="Pause the question of the day")
    async def pause(self, interaction: discord.Interaction) -> None:
        await self.bot.services.dailies.pause(_guild_id(interaction))
        await say(interaction, f"Paused: nothing is posted until you use {self.bot.command_mention('daily resume')}.")

    @app_commands.command(description="Go on after a pause")
    async def resume(self, interaction: discord.Interaction) -> None:
        await say(interaction, view.resumed(await self.bot.services.dailies.resume(_guild_id(interaction))))

    @app_commands.command(description="Leave out the next question of the day")
    async def skip(self, interaction: discord.Interaction) -> None:
        left_out, status = await self.bot.services.dailies.skip(_guild_id(interaction))
        await say(interaction, view.skipped(left_out, status))

    @app_commands.command(description="Schedule, next post, last post, and what is wrong")
    async def status(self, interaction: discord.Interaction) -> None:
        status = await self.bot.services.dailies.status(_guild_id(interaction))
        topic = self.bot.bank.topics.get(status.schedule.topic_id or "")
        problem = self._problem(interaction, status.schedule) or _deleted_role(interaction, status.schedule)
        await say(interaction, view.status_card(status, topic, problem))

    def _problem(self, interaction: discord.Interaction, schedule: Schedule) -> str | None:
        channel = interaction.guild.get_channel(schedule.channel_id) if interaction.guild else None
        if not isinstance(channel, discord.TextChannel):
            return "The channel of the daily is gone, or I can't see it: choose another with /daily setup."
        role = channel.guild.get_role(schedule.role_id) if schedule.role_id else None
        return daily_problem(channel, thread=schedule.thread, role=role)


def _deleted_role(interaction: discord.Interaction, schedule: Schedule) -> str | None:
    """What is wrong with the role to ping; the daily is posted all the same."""
    if schedule.role_id is None or interaction.guild is None or interaction.guild.get_role(schedule.role_id):
        return None
    return "The role to ping was deleted, so nobody is pinged: choose another with /daily setup."


class Today(commands.Cog):
    def __init__(self, bot: QuizBot) -> None:
        self.bot = bot

    @app_commands.command(description="Today's question, when the next one comes, and your streak")
    @app_commands.guild_only()
    @app_commands.allowed_installs(guilds=True, users=False)
    async def today(self, interaction: discord.Interaction) -> None:
        today = await self.bot.services.dailies.today(_guild_id(interaction), interaction.user.id)
        await say(interaction, view.today_card(today, self.bot.services.now()))


def _guild_id(interaction: discord.Interaction) -> int:
    assert interaction.guild_id is not None  # these commands exist on servers only
    return interaction.guild_id


async def setup(bot: QuizBot) -> None:
    await bot.add_cog(Daily(bot))
    await bot.add_cog(Today(bot))
