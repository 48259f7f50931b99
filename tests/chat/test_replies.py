"""Private replies: their files, and commands as mentions."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import aiohttp
import discord

from bot.chat.messages import OPEN, Message, text_of
from bot.chat.pictures import Picture
from bot.chat.replies import say, show, show_later
from bot.core.errors import UserError
from tests.messages import texts

PICTURE = Picture(b"png", "one.png", "what it shows")


class Told:
    """An interaction that keeps what it was answered with, files as their bytes; the first reply may be lost."""

    def __init__(self, lost: int = 0) -> None:
        self.sent: list[dict[str, Any]] = []
        self._lost = lost
        self.client = SimpleNamespace(command_mention=lambda name: f"</{name}:7>")
        self.response = SimpleNamespace(is_done=lambda: False, send_message=self._take, edit_message=self._take)
        self.edit_original_response = self._take

    async def _take(self, **options: Any) -> None:
        for key in {"files", "attachments"} & set(options):
            options[key] = [file.fp.read() for file in options[key]]
        self.sent.append(options)
        if len(self.sent) <= self._lost:
            raise aiohttp.ClientError


def as_interaction(told: Told) -> discord.Interaction:
    return cast(discord.Interaction, told)


async def test_a_reply_that_is_lost_is_sent_again_whole() -> None:
    """The second try has the picture too, though the first has read its file."""
    told = Told(lost=1)
    await say(as_interaction(told), Message(OPEN, PICTURE))
    assert [options["files"] for options in told.sent] == [[b"png"], [b"png"]]


async def test_an_edit_names_the_files_of_the_page() -> None:
    """A page with a picture carries it; one without takes away what stood there."""
    told = Told()
    for turn in (show, show_later):
        await turn(as_interaction(told), Message(OPEN, PICTURE))
        await turn(as_interaction(told), Message(OPEN, "words"))
    assert [options["attachments"] for options in told.sent] == [[b"png"], [], [b"png"], []]


async def test_commands_can_be_clicked() -> None:
    """In sentences and on pages, sent and edited."""
    told = Told()
    await say(as_interaction(told), str(UserError("See </quiz start>.")))
    await say(as_interaction(told), Message(OPEN, "See </help>."))
    await show(as_interaction(told), Message(OPEN, "See </help>."))
    assert told.sent[0]["content"] == "See </quiz start:7>."
    assert [texts(options["view"]) for options in told.sent[1:]] == [["See </help:7>."]] * 2
    assert text_of(told.sent[1]["view"]) == "See </help:7>."
