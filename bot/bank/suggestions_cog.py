"""Suggesting questions, and going through suggestions and reports."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from functools import partial

import discord
from discord import app_commands
from discord.ext import commands
from msgspec.structs import replace

from bot.bank import suggestions_views
from bot.bank import views as view
from bot.bank.cog import draft_of, form_in, set_draft
from bot.bank.message_text import plain_text
from bot.bank.model import Form, WaitingKind, WaitingReport
from bot.bank.suggestions_service import Suggestions
from bot.chat.client import QuizBot
from bot.chat.news import News, tell_news
from bot.chat.permissions import require_bot, require_manager, require_page
from bot.chat.replies import defer_if_slow, return_text_on_error, say, say_here
from bot.chat.router import Fields, guild_id_of, modal_reason
from bot.core.context import Place
from bot.core.errors import DeliveryRefused, DeliveryUnknown, UserError
from bot.core.limits import MAX_REASON
from bot.questions.check import BankError

log = logging.getLogger(__name__)
_MOST_READ = 4_000
"""Characters of a message that are read: as many as a member can write. Names of those whom it
mentions may make it longer."""
_REMIND_AGAIN = timedelta(days=1)
"""The time from one reminder of a moderator to the next."""


class SuggestionsCog(commands.Cog):
    def __init__(self, bot: QuizBot, suggestions: Suggestions) -> None:
        self.bot = bot
        self.service = suggestions
        self._reminded: dict[tuple[int, int], datetime] = {}
        """When moderators were last told what waits, by server and member."""
        for route, handler in (
            (suggestions_views.SUGGEST, self.suggest),
            (suggestions_views.SUGGESTED, self.suggested),
            (suggestions_views.OPEN_REVIEW, self.open_review),
            (suggestions_views.NEXT, self.review),
            (suggestions_views.REVIEW, self.decide),
            (suggestions_views.EDITED, self.edited),
            (suggestions_views.REJECTED, self.rejected),
        ):
            bot.router.add(route, handler)
        # discord.py has no decorator for context menus in cogs:
        # https://discordpy.readthedocs.io/en/stable/interactions/api.html#contextmenu
        bot.tree.add_command(
            app_commands.ContextMenu(name="Suggest as question", callback=self.suggest_message)
        )

    async def suggest(self, interaction: discord.Interaction, _fields: Fields) -> None:
        """Handle the button "Suggest a question"."""
        draft = draft_of(interaction, suggestions_views.SUGGESTED.id())
        await self._open_form(interaction, draft or view.NO_TEXTS)

    @app_commands.guild_only()
    @app_commands.allowed_installs(guilds=True, users=False)
    async def suggest_message(
        self, interaction: discord.Interaction, message: discord.Message
    ) -> None:
        """Open the form for a suggestion, filled with a message.

        Discord sends the content of a message that a message command is used on, even without the
        intent for message content: https://discord.com/developers/docs/events/gateway#message-content-intent.
        """
        prompt = plain_text(message.clean_content[:_MOST_READ], view.MAX_PROMPT)
        if not prompt:
            raise UserError(
                "That message has no text of its own. Use this on a message with words, or write your "
                'question with "Suggest a question" in </help>.'
            )
        await self._open_form(interaction, replace(view.NO_TEXTS, prompt=prompt))

    async def _open_form(self, interaction: discord.Interaction, now: Form) -> None:
        if interaction.guild_id is None:
            raise UserError(
                "Questions are suggested to a server. Go to the one that should ask yours, and use </help> there."
            )
        require_bot(interaction)
        await self.service.check_limit(interaction.guild_id, interaction.user.id)
        await interaction.response.send_modal(suggestions_views.suggest_form(now))

    async def suggested(self, interaction: discord.Interaction, _fields: Fields) -> None:
        form, guild_id = form_in(interaction), guild_id_of(interaction)
        async with return_text_on_error(interaction, form.text):
            try:
                channel_id = await self.service.suggest(guild_id, interaction.user.id, form)
            except BankError as error:
                set_draft(interaction, form)
                again = suggestions_views.SUGGEST.id()
                await say(interaction, view.not_saved(error.problems, form.text, again))
                return
        set_draft(interaction, None)
        await say(interaction, suggestions_views.THANKS)
        await self._announce(guild_id, channel_id, interaction.id)
        tell_news(interaction)

    # --- review

    async def review(self, interaction: discord.Interaction, _fields: Fields) -> None:
        """Show the first thing that waits."""
        require_page(interaction, suggestions_views.NEXT)
        found = await self.service.next_waiting(guild_id_of(interaction), interaction.user.id)
        await say(interaction, suggestions_views.review_page(found))

    async def open_review(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Handle the announcement's button, which everybody can press."""
        require_manager(interaction)
        await self.review(interaction, fields)

    async def decide(self, interaction: discord.Interaction, fields: Fields) -> None:
        require_page(interaction, suggestions_views.REVIEW)
        guild_id, kind, row_id = (
            guild_id_of(interaction),
            WaitingKind(fields["kind"]),
            int(fields["row"]),
        )
        match fields["what"], kind:
            case "edit", WaitingKind.REPORT:
                await self._edit_reported(interaction, row_id)
            case "edit", _:
                found = await self.service.waiting_suggestion(guild_id, row_id)
                draft = draft_of(interaction, suggestions_views.EDITED.id(row=row_id))
                await interaction.response.send_modal(suggestions_views.edit_form(found, draft))
            case "reject", WaitingKind.SUGGESTION:
                await self.service.waiting_suggestion(guild_id, row_id)
                await interaction.response.send_modal(suggestions_views.reject_form(row_id))
            case "accept", WaitingKind.SUGGESTION:
                await self._accept(interaction, row_id)
            case "settle", WaitingKind.REPORT:
                await self.service.settle_report(guild_id, row_id)
                await self._show_next(interaction, kind, row_id, suggestions_views.SETTLED_NOTE)
            case _:
                await self._show_next(interaction, kind, row_id)

    async def _accept(self, interaction: discord.Interaction, row_id: int) -> None:
        after = row_id
        try:
            note = await self._added(interaction, row_id)
        except BankError as error:
            note, after = suggestions_views.not_added_note(error.problems), row_id - 1
        await self._show_next(interaction, WaitingKind.SUGGESTION, after, note)

    async def _added(
        self, interaction: discord.Interaction, row_id: int, form: Form | None = None
    ) -> str:
        """Add a suggestion to the bank, and return the note that says so."""
        work = self.service.accept(guild_id_of(interaction), row_id, form)
        return suggestions_views.added_note(await defer_if_slow(interaction, work, edits=True))

    async def _edit_reported(self, interaction: discord.Interaction, row_id: int) -> None:
        """Open the form for a reported own question; the bank's cog handles it."""
        found = await self.service.next_waiting(
            guild_id_of(interaction), interaction.user.id, WaitingKind.REPORT, row_id - 1
        )
        if (
            not isinstance(found, WaitingReport)
            or found.id != row_id
            or found.own is None
            or found.hidden
        ):
            raise UserError(
                "That question can't be edited now. Press Later, or use </bank> to see what's left."
            )
        await interaction.response.send_modal(view.edit_form(found.own))

    async def edited(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Accept a suggestion as a manager has edited it."""
        row_id, form = int(fields["row"]), form_in(interaction)
        async with return_text_on_error(interaction, form.text):
            require_page(interaction, suggestions_views.EDITED)
            try:
                note = await self._added(interaction, row_id, form)
            except BankError as error:
                set_draft(interaction, form)
                again = suggestions_views.REVIEW.id(
                    what="edit", kind=WaitingKind.SUGGESTION, row=row_id
                )
                await say(interaction, view.not_saved(error.problems, form.text, again))
                return
        await self._show_next(interaction, WaitingKind.SUGGESTION, row_id, note)

    async def rejected(self, interaction: discord.Interaction, fields: Fields) -> None:
        reason = modal_reason(interaction, suggestions_views.REASONS, MAX_REASON)
        row_id = int(fields["row"])
        async with return_text_on_error(interaction, reason):
            require_page(interaction, suggestions_views.REJECTED)
            if not reason:
                raise UserError(
                    "Its author should know why. Press Reject again and choose a reason, or write one."
                )
            await self.service.reject(guild_id_of(interaction), row_id, reason)
        await self._show_next(
            interaction, WaitingKind.SUGGESTION, row_id, suggestions_views.REJECTED_NOTE
        )

    async def _show_next(
        self,
        interaction: discord.Interaction,
        kind: WaitingKind,
        after: int,
        note: str | None = None,
    ) -> None:
        """Replace the page with the next thing to review."""
        found = await self.service.next_waiting(
            guild_id_of(interaction), interaction.user.id, kind, after
        )
        await say_here(interaction, suggestions_views.review_page(found, note))

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
                place, suggestions_views.announcement(), f"s{interaction_id:x}"
            )
        except (DeliveryRefused, DeliveryUnknown) as error:
            log.info(
                "guild %s: the announcement of something to review failed (%s)",
                guild_id,
                error,
            )

    async def verdicts(self, interaction: discord.Interaction, _command: str) -> News | None:
        """Return the verdicts on a member's suggestions that they haven't read."""
        found = await self.service.verdicts(guild_id_of(interaction), interaction.user.id)
        if not found:
            return None
        told = partial(self.service.forget_verdicts, found)
        return News(suggestions_views.verdict_messages(found), told)

    async def what_waits(self, interaction: discord.Interaction, command: str) -> News | None:
        """Return what waits for a moderator, once a day; `/bank` and `/help` show it themselves."""
        now = self.bot.context.now()
        while self._reminded and now - next(iter(self._reminded.values())) >= _REMIND_AGAIN:
            del self._reminded[next(iter(self._reminded))]  # the oldest, which come first
        guild_id = guild_id_of(interaction)
        member = guild_id, interaction.user.id
        manages = interaction.permissions.manage_guild
        if not manages or command in {"bank", "help"} or member in self._reminded:
            return None
        waiting = await self.service.waiting(guild_id)
        if not waiting.total:
            return None
        self._reminded[member] = now
        return News([suggestions_views.reminder(waiting)])
