"""The yardstick: discord.py with the bot's intents and no caches, which acknowledges clicks and does nothing else."""

from __future__ import annotations

import os

import discord
import uvloop

TEXT = "Locked in."


class Bare(discord.AutoShardedClient):
    def __init__(self) -> None:
        super().__init__(
            intents=discord.Intents(guilds=True),
            allowed_mentions=discord.AllowedMentions.none(),
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            max_messages=None,
        )

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        await interaction.response.send_message(TEXT, ephemeral=True)


async def _run() -> None:
    async with Bare() as client:
        await client.start(os.environ["DISCORD_TOKEN"])


def main() -> None:
    uvloop.run(_run())  # as the bot does
