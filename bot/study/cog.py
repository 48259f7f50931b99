"""/topics: all topics with the asker's progress, and the page of one."""

from __future__ import annotations

import discord
from discord import app_commands
from discord.ext import commands

from bot.boards import views as boards_view
from bot.boards.service import Boards
from bot.chat.client import QuizBot
from bot.chat.messages import Message
from bot.chat.options import topic_choices
from bot.chat.replies import say, say_here
from bot.chat.router import UNKNOWN, Fields, picked_in
from bot.core.errors import UserError
from bot.study import views as view
from bot.study.service import Studies


class Topics(commands.Cog):
    def __init__(self, bot: QuizBot, boards: Boards, studies: Studies) -> None:
        self.bot = bot
        self.boards = boards
        self.studies = studies
        bot.router.add(boards_view.TOPICS, self.turn_list)
        bot.router.add(boards_view.TOPIC_PICK, self.pick)
        bot.router.add(view.STUDY, self.turn)

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
        await say(
            interaction,
            await (
                self._list(interaction, 0) if topic is None else self._topic(interaction, topic)
            ),
        )

    async def turn_list(self, interaction: discord.Interaction, fields: Fields) -> None:
        await say_here(interaction, await self._list(interaction, int(fields["page"])))

    async def pick(self, interaction: discord.Interaction, _fields: Fields) -> None:
        """The topic that was picked from the list takes its place."""
        picked = picked_in(interaction)
        if len(picked) != 1:
            raise UserError(UNKNOWN)
        await say_here(interaction, await self._topic(interaction, picked[0]))

    async def turn(self, interaction: discord.Interaction, fields: Fields) -> None:
        await say_here(
            interaction, await self._topic(interaction, fields["topic"], int(fields["page"]))
        )

    async def _list(self, interaction: discord.Interaction, page: int) -> Message:
        progress = await self.boards.progress(interaction.guild_id, interaction.user.id)
        bank = await self.bot.context.bank_for(interaction.user.id, interaction.guild_id)
        return boards_view.topics_page(
            bank, progress, page, await self.boards.set_aside(interaction.user.id)
        )

    async def _topic(
        self, interaction: discord.Interaction, topic_id: str, page: int = 0
    ) -> Message:
        return view.study_page(
            await self.studies.page(interaction.user.id, interaction.guild_id, topic_id), page
        )
