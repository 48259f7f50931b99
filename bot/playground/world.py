"""The playground's server: members, channels and the welcome message.

Everything is created in a fixed order while the clock is frozen, so servers, channels, roles, users
and direct messages have the same ids at every start and a kept database still matches. Messages are
created after the clock is released, so their ids contain the real time and don't repeat.
"""

from __future__ import annotations

from typing import Any

import discord
from msgspec import Struct
from simcord.actors import MemberActor
from simcord.builders import GuildHandle, UserHandle

from .live import LiveEnv

SERVER = "Study group"
BOT_NAME = "Quizformer"

WELCOME = """\
### Welcome to the study group
This is the real Quizformer on a simulated Discord. Type in the box below, and choose who you are beside the \
channels. Each page that you open can be somebody else. Three commands to try:
1. `/quiz questions:3 seconds:10` starts a round. Answer it as Ada, then as Blaise.
2. `/leaderboard` shows who's ahead.
3. As Moderator: press "Set up the question of the day" below for a question a day.
-# Type a line as shown, or pick the command from the list and fill in its options."""


MODERATOR = "Moderator"
PEOPLE = ("Ada", "Blaise", "Carl", "Dana", "Emil", "Farah", MODERATOR)
"""The members to choose from, in this order."""


class World(Struct):
    guild: GuildHandle
    members: dict[str, MemberActor]
    users: dict[str, UserHandle]
    welcome: tuple[int, int]
    """Where the first message belongs, and its author."""


def create_world(env: LiveEnv) -> World:
    """Create the server. Call this before the environment starts."""
    backend = env.backend
    backend.bot_user.name = BOT_NAME

    def user(name: str, **fields: Any) -> UserHandle:
        env.clock.advance(1)
        return env.create_user(name.lower(), global_name=name, **fields)

    owner = user("Founder")
    guide = user("Welcome", system=True)
    first = {name: user(name) for name in ("Ada", "Blaise", "Carl", MODERATOR)}

    env.clock.advance(1)
    guild = env.create_guild(SERVER, owner=owner)
    managing = discord.Permissions(manage_guild=True, manage_messages=True, manage_roles=True)
    moderators = guild.create_role("Moderator", permissions=managing, color=0xE0455F)
    members = {
        name: guild.add_member(person, roles=[moderators] if name == MODERATOR else [])
        for name, person in first.items()
    }
    guild.add_member(guide)
    env.clock.advance(1)
    quiz = guild.create_text_channel("quiz", topic="Rounds: /quiz, at any time")
    guild.create_text_channel("daily", topic="The question of the day")
    for handle in first.values():
        _ = handle.dm_channel  # the first use creates it, so this fixes its id too
    guild.create_role("Regular", color=0x2ECC71)
    # whatever is new comes last, or kept databases would not match
    later = {name: user(name) for name in PEOPLE if name not in first}
    for name, handle in later.items():
        members[name] = guild.add_member(handle)
        _ = handle.dm_channel

    env.clock.release()
    users = first | later
    return World(
        guild,
        {name: members[name] for name in PEOPLE},
        {name: users[name] for name in PEOPLE},
        (quiz.id, guide.id),
    )


def welcome(env: LiveEnv, world: World) -> None:
    """Post the first message."""
    message = env.backend.create_message(*world.welcome, WELCOME)
    message.pinned = True
