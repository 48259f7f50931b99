"""/quiz: start, stop and look at rounds."""

from __future__ import annotations

from typing import Literal

import discord
from discord import app_commands
from discord.ext import commands

from bot.chat import text as t
from bot.chat.client import QuizBot
from bot.chat.options import topic_choices
from bot.chat.permissions import require_here
from bot.chat.replies import say
from bot.rounds import rules as rounds
from bot.rounds.service import RoundStatus


@app_commands.guild_only()
@app_commands.allowed_installs(guilds=True, users=False)
class Quiz(commands.GroupCog, group_name="quiz", group_description="Live quiz rounds in this channel"):
    def __init__(self, bot: QuizBot) -> None:
        self.bot = bot

    @app_commands.command(description="Start a quiz round in this channel")
    @app_commands.describe(
        questions="How many questions (10 if you don't say)",
        topic="Ask about one topic only",
        seconds="Time for each question in seconds (20 if you don't say)",
        difficulty="How hard the questions are (mixed if you don't say)",
    )
    @app_commands.autocomplete(topic=topic_choices)
    async def start(
        self,
        interaction: discord.Interaction,
        questions: app_commands.Range[int, rounds.MIN_QUESTIONS, rounds.MAX_QUESTIONS] = rounds.DEFAULT_QUESTIONS,
        topic: str | None = None,
        seconds: app_commands.Range[int, rounds.MIN_SECONDS, rounds.MAX_SECONDS] = rounds.DEFAULT_SECONDS,
        difficulty: Literal["easy", "medium", "hard", "mixed"] = "mixed",
    ) -> None:
        require_here(interaction)
        assert interaction.guild_id is not None
        assert interaction.channel_id is not None
        started = await self.bot.services.rounds.start(
            guild_id=interaction.guild_id,
            channel_id=interaction.channel_id,
            starter_id=interaction.user.id,
            questions=questions,
            seconds=seconds,
            topic_id=topic,
            difficulty=difficulty,
        )
        words = f"Here we go: {t.count(started.total, 'question')}, {t.count(started.seconds, 'second')} each."
        if started.total < started.asked_for:
            words += f" You asked for {started.asked_for}, but only {started.total} fit these options."
        await say(interaction, f"{words} The first answer of each member counts.")

    @app_commands.command(description="End the round in this channel after the current question")
    async def stop(self, interaction: discord.Interaction) -> None:
        assert interaction.channel_id is not None
        still_open = await self.bot.services.rounds.stop(
            channel_id=interaction.channel_id,
            user_id=interaction.user.id,
            may_manage=interaction.permissions.manage_messages,
        )
        await say(
            interaction,
            "The round ends after this question's reveal, with the final standings."
            if still_open
            else "The round ends here; the final standings follow.",
        )

    @app_commands.command(description="See the round in this channel, privately")
    async def status(self, interaction: discord.Interaction) -> None:
        assert interaction.channel_id is not None
        await say(interaction, _status_text(await self.bot.services.rounds.status(interaction.channel_id)))


def _status_text(status: RoundStatus) -> str:
    round_, question = status.round, status.question
    lines = [f"**Question {round_.number} of {round_.total}**, started by <@{round_.starter_id}>"]
    if round_.phase == "open" and question is not None and question.deadline_at is not None:
        link = f"https://discord.com/channels/{round_.guild_id}/{round_.channel_id}/{question.message_id}"
        lines.append(f"Ends {t.when(question.deadline_at)} · {t.count(status.answered, 'answer')} · {link}")
    elif round_.phase == "ask":
        lines.append(f"The next question comes {t.when(round_.due_at)}.")
    if round_.ending:
        lines.append("The round ends after this question.")
    lines += [
        f"{place}. <@{tally.user_id}> · {t.count(tally.points, 'point')}" for place, tally in status.standings[:3]
    ]
    return "\n".join(lines)


async def setup(bot: QuizBot) -> None:
    await bot.add_cog(Quiz(bot))
