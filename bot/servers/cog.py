"""/help: what to do first, for members and for managers."""

from __future__ import annotations

import discord
from discord import app_commands
from discord.ext import commands

from bot.chat.messages import OPEN, Message, line
from bot.chat.replies import say

_FOR_MEMBERS = """\
</quiz start> starts a round in this channel; everyone can play along
</today> shows the question of the day and your streak
</practice> asks you in private what you missed, and something new; it works by direct message too, \
and </remind> reminds you of it
</interview> asks you open questions in private and shows what your answers cover
</leaderboard> shows who leads, and your own place
</stats> and </topics> show what you know and what to look at again"""
_FOR_MANAGERS = """\
**For managers**
</daily setup> posts a question every day, at your time, in your channel
</daily status> says when the next one comes and what is wrong, if anything is
Who may use a command is set in Server Settings, Integrations."""


class Help(commands.Cog):
    @app_commands.command(name="help", description="What to do first")
    async def help(self, interaction: discord.Interaction) -> None:
        manages = interaction.permissions.manage_guild
        card = Message(
            OPEN,
            "### Quizformer\nQuiz rounds and a question of the day, to get ready for machine-learning interviews.",
            _FOR_MEMBERS,
            line() if manages else None,
            _FOR_MANAGERS if manages else None,
            "-# Your answers are private until the reveal, and only the first one counts.",
        )
        await say(interaction, card)
