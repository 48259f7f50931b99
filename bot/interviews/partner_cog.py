"""The buttons of interviews with a partner; the first one is on the card of /interview."""

from __future__ import annotations

from functools import partial

import discord
from discord.ext import commands

from bot.chat.client import QuizBot
from bot.chat.permissions import require_may_post, require_private_threads
from bot.chat.replies import (
    defer_here,
    say,
    say_here,
    show,
    update_reply,
)
from bot.chat.router import Fields, guild_id_of, selected_points
from bot.interviews import partner_views
from bot.interviews import views as view
from bot.interviews.model import Confirmed, PartnerCard
from bot.interviews.partner_service import PartnerInterviews
from bot.interviews.service import Interviews
from bot.members.names import Names
from bot.members.views import streak_news


class PartnerCog(commands.Cog):
    def __init__(
        self, bot: QuizBot, partners: PartnerInterviews, interviews: Interviews, names: Names
    ) -> None:
        self.names = names
        self.partners = partners
        self.interviews = interviews
        bot.router.add(partner_views.LOOK, self.look)
        bot.router.add(partner_views.LOOK_ON_CASE, self.look)
        bot.router.add(partner_views.SWAP, self.swap)
        bot.router.add(partner_views.JOIN, self.join)
        bot.router.add(partner_views.WITHDRAW, self.withdraw)
        bot.router.add(partner_views.EXCHANGE, self.exchange)
        bot.router.add(partner_views.CARD, self.card)
        bot.router.add(partner_views.TICK, self.tick)
        bot.router.add(partner_views.ASK, self.ask)
        bot.router.add(partner_views.SHOW, self.show_ticks)
        bot.router.add(partner_views.TICKS, self.ticks)
        bot.router.add(partner_views.CONFIRM, self.confirm)
        bot.router.add(partner_views.END, self.end)
        bot.router.add(partner_views.REPORT, self.report)
        bot.router.add(partner_views.APART, self.apart)

    async def look(self, interaction: discord.Interaction, fields: Fields) -> None:
        require_may_post(interaction)
        require_private_threads(interaction)
        assert interaction.channel_id is not None
        await self.names.flush()  # the card shows this member's
        search = await self.partners.look(
            interaction.user.id,
            guild_id_of(interaction),
            interaction.channel_id,
            fields.get("topic") or None,
            partial(update_reply, interaction),
            fields.get("case"),
        )
        await say(interaction, partner_views.posted(search, interaction.channel_id))

    async def join(self, interaction: discord.Interaction, fields: Fields) -> None:
        require_may_post(interaction)
        require_private_threads(interaction)
        await self.names.flush()
        card = await self.partners.join(
            int(fields["row"]), interaction.user.id, guild_id_of(interaction)
        )
        await show(interaction, partner_views.taken(card))
        await say(interaction, partner_views.joined(card))

    async def withdraw(self, interaction: discord.Interaction, fields: Fields) -> None:
        await self.partners.withdraw(int(fields["row"]), interaction.user.id)
        await say_here(interaction, partner_views.withdrawn())

    async def exchange(self, interaction: discord.Interaction, fields: Fields) -> None:
        await self.partners.exchange(int(fields["row"]), interaction.user.id)
        await show(interaction, partner_views.exchanged())

    async def card(self, interaction: discord.Interaction, fields: Fields) -> None:
        card = await self.partners.card(*_question(fields), interaction.user.id)
        await self._show_card(interaction, card, int(fields["page"]))

    async def tick(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Store the ticked key points, and no others."""
        said = selected_points(interaction)
        card = await self.partners.tick(*_points(fields), interaction.user.id, said)
        await self._show_card(interaction, card)

    async def show_ticks(self, interaction: discord.Interaction, fields: Fields) -> None:
        card = await self.partners.show_ticks(*_points(fields), interaction.user.id)
        await self._show_card(interaction, card)

    async def _show_card(
        self, interaction: discord.Interaction, card: PartnerCard | None, page: int = 0
    ) -> None:
        await say_here(
            interaction, partner_views.asker_card(card, page) if card else partner_views.replaced()
        )

    async def ask(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Post the question in the thread."""
        card = await self.partners.card(*_question(fields), interaction.user.id)
        await say(
            interaction,
            partner_views.question(card) if card else partner_views.replaced(),
            public=True,
        )

    async def ticks(self, interaction: discord.Interaction, fields: Fields) -> None:
        found = await self.partners.ticks(*_question(fields), interaction.user.id)
        await self._show_ticks(interaction, found)

    async def confirm(self, interaction: discord.Interaction, fields: Fields) -> None:
        said = "" if fields["said"] == "none" else fields["said"]
        found = await self.partners.confirm(*_points(fields), interaction.user.id, said)
        if not isinstance(found, Confirmed):
            await self._show_ticks(interaction, found)
            return
        await self._show_ticks(interaction, found.question_id)
        if changed := streak_news(found.streak, found.news):
            await say(interaction, "\n".join(changed))

    async def _show_ticks(
        self, interaction: discord.Interaction, found: PartnerCard | int | None
    ) -> None:
        """Show what is to be confirmed or, once it is, the question with its model answer."""
        if not isinstance(found, int):
            await say_here(
                interaction, partner_views.ticks(found) if found else partner_views.replaced()
            )
            return
        work = self.interviews.feedback(found, interaction.user.id, interaction.guild_id)
        step = await defer_here(interaction, work)
        await say_here(interaction, view.step_page(step))

    async def end(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Ask once more, then end the interview for both."""
        key, user_id = int(fields["row"]), interaction.user.id
        if fields["do"] == "ask":
            await self.partners.check_member(key, user_id)
            await say(interaction, partner_views.confirm_end(key))
            return
        await self.partners.end(key, user_id)
        await say_here(interaction, partner_views.ended())

    async def swap(self, interaction: discord.Interaction, fields: Fields) -> None:
        await self.partners.swap(int(fields["row"]), interaction.user.id)
        await say(interaction, partner_views.swapped())

    async def report(self, interaction: discord.Interaction, fields: Fields) -> None:
        user_id = interaction.user.id
        interview_id = await self.partners.interview_of(int(fields["row"]), user_id)
        await say(interaction, view.report(await self.interviews.report(interview_id, user_id)))

    async def apart(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Ask once more, then keep the two apart."""
        key, user_id = int(fields["row"]), interaction.user.id
        if fields["do"] == "ask":
            await self.partners.check_member(key, user_id)
            await say(interaction, partner_views.confirm_apart(key))
            return
        await self.partners.keep_apart(key, user_id)
        await say_here(interaction, partner_views.apart())


def _question(fields: Fields) -> tuple[int, int]:
    """Return the interview and the question that a button is about."""
    return int(fields["row"]), int(fields["number"])


def _points(fields: Fields) -> tuple[int, int, int]:
    """Return the interview, the question and the mark of the key points that a button is about."""
    return *_question(fields), int(fields["mark"])
