"""Clicks on question cards, of rounds, the daily and practice alike: answer, ask why, report, look back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import discord
from discord.ext import commands

from bot.chat import custom_ids as ids
from bot.chat import text as t
from bot.chat.client import QuizBot
from bot.chat.modals import text_modal
from bot.chat.replies import HandledElsewhere, payload, say, say_all, show
from bot.chat.router import Fields, click_of, modal_text
from bot.core.errors import UserError
from bot.practice.views import present
from bot.questions import views as cards
from bot.questions.answering import AlreadyAnswered, Click
from bot.questions.answers import MAX_TYPED

_MAX_REPORT = 500


class Answering(commands.Cog):
    def __init__(self, bot: QuizBot) -> None:
        self.bot = bot
        for route, handler in (
            (ids.ANSWER, self.answer),
            (ids.PICKS, self.picks),
            (ids.WRITE, self.write),
            (ids.TYPED, self.typed),
            (ids.WHY, self.why),
            (ids.REPORT, self.report),
            (ids.REPORTED, self.reported),
            (ids.MINE, self.mine),
        ):
            bot.router.add(route, handler)

    async def answer(self, interaction: discord.Interaction, fields: Fields) -> None:
        await self._store(interaction, fields, picks=(int(fields["position"]),))

    async def picks(self, interaction: discord.Interaction, fields: Fields) -> None:
        values = payload(interaction).get("values", [])
        if not isinstance(values, list) or not all(
            isinstance(v, str) and v in {"0", "1", "2", "3", "4", "5"} for v in values
        ):
            raise UserError("I don't know that choice: pick letters from the list on the card.")
        await self._store(interaction, fields, picks=tuple(int(v) for v in values))

    async def write(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Open the modal for a typed answer, if it is still worth typing."""
        message_id = interaction.message.id if interaction.message else 0
        row_id = int(fields["row"])
        with _first_answer_counts():
            match fields["source"]:
                case "round":
                    item = await self.bot.services.rounds.check_open(row_id, message_id, interaction.user.id)
                case "daily":
                    item = await self.bot.services.dailies.check_open(row_id, message_id, interaction.user.id)
                case _:
                    item = await self.bot.services.practices.check_open(row_id, interaction.user.id)
        await interaction.response.send_modal(
            text_modal(
                "Your answer",
                ids.TYPED.id(source=fields["source"], row=row_id),
                label="Answer",
                hint=" ".join(item.prompt.split())[:100],
                limit=MAX_TYPED,
            )
        )

    async def typed(self, interaction: discord.Interaction, fields: Fields) -> None:
        await self._store(interaction, fields, text=modal_text(interaction, MAX_TYPED))

    async def why(self, interaction: discord.Interaction, fields: Fields) -> None:
        """The reasons for every choice, the reader's own first."""
        row_id = int(fields["row"])
        match fields["source"]:
            case "round":
                review = await self.bot.services.rounds.review_one(row_id, interaction.user.id)
            case "daily":
                review = await self.bot.services.dailies.review(row_id, interaction.user.id)
            case _:
                review = await self.bot.services.practices.review(row_id, interaction.user.id)
        texts = t.pages(cards.why_blocks(review, self.bot.bank))
        await say_all(interaction, [cards.Message(cards.REVEALED, text) for text in texts])

    async def report(self, interaction: discord.Interaction, fields: Fields) -> None:
        await interaction.response.send_modal(
            text_modal(
                "Report this question",
                ids.REPORTED.id(source=fields["source"], row=int(fields["row"])),
                label="What is wrong with it?",
                hint="A wrong answer, an unclear sentence, a typo",
                limit=_MAX_REPORT,
                long=True,
            )
        )

    async def reported(self, interaction: discord.Interaction, fields: Fields) -> None:
        text = modal_text(interaction, _MAX_REPORT).strip()
        if not text:
            raise UserError("Your report was empty: press Report again and say in a few words what is wrong.")
        await self.bot.services.reports.add(
            fields["source"], int(fields["row"]), interaction.guild_id, interaction.user.id, text
        )
        await say(interaction, "Thank you. Your report is stored for the people who look after the questions.")

    async def mine(self, interaction: discord.Interaction, fields: Fields) -> None:
        """A member's own answers of a round, paged: the standings open the first page, its buttons turn it."""
        round_id, page = int(fields["round"]), int(fields["page"])
        reviews = await self.bot.services.rounds.review_all(round_id, interaction.user.id)
        texts = t.pages([cards.review_block(n, review) for n, review in enumerate(reviews, start=1)], limit=1800)
        page = min(page, len(texts) - 1)
        right = sum(cards.is_right_review(review) for review in reviews)
        title = f"### Your answers\n-# {right} of {len(reviews)} right"
        buttons = []
        if len(texts) > 1:
            title += f" · page {page + 1} of {len(texts)}"
            buttons = [
                cards.button("Back", ids.MINE.id(round=round_id, page=max(page - 1, 0)), disabled=page == 0),
                cards.button("Next", ids.MINE.id(round=round_id, page=page + 1), disabled=page == len(texts) - 1),
            ]
        card = cards.page_card(cards.REVEALED, title, texts[page], *buttons)
        private = interaction.message is not None and interaction.message.flags.ephemeral
        await (show if private else say)(interaction, card)

    async def _store(
        self,
        interaction: discord.Interaction,
        fields: Fields,
        *,
        picks: tuple[int, ...] = (),
        text: str | None = None,
    ) -> None:
        click = click_of(interaction, fields["row"], picks=picks, text=text)
        with _first_answer_counts(click if self.bot.database.shared else None):
            match fields["source"]:
                case "round":
                    locked = await self.bot.services.rounds.answer(click)
                    await say(interaction, cards.locked_text(locked.shown, locked.reveal_at))
                case "daily":
                    await say_all(interaction, cards.verdict_cards(await self.bot.services.dailies.answer(click)))
                case _:
                    await present(interaction, await self.bot.services.practices.answer(click), self.bot.bank)


@contextmanager
def _first_answer_counts(click: Click | None = None) -> Iterator[None]:
    """Tell a member who answers again what they locked in; not if it was this `click`, which another process stored."""
    try:
        yield
    except AlreadyAnswered as earlier:
        if click is not None and earlier.at == click.at:
            raise HandledElsewhere from earlier
        raise UserError(f"You locked in **{t.escape(earlier.shown)}** already: the first answer counts.") from earlier


async def setup(bot: QuizBot) -> None:
    await bot.add_cog(Answering(bot))
