"""The pages of /bank insights, and rounds on what the group is weakest in."""

from __future__ import annotations

import discord
from discord.ext import commands

from bot.chat.client import QuizBot
from bot.chat.messages import Message
from bot.chat.permissions import require_page
from bot.chat.replies import defer_if_slow, say, show
from bot.chat.router import Fields, guild_id_of
from bot.insights import views as view
from bot.insights.service import QuestionInsights
from bot.rounds.cog import start_round
from bot.rounds.service import Rounds


class Insights(commands.Cog):
    """The pages of `/bank insights`; the command itself is in `bot.bank.cog` with the rest of its group."""

    def __init__(self, bot: QuizBot, insights: QuestionInsights, rounds: Rounds) -> None:
        self.insights = insights
        self.rounds = rounds
        bot.router.add(view.INSIGHTS, self.turn)
        bot.router.add(view.WEAKEST, self.start)

    async def show(self, interaction: discord.Interaction) -> None:
        """Answer the command."""
        work = page(self.insights, guild_id_of(interaction))
        await say(interaction, await defer_if_slow(interaction, work))

    async def turn(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Open a list, turn its pages, or go back to the overview, always with what is true now."""
        require_page(interaction, view.INSIGHTS)
        work = page(self.insights, guild_id_of(interaction), fields["list"], int(fields["page"]))
        await show(interaction, await defer_if_slow(interaction, work, edits=True))

    async def start(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Start a round on a topic, in the channel and for everybody."""
        require_page(interaction, view.WEAKEST)
        await start_round(self.rounds, interaction, topic_id=fields["topic"])


async def page(
    insights: QuestionInsights, guild_id: int, name: str = "all", number: int = 0
) -> Message:
    """The overview, or a page of a list."""
    found, bank = await insights.look(guild_id)
    return await view.overview(found) if name == "all" else view.listing(found, bank, name, number)
