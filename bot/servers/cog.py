"""Hello on a new server, and /help: what to do first, by place, for members and for managers."""

from __future__ import annotations

import logging

import discord
from discord import app_commands
from discord.ext import commands

from bot.chat.client import QuizBot
from bot.chat.permissions import needed, require_manager
from bot.chat.replies import say
from bot.chat.router import Fields
from bot.core.context import Place
from bot.core.errors import DeliveryRefused, DeliveryUnknown
from bot.rounds.cog import start_round
from bot.rounds.service import Rounds
from bot.servers import views as view

log = logging.getLogger(__name__)

_TEST_QUESTIONS = 3


class Servers(commands.Cog):
    def __init__(self, bot: QuizBot, rounds: Rounds) -> None:
        self.bot = bot
        self.rounds = rounds
        bot.router.add(view.TEST_ROUND, self.play_test_round)

    @commands.Cog.listener()
    async def on_guild_join(self, guild: discord.Guild) -> None:
        """Say hello where the server's own notices stand, or else in the first channel where the bot may write."""
        channel = next((c for c in (guild.system_channel, *guild.text_channels) if c and _may_write(c)), None)
        if channel is None:
            log.info("guild %s: no channel to say hello in", guild.id)
            return
        try:  # by the server's own nonce: an event that comes twice says hello once
            place = Place(guild.id, channel.id)
            await self.bot.context.sender.post(place, view.hello(), f"hello-{guild.id}", urgent=False)
        except (DeliveryRefused, DeliveryUnknown) as error:
            log.info("guild %s: hello was not said (%s)", guild.id, error)

    async def play_test_round(self, interaction: discord.Interaction, _fields: Fields) -> None:
        require_manager(interaction)
        await start_round(self.rounds, interaction, questions=_TEST_QUESTIONS)

    @app_commands.command(name="help", description="What I can do, and where to start")
    @app_commands.allowed_installs(guilds=True, users=True)
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
    async def help(self, interaction: discord.Interaction) -> None:
        install = None if interaction.is_user_integration() else self.bot.user_install_link()
        if interaction.guild_id is None or self.bot.get_guild(interaction.guild_id) is None:
            await say(interaction, view.help_alone(install))
        else:
            manages = interaction.permissions.manage_guild
            await say(interaction, view.help_on_server(manages=manages, install=install))


def _may_write(channel: discord.TextChannel) -> bool:
    permissions = channel.permissions_for(channel.guild.me)
    return all(getattr(permissions, name) for name in needed(channel))
