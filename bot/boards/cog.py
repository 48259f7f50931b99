"""/leaderboard and its buttons."""

from __future__ import annotations

import discord
from discord import app_commands
from discord.app_commands import locale_str
from discord.ext import commands

from bot.boards import views as view
from bot.boards.service import Boards
from bot.chat.client import QuizBot, topic_choices
from bot.chat.messages import Message
from bot.chat.permissions import require_may_post
from bot.chat.replies import say, say_here
from bot.chat.router import Fields, guild_id_of, roles_of


class BoardsCog(commands.Cog):
    def __init__(self, bot: QuizBot, boards: Boards) -> None:
        self.bot = bot
        self.boards = boards
        bot.router.add(view.BOARD, self.turn_page)
        bot.router.add(view.SHOW_BOARD, self.show_in_channel)

    @app_commands.command(description="Who has the most points, and where you stand")
    @app_commands.describe(
        period="Points from when. Default: this week",
        board="Members, or teams by points per active member. Default: members",
        topic="Points from one topic only. Default: all topics",
    )
    @app_commands.choices(
        period=[
            app_commands.Choice(name=locale_str(title), value=p)
            for p, title in view.PERIOD_TITLES.items()
        ],
        board=[
            app_commands.Choice(name=locale_str(name.capitalize()), value=name)
            for name in ("members", "teams")
        ],
    )
    @app_commands.autocomplete(topic=topic_choices)
    @app_commands.guild_only()
    @app_commands.allowed_installs(guilds=True, users=False)
    async def leaderboard(
        self,
        interaction: discord.Interaction,
        period: str = "week",
        board: str = "members",
        topic: str | None = None,
    ) -> None:
        await say(interaction, await self._page(interaction, board, period, topic))

    async def turn_page(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Show another page, period or board to the member."""
        await say_here(interaction, await self._page_of(interaction, fields))

    async def show_in_channel(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Post the current page of a board in the channel, with the name of the member."""
        require_may_post(interaction)
        name = interaction.user.display_name
        await say(interaction, await self._page_of(interaction, fields, name), public=True)

    async def _page_of(
        self, interaction: discord.Interaction, fields: Fields, shown_by: str | None = None
    ) -> Message:
        return await self._page(
            interaction,
            fields["of"],
            fields["period"],
            fields["topic"] or None,
            page=int(fields["page"]),
            shown_by=shown_by,
        )

    async def _page(
        self,
        interaction: discord.Interaction,
        of: str,
        period: str,
        topic_id: str | None,
        *,
        page: int = 0,
        shown_by: str | None = None,
    ) -> Message:
        guild_id, user_id = guild_id_of(interaction), interaction.user.id
        bank = await self.bot.context.bank_for(user_id, guild_id)
        asked = view.Asked(of, period, bank.topics.get(topic_id or ""), shown_by)
        if of == "teams":
            of_teams = await self.boards.team_board(
                guild_id, roles_of(interaction), period=period, topic_id=topic_id, page=page
            )
            manages = interaction.permissions.manage_guild
            return view.team_board_page(of_teams, asked, manages=manages)
        board = await self.boards.board(
            guild_id, user_id, period=period, topic_id=topic_id, page=page
        )
        return view.board_page(board, asked)
