"""The page of milestones, which a button of /settings opens, and what members read about theirs."""

from __future__ import annotations

import logging
from typing import Any

import discord
from discord.ext import commands

from bot.chat.client import QuizBot
from bot.chat.permissions import giving_problem, require_may_give, require_page, role_problem
from bot.chat.replies import TRANSIENT_ERRORS, say, say_here
from bot.chat.router import (
    Fields,
    guild_id_of,
    modal_fields,
    parse_number,
    selected_values,
)
from bot.core.database import StorageError
from bot.core.errors import UserError
from bot.milestones import views as view
from bot.milestones.model import Kind, Milestone, MilestonePage
from bot.milestones.service import Milestones

log = logging.getLogger(__name__)


class MilestonesCog(commands.Cog):
    def __init__(self, bot: QuizBot, milestones: Milestones) -> None:
        self.bot = bot
        self.service = milestones
        bot.router.add(view.PAGE, self.page)
        bot.router.add(view.ADDED, self.added)

    async def page(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Handle the page's buttons and list, and the button of /settings that opens it."""
        require_page(interaction, view.PAGE)
        guild_id = guild_id_of(interaction)
        match fields["what"]:
            case "streak":
                await interaction.response.send_modal(view.streak_form())
            case "section":
                found = await self.service.page(guild_id)
                if not found.sections:
                    raise UserError(
                        "No section here has enough questions yet. Add some in </bank>."
                    )
                await interaction.response.send_modal(view.section_form(found))
            case "remove":
                kind, _, name = "".join(selected_values(interaction)).partition(":")
                if kind not in list(Kind):
                    raise UserError("I can't use that here. Pick one from the list.")
                found = await self.service.remove(guild_id, Kind(kind), name)
                await self._show(interaction, found, view.REMOVED)
            case _:
                found = await self.service.page(guild_id)
                await say(interaction, view.page(found, _problems(interaction, found)))

    async def added(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Add the milestone of a form, or change its role."""
        require_page(interaction, view.ADDED)
        given = modal_fields(interaction)
        role_id = parse_number(given.get("role", ()))
        role = interaction.guild.get_role(role_id) if interaction.guild else None
        if role is None:
            raise UserError("That role is gone. Pick another one.")
        require_may_give(interaction, role)
        kind, name = Kind(fields["kind"]), "".join(given.get("name", ()))
        chosen = Milestone(kind, name, role.id)
        found = await self.service.add(guild_id_of(interaction), chosen)
        await self._show(interaction, found, view.added(kind, role.id))

    async def _show(
        self, interaction: discord.Interaction, found: MilestonePage, note: str
    ) -> None:
        await say_here(interaction, view.page(found, _problems(interaction, found), note))

    # --- roles that were given, or can be given again

    @commands.Cog.listener()
    async def on_guild_role_update(self, before: discord.Role, after: discord.Role) -> None:
        """Try again once a role of the bot's own was moved, which may lift it above others."""
        me = after.guild.me
        if before.position != after.position and me is not None and after in me.roles:
            await self.service.wake(after.guild.id)

    @commands.Cog.listener()
    async def on_app_command_completion(
        self, interaction: discord.Interaction, _command: Any
    ) -> None:
        """Tell a member after any command about their new roles, unless it opened a modal."""
        if (
            interaction.guild_id is None
            or interaction.response.type is discord.InteractionResponseType.modal
        ):
            return
        try:
            found = await self.service.untold(interaction.guild_id, interaction.user.id)
            if found:
                await say(interaction, view.given(found))
                await self.service.set_told(found)
        except (discord.HTTPException, StorageError, *TRANSIENT_ERRORS) as error:
            log.info("telling of a milestone failed, to be tried again (%s)", type(error).__name__)


def _problems(interaction: discord.Interaction, found: MilestonePage) -> list[str]:
    """Return a sentence for each milestone whose role can't be given now."""
    guild = interaction.guild
    if guild is None or not found.milestones:
        return []
    problems = [role_problem(guild, each.role_id) for each in found.milestones]
    return [problem for problem in (giving_problem(guild), *problems) if problem]
