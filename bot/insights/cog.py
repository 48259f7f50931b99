"""The pages of /bank insights, and its buttons that start rounds on weak topics."""

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
from bot.rounds.model import RoundOptions
from bot.rounds.service import Rounds


class Insights(commands.Cog):
    """The pages of `/bank insights`; the command is in `bot.bank.cog` with the rest of its group."""

    def __init__(self, bot: QuizBot, insights: QuestionInsights, rounds: Rounds) -> None:
        self.insights = insights
        self.rounds = rounds
        bot.router.add(view.INSIGHTS, self.turn_page)
        bot.router.add(view.WEAKEST, self.start_round)

    async def show(self, interaction: discord.Interaction) -> None:
        """Show the overview; `/bank insights` calls this."""
        await say(interaction, await defer_if_slow(interaction, self._page(interaction)))

    async def turn_page(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Show a page of a list or the overview, computed again."""
        require_page(interaction, view.INSIGHTS)
        page = self._page(interaction, fields["list"], int(fields["page"]))
        await show(interaction, await defer_if_slow(interaction, page, edits=True))

    async def start_round(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Start a round on a topic, for everyone in the channel."""
        require_page(interaction, view.WEAKEST)
        await start_round(self.rounds, interaction, RoundOptions(topic_id=fields["topic"]))

    async def _page(
        self, interaction: discord.Interaction, name: str = "all", number: int = 0
    ) -> Message:
        """Return the overview, or a page of the list with this name."""
        found, bank = await self.insights.analyze(guild_id_of(interaction))
        if name == "all":
            return await view.overview(found)
        return view.list_page(found, bank, name, number)
