"""/topics: the sections, their topics, the page of one, and decks for Anki."""

from __future__ import annotations

from functools import partial

import discord
from discord import app_commands
from discord.ext import commands

from bot.chat.client import QuizBot, topic_choices
from bot.chat.messages import Message
from bot.chat.replies import say, say_here
from bot.chat.router import UNKNOWN, Fields, parse_number, selected_values
from bot.chat.uploads import uploading
from bot.core.errors import UserError
from bot.topics import views as view
from bot.topics.service import Decks, Topics


class TopicsCog(commands.Cog):
    def __init__(self, bot: QuizBot, topics: Topics, decks: Decks) -> None:
        self._topics = topics
        self._decks = decks
        bot.router.add(view.SECTIONS, self.show_sections)
        bot.router.add(view.SECTION_PICK, self.pick_section)
        bot.router.add(view.TOPICS, self.show_list)
        bot.router.add(view.TOPIC_PICK, self.pick_topic)
        bot.router.add(view.STUDY, self.show_topic)
        bot.router.add(view.DECKS, self.choose_deck)
        bot.router.add(view.DECK, self.send_deck)
        bot.router.add(view.TOPIC_DECK, self.send_deck)

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
        page = self._sections(interaction) if topic is None else self._topic(interaction, topic)
        await say(interaction, await page)

    async def show_sections(self, interaction: discord.Interaction, _fields: Fields) -> None:
        await say_here(interaction, await self._sections(interaction))

    async def pick_section(self, interaction: discord.Interaction, _fields: Fields) -> None:
        """Replace the sections with the topics of the one that was picked."""
        page = parse_number(selected_values(interaction))
        await say_here(interaction, await self._list(interaction, page))

    async def show_list(self, interaction: discord.Interaction, fields: Fields) -> None:
        await say_here(interaction, await self._list(interaction, int(fields["page"])))

    async def pick_topic(self, interaction: discord.Interaction, _fields: Fields) -> None:
        """Replace the list with the page of the topic that was picked."""
        picked = selected_values(interaction)
        if len(picked) != 1:
            raise UserError(UNKNOWN)
        await say_here(interaction, await self._topic(interaction, picked[0]))

    async def show_topic(self, interaction: discord.Interaction, fields: Fields) -> None:
        page = await self._topic(interaction, fields["topic"], int(fields["page"]))
        await say_here(interaction, page)

    async def _sections(self, interaction: discord.Interaction) -> Message:
        return view.section_list(await self._topics.all(interaction.user.id, interaction.guild_id))

    async def _list(self, interaction: discord.Interaction, page: int) -> Message:
        found = await self._topics.all(interaction.user.id, interaction.guild_id)
        return view.topic_list(found, page)

    async def _topic(
        self, interaction: discord.Interaction, topic_id: str, page: int = 0
    ) -> Message:
        found = await self._topics.with_topic(interaction.user.id, interaction.guild_id, topic_id)
        may_suggest = interaction.guild_id is not None
        return view.topic_page(found, topic_id, page, may_suggest=may_suggest)

    async def choose_deck(self, interaction: discord.Interaction, _fields: Fields) -> None:
        await say(interaction, view.deck_choice())

    async def send_deck(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Send the deck that was chosen as a private message of its own."""
        which = (interaction.user.id, interaction.guild_id, fields.get("topic"))
        missed = fields["of"] == "misses"
        draw = partial(self._decks.draw, *which, missed=missed)
        make = partial(self._decks.make, *which, missed=missed)
        async with uploading(interaction, make, before=draw) as deck:
            await say(interaction, view.exported(deck))
