"""/daily: a manager sets up the question of the day. /today and the buttons on its cards: everyone answers it."""

from __future__ import annotations

from typing import Literal

import discord
from discord import app_commands
from discord.ext import commands

from bot.chat.client import QuizBot
from bot.chat.options import topic_choices, zone_choices
from bot.chat.permissions import daily_problem
from bot.chat.replies import say, say_all, say_here, show_graded
from bot.chat.router import Fields, click_of, guild_id_of, message_id_of, modal_text
from bot.core.clicks import Click
from bot.core.errors import UserError
from bot.daily import rules
from bot.daily import views as view
from bot.daily.service import Dailies, Wanted
from bot.daily.store import Schedule
from bot.interviews.rules import MAX_ANSWER
from bot.interviews.views import essay_modal
from bot.questions.cog import Answerable


@app_commands.guild_only()
@app_commands.allowed_installs(guilds=True, users=False)
@app_commands.default_permissions(manage_guild=True)
class Daily(commands.GroupCog, group_name="daily", group_description="Set up the question of the day"):
    def __init__(self, bot: QuizBot, dailies: Dailies) -> None:
        self.bot = bot
        self.dailies = dailies

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
        role_id = role.id if role else None
        wanted = Wanted(channel.id, time.strip(), timezone.strip(), topic, kind, answer_hours, role_id, thread)
        await say(interaction, view.set_up(await self.dailies.setup(guild_id_of(interaction), wanted)))

    @app_commands.command(description="Post today's question now, if it has not been posted")
    async def post(self, interaction: discord.Interaction) -> None:
        status = await self.dailies.status(guild_id_of(interaction))
        problem = self._problem(interaction, status.schedule)
        if problem:
            raise UserError(problem)
        schedule = await self.dailies.post(guild_id_of(interaction))
        await say(interaction, f"Today's question is on its way to <#{schedule.channel_id}>.")

    @app_commands.command(description="Pause the question of the day")
    async def pause(self, interaction: discord.Interaction) -> None:
        await self.dailies.pause(guild_id_of(interaction))
        await say(interaction, "Paused: nothing is posted until you use </daily resume>.")

    @app_commands.command(description="Go on after a pause")
    async def resume(self, interaction: discord.Interaction) -> None:
        await say(interaction, view.resumed(await self.dailies.resume(guild_id_of(interaction))))

    @app_commands.command(description="Leave out the next question of the day")
    async def skip(self, interaction: discord.Interaction) -> None:
        left_out, status = await self.dailies.skip(guild_id_of(interaction))
        await say(interaction, view.skipped(left_out, status))

    @app_commands.command(description="Schedule, next post, last post, and what is wrong")
    async def status(self, interaction: discord.Interaction) -> None:
        status = await self.dailies.status(guild_id_of(interaction))
        topic = self.bot.context.bank.topics.get(status.schedule.topic_id or "")
        problem = self._problem(interaction, status.schedule) or _deleted_role(interaction, status.schedule)
        await say(interaction, view.status(status, topic, problem))

    def _problem(self, interaction: discord.Interaction, schedule: Schedule) -> str | None:
        channel = interaction.guild.get_channel(schedule.channel_id) if interaction.guild else None
        if not isinstance(channel, discord.TextChannel):
            return "The channel of the daily is gone, or I can't see it: choose another with </daily setup>."
        role = channel.guild.get_role(schedule.role_id) if schedule.role_id else None
        return daily_problem(channel, thread=schedule.thread, role=role)


def _deleted_role(interaction: discord.Interaction, schedule: Schedule) -> str | None:
    """What is wrong with the role to ping; the daily is posted all the same."""
    if schedule.role_id is None or interaction.guild is None or interaction.guild.get_role(schedule.role_id):
        return None
    return "The role to ping was deleted, so nobody is pinged: choose another with </daily setup>."


class Today(commands.Cog):
    def __init__(self, bot: QuizBot, dailies: Dailies) -> None:
        self.bot = bot
        self.dailies = dailies
        bot.router.add(view.OPEN, self.open)
        bot.router.add(view.ESSAY, self.written)
        bot.router.add(view.OWN, self.own)
        bot.answerables["daily"] = Answerable(dailies.check_open, self.answer, dailies.review, dailies.subject)

    @app_commands.command(description="Today's question, when the next one comes, and your streak")
    @app_commands.guild_only()
    @app_commands.allowed_installs(guilds=True, users=False)
    async def today(self, interaction: discord.Interaction) -> None:
        today = await self.dailies.today(guild_id_of(interaction), interaction.user.id)
        await say(interaction, view.today(today, self.bot.context.now()))

    async def answer(self, interaction: discord.Interaction, click: Click) -> None:
        await say_all(interaction, view.verdict(await self.dailies.answer(click)))

    async def open(self, interaction: discord.Interaction, fields: Fields) -> None:
        """The modal for an answer to an open question; for a member who has answered, their feedback again."""
        daily_id = int(fields["row"])
        topic = await self.dailies.open_topic(daily_id, message_id_of(interaction), interaction.user.id)
        if topic is None:
            await self._show(interaction, daily_id)
            return
        await interaction.response.send_modal(essay_modal(view.ESSAY.id(row=daily_id), topic))

    async def written(self, interaction: discord.Interaction, fields: Fields) -> None:
        text = modal_text(interaction, MAX_ANSWER)
        await show_graded(
            interaction,
            self.dailies.answer_openly(click_of(interaction, fields, text=text)),
            lambda review, asking: view.review(review, self.bot.context.bank, asking=asking),
            may_refine=self.dailies.may_refine,
            refine=lambda review: self.dailies.refine(review, interaction.user.id),
            text=text,
        )

    async def own(self, interaction: discord.Interaction, fields: Fields) -> None:
        await self._show(interaction, int(fields["row"]), int(fields["page"]))

    async def _show(self, interaction: discord.Interaction, daily_id: int, page: int = 0) -> None:
        review = await self.dailies.review_open(daily_id, interaction.user.id)
        await say_here(interaction, view.review(review, self.bot.context.bank, page))
