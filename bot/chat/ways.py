"""Buttons that use a command, so that whoever reads of one goes on with one tap.

On a phone, a command's mention only writes it into the input box. So a private reply that names
commands and has no button of its own gets theirs: a refusal, an empty page, a farewell.
"""

from __future__ import annotations

import discord
from discord import app_commands, ui

from bot.chat import text as t
from bot.chat.messages import PRIMARY, button
from bot.chat.permissions import is_on_server
from bot.chat.router import Fields, Route

LABELS = {
    "today": "Today",
    "practice": "Practise",
    "quiz": "Start a round",
    "challenge": "Start a challenge",
    "interview": "Mock interview",
    "plan": "Your plan",
    "topics": "Topics",
    "leaderboard": "Leaderboard",
    "profile": "Your profile",
    "help": "Help",
    "daily": "Question of the day",
    "bank": "Question bank",
    "settings": "Settings",
}
"""The label of each command's button: what the command does without options."""
USE = Route("use", {"command": "|".join(LABELS)}, once=True)
_MOST = 2


def way(
    command: str, style: discord.ButtonStyle = discord.ButtonStyle.secondary
) -> ui.Button[ui.LayoutView]:
    """Return the button that uses a command without options."""
    return button(LABELS[command], USE.id(command=command), style)


def ways_in(interaction: discord.Interaction, text: str) -> list[ui.Button[ui.LayoutView]]:
    """Return the buttons of the first commands in a text that its reader may use right there."""
    names = dict.fromkeys(t.commands_in(text))
    usable = [name for name in names if _may_use(interaction, _find(interaction, name))]
    return [way(name, *([] if n else [PRIMARY])) for n, name in enumerate(usable[:_MOST])]


async def use(interaction: discord.Interaction, fields: Fields) -> None:
    """Do what a command does without options."""
    command = _find(interaction, fields["command"])
    if not _may_use(interaction, command):
        raise app_commands.CheckFailure
    await command.callback(command.binding, interaction)  # type: ignore[arg-type]
    interaction.client.dispatch("app_command_completion", interaction, command)


def _find(
    interaction: discord.Interaction, name: str
) -> app_commands.Command[discord.ext.commands.Cog, ..., None]:
    command = interaction.client.tree.get_command(name)  # type: ignore[attr-defined]
    assert isinstance(command, app_commands.Command)
    return command


def _may_use(
    interaction: discord.Interaction,
    command: app_commands.Command[discord.ext.commands.Cog, ..., None],
) -> bool:
    """Whether a command works where a member is, and is not for managers alone.

    Discord checks that for commands, but not for buttons. It doesn't tell which members a server
    lets use managers' commands too, so their buttons are for those with Manage Server.
    """
    needed = command.default_permissions
    if needed is not None and not interaction.permissions >= needed:
        return False
    return is_on_server(interaction) or not command.guild_only
