"""The buttons of the question of the day for members."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

import discord
from discord.ext import commands

from bot.chat.client import QuizBot
from bot.chat.replies import (
    confirm_saved_on_error,
    defer_here,
    is_private,
    return_text_on_error,
    say_here,
)
from bot.chat.router import (
    Fields,
    click_of,
    guild_id_of,
    modal_text,
    selected_points,
)
from bot.core.clicks import Click
from bot.core.limits import MAX_ANSWER
from bot.daily import views as view
from bot.daily.model import DailyFeedback, DailyVerdict
from bot.daily.service import Dailies
from bot.interviews.views import essay_modal
from bot.memory.model import Today
from bot.memory.today_service import Days
from bot.questions.cog import Answerable, bank_of

_SAVED = "Your answer is saved. Read how it went in </today>."


class DailyAnswersCog(commands.Cog):
    def __init__(self, bot: QuizBot, dailies: Dailies, days: Days) -> None:
        self.bot = bot
        self.dailies = dailies
        self.days = days
        bot.router.add(view.COPY, self.show_copy)
        bot.router.add(view.OPEN, self.open)
        bot.router.add(view.ESSAY, self.written)
        bot.router.add(view.OWN, self.own)
        bot.router.add(view.TICKS, self.ticks)
        bot.router.add(view.TICKED, self.ticked)
        self.answerable = Answerable(
            dailies.check_open, self.answer, dailies.explain, dailies.item_of
        )

    async def show_copy(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Show an open question to answer here, or how the member answered it."""
        daily_id = int(fields["row"])
        work = self.dailies.copy(daily_id, guild_id_of(interaction), interaction.user.id)
        found = await defer_here(interaction, work)
        if found is None:
            await self._show(interaction, daily_id)
        elif isinstance(found, DailyVerdict):
            await self._verdict(interaction, found)
        else:
            bank = await bank_of(interaction)
            await say_here(interaction, view.copy(*found, bank))

    async def answer(self, interaction: discord.Interaction, click: Click) -> None:
        found = await self.dailies.answer(click)
        async with confirm_saved_on_error(interaction, _SAVED):
            await self._verdict(interaction, found)

    async def _verdict(self, interaction: discord.Interaction, found: DailyVerdict) -> None:
        """Show a verdict, in the place of a private copy if it was answered there."""
        today = await self._today(interaction)
        bank = await bank_of(interaction)
        messages = view.verdict(found, today, bank if is_private(interaction) else None)
        await say_here(interaction, *messages)

    async def open(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Open the modal of an open question; show members who answered it their feedback again."""
        daily_id = int(fields["row"])
        topic = await self.dailies.open_topic(click_of(interaction, fields))
        if topic is None:
            await self._show(interaction, daily_id)
            return
        form = view.ESSAY.id(row=daily_id)
        written = self.bot.context.drafts.get(interaction.user.id, form)
        await interaction.response.send_modal(essay_modal(form, topic, written))

    async def written(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Store what was written, then show it with the key points."""
        daily_id = int(fields["row"])
        text = modal_text(interaction, MAX_ANSWER)
        click = click_of(interaction, fields, text=text)
        async with return_text_on_error(interaction, text, self.bot.context.drafts):
            news = await self.dailies.answer_openly(click)
        async with confirm_saved_on_error(
            interaction, "Your answer is saved. Compare it with the key points in </today>."
        ):
            user_id = interaction.user.id
            found = self.dailies.feedback(daily_id, interaction.guild_id, user_id, news=news)
            await self._feedback(interaction, found)

    async def ticks(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Store the key points that a member picked as said, and no others."""
        await self._tick(interaction, fields, selected_points(interaction))

    async def ticked(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Store the ticks that the page showed."""
        said = "" if fields["said"] == "none" else fields["said"]
        await self._tick(interaction, fields, frozenset(map(int, said)))

    async def _tick(
        self, interaction: discord.Interaction, fields: Fields, ticked: frozenset[int]
    ) -> None:
        user_id, guild_id = interaction.user.id, interaction.guild_id
        daily_id, mark = int(fields["row"]), int(fields["mark"])
        work = self.dailies.tick(daily_id, guild_id, user_id, mark, ticked)
        await self._feedback(interaction, work)

    async def own(self, interaction: discord.Interaction, fields: Fields) -> None:
        await self._show(interaction, int(fields["row"]), int(fields["page"]))

    async def _show(self, interaction: discord.Interaction, daily_id: int, page: int = 0) -> None:
        found = self.dailies.feedback(daily_id, interaction.guild_id, interaction.user.id)
        await self._feedback(interaction, found, page)

    async def _feedback(
        self,
        interaction: discord.Interaction,
        work: Coroutine[Any, Any, DailyFeedback],
        page: int = 0,
    ) -> None:
        found = await defer_here(interaction, work)
        today = await self._today(interaction)
        await say_here(interaction, view.feedback(found, today, page))

    async def _today(self, interaction: discord.Interaction) -> Today:
        work = self.days.today(interaction.user.id, interaction.guild_id)
        return await defer_here(interaction, work)
