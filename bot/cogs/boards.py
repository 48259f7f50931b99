"""/leaderboard, /stats and /topics, and the buttons that turn their pages."""

from __future__ import annotations

from typing import Literal

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import QuizBot
from bot.cogs.options import topic_choices
from bot.ui import boards as view
from bot.ui import custom_ids as ids
from bot.ui.replies import say, show
from bot.ui.router import Fields


class Boards(commands.Cog):
    def __init__(self, bot: QuizBot) -> None:
        self.bot = bot
        bot.router.add(ids.BOARD, self.turn_board)
        bot.router.add(ids.TOPICS, self.turn_topics)

    @app_commands.command(description="Who has the most points, and where you stand")
    @app_commands.describe(period="This week if you don't say", topic="Points of one topic only")
    @app_commands.autocomplete(topic=topic_choices)
    @app_commands.guild_only()
    @app_commands.allowed_installs(guilds=True, users=False)
    async def leaderboard(
        self,
        interaction: discord.Interaction,
        period: Literal["today", "week", "month", "all"] = "week",
        topic: str | None = None,
    ) -> None:
        await say(interaction, await self._board(interaction, period, topic, 0))

    @app_commands.command(description="Accuracy, days active, streak and weakest topics")
    @app_commands.describe(member="Whose figures (yours if you don't say)")
    @app_commands.guild_only()
    @app_commands.allowed_installs(guilds=True, users=False)
    async def stats(self, interaction: discord.Interaction, member: discord.Member | None = None) -> None:
        user = member or interaction.user
        stats = await self.bot.services.boards.stats(_guild_id(interaction), user.id)
        await say(interaction, view.stats_card(stats, interaction.user.id))

    @app_commands.command(description="All sections and topics, and how you do in them")
    @app_commands.guild_only()
    @app_commands.allowed_installs(guilds=True, users=False)
    async def topics(self, interaction: discord.Interaction) -> None:
        await say(interaction, await self._topics(interaction, 0))

    async def turn_board(self, interaction: discord.Interaction, fields: Fields) -> None:
        card = await self._board(interaction, fields["period"], fields["topic"] or None, int(fields["page"]))
        await show(interaction, card)

    async def turn_topics(self, interaction: discord.Interaction, fields: Fields) -> None:
        await show(interaction, await self._topics(interaction, int(fields["page"])))

    async def _board(
        self, interaction: discord.Interaction, period: str, topic_id: str | None, page: int
    ) -> discord.ui.LayoutView:
        board = await self.bot.services.boards.board(
            _guild_id(interaction), interaction.user.id, period=period, topic_id=topic_id, page=page
        )
        return view.board_card(board, self.bot.bank.topics.get(topic_id or ""))

    async def _topics(self, interaction: discord.Interaction, page: int) -> discord.ui.LayoutView:
        progress = await self.bot.services.boards.progress(_guild_id(interaction), interaction.user.id)
        return view.topics_card(self.bot.bank, progress, page)


def _guild_id(interaction: discord.Interaction) -> int:
    assert interaction.guild_id is not None  # these commands exist on servers only
    return interaction.guild_id


async def setup(bot: QuizBot) -> None:
    await bot.add_cog(Boards(bot))
