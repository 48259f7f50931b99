"""/bank: managers look after their server's own questions."""

from __future__ import annotations

from typing import Literal

import aiohttp
import discord
from discord import app_commands
from discord.ext import commands

from bot.bank import views as view
from bot.bank.files import refuse_size
from bot.bank.service import OwnBank
from bot.chat import text as t
from bot.chat.client import QuizBot
from bot.chat.messages import Message
from bot.chat.permissions import require_bot, require_manager
from bot.chat.replies import in_time, is_private, say, say_here, show
from bot.chat.router import Fields, guild_id_of
from bot.core.errors import UserError
from bot.questions.check import BankError


async def item_choices(interaction: discord.Interaction, current: str) -> list[app_commands.Choice[str]]:
    """A server's own questions by id, topic and words."""
    bank: OwnBank = interaction.client.features.own_bank  # type: ignore[attr-defined]
    found = await bank.find(interaction.guild_id, current[:100]) if interaction.guild_id else []
    return [
        app_commands.Choice(
            name=t.cut(f"{own.row.name} · {' '.join(own.item.prompt.split())}", 100), value=own.row.name
        )
        for own in found[:25]
    ]


@app_commands.guild_only()
@app_commands.allowed_installs(guilds=True, users=False)
@app_commands.default_permissions(manage_guild=True)
class Bank(commands.GroupCog, group_name="bank", group_description="This server's own questions"):
    def __init__(self, bot: QuizBot, bank: OwnBank) -> None:
        self.bot = bot
        self.own = bank
        bot.router.add(view.LIST, self.turn)
        bot.router.add(view.RETIRE, self.retired)

    async def interaction_check(self, interaction: discord.Interaction) -> bool:
        require_bot(interaction)
        return True

    @app_commands.command(name="import", description="Add questions from a file, or change those with the same ids")
    @app_commands.describe(file="JSON or CSV, up to 1 MiB and 5,000 questions")
    async def import_(self, interaction: discord.Interaction, file: discord.Attachment) -> None:
        await say(interaction, await in_time(interaction, self._import(interaction, file)))

    async def _import(self, interaction: discord.Interaction, file: discord.Attachment) -> Message:
        try:
            refuse_size(file.size)
            content = await file.read()
            return view.imported(await self.own.import_file(guild_id_of(interaction), file.filename, content))
        except BankError as error:
            return view.refused(error.problems)
        except (discord.HTTPException, aiohttp.ClientError) as error:
            raise UserError("I couldn't download that file from Discord. Try again in a minute.") from error

    @app_commands.command(description="This server's own questions as a file")
    @app_commands.describe(
        format="JSON holds everything, CSV opens in a spreadsheet. Default: JSON",
        packs="With the shipped questions that this server asks. Default: no",
    )
    async def export(
        self, interaction: discord.Interaction, format: Literal["json", "csv"] = "json", packs: bool = False
    ) -> None:
        title = interaction.guild.name if interaction.guild else "Our own questions"
        work = self.own.export(guild_id_of(interaction), title, sheet=format == "csv", packs=packs)
        await say(interaction, view.exported(f"questions.{format}", await in_time(interaction, work)))

    @app_commands.command(name="list", description="This server's own questions, page by page")
    @app_commands.describe(search="Words from the question, its topic or its id. Default: all")
    async def list_(self, interaction: discord.Interaction, search: app_commands.Range[str, 0, 30] = "") -> None:
        search = view.unpacked(view.packed(search))
        await say(interaction, view.listing(await self.own.page_of(guild_id_of(interaction), search), search))

    async def turn(self, interaction: discord.Interaction, fields: Fields) -> None:
        _refuse_others(interaction)
        search = view.unpacked(fields["search"])
        found = await self.own.page_of(guild_id_of(interaction), search, int(fields["page"]))
        await say_here(interaction, view.listing(found, search))

    @app_commands.command(description="Take one of this server's own questions out for good")
    @app_commands.describe(item="Which question")
    @app_commands.autocomplete(item=item_choices)
    async def retire(self, interaction: discord.Interaction, item: str) -> None:
        await say(interaction, view.retiring(await self.own.get(guild_id_of(interaction), item)))

    async def retired(self, interaction: discord.Interaction, fields: Fields) -> None:
        _refuse_others(interaction)
        row = await self.own.retire(guild_id_of(interaction), int(fields["number"]))
        await show(interaction, view.retired(row.name))


def _refuse_others(interaction: discord.Interaction) -> None:
    """Discord decided who may use the command, whose replies nobody else sees; a click elsewhere is checked here."""
    if not is_private(interaction):
        require_manager(interaction)
