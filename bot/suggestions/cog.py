"""/suggest, the review behind `/bank review`, and its announcements."""

from __future__ import annotations

import logging
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from bot.bank import views as bank_views
from bot.bank.cog import form_in
from bot.bank.forms import Form
from bot.chat.client import QuizBot
from bot.chat.permissions import require_bot, require_manager, require_page
from bot.chat.replies import (
    TRANSIENT_ERRORS,
    defer_if_slow,
    return_text_on_error,
    say,
    say_all,
    say_here,
)
from bot.chat.router import Fields, guild_id_of, modal_reason, modal_texts
from bot.core.computing import compute
from bot.core.context import Place
from bot.core.database import StorageError
from bot.core.errors import DeliveryRefused, DeliveryUnknown, UserError
from bot.core.limits import MAX_REASON
from bot.questions.check import BankError
from bot.suggestions import views as view
from bot.suggestions.cards import ReportReview
from bot.suggestions.plain import plain_text
from bot.suggestions.rules import Kind, SuggestedQuestion
from bot.suggestions.service import Suggestions as SuggestionsService

log = logging.getLogger(__name__)


class Suggestions(commands.Cog):
    def __init__(self, bot: QuizBot, suggestions: SuggestionsService) -> None:
        self.bot = bot
        self.service = suggestions
        bot.router.add(view.SUGGESTED, self.suggested)
        bot.router.add(view.OPEN_REVIEW, self.open_review)
        bot.router.add(view.REVIEW, self.decide)
        bot.router.add(view.EDITED, self.edited)
        bot.router.add(view.REJECTED, self.rejected)
        # discord.py has no decorator for context menus in cogs:
        # https://discordpy.readthedocs.io/en/stable/interactions/api.html#contextmenu
        bot.tree.add_command(
            app_commands.ContextMenu(name="Suggest as question", callback=self.suggest_message)
        )

    @app_commands.command(description="Suggest a question for this server")
    @app_commands.guild_only()
    @app_commands.allowed_installs(guilds=True, users=False)
    async def suggest(self, interaction: discord.Interaction) -> None:
        require_bot(interaction)
        await self.service.check_limit(guild_id_of(interaction), interaction.user.id)
        await interaction.response.send_modal(view.suggest_form())

    @app_commands.guild_only()
    @app_commands.allowed_installs(guilds=True, users=False)
    async def suggest_message(
        self, interaction: discord.Interaction, message: discord.Message
    ) -> None:
        """Open the form of `/suggest`, filled with a message.

        Discord sends the content of a message that a message command is used on, even without the
        intent for message content: https://discord.com/developers/docs/events/gateway#message-content-intent.
        """
        require_bot(interaction)
        # a message of nothing but marks takes up to 30 ms
        prompt = await compute(plain_text, message.clean_content, view.MAX_PROMPT)
        if not prompt:
            raise UserError(
                "That message has no text of its own. Use this on a message with words, or write your question "
                "with </suggest>."
            )
        await self.service.check_limit(guild_id_of(interaction), interaction.user.id)
        await interaction.response.send_modal(view.suggest_form(prompt))

    async def suggested(self, interaction: discord.Interaction, _fields: Fields) -> None:
        fields = modal_texts(interaction)
        question = SuggestedQuestion(
            **{name: fields.get(name, "") for name in SuggestedQuestion.__struct_fields__}
        )
        guild_id = guild_id_of(interaction)
        async with return_text_on_error(interaction, "\n\n".join(filter(None, fields.values()))):
            try:
                channel_id = await self.service.suggest(guild_id, interaction.user.id, question)
            except BankError as error:
                raise UserError(
                    view.not_added_note(error.problems) + " Use </suggest> again and mend that."
                ) from error
        await say(interaction, view.THANKS)
        await self._announce(guild_id, channel_id, interaction.id)
        await self._show_verdicts(interaction)

    # --- review

    async def review(self, interaction: discord.Interaction) -> None:
        """Handle `/bank review`. Server settings decide who can use that command."""
        found = await self.service.next_review(guild_id_of(interaction), interaction.user.id)
        await say(interaction, view.review_page(found))

    async def open_review(self, interaction: discord.Interaction, _fields: Fields) -> None:
        """Handle the announcement's button, which everybody can press."""
        require_manager(interaction)
        await self.review(interaction)

    async def decide(self, interaction: discord.Interaction, fields: Fields) -> None:
        require_page(interaction, view.REVIEW)
        guild_id, kind, row_id = guild_id_of(interaction), Kind(fields["kind"]), int(fields["row"])
        match fields["what"], kind:
            case "edit", Kind.REPORT:
                await self._edit_reported(interaction, row_id)
            case "edit", _:
                await interaction.response.send_modal(
                    view.edit_form(await self.service.waiting_suggestion(guild_id, row_id))
                )
            case "reject", Kind.SUGGESTION:
                await self.service.waiting_suggestion(guild_id, row_id)
                await interaction.response.send_modal(view.reject_form(row_id))
            case "accept", Kind.SUGGESTION:
                await self._accept(interaction, row_id)
            case "settle", Kind.REPORT:
                await self.service.settle_report(guild_id, row_id)
                await self._show_next(interaction, kind, row_id, view.SETTLED_NOTE)
            case _:
                await self._show_next(interaction, kind, row_id)

    async def _accept(self, interaction: discord.Interaction, row_id: int) -> None:
        after = row_id
        try:
            note = await self._added(interaction, row_id)
        except BankError as error:
            note, after = view.not_added_note(error.problems), row_id - 1
        await self._show_next(interaction, Kind.SUGGESTION, after, note)

    async def _added(
        self, interaction: discord.Interaction, row_id: int, form: Form | None = None
    ) -> str:
        """Add a suggestion to the bank, and return the note that says so."""
        work = self.service.accept(guild_id_of(interaction), row_id, form)
        return view.added_note(await defer_if_slow(interaction, work, edits=True))

    async def _edit_reported(self, interaction: discord.Interaction, row_id: int) -> None:
        """Open the form for a reported own question; the bank's cog handles it."""
        found = await self.service.next_review(
            guild_id_of(interaction), interaction.user.id, Kind.REPORT, row_id - 1
        )
        if (
            not isinstance(found, ReportReview)
            or found.id != row_id
            or found.own is None
            or found.hidden
        ):
            raise UserError(
                "That question can't be edited now. Press Later, or use </bank review> to see what's left."
            )
        await interaction.response.send_modal(bank_views.edit_form(found.own))

    async def edited(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Accept a suggestion as a manager has edited it."""
        row_id, form = int(fields["row"]), form_in(interaction)
        async with return_text_on_error(interaction, form.text):
            require_page(interaction, view.EDITED)
            try:
                note = await self._added(interaction, row_id, form)
            except BankError as error:
                await say(interaction, bank_views.not_saved(error.problems, form))
                return
        await self._show_next(interaction, Kind.SUGGESTION, row_id, note)

    async def rejected(self, interaction: discord.Interaction, fields: Fields) -> None:
        reason = modal_reason(interaction, view.REASONS, MAX_REASON)
        row_id = int(fields["row"])
        async with return_text_on_error(interaction, reason):
            require_page(interaction, view.REJECTED)
            if not reason:
                raise UserError(
                    "Its author should know why. Press Reject again and choose a reason, or write one."
                )
            await self.service.reject(guild_id_of(interaction), row_id, reason)
        await self._show_next(interaction, Kind.SUGGESTION, row_id, view.REJECTED_NOTE)

    async def _show_next(
        self, interaction: discord.Interaction, kind: Kind, after: int, note: str | None = None
    ) -> None:
        """Replace the page with the next thing to review."""
        found = await self.service.next_review(
            guild_id_of(interaction), interaction.user.id, kind, after
        )
        await say_here(interaction, view.review_page(found, note))

    # --- announcements and verdicts

    @commands.Cog.listener()
    async def on_question_reported(self, guild_id: int, interaction_id: int) -> None:
        """Announce a stored report that this server reviews."""
        await self._announce(
            guild_id, await self.service.announcement_channel(guild_id), interaction_id
        )

    async def _announce(self, guild_id: int, channel_id: int | None, interaction_id: int) -> None:
        """Post the announcement. If that fails, the review still has what waits."""
        if channel_id is None:
            return
        try:
            place = Place(guild_id, channel_id)
            await self.bot.context.sender.post(
                place, view.announcement(), f"s{interaction_id:x}", urgent=False
            )
        except (DeliveryRefused, DeliveryUnknown) as error:
            log.info(
                "guild %s: the announcement of something to review failed (%s)",
                guild_id,
                error,
            )

    @commands.Cog.listener()
    async def on_app_command_completion(
        self, interaction: discord.Interaction, _command: Any
    ) -> None:
        """Show a member their verdicts after any command, unless it opened a modal."""
        if interaction.response.type is not discord.InteractionResponseType.modal:
            await self._show_verdicts(interaction)

    async def _show_verdicts(self, interaction: discord.Interaction) -> None:
        if interaction.guild_id is None:
            return
        try:
            found = await self.service.verdicts(interaction.guild_id, interaction.user.id)
            if found:
                await say_all(interaction, view.verdict_messages(found))
                await self.service.forget_verdicts(interaction.user.id, found)
        except (discord.HTTPException, StorageError, *TRANSIENT_ERRORS) as error:
            log.info(
                "showing verdicts on suggestions failed, to be tried again (%s)",
                type(error).__name__,
            )
