"""/team: managers choose which roles are teams, and everyone sees them."""

from __future__ import annotations

import logging

import discord
from discord import app_commands
from discord.ext import commands

from bot.chat.client import QuizBot
from bot.chat.permissions import require_bot
from bot.chat.replies import say
from bot.chat.router import guild_id_of
from bot.core.database import StorageError
from bot.core.errors import UserError
from bot.teams import views as view
from bot.teams.service import Teams

log = logging.getLogger(__name__)


@app_commands.guild_only()
@app_commands.allowed_installs(guilds=True, users=False)
class Team(
    commands.GroupCog,
    group_name="team",
    group_description="Teams whose members win points together",
):
    def __init__(self, bot: QuizBot, teams: Teams) -> None:
        self.teams = teams

    async def interaction_check(self, interaction: discord.Interaction) -> bool:
        """Comes before the options, whose roles nobody knows on a server without the bot."""
        require_bot(interaction)
        return True

    @app_commands.command(description="Make a role a team")
    @app_commands.describe(role="The role whose members are to be a team")
    async def add(self, interaction: discord.Interaction, role: discord.Role) -> None:
        _require_manager(interaction)
        here = [each.id for each in role.guild.roles]
        teams = await self.teams.add(role.guild.id, role.id, role.name, here)
        await say(interaction, view.listed(teams, view.added(role.id)))

    @app_commands.command(description="Let a role be a team no more")
    @app_commands.describe(role="The role that is a team now")
    async def remove(self, interaction: discord.Interaction, role: discord.Role) -> None:
        _require_manager(interaction)
        teams = await self.teams.remove(role.guild.id, role.id)
        await say(interaction, view.listed(teams, view.removed(role.id)))

    @app_commands.command(description="See the teams of this server")
    async def list(self, interaction: discord.Interaction) -> None:
        here = [role.id for role in interaction.guild.roles] if interaction.guild else []
        await say(interaction, view.listed(await self.teams.all_of(guild_id_of(interaction), here)))

    @commands.Cog.listener()
    async def on_guild_role_update(self, before: discord.Role, after: discord.Role) -> None:
        if before.name != after.name:
            await self._note(after, gone=False)

    @commands.Cog.listener()
    async def on_guild_role_delete(self, role: discord.Role) -> None:
        await self._note(role, gone=True)

    async def _note(self, role: discord.Role, *, gone: bool) -> None:
        """Keep what became of a role; what is not stored now is noticed with the next change of the teams."""
        try:
            await self.teams.note(role.guild.id, role.id, role.name, gone=gone)
        except StorageError as error:
            log.warning(
                "a role that was %s was not noted: %s",
                "deleted" if gone else "renamed",
                type(error).__name__,
            )


def _require_manager(interaction: discord.Interaction) -> None:
    """The group is for everyone, as it has commands of both kinds, so that Discord does not decide this."""
    if not interaction.permissions.manage_guild:
        raise UserError(
            "Only members with Manage Server can choose the teams. See the teams with </team list>."
        )
