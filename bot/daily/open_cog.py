"""Clicks on the card of an open question of the day: answer it, read one's own feedback."""

from __future__ import annotations

import discord
from discord.ext import commands

from bot.chat import custom_ids as ids
from bot.chat.client import QuizBot
from bot.chat.modals import essay_modal
from bot.chat.replies import hand_back, in_time, say, say_here, show_later
from bot.chat.router import Fields, click_of, modal_text
from bot.daily import open_views as view
from bot.interviews.rules import MAX_ANSWER


class OpenDaily(commands.Cog):
    def __init__(self, bot: QuizBot) -> None:
        self.bot = bot
        self.open_dailies = bot.services.open_dailies
        bot.router.add(ids.OPEN, self.open)
        bot.router.add(ids.ESSAY, self.answered)
        bot.router.add(ids.OWN, self.own)

    async def open(self, interaction: discord.Interaction, fields: Fields) -> None:
        """The modal for an answer; for a member who has answered, their feedback again."""
        daily_id = int(fields["row"])
        message_id = interaction.message.id if interaction.message else 0
        topic = await self.open_dailies.open_topic(daily_id, message_id, interaction.user.id)
        if topic is None:
            await self._show(interaction, daily_id)
            return
        await interaction.response.send_modal(essay_modal(ids.ESSAY.id(source="daily", row=daily_id), topic))

    async def answered(self, interaction: discord.Interaction, fields: Fields) -> None:
        text = modal_text(interaction, MAX_ANSWER)
        click = click_of(interaction, fields["row"], text=text)
        async with hand_back(interaction, text):
            review = await in_time(interaction, self.open_dailies.answer(click))
        asking = self.open_dailies.may_refine(review)
        await say(interaction, view.review_card(review, self.bot.bank, asking=asking))
        if asking:
            review = await self.open_dailies.refine(review, interaction.user.id)
            await show_later(interaction, view.review_card(review, self.bot.bank))

    async def own(self, interaction: discord.Interaction, fields: Fields) -> None:
        await self._show(interaction, int(fields["row"]), int(fields["page"]))

    async def _show(self, interaction: discord.Interaction, daily_id: int, page: int = 0) -> None:
        review = await self.open_dailies.review(daily_id, interaction.user.id)
        card = view.review_card(review, self.bot.bank, page)
        await say_here(interaction, card)


async def setup(bot: QuizBot) -> None:
    await bot.add_cog(OpenDaily(bot))
