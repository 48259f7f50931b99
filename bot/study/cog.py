"""/topics: the list of topics, and the page of one."""

from __future__ import annotations

import discord
from discord import app_commands
from discord.ext import commands

from bot.chat.client import QuizBot
from bot.chat.messages import Message
from bot.chat.options import topic_choices
from bot.chat.replies import say, say_here
from bot.chat.router import UNKNOWN, Fields, selected_values
from bot.core.errors import UserError
from bot.study import views as view
from bot.study.service import Studies


class Topics(commands.Cog):
    def __init__(self, bot: QuizBot, studies: Studies) -> None:
        self.studies = studies
        bot.router.add(view.TOPICS, self.show_list)
        bot.router.add(view.TOPIC_PICK, self.pick_topic)
        bot.router.add(view.STUDY, self.show_topic)

    @app_commands.command(
        description="All topics and how you're doing in each, or one topic to read up on"
    )
    @app_commands.describe(
        topic="Read up on this one: its question, key points and model answer. Default: all topics"
    )
    @app_commands.autocomplete(topic=topic_choices)
    @app_commands.allowed_installs(guilds=True, users=True)
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
    async def topics(self, interaction: discord.Interaction, topic: str | None = None) -> None:
        page = self._list(interaction, 0) if topic is None else self._topic(interaction, topic)
        await say(interaction, await page)

    async def show_list(self, interaction: discord.Interaction, fields: Fields) -> None:
        await say_here(interaction, await self._list(interaction, int(fields["page"])))

    async def pick_topic(self, interaction: discord.Interaction, _fields: Fields) -> None:
        """Replace the list with the page of the topic that was picked."""
        picked = selected_values(interaction)
        if len(picked) != 1:
            raise UserError(UNKNOWN)
        await say_here(interaction, await self._topic(interaction, picked[0]))

    async def show_topic(self, interaction: discord.Interaction, fields: Fields) -> None:
        await say_here(
            interaction, await self._topic(interaction, fields["topic"], int(fields["page"]))
        )

    async def _list(self, interaction: discord.Interaction, page: int) -> Message:
        found = await self.studies.topics(interaction.user.id, interaction.guild_id)
        return view.topic_list(found, page)

    async def _topic(
        self, interaction: discord.Interaction, topic_id: str, page: int = 0
    ) -> Message:
        found = await self.studies.page(interaction.user.id, interaction.guild_id, topic_id)
        return view.study_page(found, page)
