"""/anki: the questions as a deck for Anki."""

from __future__ import annotations

import discord
from discord import app_commands
from discord.ext import commands

from bot.anki import views as view
from bot.anki.service import AnkiDecks
from bot.chat.client import QuizBot
from bot.chat.options import topic_choices
from bot.chat.replies import defer_if_slow, say


@app_commands.allowed_installs(guilds=True, users=True)
@app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
class Anki(commands.GroupCog, group_name="anki", group_description="Take the questions to Anki"):
    def __init__(self, _bot: QuizBot, decks: AnkiDecks) -> None:
        self.decks = decks

    @app_commands.command(description="Get the questions you're asked here as a deck for Anki")
    @app_commands.describe(topic="Only this topic. Default: all topics")
    @app_commands.autocomplete(topic=topic_choices)
    async def export(self, interaction: discord.Interaction, topic: str | None = None) -> None:
        work = self.decks.export(interaction.user.id, interaction.guild_id, topic)
        await say(interaction, view.exported(await defer_if_slow(interaction, work)))
