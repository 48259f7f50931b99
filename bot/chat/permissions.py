"""What the bot and its members may do, checked before anything is promised."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import discord

from bot.chat import text as t
from bot.chat.replies import is_private
from bot.chat.router import Route, Router, custom_ids
from bot.core.errors import UserError
from bot.core.snowflakes import created_at

_INVITED = discord.Permissions(
    view_channel=True,
    send_messages=True,
    send_messages_in_threads=True,
    create_public_threads=True,
    attach_files=True,
    read_message_history=True,
)
"""What the bot asks for when it is invited; README says the same."""
PAGE_LASTS = timedelta(minutes=15)
"""How long a page proves that its member may use the command that opened it.

The bot may edit a command's reply for as long:
docs.discord.com/developers/interactions/receiving-and-responding.
"""


def to_post(channel: object) -> list[str]:
    """Permissions without which Discord takes no message for a channel."""
    return [
        "view_channel",
        "send_messages_in_threads" if isinstance(channel, discord.Thread) else "send_messages",
    ]


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
        name.replace("_", " ").title().replace(" In ", " in ")
        for name in names
        if not getattr(permissions, name)
    ]
    return " and ".join([", ".join(lacking[:-1]), lacking[-1]] if len(lacking) > 1 else lacking)


def timed_out(me: discord.Member | None) -> str | None:
    """That the bot is in time-out on a server, as a sentence that says what to do; None if it is not.

    In time-out it can do nothing but look, whatever its roles allow.
    """
    if me is None or me.timed_out_until is None or not me.is_timed_out():
        return None
    until = t.when(me.timed_out_until, "f")
    return (
        f"I can't post on this server: I'm in time-out until {until}. Ask a moderator to end that."
    )


def require_bot(interaction: discord.Interaction) -> None:
    """Refuse on a server that has the commands only: it added the app without its bot."""
    guild_id = interaction.guild_id
    if guild_id is None or interaction.client.get_guild(guild_id) is not None:
        return
    link = discord.utils.oauth_url(
        interaction.application_id,
        permissions=_INVITED,
        guild=discord.Object(guild_id),
        scopes=("bot", "applications.commands"),
    )
    raise UserError(
        "My commands are on this server, but I'm not, so I can't post here. "
        f"Ask a moderator to [add me](<{link}>), then try again."
    )


def require_may_play(interaction: discord.Interaction) -> None:
    """Refuse if the bot can't run a round in the channel of an interaction, or its member may not post there."""
    _require_may_post(interaction, needed(interaction.channel))


def require_may_post(interaction: discord.Interaction) -> None:
    """Refuse if the bot can't post in the channel of an interaction, or its member may not."""
    _require_may_post(interaction, to_post(interaction.channel))


def _require_may_post(interaction: discord.Interaction, names: Sequence[str]) -> None:
    """Refuse if the bot lacks one of these permissions in the channel of an interaction, or its member may not post.

    Everyone who sees a button can press it, also where they may only read.
    """
    require_bot(interaction)
    if is_left_out(interaction):
        raise UserError(
            "I'm not in this private thread, so I can't post here. Mention me here to let me in, then try again."
        )
    problem = timed_out(interaction.guild.me if interaction.guild else None)
    if problem:
        raise UserError(problem)
    lacking = missing(interaction.app_permissions, names)
    if lacking:
        raise UserError(
            f"I can't post in <#{interaction.channel_id}>: I need {lacking} here. "
            "Ask a moderator to allow it, then try again."
        )
    lacking = missing(interaction.permissions, to_post(interaction.channel))
    if lacking:
        raise UserError(
            f"You can't post in <#{interaction.channel_id}>: you need {lacking} here. "
            "Ask a moderator to allow it, or try in another channel."
        )


def is_left_out(interaction: discord.Interaction) -> bool:
    """Whether this is a private thread that the bot is not in, which the permissions in an interaction don't tell.

    The cache has every active thread that the bot may see. Of an archived one it knows nothing.
    """
    thread = interaction.channel
    if not isinstance(thread, discord.Thread) or not thread.is_private() or thread.archived:
        return False
    known = thread.guild.unavailable or thread.guild.get_thread(thread.id) is not None
    return not known and not interaction.app_permissions.manage_threads


def require_manager(interaction: discord.Interaction) -> None:
    """Refuse a click on what everyone sees, unless its member has Manage Server."""
    if not interaction.permissions.manage_guild:
        raise UserError(
            "Only members with Manage Server can use this button. Ask one of them to press it."
        )


def require_page(
    interaction: discord.Interaction, route: Route, opened: datetime | None = None
) -> None:
    """Refuse a click or form of managers, unless its member may still use the command that it is from.

    Members with Manage Server may. For others a private page of the command is proof for some
    minutes: Discord let them use it then. `opened` is when a command opened a form for them, which
    is on no page.
    """
    if interaction.permissions.manage_guild:
        return
    if interaction.message is not None:
        router: Router = interaction.client.router  # type: ignore[attr-defined]
        routes = map(router.route_of, custom_ids(interaction.message.components))
        if not is_private(interaction) or not any(
            one is not None and one.group == route.group for one in routes
        ):
            require_manager(interaction)
        opened = created_at(interaction.message.id)
    if opened is None or created_at(interaction.id) - opened > PAGE_LASTS:
        raise UserError(
            f"This has been open too long for me to know if you may still use it. Open it again with {route.command}."
        )


def daily_problem(
    channel: discord.TextChannel, *, thread: bool, role: discord.Role | None
) -> str | None:
    """Why a daily can't be posted in a channel, as a sentence; None if it can."""
    problem = timed_out(channel.guild.me)
    if problem:
        return problem
    permissions = channel.permissions_for(channel.guild.me)
    lacking = missing(permissions, needed(channel, thread=thread))
    if lacking:
        return f"I can't post in {channel.mention}: I need {lacking} there. Allow it in the channel's settings."
    if role is not None and role.is_default():
        return "I don't ping @everyone. Choose a role that people can opt into, such as one for learners."
    if role is not None and not role.mentionable and not permissions.mention_everyone:
        return (
            f"I can't ping {role.mention}. Let everyone mention that role, or give me Mention Everyone in "
            f"{channel.mention}, then try again."
        )
    return None
