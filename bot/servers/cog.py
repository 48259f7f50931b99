"""Hello on a new server, its settings, and /help: what to do first, by place, for members and for managers."""

from __future__ import annotations

import logging

import discord
from discord import app_commands
from discord.ext import commands

from bot.chat.client import QuizBot
from bot.chat.permissions import (
    daily_problem,
    missing,
    needed,
    require_bot,
    require_manager,
    require_page,
)
from bot.chat.replies import say, say_here
from bot.chat.router import Fields, entered, guild_id_of, number_in, picked_id, picked_in
from bot.core.context import Place
from bot.core.errors import DeliveryRefused, DeliveryUnknown, UserError
from bot.rounds.cog import start_round
from bot.rounds.service import Rounds
from bot.servers import service
from bot.servers import views as view
from bot.servers.service import Help, ServerSettings

log = logging.getLogger(__name__)


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
        await self._show(interaction, await self.service.look(guild_id_of(interaction)))

    async def change(self, interaction: discord.Interaction, fields: Fields) -> None:
        """A manager changed a setting; the panel shows at once what comes of it."""
        require_page(interaction, view.SETTINGS)
        guild_id = guild_id_of(interaction)
        match fields["what"]:
            case "zone":
                form = view.zone_form(await self.service.look(guild_id))
                await interaction.response.send_modal(form)
                return
            case "starters":
                found = await self.service.set_starters(guild_id, picked_id(interaction))
            case "packs":
                found = await self.service.set_packs(guild_id, picked_in(interaction))
            case "recap":
                found = await self.service.set_recap(guild_id, _picked_channel(interaction))
            case "recapday":
                found = await self.service.set_recap_day(
                    guild_id, number_in(picked_in(interaction))
                )
            case _:
                found = await self.service.announce_suggestions(
                    guild_id, _picked_channel(interaction)
                )
        await self._show(interaction, found)

    async def change_zone(self, interaction: discord.Interaction, _fields: Fields) -> None:
        """The modal for the time zone; what was typed goes before what stands in the list."""
        require_page(interaction, view.ZONE)
        given = entered(interaction)
        typed, listed = ("".join(given.get(name, ())).strip() for name in ("other", "zone"))
        found = await self.service.set_zone(guild_id_of(interaction), typed or listed)
        await self._show(interaction, found, view.zone_changed(found))

    async def _show(
        self, interaction: discord.Interaction, found: service.Settings, note: str | None = None
    ) -> None:
        await say_here(interaction, view.settings(found, _problems(interaction, found), note))


def _picked_channel(interaction: discord.Interaction) -> int | None:
    """Return the channel that was picked, None for nothing; refuses one in which the bot could not post."""
    channel_id = picked_id(interaction)
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
    """What is set and does not work now."""
    found, server = [], settings.server
    role_id = server.starter_role_id
    if role_id and interaction.guild is not None and interaction.guild.get_role(role_id) is None:
        found.append(
            "The role that can start rounds was deleted, so only members with Manage Server can. Pick another one."
        )
    channels = {server.suggestions_channel_id, settings.recap.channel_id} - {None}
    found += [
        _channel_problem(interaction, channel_id) or "" for channel_id in channels if channel_id
    ]
    return list(dict.fromkeys(problem for problem in found if problem))


class Servers(commands.Cog):
    def __init__(self, bot: QuizBot, rounds: Rounds, help_: Help) -> None:
        self.bot = bot
        self.rounds = rounds
        self._help = help_
        bot.router.add(view.TEST_ROUND, self.play_test_round)

    @commands.Cog.listener()
    async def on_guild_join(self, guild: discord.Guild) -> None:
        """Say hello where the server's own notices stand, or else in the first channel where the bot may write."""
        candidates = (guild.system_channel, *guild.text_channels)
        channel = next(
            (c for c in candidates if c and not missing(c.permissions_for(guild.me), needed(c))),
            None,
        )
        if channel is None:
            log.info("guild %s: no channel to say hello in", guild.id)
            return
        try:  # by the server's own nonce: an event that comes twice says hello once
            place = Place(guild.id, channel.id)
            await self.bot.context.sender.post(
                place, view.hello(), f"hello-{guild.id}", urgent=False
            )
        except (DeliveryRefused, DeliveryUnknown) as error:
            log.info("guild %s: hello was not said (%s)", guild.id, error)

    async def play_test_round(self, interaction: discord.Interaction, _fields: Fields) -> None:
        require_manager(interaction)
        await start_round(self.rounds, interaction, questions=3)

    @app_commands.command(name="help", description="What I can do, and where to start")
    @app_commands.allowed_installs(guilds=True, users=True)
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
    async def help(self, interaction: discord.Interaction) -> None:
        install = None if interaction.is_user_integration() else self.bot.user_install_link()
        manages, asker = interaction.permissions.manage_guild, interaction.user.id
        if interaction.guild_id is None or self.bot.get_guild(interaction.guild_id) is None:
            done = await self._help.done(asker, None, manages=False)
            await say(interaction, view.help_alone(done, install))
        else:
            done = await self._help.done(asker, interaction.guild_id, manages=manages)
            await say(interaction, view.help_on_server(done, manages=manages, install=install))
