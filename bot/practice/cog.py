"""/practice: private spaced repetition."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from datetime import datetime
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from bot.chat.client import QuizBot, topic_choices
from bot.chat.news import tell_news
from bot.chat.permissions import is_on_server
from bot.chat.replies import defer_here, say, say_here
from bot.chat.router import UNKNOWN, Fields, selected_values
from bot.core.clicks import Click
from bot.core.errors import UserError
from bot.core.snowflakes import created_at
from bot.practice import views as view
from bot.practice.model import Finished, Screen
from bot.practice.service import Practices
from bot.questions.cog import Answerable, bank_of
from bot.questions.views import MISSES, PRACTISE
from bot.today.views import MORE

FindMissed = Callable[[int, int], Awaitable[Sequence[str]]]
"""Returns the items that a member missed, by the id of a round or challenge and the member's id.

Refuses if there are none.
"""


class PracticeCog(commands.Cog):
    def __init__(
        self, bot: QuizBot, practices: Practices, find_missed: Mapping[str, FindMissed]
    ) -> None:
        """`find_missed` has a function for each source whose missed items can be practised."""
        self.bot = bot
        self.practices = practices
        self.find_missed = find_missed
        bot.router.add(PRACTISE, self.again)
        bot.router.add(MORE, self.more)
        bot.router.add(view.TRY, self.try_out)
        bot.router.add(view.NEXT, self.next)
        bot.router.add(view.END, self.end)
        bot.router.add(view.GUESSED, self.guessed)
        bot.router.add(view.SET_ASIDE, self.set_aside)
        bot.router.add(view.ALL_SET_ASIDE, self.show_set_aside)
        bot.router.add(view.ASK_AGAIN, self.ask_again)
        bot.router.add(MISSES, self.practise_missed)
        self.answerable = Answerable(
            practices.check_open, self.answer, practices.explain, practices.item_of, judged=True
        )

    @app_commands.command(description="Today's questions, in private and in a few minutes")
    @app_commands.describe(topic="One topic only. Default: all topics")
    @app_commands.autocomplete(topic=topic_choices)
    @app_commands.allowed_installs(guilds=True, users=True)
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
    async def practice(self, interaction: discord.Interaction, topic: str | None = None) -> None:
        await self._show(interaction, self.practices.start(*_who(interaction), topic))

    async def again(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Start what a button says: a topic, or what is to do today on all topics."""
        who, topic_id = _who(interaction), fields["topic"] or None
        await self._show(interaction, self.practices.start(*who, topic_id, continues_any=False))

    async def more(self, interaction: discord.Interaction, _fields: Fields) -> None:
        await self._show(interaction, self.practices.more(*_who(interaction)))

    async def try_out(self, interaction: discord.Interaction, _fields: Fields) -> None:
        await self._show(interaction, self.practices.try_out(*_who(interaction)))

    async def practise_missed(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Practise what the member missed in a finished round or challenge."""
        find = self.find_missed.get(fields["source"])
        if find is None:
            raise UserError(UNKNOWN)
        items = await find(int(fields["row"]), interaction.user.id)
        await self._show(interaction, self.practices.start_on(*_who(interaction), items))

    async def next(self, interaction: discord.Interaction, fields: Fields) -> None:
        work = self.practices.go_on(int(fields["practice"]), *_who(interaction))
        await self._show(interaction, work)

    async def end(self, interaction: discord.Interaction, fields: Fields) -> None:
        work = self.practices.end(
            int(fields["practice"]), interaction.user.id, interaction.guild_id
        )
        await self._show(interaction, work)

    async def guessed(self, interaction: discord.Interaction, fields: Fields) -> None:
        question_id = int(fields["question"])
        work = self.practices.guess(question_id, interaction.user.id)
        await self._show(interaction, work)

    async def set_aside(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Set the answered item aside, or put it back."""
        work = self.practices.set_aside(
            int(fields["question"]),
            interaction.user.id,
            aside=fields["do"] == "stop",
        )
        await self._show(interaction, work)

    async def show_set_aside(self, interaction: discord.Interaction, _fields: Fields) -> None:
        """Show the set-aside items in a new message, so that the page with the button stays."""
        found = await self.practices.all_set_aside(interaction.user.id)
        await say(interaction, view.set_aside_page(found))

    async def ask_again(self, interaction: discord.Interaction, _fields: Fields) -> None:
        user_id = interaction.user.id
        put_back = await self.practices.ask_again(user_id, selected_values(interaction))
        left = await self.practices.all_set_aside(user_id)
        await say_here(interaction, view.set_aside_page(left, put_back))

    async def answer(self, interaction: discord.Interaction, click: Click) -> None:
        """Answer a click; a second one shows the verdict again, so only one process may handle it."""
        await self.bot.router.claim(interaction)
        await self._show(interaction, self.practices.answer(click))

    async def _show(
        self, interaction: discord.Interaction, work: Coroutine[Any, Any, Screen]
    ) -> None:
        screen = await defer_here(interaction, work)
        bank = await bank_of(interaction)
        messages = view.messages(screen, bank, on_server=is_on_server(interaction))
        await say_here(interaction, *messages)
        if isinstance(screen, Finished) and interaction.message is not None:
            tell_news(interaction)


def _who(interaction: discord.Interaction) -> tuple[int, int | None, datetime]:
    """Return the member who clicked, the server, and the time."""
    return interaction.user.id, interaction.guild_id, created_at(interaction.id)
