"""/bank: managers edit their server's own questions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial
from typing import Any, Literal, TypeVar

import discord
from discord import app_commands
from discord.ext import commands
from msgspec.structs import replace

from bot.bank import views as view
from bot.bank.cards import Saved
from bot.bank.files import most_bytes, refuse_size
from bot.bank.forms import PICTURE, Extras, Form
from bot.bank.pictures import TOO_LARGE
from bot.bank.service import OwnBank
from bot.chat import text as t
from bot.chat.client import QuizBot
from bot.chat.messages import Message
from bot.chat.permissions import PAGE_LIFETIME, require_bot, require_page
from bot.chat.replies import defer_if_slow, return_text_on_error, say, say_here, show
from bot.chat.router import Fields, Route, guild_id_of, modal_fields, modal_file, modal_texts
from bot.core.errors import UserError
from bot.core.limits import MAX_FILE_BYTES, MAX_LARGE_FILES, MAX_PICTURE_BYTES
from bot.core.snowflakes import created_at
from bot.questions.check import BankError, Problem, file_error


async def title_choices(
    interaction: discord.Interaction[QuizBot], current: str
) -> list[app_commands.Choice[str]]:
    """Suggest topics by title. The value is the title, because a new one may be typed too."""
    bank = await interaction.client.context.bank_for(interaction.user.id, interaction.guild_id)
    titles = dict.fromkeys(topic.title for topic in bank.search(current[:100]))
    return [app_commands.Choice(name=title, value=title) for title in titles]


Show = Callable[[discord.Interaction], Awaitable[None]]
Written = TypeVar("Written", Form, Extras)


@app_commands.guild_only()
@app_commands.allowed_installs(guilds=True, users=False)
@app_commands.default_permissions(manage_guild=True)
class Bank(commands.GroupCog, group_name="bank", group_description="This server's own questions"):
    def __init__(
        self,
        bot: QuizBot,
        bank: OwnBank,
        *,
        review: Show,
        insights: Show,
    ) -> None:
        """`review` and `insights` reply to the commands of other features."""
        self.bot = bot
        self.own = bank
        self._large_slots = asyncio.Semaphore(MAX_LARGE_FILES)
        self._large_files: set[int] = set()
        """The servers with a large file that is read or waits."""
        self.show_review = review
        self.show_insights = insights
        self._forms_opened: dict[tuple[int, int], datetime] = {}
        """When members last opened a form by a command, by server and member.

        A modal that answers a command is submitted without a message that would have a time.
        """
        bot.router.add(view.LIST, self.list_page)
        bot.router.add(view.RETIRE, self.retired)
        bot.router.add(view.ADDED, self.added)
        bot.router.add(view.EDITED, self.edited)
        bot.router.add(view.CORRECT, self.correct)
        bot.router.add(view.EXTRAS, self.extras)
        bot.router.add(view.EXTENDED, self.extended)

    async def interaction_check(self, interaction: discord.Interaction) -> bool:
        require_bot(interaction)
        return True

    @app_commands.command(
        name="import", description="Add questions from a file, or change those with the same ids"
    )
    @app_commands.describe(file="JSON, CSV or a .zip of an export")
    async def import_(self, interaction: discord.Interaction, file: discord.Attachment) -> None:
        await say(interaction, await defer_if_slow(interaction, self._import(interaction, file)))

    async def _import(self, interaction: discord.Interaction, file: discord.Attachment) -> Message:
        try:
            refuse_size(file.size, most_bytes(file.filename))
            if most_bytes(file.filename) <= MAX_FILE_BYTES:
                return await self._download(interaction, file)
            async with self._large_file_in_turn(guild_id_of(interaction)):
                return await self._download(interaction, file)
        except BankError as error:
            return view.refused(error.problems)

    async def _download(
        self, interaction: discord.Interaction, file: discord.Attachment
    ) -> Message:
        most = most_bytes(file.filename)
        content = await self.bot.download(file, most)
        if content is None:
            raise file_error(f"has more than {most:,} bytes")
        guild_id = guild_id_of(interaction)
        return view.imported(await self.own.import_file(guild_id, file.filename, content))

    @asynccontextmanager
    async def _large_file_in_turn(self, guild_id: int) -> AsyncIterator[None]:
        """Wait until few large files are in memory; refuse a server that has one under way."""
        if guild_id in self._large_files:
            raise UserError("I'm still reading another file for this server. Try again after that.")
        self._large_files.add(guild_id)
        try:
            async with self._large_slots:
                yield
        finally:
            self._large_files.discard(guild_id)

    @app_commands.command(description="This server's own questions as a file")
    @app_commands.describe(
        format="JSON holds everything (in a .zip if there are pictures), CSV is for spreadsheets",
        packs="With the shipped questions that this server asks. Default: no",
    )
    async def export(
        self,
        interaction: discord.Interaction,
        format: Literal["json", "csv"] = "json",
        packs: bool = False,
    ) -> None:
        title = interaction.guild.name if interaction.guild else "Our own questions"
        work = self.own.export(guild_id_of(interaction), title, sheet=format == "csv", packs=packs)
        await say(interaction, view.exported(await defer_if_slow(interaction, work)))

    @app_commands.command(name="list", description="This server's own questions, page by page")
    @app_commands.describe(search="Words from the question, its topic or its id. Default: all")
    async def list_(
        self, interaction: discord.Interaction, search: app_commands.Range[str, 0, 30] = ""
    ) -> None:
        search = view.unpacked(view.packed(search))
        found = await self.own.page_of(guild_id_of(interaction), search)
        await say(interaction, view.listing(found, search))

    async def list_page(self, interaction: discord.Interaction, fields: Fields) -> None:
        require_page(interaction, view.LIST)
        search = view.unpacked(fields["search"])
        found = await self.own.page_of(guild_id_of(interaction), search, int(fields["page"]))
        await say_here(interaction, view.listing(found, search))

    @app_commands.command(description="Write a question for this server")
    @app_commands.describe(topic="The topic it belongs to, or the title of a new one")
    @app_commands.autocomplete(topic=title_choices)
    async def add(
        self, interaction: discord.Interaction, topic: app_commands.Range[str, 1, 100] = ""
    ) -> None:
        await self._open_form(interaction, view.add_form(topic))

    async def added(self, interaction: discord.Interaction, _fields: Fields) -> None:
        add = partial(self.own.add, guild_id_of(interaction))
        await self._save_form(interaction, view.ADDED, form_in(interaction), add)

    async def item_choices(
        self, interaction: discord.Interaction, current: str
    ) -> list[app_commands.Choice[str]]:
        """Suggest the server's own questions by id, topic and text."""
        found = (
            await self.own.find(interaction.guild_id, current[:100]) if interaction.guild_id else []
        )
        return [
            app_commands.Choice(
                name=t.cut(f"{own.row.name} · {' '.join(own.item.prompt.split())}", 100),
                value=own.row.name,
            )
            for own in found[:25]
        ]

    @app_commands.command(description="Change one of this server's own questions")
    @app_commands.describe(
        item="Which question", what="Its texts, or its code and picture. Default: its texts"
    )
    @app_commands.autocomplete(item=item_choices)
    async def edit(
        self,
        interaction: discord.Interaction,
        item: str,
        what: Literal["texts", "code and picture"] = "texts",
    ) -> None:
        own = await self.own.get(guild_id_of(interaction), item)
        form = view.edit_form(own.row) if what == "texts" else view.extras_form(own.row)
        await self._open_form(interaction, form)

    async def extras(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Open the form for the code and the picture of a question."""
        require_page(interaction, view.EXTRAS)
        own = await self.own.numbered(guild_id_of(interaction), int(fields["number"]))
        await interaction.response.send_modal(view.extras_form(own))

    async def extended(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Store the code and the picture of a question."""
        number = int(fields["number"])
        extend = partial(self._extend, interaction, number)
        written = extras_in(interaction)
        await self._save_form(interaction, view.EXTENDED, written, extend, number)

    async def _extend(
        self, interaction: discord.Interaction, number: int, written: Extras
    ) -> Saved:
        """Store the form for code and a picture, and the file in it."""
        guild_id = guild_id_of(interaction)
        file = modal_file(interaction, "upload")
        if file is None:
            return await self.own.illustrate(guild_id, number, written)
        async with self._large_file_in_turn(guild_id):
            upload = await self.bot.download(file, MAX_PICTURE_BYTES)
            if upload is None:
                raise BankError([Problem(PICTURE, TOO_LARGE)])
            return await self.own.illustrate(guild_id, number, replace(written, upload=upload))

    async def edited(self, interaction: discord.Interaction, fields: Fields) -> None:
        edit = partial(self.own.edit, guild_id_of(interaction), int(fields["number"]))
        await self._save_form(interaction, view.EDITED, form_in(interaction), edit)

    async def _open_form(self, interaction: discord.Interaction, form: discord.ui.Modal) -> None:
        """Open a form in response to a command, and store when."""
        now = created_at(interaction.id)
        self._forms_opened = {
            member: at for member, at in self._forms_opened.items() if now - at <= PAGE_LIFETIME
        }
        self._forms_opened[guild_id_of(interaction), interaction.user.id] = now
        await interaction.response.send_modal(form)

    async def _save_form(
        self,
        interaction: discord.Interaction,
        route: Route,
        written: Written,
        save: Callable[[Written], Coroutine[Any, Any, Saved]],
        number: int | None = None,
    ) -> None:
        """Store a form, and show the question or what is wrong with the form.

        If its member may not send it or it is refused, the member gets the text back. `number` is
        the question whose code and picture the form is for, if it is one of these.
        """
        opened_at = self._forms_opened.get((guild_id_of(interaction), interaction.user.id))
        async with return_text_on_error(interaction, written.text):
            require_page(interaction, route, opened_at)
            try:
                message = view.saved(await defer_if_slow(interaction, save(written)))
            except BankError as error:
                message = view.not_saved(error.problems, written, number)
        await say(interaction, message)

    async def correct(self, interaction: discord.Interaction, fields: Fields) -> None:
        require_page(interaction, view.CORRECT)
        work = self.own.correct(guild_id_of(interaction), int(fields["number"]))
        await say(interaction, view.corrected(await defer_if_slow(interaction, work)))

    @app_commands.command(description="Take one of this server's own questions out for good")
    @app_commands.describe(item="Which question")
    @app_commands.autocomplete(item=item_choices)
    async def retire(self, interaction: discord.Interaction, item: str) -> None:
        await say(interaction, view.retiring(await self.own.get(guild_id_of(interaction), item)))

    async def retired(self, interaction: discord.Interaction, fields: Fields) -> None:
        require_page(interaction, view.RETIRE)
        row = await self.own.retire(guild_id_of(interaction), int(fields["number"]))
        await show(interaction, view.retired(row.name))

    @app_commands.command(
        description="What the answers say: too easy, too hard, doubtful, and your weakest topics"
    )
    async def insights(self, interaction: discord.Interaction) -> None:
        await self.show_insights(interaction)

    @app_commands.command(description="Go through suggested questions and reports, one by one")
    async def review(self, interaction: discord.Interaction) -> None:
        await self.show_review(interaction)


def form_in(interaction: discord.Interaction) -> Form:
    """Return the form of a question as the member filled it in."""
    given = modal_texts(interaction)
    return Form(**{name: given.get(name, "") for name in Form.__struct_fields__})


def extras_in(interaction: discord.Interaction) -> Extras:
    """Return the form for code and a picture as the member filled it in, without its file."""
    given = modal_texts(interaction)
    return Extras(
        code=given.get("code", ""),
        language=given.get("language", ""),
        alt=given.get("alt", ""),
        remove=bool(modal_fields(interaction).get("remove")),
    )
