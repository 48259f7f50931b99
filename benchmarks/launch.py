"""Run the bot, or a bare client, against the Discord whose addresses are in the environment.

The bare client is the yardstick: discord.py with the bot's intents and no caches, which
acknowledges clicks and does nothing else.
"""

from __future__ import annotations

import os
import sys

import discord
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route


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
        await interaction.response.send_message("Locked in.", ephemeral=True)


async def run_bare() -> None:
    async with Bare() as client:
        await client.start(os.environ["DISCORD_TOKEN"])


def main() -> int:
    Route.BASE = os.environ["BENCHMARK_API"]
    DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(os.environ["BENCHMARK_GATEWAY"])
    if sys.argv[1] == "bare":
        import uvloop

        uvloop.run(run_bare())  # as the bot does
        return 0
    from bot.__main__ import main as run_bot

    return run_bot(["run"])


if __name__ == "__main__":
    sys.exit(main())
