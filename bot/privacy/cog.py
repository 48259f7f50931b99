"""The button "My data": a member's own data as a file, or erased."""

from __future__ import annotations

from functools import partial

import discord
from discord.ext import commands

from bot.chat.client import QuizBot
from bot.chat.replies import defer_here, say, say_all, say_here
from bot.chat.router import Fields
from bot.chat.uploads import uploading
from bot.privacy import views as view
from bot.privacy.work import Privacy


class PrivacyCog(commands.Cog):
    def __init__(self, bot: QuizBot, privacy: Privacy) -> None:
        self._privacy = privacy
        bot.router.add(view.MY_DATA, self.show)
        bot.router.add(view.EXPORT, self.export)
        bot.router.add(view.ERASE, self.erase)

    async def show(self, interaction: discord.Interaction, _fields: Fields) -> None:
        await say(interaction, view.card())

    async def export(self, interaction: discord.Interaction, _fields: Fields) -> None:
        make = partial(self._privacy.export, interaction.user.id)
        async with uploading(interaction, make) as made:
            await say_all(interaction, view.export_pages(made.entries, made.parts, made.files()))

    async def erase(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Ask once more; then erase, or keep everything."""
        match fields["what"]:
            case "ask":
                page = view.ask()
            case "no":
                page = view.kept()
            case _:
                erase = self._privacy.erase(interaction.user.id)
                page = view.erased(whole=await defer_here(interaction, erase))
        await say_here(interaction, page)
