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
        """Refuse on a server without the bot, before Discord's role options are resolved."""
        require_bot(interaction)
        return True

    @app_commands.command(description="Make a role a team")
    @app_commands.describe(role="The role whose members are to be a team")
    async def add(self, interaction: discord.Interaction, role: discord.Role) -> None:
        _require_manager(interaction)
        existing = [each.id for each in role.guild.roles]
        teams = await self.teams.add(role.guild.id, role.id, role.name, existing)
        await say(interaction, view.listed(teams, view.added(role.id)))

    @app_commands.command(description="Let a role be a team no more")
    @app_commands.describe(role="The role that is a team now")
    async def remove(self, interaction: discord.Interaction, role: discord.Role) -> None:
        _require_manager(interaction)
        teams = await self.teams.remove(role.guild.id, role.id)
        await say(interaction, view.listed(teams, view.removed(role.id)))

    @app_commands.command(description="See the teams of this server")
    async def list(self, interaction: discord.Interaction) -> None:
        existing = [role.id for role in interaction.guild.roles] if interaction.guild else []
        teams = await self.teams.current(guild_id_of(interaction), existing)
        await say(interaction, view.listed(teams))

    @commands.Cog.listener()
    async def on_guild_role_update(self, before: discord.Role, after: discord.Role) -> None:
        if before.name != after.name:
            await self._update_role(after, deleted=False)

    @commands.Cog.listener()
    async def on_guild_role_delete(self, role: discord.Role) -> None:
        await self._update_role(role, deleted=True)

    async def _update_role(self, role: discord.Role, *, deleted: bool) -> None:
        """Store a role's new name or its deletion; a failure is repaired with the next change."""
        try:
            await self.teams.update_role(role.guild.id, role.id, role.name, deleted=deleted)
        except StorageError as error:
            log.warning(
                "a role that was %s was not noted: %s",
                "deleted" if deleted else "renamed",
                type(error).__name__,
            )


def _require_manager(interaction: discord.Interaction) -> None:
    """Refuse members without Manage Server.

    Discord can't do it, because permissions apply to a whole group and this one also has a command
    for everyone: https://discord.com/developers/docs/interactions/application-commands#permissions
    """
    if not interaction.permissions.manage_guild:
        raise UserError(
            "Only members with Manage Server can choose the teams. See the teams with </team list>."
        )
