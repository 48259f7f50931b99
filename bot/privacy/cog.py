"""/privacy: export and erasure of a member's own data, on servers and in direct messages."""

from __future__ import annotations

import discord
from discord import app_commands
from discord.ext import commands

from bot.chat.client import QuizBot
from bot.chat.replies import defer_if_slow, is_private, say, say_all, say_here
from bot.chat.router import Fields
from bot.privacy import views as view
from bot.privacy.service import Privacy as PrivacyService


@app_commands.allowed_installs(guilds=True, users=True)
@app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
class Privacy(
    commands.GroupCog,
    group_name="privacy",
    group_description="See or delete what I've stored about you",
):
    def __init__(self, bot: QuizBot, privacy: PrivacyService) -> None:
        self.privacy = privacy
        bot.router.add(view.ERASE, self.erase)

    @app_commands.command(description="Get everything I've stored about you as a file")
    async def export(self, interaction: discord.Interaction) -> None:
        export = await defer_if_slow(interaction, self.privacy.export(interaction.user.id))
        await say_all(interaction, view.export_pages(export))

    @app_commands.command(description="Delete everything I've stored about you, on every server")
    async def delete(self, interaction: discord.Interaction) -> None:
        await say(interaction, view.about_erasing())

    async def erase(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Handle the buttons of `/privacy delete`."""
        match fields["what"]:
            case "ask":
                page = view.ask_again()
            case "no":
                page = view.kept()
            case _:
                erase = self.privacy.erase(interaction.user.id)
                page = view.erased(
                    whole=await defer_if_slow(interaction, erase, edits=is_private(interaction))
                )
        await say_here(interaction, page)
