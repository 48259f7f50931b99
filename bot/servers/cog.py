"""/help: what to do first, for members and for managers."""

from __future__ import annotations

import discord
from discord import app_commands
from discord.ext import commands

from bot.chat.client import QuizBot
from bot.chat.replies import say
from bot.questions.views import OPEN, Message, line


class Help(commands.Cog):
    def __init__(self, bot: QuizBot) -> None:
        self.bot = bot

    @app_commands.command(name="help", description="What to do first")
    async def help(self, interaction: discord.Interaction) -> None:
        mention = self.bot.command_mention
        members = "\n".join(
            (
                f"{mention('quiz start')} starts a round in this channel; everyone can play along",
                f"{mention('today')} shows the question of the day and your streak",
                f"{mention('practice')} asks you in private what you missed, and something new; it works by direct "
                f"message too, and {mention('remind')} reminds you of it",
                f"{mention('interview')} asks you open questions in private and shows what your answers cover",
                f"{mention('leaderboard')} shows who leads, and your own place",
                f"{mention('stats')} and {mention('topics')} show what you know and what to look at again",
            )
        )
        managers = None
        if interaction.permissions.manage_guild:
            managers = "\n".join(
                (
                    "**For managers**",
                    f"{mention('daily setup')} posts a question every day, at your time, in your channel",
                    f"{mention('daily status')} says when the next one comes and what is wrong, if anything is",
                    "Who may use a command is set in Server Settings, Integrations.",
                )
            )
        await say(
            interaction,
            Message(
                OPEN,
                "### Quizformer\nQuiz rounds and a question of the day, to get ready for machine-learning interviews.",
                members,
                line() if managers else None,
                managers,
                "-# Your answers are private until the reveal, and only the first one counts.",
            ),
        )


async def setup(bot: QuizBot) -> None:
    await bot.add_cog(Help(bot))
