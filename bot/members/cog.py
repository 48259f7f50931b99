"""The page of teams, which a button of /settings opens."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import discord
from discord.ext import commands

from bot.chat.client import QuizBot
from bot.chat.permissions import require_page
from bot.chat.replies import say, say_here
from bot.chat.router import Fields, guild_id_of, parse_number, selected_id, selected_values
from bot.core.database import StorageError
from bot.core.errors import UserError
from bot.members import views as view
from bot.members.service import Teams

log = logging.getLogger(__name__)


class TeamsCog(commands.Cog):
    def __init__(self, bot: QuizBot, teams: Teams) -> None:
        self.teams = teams
        bot.router.add(view.TEAMS, self.page)

    async def page(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Handle the page's lists, and the button of /settings that opens it."""
        require_page(interaction, view.TEAMS)
        guild_id = guild_id_of(interaction)
        match fields["what"]:
            case "add":
                role = _role(interaction, selected_id(interaction))
                existing = list(_roles(interaction))
                teams = await self.teams.add(guild_id, role.id, role.name, existing)
                await self._show(interaction, teams, view.added(role.id))
            case "remove":
                role_id = parse_number(selected_values(interaction))
                teams = await self.teams.remove(guild_id, role_id)
                await self._show(interaction, teams, view.removed(role_id))
            case _:
                teams = await self.teams.current(guild_id, list(_roles(interaction)))
                await say(interaction, view.teams_page(_names(interaction, teams)))

    async def _show(
        self, interaction: discord.Interaction, teams: Sequence[int], note: str
    ) -> None:
        await say_here(interaction, view.teams_page(_names(interaction, teams), note))

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


def _roles(interaction: discord.Interaction) -> dict[int, str]:
    """Return the names of the server's roles by id."""
    return {role.id: role.name for role in interaction.guild.roles} if interaction.guild else {}


def _role(interaction: discord.Interaction, role_id: int | None) -> discord.Role:
    role = interaction.guild.get_role(role_id) if interaction.guild and role_id else None
    if role is None:
        raise UserError("That role is gone. Pick another one.")
    return role


def _names(interaction: discord.Interaction, teams: Sequence[int]) -> dict[int, str]:
    """Return the names of teams whose roles exist, by role id."""
    roles = _roles(interaction)
    return {role_id: roles[role_id] for role_id in teams if role_id in roles}
