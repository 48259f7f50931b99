"""The start of a round or challenge by a command or button."""

from __future__ import annotations

import discord

from bot.chat.permissions import require_may_play
from bot.chat.router import guild_id_of, roles_of
from bot.games.model import Starter


def starter_of(interaction: discord.Interaction) -> Starter:
    """Return who starts a game where; refuse if the bot or the member may not post there."""
    require_may_play(interaction)
    assert interaction.channel_id is not None
    return Starter(
        guild_id=guild_id_of(interaction),
        channel_id=interaction.channel_id,
        user_id=interaction.user.id,
        name=interaction.user.display_name,
        roles=roles_of(interaction),
        manages=interaction.permissions.manage_guild,
    )
