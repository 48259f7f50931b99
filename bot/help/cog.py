"""The hello on a new server, and /help."""

from __future__ import annotations

import logging

import discord
from discord import app_commands
from discord.ext import commands

from bot.chat.client import QuizBot
from bot.chat.permissions import is_on_server, missing_permissions, permissions_to_play
from bot.chat.replies import defer_here, say_here
from bot.chat.router import Fields
from bot.core.context import Place
from bot.core.errors import DeliveryRefused, DeliveryUnknown
from bot.help import views as view
from bot.help.service import Help

log = logging.getLogger(__name__)


class HelpCog(commands.Cog):
    def __init__(self, bot: QuizBot, help_: Help) -> None:
        self.bot = bot
        self._help = help_
        bot.router.add(view.COMMANDS, self.commands)

    @commands.Cog.listener()
    async def on_guild_join(self, guild: discord.Guild) -> None:
        """Say hello in the system channel, or else in the first channel that the bot can use."""
        candidates = (guild.system_channel, *guild.text_channels)
        channel = next(
            (
                c
                for c in candidates
                if c
                and not missing_permissions(c.permissions_for(guild.me), permissions_to_play(c))
            ),
            None,
        )
        if channel is None:
            log.info("guild %s: no channel to say hello in", guild.id)
            return
        try:  # a repeated event has the same nonce, so it posts nothing
            await self.bot.context.sender.post(
                Place(guild.id, channel.id), view.hello(), f"hello-{guild.id}"
            )
            await self._help.said_hello(guild.id, channel.id)
        except (DeliveryRefused, DeliveryUnknown) as error:
            log.info("guild %s: hello was not said (%s)", guild.id, error)

    @app_commands.command(name="help", description="What's next for you, and all commands")
    @app_commands.allowed_installs(guilds=True, users=True)
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
    async def help(self, interaction: discord.Interaction) -> None:
        on_server = is_on_server(interaction)
        work = self._help.next_steps(
            interaction.user.id,
            interaction.guild_id if on_server else None,
            manages=interaction.permissions.manage_guild,
        )
        steps, today = await defer_here(interaction, work)
        install = None if interaction.is_user_integration() else self.bot.user_install_link()
        page = view.help_page(steps, today, on_server=on_server, install=install)
        await say_here(interaction, page)

    async def commands(self, interaction: discord.Interaction, _fields: Fields) -> None:
        on_server = is_on_server(interaction)
        manages = on_server and interaction.permissions.manage_guild
        await say_here(interaction, view.commands(on_server=on_server, manages=manages))
