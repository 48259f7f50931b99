"""A file with the messages of the simulated Discord, which the next start reads."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import msgspec
from simcord.backend import Backend
from simcord.backend.models import Channel, Interaction, Message

log = logging.getLogger(__name__)

KEPT_MESSAGES = 300
"""Messages of a channel that are kept, because all are written again after each change."""


class Kept(msgspec.Struct, frozen=True):
    """The content of the file. Members and channels are not in it: each start creates them."""

    messages: list[Message]
    threads: list[Channel]
    interactions: list[Interaction]
    """Those whose tokens are still valid: the bot edits private replies with them."""
    commands: list[dict[str, Any]]
    """The ids of commands must stay, because messages contain them."""
    roles: dict[int, list[int]]
    """The roles of each member, because the bot gives some."""
    files: dict[str, bytes]
    """The attachments of messages, by address."""


def save(backend: Backend, file: Path) -> bool:
    """Replace the file; return False if that fails, as on a full disk."""
    messages = [
        message
        for channel in backend.messages.values()
        for message in list(channel.values())[-KEPT_MESSAGES:]
    ]
    addresses = {attachment["url"] for message in messages for attachment in message.attachments}
    files = {address: backend.cdn.get(address) for address in addresses}
    (guild,) = backend.guilds.values()
    kept = Kept(
        messages=messages,
        threads=[backend.channels[number] for number in guild.thread_ids],
        interactions=[
            interaction
            for interaction in backend.interactions.values()
            if (interaction.expires_at or "") > backend.now_iso()
        ],
        commands=[command for scope in backend.commands.values() for command in scope.values()],
        roles={number: member.role_ids for number, member in guild.members.items()},
        files={address: data for address, data in files.items() if data is not None},
    )
    unfinished = file.with_name(f"{file.name}.new")
    try:
        unfinished.write_bytes(msgspec.json.encode(kept))
        unfinished.replace(file)
    except OSError as error:
        log.warning("playground: messages were not saved (%s)", error)
        return False
    return True


def restore(backend: Backend, file: Path) -> bool:
    """Restore messages into a new world; return False if there are none.

    A file that can't be read is renamed and logged.
    """
    try:
        kept = msgspec.json.decode(file.read_bytes(), type=Kept)
        commands = {
            (int(command.get("guild_id", 0)), command["name"], command["type"]): command
            for command in kept.commands
        }
    except FileNotFoundError:
        return False
    except (OSError, msgspec.MsgspecError, KeyError, TypeError, ValueError) as error:
        aside = file.with_name(f"{file.name}.unreadable")
        file.replace(aside)
        log.error("playground: messages can't be read, see %s (%s)", aside, error)  # one line
        return False
    (guild,) = backend.guilds.values()
    for thread in kept.threads:
        backend.channels[thread.id] = thread
        backend.messages[thread.id] = {}
        guild.thread_ids.append(thread.id)
    for message in kept.messages:
        if message.channel_id in backend.channels:
            backend.messages[message.channel_id][message.id] = message
            backend.channels[message.channel_id].last_message_id = message.id
    for interaction in kept.interactions:
        backend.interactions[interaction.id] = interaction
        backend.interaction_tokens[interaction.token] = interaction.id
    for (scope, *key), command in commands.items():
        backend.commands.setdefault(scope or None, {})[tuple(key)] = command
    for number, roles in kept.roles.items():
        if number in guild.members:
            guild.members[number].role_ids = roles
    for address, data in kept.files.items():
        backend.cdn._blobs[address] = data
    return True
