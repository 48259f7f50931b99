"""Interactions that no client of simcord would send, and what the bot replies to them."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import discord

from bot.chat.client import QuizBot
from tests.simcord.stage import Stage


@dataclass
class FakeResponse:
    """Records replies in place of `interaction.response` and `interaction.followup`."""

    replies: list[Any] = field(default_factory=list)

    def is_done(self) -> bool:
        return bool(self.replies)

    async def send_message(self, **options: Any) -> None:
        assert options["ephemeral"]
        assert 0 < len(options.get("content", "a view")) <= 2000
        self.replies.append(options.get("view", options.get("content")))

    send = send_message

    async def edit_message(self, **options: Any) -> None:
        self.replies.append(options["view"])

    async def send_modal(self, modal: discord.ui.Modal) -> None:
        self.replies.append(modal)


def fake_interaction(stage: Stage, **given: Any) -> discord.Interaction[QuizBot]:
    """Build an interaction of alwina in the quiz channel, with these attributes in place of the
    usual ones."""
    response = FakeResponse()
    usual = {
        "type": discord.InteractionType.component,
        "id": 1,
        "guild_id": stage.guild.id,
        "guild": stage.bot.get_guild(stage.guild.id),
        "channel_id": stage.quiz.id,
        "channel": stage.bot.get_channel(stage.quiz.id),
        "locale": "de",
        "permissions": discord.Permissions(send_messages=True, view_channel=True),
        "app_permissions": discord.Permissions.all(),
        "user": SimpleNamespace(id=stage.alwina.id, display_name="Alwina"),
        "response": response,
        "followup": response,
        "extras": {},
        "client": stage.bot,
        "command_failed": False,
        "_state": stage.bot._connection,
    }
    return cast(discord.Interaction[QuizBot], SimpleNamespace(**usual | given))
