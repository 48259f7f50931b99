"""/plan: how ready a member will be on the day of their interview, and what to do until then."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from bot.chat.client import QuizBot
from bot.chat.messages import Message
from bot.chat.replies import defer_if_slow, is_private, say, say_here
from bot.chat.router import UNKNOWN, Fields, modal_fields, selected_values
from bot.core.errors import UserError
from bot.plan import views as view
from bot.plan.cards import PlanCard
from bot.plan.dates import date_options
from bot.plan.rules import LEAST_MINUTES, MOST_MINUTES
from bot.plan.service import Plans


class Plan(commands.Cog):
    def __init__(self, bot: QuizBot, plans: Plans) -> None:
        self.plans = plans
        bot.router.add(view.PLAN, self.pressed)
        bot.router.add(view.PLAN_FORM, self.changed)
        bot.router.add(view.PLAN_PAGE, self.turned)
        bot.router.add(view.PLAN_GOAL, self.picked_area)
        bot.router.add(view.PLAN_TOPICS, self.picked_topics)

    async def date_choices(
        self, interaction: discord.Interaction, current: str
    ) -> list[app_commands.Choice[str]]:
        """Suggest days: "dec 12" finds 12 December."""
        today = await self.plans.today(interaction.user.id, interaction.guild_id)
        return [
            app_commands.Choice(name=name, value=day.isoformat())
            for name, day in date_options(current[:40], today)
        ]

    async def goal_choices(
        self, interaction: discord.Interaction, current: str
    ) -> list[app_commands.Choice[str]]:
        """Suggest everything, packs, sections and topics."""
        options = await self.plans.goal_options(
            interaction.user.id, interaction.guild_id, current[:100]
        )
        return [
            app_commands.Choice(name=label[:100], value=goal)
            for label, goal in options
            if len(goal) <= 100
        ]

    @app_commands.command(
        description="How ready you'll be on the day of your interview, and what to do until then"
    )
    @app_commands.describe(
        date="The day of your interview. Leave it out to see your plan",
        minutes="How long you want to practise a day. Default: 15",
        goal="What to be ready for: everything, a pack, a section or a topic. Default: everything",
    )
    @app_commands.autocomplete(date=date_choices, goal=goal_choices)
    @app_commands.allowed_installs(guilds=True, users=True)
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
    async def plan(
        self,
        interaction: discord.Interaction,
        date: str | None = None,
        minutes: app_commands.Range[int, LEAST_MINUTES, MOST_MINUTES] | None = None,
        goal: str | None = None,
    ) -> None:
        unchanged = date is None and minutes is None and goal is None
        work = (
            self._page(interaction)
            if unchanged
            else self._change_plan(interaction, date, minutes, goal)
        )
        await say(interaction, await defer_if_slow(interaction, work))

    async def pressed(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Handle the buttons of the page."""
        plan = await self.plans.running(interaction.user.id, interaction.guild_id)
        if plan is None or fields["do"] == "show":
            await self._show(interaction, self._page(interaction))
        elif fields["do"] == "form":
            await interaction.response.send_modal(view.form(plan))
        elif fields["do"] == "fit":
            await self._show(interaction, self._change_plan(interaction))
        elif fields["do"] == "topics":
            await self._show(interaction, self._topics_page(interaction, 0))
        elif fields["do"] == "ask":
            await say_here(interaction, view.confirm_page(plan.day))
        else:
            await self.plans.end(interaction.user.id)
            await say_here(interaction, view.ended_page())

    async def changed(self, interaction: discord.Interaction, _fields: Fields) -> None:
        """Handle the submitted form."""
        fields = modal_fields(interaction)
        day, minutes = (" ".join(fields.get(name, [])).strip() for name in ("date", "minutes"))
        number = (
            int(minutes) if minutes.isascii() and minutes.isdecimal() and len(minutes) < 4 else 0
        )
        if not LEAST_MINUTES <= number <= MOST_MINUTES:
            raise UserError(
                f"I need a number of minutes from {LEAST_MINUTES} to {MOST_MINUTES}, for example 15. "
                "Press Edit again."
            )
        await self._show(interaction, self._change_plan(interaction, day, number))

    async def turned(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Show another page of topics."""
        await self._show(interaction, self._topics_page(interaction, int(fields["page"])))

    async def picked_area(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Be ready for everything, a pack or a section."""
        picked = selected_values(interaction)
        if len(picked) != 1:
            raise UserError(UNKNOWN)

        async def work() -> Message | str:
            card = await self.plans.set(interaction.user.id, interaction.guild_id, goal=picked[0])
            return await self._topics_page(interaction, int(fields["page"]), card)

        await self._show(interaction, work())

    async def picked_topics(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Be ready for the topics that are selected in one of the lists, and those of the others."""
        picked = selected_values(interaction)
        place = fields["section"], int(fields["part"])

        async def work() -> Message | str:
            choice = await self.plans.topics(interaction.user.id, interaction.guild_id)
            lists = view.topic_lists(choice.bank) if choice else []
            offered = {
                topic.id
                for each in lists
                if (each.section_id, each.part) == place
                for topic in each.topics
            }
            if not offered or not set(picked) <= offered:
                raise UserError(UNKNOWN)
            card = await self.plans.choose(
                interaction.user.id, interaction.guild_id, offered, picked
            )
            return await self._topics_page(interaction, int(fields["page"]), card)

        await self._show(interaction, work())

    async def _topics_page(
        self, interaction: discord.Interaction, page: int, card: PlanCard | None = None
    ) -> Message | str:
        choice = await self.plans.topics(interaction.user.id, interaction.guild_id)
        if choice is None:
            return view.NO_PLAN
        return view.topics_page(choice, page, card.whole if card else None)

    async def _show(
        self, interaction: discord.Interaction, work: Coroutine[Any, Any, Message | str]
    ) -> None:
        """Replace the private message that was used with the plan, or say why there is none."""
        page = await defer_if_slow(interaction, work, edits=is_private(interaction))
        if isinstance(page, str):
            await say(interaction, page)
        else:
            await say_here(interaction, page)

    async def _page(self, interaction: discord.Interaction) -> Message | str:
        return await view.plan_page(
            await self.plans.card(interaction.user.id, interaction.guild_id)
        )

    async def _change_plan(
        self,
        interaction: discord.Interaction,
        day: str | None = None,
        minutes: int | None = None,
        goal: str | None = None,
    ) -> Message | str:
        card = await self.plans.set(interaction.user.id, interaction.guild_id, day, minutes, goal)
        return await view.plan_page(card)

    @commands.Cog.listener()
    async def on_app_command_completion(
        self, interaction: discord.Interaction, command: object
    ) -> None:
        """Tell members once, with their next practice or statistics, that their plan is over."""
        if getattr(command, "name", None) in {"practice", "stats"}:
            day = await self.plans.end_if_over(interaction.user.id, interaction.guild_id)
            if day is not None:
                await say(interaction, view.ended(day))
