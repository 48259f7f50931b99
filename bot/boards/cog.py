"""/leaderboard and /stats, and their buttons."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

import discord
from discord import app_commands
from discord.app_commands import locale_str
from discord.ext import commands

from bot.boards import views as view
from bot.boards.service import Boards as BoardsService
from bot.chat.client import QuizBot
from bot.chat.messages import Message
from bot.chat.options import topic_choices
from bot.chat.permissions import require_may_post
from bot.chat.replies import defer_if_slow, say, say_here, show
from bot.chat.router import Fields, guild_id_of, roles_of
from bot.members.service import Members
from bot.plan.service import Plans

ShowBoard = Callable[[discord.Interaction, str, str | None, int, str | None], Awaitable[Message]]


class Boards(commands.Cog):
    def __init__(self, bot: QuizBot, boards: BoardsService, members: Members, plans: Plans) -> None:
        self.bot = bot
        self.plans = plans
        self.boards = boards
        self.members = members
        bot.router.add(view.BOARD, partial(self.turn_page, self._board))
        bot.router.add(view.TEAM_BOARD, partial(self.turn_page, self._team_board))
        bot.router.add(view.SHOW_BOARD, partial(self.show_in_channel, self._board))
        bot.router.add(view.SHOW_TEAM_BOARD, partial(self.show_in_channel, self._team_board))
        bot.router.add(view.STATS, self.share_stats)

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
        show_board = self._team_board if board == "teams" else self._board
        await say(interaction, await show_board(interaction, period, topic, 0, None))

    @app_commands.command(
        description="Your progress as a picture: accuracy, activity, streak and practice"
    )
    @app_commands.describe(member="Whose progress to show. Default: yours")
    @app_commands.guild_only()
    @app_commands.allowed_installs(guilds=True, users=False)
    async def stats(
        self, interaction: discord.Interaction, member: discord.Member | None = None
    ) -> None:
        await say(
            interaction,
            await defer_if_slow(interaction, self._stats(interaction, member or interaction.user)),
        )

    async def turn_page(
        self,
        board: ShowBoard,
        interaction: discord.Interaction,
        fields: Fields,
        shown_by: str | None = None,
    ) -> None:
        """Show another page or period, to the member or, with `shown_by`, to the channel."""
        page = int(fields["page"])
        card = await board(interaction, fields["period"], fields["topic"] or None, page, shown_by)
        if shown_by is None:
            await say_here(interaction, card)
        else:
            await say(interaction, card, public=True)

    async def show_in_channel(
        self, board: ShowBoard, interaction: discord.Interaction, fields: Fields
    ) -> None:
        """Post the current page of a board in the channel, with the name of the member."""
        require_may_post(interaction)
        await self.turn_page(board, interaction, fields, interaction.user.display_name)

    async def share_stats(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Show the member's figures to others or hide them, and update the page."""
        await self.members.show_stats(interaction.user.id, fields["do"] == "show")
        page = self._stats(interaction, interaction.user)
        await show(interaction, await defer_if_slow(interaction, page, edits=True))

    async def _stats(
        self, interaction: discord.Interaction, member: discord.Member | discord.User
    ) -> Message:
        guild_id = guild_id_of(interaction)
        own = member.id == interaction.user.id
        stats = await self.boards.stats(guild_id, member.id, interaction.user.id)
        plan = await self.plans.outlook(member.id, guild_id) if own else None
        return await view.stats_page(member.display_name, stats, own=own, plan=plan)

    async def _board(
        self,
        interaction: discord.Interaction,
        period: str,
        topic_id: str | None,
        page: int,
        shown_by: str | None,
    ) -> Message:
        board = await self.boards.board(
            guild_id_of(interaction),
            interaction.user.id,
            period=period,
            topic_id=topic_id,
            page=page,
        )
        bank = await self.bot.context.bank_for(interaction.user.id, interaction.guild_id)
        return view.board_page(board, bank.topics.get(topic_id or ""), shown_by)

    async def _team_board(
        self,
        interaction: discord.Interaction,
        period: str,
        topic_id: str | None,
        page: int,
        shown_by: str | None,
    ) -> Message:
        board = await self.boards.team_board(
            guild_id_of(interaction),
            roles_of(interaction),
            period=period,
            topic_id=topic_id,
            page=page,
        )
        bank = await self.bot.context.bank_for(interaction.user.id, interaction.guild_id)
        return view.team_board_page(board, bank.topics.get(topic_id or ""), shown_by)
