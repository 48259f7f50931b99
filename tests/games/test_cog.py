"""Where games, boards and searches can't be posted, everybody reads why."""

from __future__ import annotations

import discord

from bot.boards.views import SHOW_BOARD
from bot.challenges.views import BACK
from bot.chat.messages import OPEN, Message, button, row
from bot.core.context import Place
from bot.interviews.partner_views import LOOK
from bot.rounds.views import AGAIN
from tests.simcord.fixtures import long_sleeps, no_pace, stage
from tests.simcord.stage import Stage, labels, reply

__all__ = ["long_sleeps", "no_pace", "stage"]


async def test_nothing_is_posted_where_writing_is_forbidden(stage: Stage) -> None:
    """The member reads what they or the bot lack, whatever they use that would post for them."""
    quiet, reader = stage.reader()
    forbidden = discord.PermissionOverwrite(send_messages=False)
    locked = stage.guild.create_text_channel(
        "locked", overwrites={stage.guild.default_role: forbidden}
    )
    await stage.alwina.slash(quiet, "quiz", questions=1, seconds=10)
    await stage.wait(60)
    board = SHOW_BOARD.id(of="members", period="week", topic="", page=0)
    ids = AGAIN.id(round=1), BACK.id(challenge=1), board, LOOK.id(topic="")
    buttons = Message(OPEN, "Buttons", row(*(button(custom_id, custom_id) for custom_id in ids)))
    await stage.services.context.sender.post(Place(stage.guild.id, quiet.id), buttons, "buttons")
    message = quiet.last_message
    assert message is not None
    pressed = [await reader.click(message, label=label) for label in labels(message)]
    assert len(pressed) == len(ids)
    for channel, member, words, results in (
        (quiet, reader, "You can't post in <#{}>: you need", pressed),
        (locked, stage.clementine, "I can't post in <#{}>: I need", []),
    ):
        before = stage.texts(channel)
        results += [await member.slash(channel, name) for name in ("quiz", "challenge")]
        for refused in results:
            assert refused.ephemeral
            assert reply(refused).startswith(f"{words.format(channel.id)} Send Messages here.")
        assert stage.texts(channel) == before
    assert quiet.last_message == message
