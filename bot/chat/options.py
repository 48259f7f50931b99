"""Lists that open while a member types an option."""

from __future__ import annotations

import discord
from discord import app_commands

from bot.core.zones import search_zones


async def topic_choices(
    interaction: discord.Interaction, current: str
) -> list[app_commands.Choice[str]]:
    """Topics by title, id, number or section."""
    context = interaction.client.context  # type: ignore[attr-defined]
    bank = await context.bank_for(interaction.user.id, interaction.guild_id)
    return [
        app_commands.Choice(
            name=f"{bank.section_titles[topic.section_id]} · {topic.title}"[:100], value=topic.id
        )
        for topic in bank.search(current[:100])
    ]


async def zone_choices(
    interaction: discord.Interaction, current: str
) -> list[app_commands.Choice[str]]:
    """Time zones: "berlin" finds Europe/Berlin."""
    return [app_commands.Choice(name=name, value=name) for name in search_zones(current[:64])]
