"""What the bot may do, checked before anything is promised."""

from __future__ import annotations

from collections.abc import Sequence

import discord

from bot.core.errors import UserError


def to_post(channel: object) -> list[str]:
    """Permissions without which Discord takes no message for a channel."""
    return ["view_channel", "send_messages_in_threads" if isinstance(channel, discord.Thread) else "send_messages"]


def needed(channel: object, *, thread: bool = False) -> list[str]:
    """Permissions without which the bot can't run a round or a daily in a channel."""
    names = [*to_post(channel), "attach_files", "read_message_history"]
    return [*names, "create_public_threads"] if thread else names


def missing(permissions: discord.Permissions, names: Sequence[str]) -> str:
    """The names of missing permissions as Discord writes them, joined for a sentence; empty if none is missing.

    Of a channel that the bot can't see, Discord tells nothing else: View Channel comes first, and alone.
    """
    names = names if permissions.view_channel else ["view_channel"]
    lacking = [
        name.replace("_", " ").title().replace(" In ", " in ") for name in names if not getattr(permissions, name)
    ]
    return " and ".join([", ".join(lacking[:-1]), lacking[-1]] if len(lacking) > 1 else lacking)


def require_here(interaction: discord.Interaction) -> None:
    """Refuse if the bot can't post in the channel of an interaction."""
    lacking = missing(interaction.app_permissions, needed(interaction.channel))
    if lacking:
        raise UserError(
            f"I can't post in <#{interaction.channel_id}>: I need {lacking} here. "
            "Ask a manager to allow it, then try again."
        )


def require_manager(interaction: discord.Interaction) -> None:
    """Refuse a click on what everyone sees, unless its member has Manage Server."""
    if not interaction.permissions.manage_guild:
        raise UserError("Only members with Manage Server can use this button. Ask one of them to press it.")


def daily_problem(channel: discord.TextChannel, *, thread: bool, role: discord.Role | None) -> str | None:
    """Why a daily can't be posted in a channel, as a sentence; None if it can."""
    permissions = channel.permissions_for(channel.guild.me)
    lacking = missing(permissions, needed(channel, thread=thread))
    if lacking:
        return f"I can't post in {channel.mention}: I need {lacking} there. Allow it in its settings, then try again."
    if role is not None and role.is_default():
        return "I don't ping @everyone. Choose a role that members can give themselves, such as one for learners."
    if role is not None and not role.mentionable and not permissions.mention_everyone:
        return (
            f"I can't ping {role.mention}: let everyone mention that role, or give me Mention Everyone in "
            f"{channel.mention}, then try again."
        )
    return None
