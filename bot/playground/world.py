"""The study group people play in: members, channels and the welcome message.

Everything here is created in a fixed order under a clock frozen at a fixed date, so guild, channels, roles, users
and direct messages have the same ids at every start and a lasting database still fits. Messages come after the
clock is released: their ids carry the real time and do not repeat.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import discord
from simcord.actors import MemberActor
from simcord.builders import ChannelHandle, GuildHandle, UserHandle

from .live import LiveEnv

SERVER = "Study group"
BOT_NAME = "Quizformer"
GUIDE_NAME = "Welcome"

WELCOME = """\
### Welcome to the study group
This is a real Quizformer on a simulated Discord. Type in the box below, and pick who you are beside the \
channels. Three commands to try:
1. `/quiz start questions:3 seconds:10` starts a round. Answer it as Ada, then as Blaise.
2. `/leaderboard` shows who leads.
3. As Moderator: `/daily setup channel:#daily time:09:00 timezone:Europe/Berlin` brings a question a day.
-# Type a line as it stands, or choose the command from the list and fill in its options."""


@dataclass(frozen=True)
class Person:
    """Someone the player can be."""

    key: str
    name: str
    colour: str
    moderates: bool = False


PEOPLE = (
    Person("ada", "Ada", "#3ba55c"),
    Person("blaise", "Blaise", "#e67e22"),
    Person("carl", "Carl", "#9b59b6"),
    Person("moderator", "Moderator", "#e0455f", moderates=True),
)
FACES = {
    **{person.key: (person.name, person.colour) for person in PEOPLE},
    "bot": (BOT_NAME, "#5865f2"),
    "guide": ("W", "#2d7d9a"),
}


@dataclass
class World:
    guild: GuildHandle
    quiz: ChannelHandle
    daily: ChannelHandle
    members: dict[str, MemberActor]
    users: dict[str, UserHandle]


def found(env: LiveEnv) -> World:
    """Create the study group; call it before the environment starts."""
    backend = env.backend
    backend.bot_user.name = BOT_NAME
    backend.bot_user.avatar = "bot"

    def user(key: str, name: str, **fields: Any) -> UserHandle:
        env.clock.advance(1)
        return env.create_user(key, global_name=name, avatar=key, **fields)

    owner = user("founder", "Founder")
    guide = user("guide", GUIDE_NAME, system=True)
    users = {person.key: user(person.key, person.name) for person in PEOPLE}

    env.clock.advance(1)
    guild = env.create_guild(SERVER, owner=owner)
    managing = discord.Permissions(manage_guild=True, manage_messages=True)
    moderators = guild.create_role("Moderator", permissions=managing, color=0xE0455F)
    members = {
        person.key: guild.add_member(users[person.key], roles=[moderators] if person.moderates else [])
        for person in PEOPLE
    }
    guild.add_member(guide)
    env.clock.advance(1)
    quiz = guild.create_text_channel("quiz", topic="Rounds: /quiz start, at any time")
    daily = guild.create_text_channel("daily", topic="The question of the day")
    for handle in users.values():
        _ = handle.dm_channel  # created on first use: here, so that its id is fixed too

    env.clock.release()
    message = backend.create_message(quiz.id, guide.id, WELCOME)
    message.pinned = True
    return World(guild, quiz, daily, members, users)
