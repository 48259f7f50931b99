"""Permission checks for the bot and its members, made before anything is stored or promised."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

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
    create_private_threads=True,
    attach_files=True,
    read_message_history=True,
)
"""The permissions in the bot's invite link; keep them in line with docs/hosting.md."""
_NAMES = {
    "manage_guild": "Manage Server",
    "moderate_members": "Time Out Members",
    "view_guild_insights": "View Server Insights",
}
"""Permissions that Discord calls otherwise than its API does."""
_HARMLESS = discord.Permissions(
    add_reactions=True,
    attach_files=True,
    change_nickname=True,
    connect=True,
    create_instant_invite=True,
    create_polls=True,
    create_private_threads=True,
    create_public_threads=True,
    embed_links=True,
    external_emojis=True,
    external_stickers=True,
    read_message_history=True,
    request_to_speak=True,
    send_messages=True,
    send_messages_in_threads=True,
    send_voice_messages=True,
    speak=True,
    stream=True,
    use_application_commands=True,
    use_embedded_activities=True,
    use_external_apps=True,
    use_external_sounds=True,
    use_soundboard=True,
    use_voice_activation=True,
    view_channel=True,
)
"""All that a role given by the bot may allow: the usual permissions of members. So one that
Discord adds is a power until it is listed here."""
_NAMED_POWERS = 3
PAGE_LIFETIME = timedelta(minutes=15)
"""For this long an open page proves that its member may use the command that opened it.

An interaction's token is valid for the same time:
https://discord.com/developers/docs/interactions/receiving-and-responding.
"""


PERMISSIONS_FOR_PRIVATE_THREAD = (
    "view_channel",
    "create_private_threads",
    "send_messages_in_threads",
)


def permissions_to_post(channel: object) -> list[str]:
    """Return the permissions that Discord requires to post in a channel."""
    return [
        "view_channel",
        "send_messages_in_threads" if isinstance(channel, discord.Thread) else "send_messages",
    ]


def permissions_to_play(channel: object, *, thread: bool = False) -> list[str]:
    """Return the permissions that the bot needs to run a round or a daily in a channel."""
    names = [*permissions_to_post(channel), "attach_files", "read_message_history"]
    return [*names, "create_public_threads"] if thread else names


def missing_permissions(permissions: discord.Permissions, names: Sequence[str]) -> str:
    """Return the names of missing permissions joined for a sentence, or "" if none is missing.

    Without View Channel nothing else is known about a channel, so only that one is named.
    """
    names = names if permissions.view_channel else ["view_channel"]
    return _in_words([name for name in names if not getattr(permissions, name)])


def _in_words(names: Sequence[str]) -> str:
    """Return permissions as Discord calls them, joined for a sentence."""
    words = [
        _NAMES.get(name) or name.replace("_", " ").title().replace(" In ", " in ") for name in names
    ]
    return t.listed(words)


def timeout_problem(me: discord.Member | None) -> str | None:
    """Return a sentence saying that the bot is in time-out and what to do, or None if it isn't.

    A time-out overrides what the bot's roles allow.
    """
    until = me.timed_out_until if me is not None and me.is_timed_out() else None
    if until is None:
        return None
    return f"I can't post on this server: I'm in time-out until {t.when(until, 'f')}. Ask a moderator to end that."


def require_private_threads(interaction: discord.Interaction) -> None:
    """Refuse if the bot can't open a private thread in this channel."""
    channel = interaction.channel
    if not isinstance(channel, discord.TextChannel) or channel.is_news():
        raise UserError("Private threads are possible in text channels only. Try again in one.")
    lacking = missing_permissions(interaction.app_permissions, PERMISSIONS_FOR_PRIVATE_THREAD)
    if lacking:
        raise UserError(
            f"I can't open private threads in {channel.mention}: I need {lacking} there. "
            "Ask a moderator to allow it, then try again."
        )


def is_on_server(interaction: discord.Interaction) -> bool:
    """Return whether an interaction comes from a server that has the bot."""
    guild_id = interaction.guild_id
    return guild_id is not None and interaction.client.get_guild(guild_id) is not None


def require_bot(interaction: discord.Interaction) -> None:
    """Refuse on a server that added the app's commands without the bot user."""
    guild_id = interaction.guild_id
    if guild_id is None or is_on_server(interaction):
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
    """Refuse if the bot can't run a round in this channel, or the member may not post in it."""
    _require_may_post(interaction, permissions_to_play(interaction.channel))


def require_may_post(interaction: discord.Interaction) -> None:
    """Refuse if the bot or the member may not post in this channel."""
    _require_may_post(interaction, permissions_to_post(interaction.channel))


def _require_may_post(interaction: discord.Interaction, names: Sequence[str]) -> None:
    """Refuse if the bot lacks one of these permissions here, or the member may not post.

    The member is checked because buttons can be pressed in read-only channels too.
    """
    require_bot(interaction)
    if is_outside_thread(interaction):
        raise UserError(
            "I'm not in this private thread, so I can't post here. Mention me here to let me in, then try again."
        )
    problem = timeout_problem(interaction.guild.me if interaction.guild else None)
    if problem:
        raise UserError(problem)
    lacking = missing_permissions(interaction.app_permissions, names)
    if lacking:
        raise UserError(
            f"I can't post in <#{interaction.channel_id}>: I need {lacking} here. "
            "Ask a moderator to allow it, then try again."
        )
    lacking = missing_permissions(interaction.permissions, permissions_to_post(interaction.channel))
    if lacking:
        raise UserError(
            f"You can't post in <#{interaction.channel_id}>: you need {lacking} here. "
            "Ask a moderator to allow it, or try in another channel."
        )


def is_outside_thread(interaction: discord.Interaction) -> bool:
    """Whether this is a private thread without the bot. An interaction's permissions don't show it.

    The cache holds every active thread that the bot may see, but no archived ones.
    """
    thread = interaction.channel
    if not isinstance(thread, discord.Thread) or not thread.is_private() or thread.archived:
        return False
    known = thread.guild.unavailable or thread.guild.get_thread(thread.id) is not None
    return not known and not interaction.app_permissions.manage_threads


def require_manager(interaction: discord.Interaction) -> None:
    """Refuse a click on a public button unless the member has Manage Server."""
    if not interaction.permissions.manage_guild:
        raise UserError(
            "Only members with Manage Server can use this button. Ask one of them to press it, "
            "or go on with </practice>."
        )


def require_page(interaction: discord.Interaction, route: Route) -> None:
    """Refuse a managers' button or form unless the member may still use its command.

    Members with Manage Server always may. For others a private page of the command is proof for
    `PAGE_LIFETIME`, because Discord allowed them the command when it was opened.
    """
    if interaction.permissions.manage_guild:
        return
    too_long = UserError(
        f"This has been open too long for me to know if you may still use it. Open it again with {route.command}."
    )
    if interaction.message is None:
        raise too_long
    router: Router = interaction.client.router  # type: ignore[attr-defined]
    routes = map(router.route_of, custom_ids(interaction.message.components))
    if not is_private(interaction) or not any(
        other is not None and other.group == route.group for other in routes
    ):
        require_manager(interaction)
    if created_at(interaction.id) - created_at(interaction.message.id) > PAGE_LIFETIME:
        raise too_long


def daily_problem(
    channel: discord.TextChannel, *, thread: bool, role: discord.Role | None
) -> str | None:
    """Return a sentence saying why a daily can't be posted in a channel, or None if it can."""
    problem = timeout_problem(channel.guild.me)
    if problem:
        return problem
    permissions = channel.permissions_for(channel.guild.me)
    lacking = missing_permissions(permissions, permissions_to_play(channel, thread=thread))
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


def role_problem(guild: discord.Guild, role_id: int) -> str | None:
    """Return a sentence saying why the bot can't give a role to members, or None if it can."""
    role = guild.get_role(role_id)
    if role is None:
        return "A role that I should give was deleted. Pick another one for it, or remove the milestone."
    return unfit_role_problem(role) or giving_problem(guild)


def giving_problem(guild: discord.Guild) -> str | None:
    """Return a sentence saying why the bot can't give any role, or None if it can give some."""
    if guild.me is None or guild.me.guild_permissions.manage_roles:
        return None
    return "I can't give roles yet: I need Manage Roles. Allow it for my role in Server Settings, under Roles."


def unfit_role_problem(role: discord.Role) -> str | None:
    """Return a sentence saying why a role must not be given out by the bot, or None if it may.

    A role with power would make moderators of members who only answer questions. Discord lets the
    bot give no role that is above its own highest one:
    https://discord.com/developers/docs/topics/permissions#permission-hierarchy
    """
    if role.is_default():
        return "Everyone has that role already. Pick another one."
    if role.managed:
        return f"I can't give {role.mention}: it belongs to an app, or to Server Boosts. Pick another one."
    more = discord.Permissions(role.permissions.value & ~_HARMLESS.value)
    if more.value:
        powers = [name for name, allowed in more if allowed][:_NAMED_POWERS]
        known = _in_words(powers) or "a permission that I don't know"
        return (
            f"I don't give {role.mention}: its members have {known}. "
            "Pick a role without power over the server."
        )
    if role.guild.me is not None and role >= role.guild.me.top_role:
        return (
            f"I can't give {role.mention}: it's above my own role. In Server Settings, under Roles, drag my role "
            "above it, then try again."
        )
    return None


def require_may_give(interaction: discord.Interaction, role: discord.Role) -> None:
    """Refuse a role that the bot must not give, or that the member could not give themselves.

    Otherwise members with Manage Server alone could have the bot give them any role.
    """
    problem = unfit_role_problem(role)
    if problem:
        raise UserError(problem)
    member = interaction.user
    is_owner = role.guild.owner_id == member.id
    if is_owner or (
        isinstance(member, discord.Member)
        and member.guild_permissions.manage_roles
        and role < member.top_role
    ):
        return
    raise UserError(
        f"You can't give {role.mention} yourself, so I won't either. Ask somebody with Manage Roles and a role "
        "above it to choose it."
    )
