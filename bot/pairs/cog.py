"""/pair, and the buttons of its messages."""

from __future__ import annotations

import discord
from discord import app_commands
from discord.app_commands import locale_str
from discord.ext import commands

from bot.chat.client import QuizBot
from bot.chat.options import topic_choices
from bot.chat.permissions import private_thread_problem, require_bot
from bot.chat.replies import acknowledge, defer_if_slow, is_private, say, say_all, say_here
from bot.chat.router import UNKNOWN, Fields, guild_id_of, selected_values
from bot.core.errors import UserError
from bot.interviews import views as interviews_views
from bot.pairs import views as view
from bot.pairs.rules import WEEK
from bot.pairs.searches import Searches
from bot.pairs.service import Pairs


class Pair(commands.Cog):
    def __init__(self, bot: QuizBot, searches: Searches, pairs: Pairs) -> None:
        self.searches = searches
        self.pairs = pairs
        bot.router.add(view.STOP, self.stop)
        bot.router.add(view.ANSWER, self.answer)
        bot.router.add(view.HERE, self.here)
        bot.router.add(view.CARD, self.card)
        bot.router.add(view.TICK, self.tick)
        bot.router.add(view.SHOW, self.show)
        bot.router.add(view.MODEL, self.model)
        bot.router.add(view.END, self.end)
        bot.router.add(view.REPORT, self.report)

    @app_commands.command(
        description="Find a partner: two members interview each other, in a private thread"
    )
    @app_commands.describe(
        topic="What you'd like to be asked about. Default: any topic",
        when="When it suits you, in your own time zone. Default: any time",
    )
    @app_commands.choices(
        when=[
            app_commands.Choice(name=locale_str(hours.words.capitalize()), value=key)
            for key, hours in WEEK.items()
        ]
    )
    @app_commands.autocomplete(topic=topic_choices)
    @app_commands.guild_only()
    @app_commands.allowed_installs(guilds=True, users=False)
    async def pair(
        self, interaction: discord.Interaction, topic: str | None = None, when: str | None = None
    ) -> None:
        require_bot(interaction)
        problem = private_thread_problem(interaction)
        work = self.searches.find(
            interaction.user.id,
            guild_id_of(interaction),
            channel_id=None if problem else interaction.channel_id,
            topic_id=topic,
            hours=when,
        )
        found = await defer_if_slow(interaction, work)
        await say(interaction, view.status(found, None if found.continued else problem))

    async def stop(self, interaction: discord.Interaction, fields: Fields) -> None:
        await self.searches.stop(interaction.user.id)
        await say_here(interaction, view.stopped())

    async def answer(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Accept or decline a proposal, and show the state of the member's search."""
        decide = self.searches.accept if fields["do"] == "accept" else self.searches.decline
        await decide(int(fields["pair"]), interaction.user.id)
        found = await self.searches.status(
            interaction.user.id, interaction.guild_id, continued=False
        )
        await say_here(interaction, view.status(found) if found else view.stopped())

    async def here(self, interaction: discord.Interaction, fields: Fields) -> None:
        if await self.pairs.come(int(fields["pair"]), interaction.user.id):
            await acknowledge(interaction)
            return
        found = await self.searches.status(interaction.user.id, interaction.guild_id)
        await say(interaction, view.waiting_for(found))

    async def card(self, interaction: discord.Interaction, fields: Fields) -> None:
        card = await self.pairs.card(
            int(fields["pair"]), int(fields["number"]), interaction.user.id
        )
        await say_here(interaction, view.asker_card(card, int(fields["page"])))

    async def tick(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Store the ticked key points, and no others."""
        picked = selected_values(interaction)
        if not set(picked) <= set("012345"):
            raise UserError(UNKNOWN)
        card = await self.pairs.tick(
            int(fields["pair"]),
            int(fields["number"]),
            interaction.user.id,
            frozenset(map(int, picked)),
        )
        await say_here(interaction, view.asker_card(card))

    async def show(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Post the question, or what was covered; if nothing was, only after a second question."""
        pair_id, number, user_id = int(fields["pair"]), int(fields["number"]), interaction.user.id
        if fields["what"] == "question":
            card = await self.pairs.show_question(pair_id, number, user_id)
            if is_private(interaction) or card.exchanged:
                await say_here(interaction, view.asker_card(card))
            else:
                await acknowledge(interaction)
            return
        even_nothing = fields["what"] == "nothing"
        kept = await self.pairs.show_result(pair_id, number, user_id, even_nothing=even_nothing)
        if kept is not None:
            asked = view.asker_card(kept) if kept.exchanged else view.confirm_nothing(kept)
            await say_here(interaction, asked)
            return
        found = await self.searches.status(user_id, interaction.guild_id)
        await say_here(interaction, view.result_shown(found))

    async def model(self, interaction: discord.Interaction, fields: Fields) -> None:
        pair_id, number = int(fields["pair"]), int(fields["number"])
        topic = await self.pairs.model_answer(pair_id, number, interaction.user.id)
        await say_here(interaction, view.model_page(topic, pair_id, number, int(fields["page"])))

    async def end(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Ask once more, then end the interview for both."""
        pair_id, user_id = int(fields["pair"]), interaction.user.id
        if fields["do"] == "ask":
            await self.pairs.check_member(pair_id, user_id)
            await say(interaction, view.confirm_end(pair_id))
            return
        await self.pairs.end(pair_id, user_id)
        await say_here(interaction, view.ended())

    @commands.Cog.listener()
    async def on_raw_thread_delete(self, payload: discord.RawThreadDeleteEvent) -> None:
        await self.pairs.thread_deleted(payload.thread_id)

    async def report(self, interaction: discord.Interaction, fields: Fields) -> None:
        report = await self.pairs.report(int(fields["pair"]), interaction.user.id)
        await say_all(interaction, interviews_views.report_pages(report))
