"""Hello on a new server, /help, and the test round that a manager can start from the hello."""

from __future__ import annotations

import logging

import discord
from discord import app_commands
from discord.ext import commands

from bot.chat.client import QuizBot
from bot.chat.permissions import missing_permissions, permissions_to_play, require_manager
from bot.chat.replies import say
from bot.chat.router import Fields
from bot.core.context import Place
from bot.core.errors import DeliveryRefused, DeliveryUnknown
from bot.help import views as view
from bot.help.service import Help as HelpService
from bot.rounds.cog import start_round
from bot.rounds.service import Rounds

log = logging.getLogger(__name__)


class Help(commands.Cog):
    def __init__(self, bot: QuizBot, rounds: Rounds, help_: HelpService) -> None:
        self.bot = bot
        self.rounds = rounds
        self._help = help_
        bot.router.add(view.TEST_ROUND, self.play_test_round)

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
