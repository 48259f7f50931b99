"""Autocomplete for an option that several commands share."""

from __future__ import annotations

import discord
from discord import app_commands

from bot.chat.client import QuizBot


async def topic_choices(
    interaction: discord.Interaction[QuizBot], current: str
) -> list[app_commands.Choice[str]]:
    """Suggest topics whose title, id, number or section matches."""
    bank = await interaction.client.context.bank_for(interaction.user.id, interaction.guild_id)
    return [
        app_commands.Choice(
            name=f"{bank.section_titles[topic.section_id]} · {topic.title}"[:100], value=topic.id
        )
        for topic in bank.search(current[:100])
    ]
