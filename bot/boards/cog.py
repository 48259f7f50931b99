"""/leaderboard and /stats, and their buttons."""

from __future__ import annotations

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


class Boards(commands.Cog):
    def __init__(self, bot: QuizBot, boards: BoardsService, members: Members, plans: Plans) -> None:
        self.bot = bot
        self.plans = plans
        self.boards = boards
        self.members = members
        bot.router.add(view.BOARD, partial(self.turn_page, teams=False))
        bot.router.add(view.TEAM_BOARD, partial(self.turn_page, teams=True))
        bot.router.add(view.SHOW_BOARD, partial(self.show_in_channel, teams=False))
        bot.router.add(view.SHOW_TEAM_BOARD, partial(self.show_in_channel, teams=True))
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
        await say(interaction, await self._board(interaction, board == "teams", period, topic))

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
        self, interaction: discord.Interaction, fields: Fields, *, teams: bool
    ) -> None:
        """Show another page or period to the member."""
        await say_here(interaction, await self._page(interaction, fields, teams))

    async def show_in_channel(
        self, interaction: discord.Interaction, fields: Fields, *, teams: bool
    ) -> None:
        """Post the current page of a board in the channel, with the name of the member."""
        require_may_post(interaction)
        name = interaction.user.display_name
        await say(interaction, await self._page(interaction, fields, teams, name), public=True)

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

    async def _page(
        self,
        interaction: discord.Interaction,
        fields: Fields,
        teams: bool,
        shown_by: str | None = None,
    ) -> Message:
        topic_id, page = fields["topic"] or None, int(fields["page"])
        return await self._board(interaction, teams, fields["period"], topic_id, page, shown_by)

    async def _board(
        self,
        interaction: discord.Interaction,
        teams: bool,
        period: str,
        topic_id: str | None,
        page: int = 0,
        shown_by: str | None = None,
    ) -> Message:
        """Return a page of a board: the member's own, or one that `shown_by` shows the channel."""
        guild_id, user_id = guild_id_of(interaction), interaction.user.id
        bank = await self.bot.context.bank_for(user_id, guild_id)
        topic = bank.topics.get(topic_id or "")
        if teams:
            of_teams = await self.boards.team_board(
                guild_id, roles_of(interaction), period=period, topic_id=topic_id, page=page
            )
            return view.team_board_page(of_teams, topic, shown_by)
        board = await self.boards.board(
            guild_id, user_id, period=period, topic_id=topic_id, page=page
        )
        return view.board_page(board, topic, shown_by)
