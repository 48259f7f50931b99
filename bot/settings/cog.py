"""/settings: the panel for managers to see and change how the bot works on their server."""

from __future__ import annotations

import discord
from discord import app_commands
from discord.ext import commands

from bot.chat.client import QuizBot
from bot.chat.permissions import (
    daily_problem,
    require_bot,
    require_page,
)
from bot.chat.replies import say_here
from bot.chat.router import (
    Fields,
    guild_id_of,
    modal_fields,
    parse_number,
    selected_id,
    selected_values,
)
from bot.core.errors import UserError
from bot.settings import service
from bot.settings import views as view
from bot.settings.service import ServerSettings


class Settings(commands.Cog):
    def __init__(self, bot: QuizBot, settings: ServerSettings) -> None:
        self.bot = bot
        self.service = settings
        bot.router.add(view.SETTINGS, self.change)
        bot.router.add(view.ZONE, self.change_zone)

    @app_commands.command(description="See and change how I work on this server")
    @app_commands.guild_only()
    @app_commands.allowed_installs(guilds=True, users=False)
    @app_commands.default_permissions(manage_guild=True)
    async def settings(self, interaction: discord.Interaction) -> None:
        require_bot(interaction)
        await self._show(interaction, await self.service.read(guild_id_of(interaction)))

    async def change(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Store the setting that a manager changed, and show the panel as it is now."""
        require_page(interaction, view.SETTINGS)
        guild_id = guild_id_of(interaction)
        match fields["what"]:
            case "zone":
                form = view.zone_form(await self.service.read(guild_id))
                await interaction.response.send_modal(form)
                return
            case "starters":
                found = await self.service.set_starters(guild_id, selected_id(interaction))
            case "packs":
                found = await self.service.set_packs(guild_id, selected_values(interaction))
            case "recap":
                found = await self.service.set_recap(guild_id, _picked_channel(interaction))
            case "recapday":
                found = await self.service.set_recap_day(
                    guild_id, parse_number(selected_values(interaction))
                )
            case _:
                found = await self.service.announce_suggestions(
                    guild_id, _picked_channel(interaction)
                )
        await self._show(interaction, found)

    async def change_zone(self, interaction: discord.Interaction, _fields: Fields) -> None:
        """Change the time zone to the one that was typed, else to the one that was picked."""
        require_page(interaction, view.ZONE)
        given = modal_fields(interaction)
        typed = "".join(given.get("other", ())).strip()
        listed = "".join(given.get("zone", ())).strip()
        found = await self.service.set_zone(guild_id_of(interaction), typed or listed)
        await self._show(interaction, found, view.zone_changed(found))

    async def _show(
        self, interaction: discord.Interaction, found: service.Settings, note: str | None = None
    ) -> None:
        await say_here(interaction, view.settings(found, _problems(interaction, found), note))


def _picked_channel(interaction: discord.Interaction) -> int | None:
    """Return the picked channel, or None; refuses a channel where the bot can't post."""
    channel_id = selected_id(interaction)
    problem = channel_id and _channel_problem(interaction, channel_id)
    if problem:
        raise UserError(problem)
    return channel_id


def _channel_problem(interaction: discord.Interaction, channel_id: int) -> str | None:
    channel = interaction.guild.get_channel(channel_id) if interaction.guild else None
    if not isinstance(channel, discord.TextChannel):
        return "That channel is gone, or I can't see it. Pick another one."
    return daily_problem(channel, thread=False, role=None)


def _problems(interaction: discord.Interaction, settings: service.Settings) -> list[str]:
    """Return a sentence for each setting that doesn't work now."""
    found = []
    server = settings.server
    role_id = server.starter_role_id
    if role_id and interaction.guild is not None and interaction.guild.get_role(role_id) is None:
        found.append(
            "The role that can start rounds was deleted, so only members with Manage Server can. Pick another one."
        )
    for channel_id in {server.suggestions_channel_id, settings.recap.channel_id}:
        problem = channel_id and _channel_problem(interaction, channel_id)
        if problem:
            found.append(problem)
    return list(dict.fromkeys(found))
