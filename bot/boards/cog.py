"""/leaderboard, /stats and /topics, and the buttons that turn their pages."""

from __future__ import annotations

from typing import Literal

import discord
from discord import app_commands
from discord.ext import commands

from bot.boards import views as view
from bot.boards.stats import stats_card, stats_picture
from bot.chat import custom_ids as ids
from bot.chat.client import QuizBot
from bot.chat.options import topic_choices
from bot.chat.replies import say, show
from bot.chat.router import Fields
from bot.questions.views import Message


class Boards(commands.Cog):
    def __init__(self, bot: QuizBot) -> None:
        self.bot = bot
        bot.router.add(ids.BOARD, self.turn_board)
        bot.router.add(ids.TOPICS, self.turn_topics)
        bot.router.add(ids.STATS, self.share_stats)

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

    @app_commands.command(description="A picture of what you know: accuracy, activity, streak and cards")
    @app_commands.describe(member="Whose figures (yours if you don't say)")
    @app_commands.guild_only()
    @app_commands.allowed_installs(guilds=True, users=False)
    async def stats(self, interaction: discord.Interaction, member: discord.Member | None = None) -> None:
        card, files = await self._stats(interaction, (member or interaction.user).id)
        await say(interaction, card, files)

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

    async def share_stats(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Let others see one's own figures, or not any more; the page then says how it is."""
        await self.bot.services.boards.show_stats(interaction.user.id, fields["do"] == "show")
        card, files = await self._stats(interaction, interaction.user.id)
        await show(interaction, card, files)

    async def _stats(self, interaction: discord.Interaction, user_id: int) -> tuple[Message, list[discord.File]]:
        stats = await self.bot.services.boards.stats(_guild_id(interaction), user_id, interaction.user.id)
        picture = await stats_picture(stats)
        card = stats_card(stats, picture, own=user_id == interaction.user.id)
        return card, [picture.file()] if picture else []

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
