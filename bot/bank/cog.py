"""/bank: the panel of managers for their server's own questions."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

import discord
from discord import app_commands, ui
from discord.ext import commands
from msgspec import json
from msgspec.structs import replace

from bot.bank import insights_views, suggestions_views
from bot.bank import views as view
from bot.bank.files import most_bytes, refuse_size
from bot.bank.forms import LEVELS, PICTURE, tidied
from bot.bank.model import Extras, Form, QuestionPage
from bot.bank.pictures import TOO_LARGE
from bot.bank.service import OwnBank, QuestionInsights
from bot.bank.suggestions_service import Suggestions
from bot.chat.client import QuizBot
from bot.chat.messages import Message
from bot.chat.permissions import require_bot, require_page
from bot.chat.replies import (
    defer_if_slow,
    payload,
    return_text_on_error,
    say,
    say_here,
    show,
)
from bot.chat.router import (
    Fields,
    Route,
    guild_id_of,
    modal_fields,
    modal_file,
    modal_texts,
    parse_number,
    selected_values,
)
from bot.chat.uploads import uploading
from bot.core.computing import FairQueue
from bot.core.errors import UserError
from bot.core.limits import MAX_FILE_BYTES, MAX_LARGE_FILES, MAX_PICTURE_BYTES, MAX_WAITING
from bot.core.unstored import Drafts
from bot.questions.check import BankError, Problem, file_error
from bot.rounds.cog import start_round
from bot.rounds.model import RoundOptions
from bot.rounds.service import Rounds

_LARGE_FILES = FairQueue("large files", most=MAX_WAITING, each=1, at_once=MAX_LARGE_FILES)
"""Downloads and stores large files. Those that wait are not in memory yet."""


class BankCog(commands.Cog):
    def __init__(
        self,
        bot: QuizBot,
        bank: OwnBank,
        suggestions: Suggestions,
        insights: QuestionInsights,
        rounds: Rounds,
    ) -> None:
        self.bot = bot
        self.own = bank
        self.suggestions = suggestions
        self.insights = insights
        self.rounds = rounds
        for route, handler in (
            (view.FORM, self.open_form),
            (view.ADDED, self.added),
            (view.IMPORTED, self.imported),
            (view.EXPORTED, self.exported),
            (view.SEARCHED, self.searched),
            (view.LIST, self.list_page),
            (view.CHOSEN, self.chosen),
            (view.QUESTION, self.question),
            (view.EDITED, self.edited),
            (view.EXTENDED, self.extended),
            (view.LEVEL, self.level),
            (view.UNDO, self.undo),
            (view.RETIRE, self.retired),
            (view.CORRECT, self.correct),
            (insights_views.INSIGHTS, self.show_insights),
            (insights_views.WEAKEST, self.start_round),
        ):
            bot.router.add(route, handler)

    @app_commands.command(description="This server's own questions: review, add, find, import")
    @app_commands.guild_only()
    @app_commands.allowed_installs(guilds=True, users=False)
    @app_commands.default_permissions(manage_guild=True)
    async def bank(self, interaction: discord.Interaction) -> None:
        require_bot(interaction)
        guild_id = guild_id_of(interaction)
        panel = view.panel(
            await self.own.count(guild_id),
            await self.suggestions.waiting(guild_id),
            review=suggestions_views.NEXT.id(),
            insights=insights_views.OVERVIEW,
        )
        await say(interaction, panel)

    async def open_form(self, interaction: discord.Interaction, fields: Fields) -> None:
        require_page(interaction, view.FORM)
        forms: dict[str, Callable[[], ui.Modal]] = {
            "add": partial(view.add_form, draft_of(interaction, view.ADDED.id())),
            "import": view.import_form,
            "export": view.export_form,
            "search": view.search_form,
        }
        await interaction.response.send_modal(forms[fields["what"]]())

    # --- files

    async def imported(self, interaction: discord.Interaction, _fields: Fields) -> None:
        require_page(interaction, view.IMPORTED)
        file = modal_file(interaction)
        if file is None:
            raise UserError("There was no file in that form. Press Import again and add one.")
        await say(interaction, await defer_if_slow(interaction, self._import(interaction, file)))

    async def _import(self, interaction: discord.Interaction, file: discord.Attachment) -> Message:
        most = most_bytes(file.filename)
        try:
            refuse_size(file.size, most)
            if most <= MAX_FILE_BYTES:
                return await self._download(interaction, file, most)
            async with _LARGE_FILES.turn(guild_id_of(interaction)):
                return await self._download(interaction, file, most)
        except BankError as error:
            return view.refused(error.problems)

    async def _download(
        self, interaction: discord.Interaction, file: discord.Attachment, most: int
    ) -> Message:
        content = await self.bot.download(file, most)
        if content is None:
            raise file_error(f"has more than {most:,} bytes")
        guild_id = guild_id_of(interaction)
        return view.imported(await self.own.import_file(guild_id, file.filename, content))

    async def exported(self, interaction: discord.Interaction, _fields: Fields) -> None:
        require_page(interaction, view.EXPORTED)
        title = interaction.guild.name if interaction.guild else "Our own questions"
        sheet = modal_texts(interaction).get("format") == "csv"
        packs = bool(modal_fields(interaction).get("packs"))
        guild_id = guild_id_of(interaction)
        make = partial(self.own.export, guild_id, title, sheet=sheet, packs=packs)
        async with uploading(interaction, make) as file:
            await say(interaction, view.exported(file))

    # --- finding

    async def searched(self, interaction: discord.Interaction, _fields: Fields) -> None:
        require_page(interaction, view.SEARCHED)
        packed = view.packed(modal_texts(interaction).get("text", ""))
        await self._list(interaction, view.unpacked(packed), 0)

    async def list_page(self, interaction: discord.Interaction, fields: Fields) -> None:
        require_page(interaction, view.LIST)
        await self._list(interaction, view.unpacked(fields["search"]), int(fields["page"]))

    async def _list(self, interaction: discord.Interaction, search: str, page: int) -> None:
        found = await self.own.page_of(guild_id_of(interaction), search, page)
        await say_here(interaction, view.listing(found, search))

    async def chosen(self, interaction: discord.Interaction, _fields: Fields) -> None:
        require_page(interaction, view.CHOSEN)
        number = parse_number(selected_values(interaction))
        page = await self.own.page(guild_id_of(interaction), number)
        await say_here(interaction, view.question_page(page))

    # --- one question

    async def added(self, interaction: discord.Interaction, _fields: Fields) -> None:
        form = form_in(interaction)
        save = partial(self.own.add, guild_id_of(interaction), form)
        await self._save(interaction, view.ADDED, save, form, view.FORM.id(what="add"))

    async def question(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Open a form of a question, or ask whether to take it out."""
        require_page(interaction, view.QUESTION)
        own = await self.own.get(guild_id_of(interaction), int(fields["number"]))
        match fields["what"]:
            case "edit":
                await interaction.response.send_modal(view.edit_form(own.row))
            case "again":
                draft = draft_of(interaction, view.EDITED.id(number=own.row.number))
                await interaction.response.send_modal(view.edit_form(own.row, draft))
            case "extras":
                await interaction.response.send_modal(view.extras_form(own.row))
            case _:
                await say_here(interaction, view.retiring(own))

    async def edited(self, interaction: discord.Interaction, fields: Fields) -> None:
        form, number = form_in(interaction), int(fields["number"])
        save = partial(self.own.edit, guild_id_of(interaction), number, form)
        again = view.QUESTION.id(what="again", number=number)
        await self._save(interaction, view.EDITED, save, form, again)

    async def extended(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Store the code, the formula and the picture of a question."""
        given = modal_texts(interaction)
        form = Extras(
            code=given.get("code", ""),
            language=given.get("language", ""),
            formula=given.get("formula", ""),
            alt=given.get("alt", ""),
        )
        number = int(fields["number"])
        again = view.QUESTION.id(what="extras", number=number)
        save = partial(self._extend, interaction, number, form)
        await self._save(interaction, view.EXTENDED, save, form, again)

    async def _extend(
        self, interaction: discord.Interaction, number: int, form: Extras
    ) -> QuestionPage:
        """Store the form for code, formula and picture, and the file in it."""
        guild_id = guild_id_of(interaction)
        file = modal_file(interaction)
        if file is None:
            return await self.own.illustrate(guild_id, number, form)
        async with _LARGE_FILES.turn(guild_id):
            upload = await self.bot.download(file, MAX_PICTURE_BYTES)
            if upload is None:
                raise BankError([Problem(PICTURE, TOO_LARGE)])
            return await self.own.illustrate(guild_id, number, replace(form, upload=upload))

    async def _save(
        self,
        interaction: discord.Interaction,
        route: Route,
        save: Callable[[], Coroutine[Any, Any, QuestionPage]],
        form: Form | Extras,
        again: str,
    ) -> None:
        """Store a form, and show the question or what is wrong with the form.

        If its member may not send it or it is refused, the member gets the text back. `again` is the
        custom id that opens the form once more.
        """
        async with return_text_on_error(interaction, form.text):
            require_page(interaction, route)
            try:
                page = await defer_if_slow(interaction, save())
                message = view.question_page(page, "**Saved**")
                set_draft(interaction, None)
            except BankError as error:
                set_draft(interaction, form if isinstance(form, Form) else None)
                message = view.not_saved(error.problems, form.text, again)
        await say(interaction, message)

    async def level(self, interaction: discord.Interaction, fields: Fields) -> None:
        require_page(interaction, view.LEVEL)
        chosen = selected_values(interaction)
        if not chosen or chosen[0] not in LEVELS:
            raise UserError("I can't use that here. Pick one from the list.")
        work = self.own.set_level(guild_id_of(interaction), int(fields["number"]), chosen[0])
        page = await defer_if_slow(interaction, work, edits=True)
        await say_here(interaction, view.question_page(page, "**Saved**"))

    async def undo(self, interaction: discord.Interaction, fields: Fields) -> None:
        require_page(interaction, view.UNDO)
        page = await self.own.undo(guild_id_of(interaction), int(fields["change"]))
        await say_here(interaction, view.undone(page))

    async def correct(self, interaction: discord.Interaction, fields: Fields) -> None:
        require_page(interaction, view.CORRECT)
        work = self.own.correct(guild_id_of(interaction), int(fields["number"]))
        await say(interaction, view.corrected(await defer_if_slow(interaction, work)))

    async def retired(self, interaction: discord.Interaction, fields: Fields) -> None:
        require_page(interaction, view.RETIRE)
        await self.own.retire(guild_id_of(interaction), int(fields["number"]))
        await show(interaction, view.retired())

    # --- insights

    async def show_insights(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Show the overview or a page of a list, computed again."""
        require_page(interaction, insights_views.INSIGHTS)
        page = self._insights(interaction, fields["list"], int(fields["page"]))
        await say_here(interaction, await defer_if_slow(interaction, page, edits=True))

    async def _insights(self, interaction: discord.Interaction, name: str, number: int) -> Message:
        found, bank = await self.insights.analyze(guild_id_of(interaction), interaction.user.id)
        if name == "all":
            return insights_views.overview(found)
        return insights_views.list_page(found, bank, name, number)

    async def start_round(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Start a round on a topic, for everyone in the channel."""
        require_page(interaction, insights_views.WEAKEST)
        await start_round(self.rounds, interaction, RoundOptions(topic_id=fields["topic"]))


def form_in(interaction: discord.Interaction) -> Form:
    """Return the form of a question as the member filled it in."""
    given = modal_texts(interaction)
    return tidied(Form(**{name: given.get(name, "") for name in Form.__struct_fields__}))


def set_draft(interaction: discord.Interaction, form: Form | None) -> None:
    """Remember what was refused in this form, for its next time; None forgets it."""
    drafts: Drafts = interaction.client.context.drafts  # type: ignore[attr-defined]
    key = _draft_key(interaction, payload(interaction).get("custom_id"))
    if form is None:
        drafts.discard(interaction.user.id, key)
    else:
        drafts.save(interaction.user.id, key, json.encode(form).decode())


def draft_of(interaction: discord.Interaction, custom_id: str) -> Form | None:
    """Return what was refused in the form with this id the last time, if it was."""
    drafts: Drafts = interaction.client.context.drafts  # type: ignore[attr-defined]
    text = drafts.get(interaction.user.id, _draft_key(interaction, custom_id))
    return json.decode(text, type=Form) if text else None


def _draft_key(interaction: discord.Interaction, custom_id: object) -> str:
    """Return the key of a form here; questions of another server have the same numbers."""
    return f"{custom_id} {interaction.guild_id}"
