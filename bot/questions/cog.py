"""Handles clicks on question cards of all features: answer, Explain and Report."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

import discord
from discord.ext import commands
from msgspec import Struct

from bot.chat.client import QuizBot
from bot.chat.messages import Part
from bot.chat.replies import return_text_on_error, say, say_all, say_here
from bot.chat.router import (
    UNKNOWN,
    Fields,
    checked_values,
    click_of,
    modal_reason,
    modal_text,
    selected_values,
)
from bot.core.clicks import Click
from bot.core.context import Context
from bot.core.errors import UserError
from bot.core.limits import MAX_REPORT, MAX_TYPED
from bot.questions import views as view
from bot.questions.answers import Answered, Shown, check_placed
from bot.questions.model import Bank
from bot.questions.service import Reports


async def bank_of(interaction: discord.Interaction) -> Bank:
    """Return the questions for a member, where they are."""
    context: Context = interaction.client.context  # type: ignore[attr-defined]
    return await context.bank_for(interaction.user.id, interaction.guild_id)


class Answerable(Struct, frozen=True):
    """A feature's handlers for the question cards that it posts.

    `check_open` returns the question of a click on a button that opens a modal or page, or refuses if
    the member can't answer it any more. `answer` stores an answer and replies. `explain` returns the
    question as the member answered it. `item_of` returns the id of the item or topic that the
    member was asked, or None if they were asked none. `judged`: the member has read a verdict with
    its reasons, not a reveal. `below` returns the parts below the page where lines of code are put in
    order.
    """

    check_open: Callable[[Click], Awaitable[Shown]]
    answer: Callable[[discord.Interaction, Click], Awaitable[None]]
    explain: Callable[[Click], Awaitable[Answered]]
    item_of: Callable[[Click], Awaitable[str | None]]
    judged: bool = False
    below: Callable[[Click], Awaitable[Sequence[Part | None]]] | None = None


class AnsweringCog(commands.Cog):
    def __init__(
        self, bot: QuizBot, reports: Reports, answerables: Mapping[str, Answerable]
    ) -> None:
        """`answerables` maps the source in a card's custom ids to the feature that posted it."""
        self.bot = bot
        self.reports = reports
        self.answerables = answerables
        for route, handler in (
            (view.ANSWER, self.letter),
            (view.CHOOSE, self.fill_in),
            (view.PICKS, self.picks),
            (view.WRITE, self.fill_in),
            (view.TYPED, self.typed),
            (view.ARRANGE, self.arrange),
            (view.PLACE, self.place),
            (view.LOCK, self.lock),
            (view.WHY, self.why),
            (view.REPORT, self.report),
            (view.REPORTED, self.reported),
        ):
            bot.router.add(route, handler)

    async def letter(self, interaction: discord.Interaction, fields: Fields) -> None:
        click = click_of(interaction, fields, picks=(int(fields["position"]),))
        await self._answerable(fields).answer(interaction, click)

    async def fill_in(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Open the modal for choosing or typing, if the question is still open."""
        source, row_id = fields["source"], int(fields["row"])
        click = click_of(interaction, fields)
        item, order = await self._answerable(fields).check_open(click)
        await interaction.response.send_modal(view.answer_modal(item, order, source, row_id))

    async def picks(self, interaction: discord.Interaction, fields: Fields) -> None:
        values = checked_values(interaction)
        if any(value not in list("012345") for value in values):
            raise UserError("That choice isn't on the card. Press Choose and pick again.")
        click = click_of(interaction, fields, picks=tuple(map(int, values)))
        await self._answerable(fields).answer(interaction, click)

    async def typed(self, interaction: discord.Interaction, fields: Fields) -> None:
        click = click_of(interaction, fields, text=modal_text(interaction, MAX_TYPED))
        await self._answerable(fields).answer(interaction, click)

    async def arrange(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Show the page where lines of code are put in order, if the question is still open."""
        await self._arrange(interaction, fields, fields["placed"])

    async def place(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Place the line that was picked from the list next."""
        picked = "".join(selected_values(interaction))
        if picked not in list("0123456789"):
            raise UserError(UNKNOWN)
        await self._arrange(interaction, fields, fields["placed"] + picked)

    async def _arrange(self, interaction: discord.Interaction, fields: Fields, placed: str) -> None:
        source, click = self._answerable(fields), click_of(interaction, fields)
        item, order = await source.check_open(click)
        positions = tuple(map(int, placed))
        check_placed(item, order, positions)
        below = await source.below(click) if source.below else ()
        await say_here(interaction, view.arranging(item, order, positions, fields, *below))

    async def lock(self, interaction: discord.Interaction, fields: Fields) -> None:
        click = click_of(interaction, fields, picks=tuple(map(int, fields["placed"])))
        await self._answerable(fields).answer(interaction, click)

    async def why(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Show what the reader wasn't told yet, the reason for their own choice first."""
        source = self._answerable(fields)
        answered = await source.explain(click_of(interaction, fields))
        if source.judged:
            await say_all(interaction, view.other_reasons(answered))
        else:
            await say_all(interaction, view.explained(answered, await bank_of(interaction)))

    async def report(self, interaction: discord.Interaction, fields: Fields) -> None:
        await self._asked(interaction, fields)
        custom_id = view.REPORTED.id(**fields)
        await interaction.response.send_modal(view.report_modal(custom_id))

    async def reported(self, interaction: discord.Interaction, fields: Fields) -> None:
        text = modal_reason(interaction, view.WRONG_WITH_IT, MAX_REPORT)
        if not text:
            raise UserError(
                "Your report was empty. Press Report again and choose what's wrong, or write it."
            )
        async with return_text_on_error(interaction, text):
            item_id = await self._asked(interaction, fields)
            guild_id = await self.reports.add(
                item_id, interaction.guild_id, interaction.user.id, text
            )
        await say(interaction, "Thanks. A maintainer will look at it.")
        if guild_id is not None:
            self.bot.dispatch("question_reported", guild_id, interaction.id)

    async def _asked(self, interaction: discord.Interaction, fields: Fields) -> str:
        """Return the id of the item or topic that the member was asked; refuse if there is none."""
        item_id = await self._answerable(fields).item_of(click_of(interaction, fields))
        if item_id is None:
            raise UserError(
                "That question is gone, so it can't be reported. Go on with the next one."
            )
        return item_id

    def _answerable(self, fields: Fields) -> Answerable:
        found = self.answerables.get(fields["source"])
        if found is None:
            raise UserError(UNKNOWN)
        return found
