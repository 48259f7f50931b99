"""Private replies: their files, and commands as mentions."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import AsyncMock, Mock

import aiohttp
import discord
import pytest

from bot.chat.messages import OPEN, Message, text_of
from bot.chat.pictures import Picture, Undrawn
from bot.chat.replies import ReplyLost, in_time, report_error, say, show, show_later
from bot.core.errors import UserError
from tests.messages import texts

PICTURE = Picture(b"png", "one.png", "what it shows")


class Told:
    """An interaction that keeps what it was answered with, files as their bytes; the first replies may be lost.

    Those are lost on their way, or, if they `arrive`, the answers to them are.
    """

    def __init__(self, lost: int = 0, *, arrive: bool = False) -> None:
        self.sent: list[dict[str, Any]] = []
        self.later: list[dict[str, Any]] = []
        self.extras: dict[str, Any] = {}
        self._lost, self._arrive = lost, arrive
        self.client = SimpleNamespace(
            command_mention=lambda name: f"</{name}:7>", is_closed=lambda: False
        )
        self.type = discord.InteractionType.component
        self.data, self.guild_id = {"custom_id": "x"}, None
        self.response = SimpleNamespace(
            is_done=lambda: False,
            send_message=self._take,
            edit_message=self._take,
            defer=self._take,
        )
        self.edit_original_response = self._take_later
        self.followup = SimpleNamespace(send=self._take_later)

    async def _take_later(self, **options: Any) -> None:
        for key in {"files", "attachments"} & set(options):
            options[key] = [file.fp.read() for file in options[key]]
        self.later.append(options)

    async def _take(self, **options: Any) -> None:
        for key in {"files", "attachments"} & set(options):
            options[key] = [file.fp.read() for file in options[key]]
        self.sent.append(options)
        if len(self.sent) <= self._lost:
            raise aiohttp.ClientError
        if self._arrive:
            raise discord.HTTPException(
                Mock(status=400, reason=""), {"code": 40060, "message": "acknowledged"}
            )


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
    assert [options["attachments"] for options in told.sent + told.later] == [
        [b"png"],
        [],
        [b"png"],
        [],
    ]


@pytest.mark.parametrize(("turn", "files"), [(say, "files"), (show, "attachments")])
async def test_a_picture_that_takes_long_to_draw(
    turn: Any, files: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Discord is told to wait, and the page comes with its picture when that is drawn."""
    monkeypatch.setattr("bot.chat.replies._PATIENCE", 0.01)
    told, waiting = Told(), asyncio.Event()

    async def draw() -> bytes:
        await waiting.wait()
        return b"png"

    async def defer(**_options: Any) -> None:
        told.response.is_done = lambda: True
        waiting.set()

    told.response.defer = defer
    page = Message(OPEN, Undrawn("one.png", "what it shows", draw))
    await turn(as_interaction(told), page)
    await show_later(as_interaction(told), page)
    assert (told.sent, told.later[0][files], told.later[1]["attachments"]) == (
        [],
        [b"png"],
        [b"png"],
    )


async def test_commands_can_be_clicked() -> None:
    """In sentences and on pages, sent and edited."""
    told = Told()
    await say(as_interaction(told), str(UserError("See </quiz start>.")))
    await say(as_interaction(told), Message(OPEN, "See </help>."))
    await show(as_interaction(told), Message(OPEN, "See </help>."))
    assert told.sent[0]["content"] == "See </quiz start:7>."
    assert [texts(options["view"]) for options in told.sent[1:]] == [["See </help:7>."]] * 2
    assert text_of(told.sent[1]["view"]) == "See </help:7>."


@pytest.mark.parametrize("first", [say, show])
async def test_more_pages_follow_a_reply_whose_answer_was_lost(first: Any) -> None:
    """Discord says that it has the reply: what comes next is a follow-up, or an edit of it, and not a reply again."""
    told = Told(lost=1, arrive=True)
    await first(as_interaction(told), Message(OPEN, "one"))
    assert len(told.sent) == 2
    await say(as_interaction(told), Message(OPEN, "two"))
    await show(as_interaction(told), Message(OPEN, "three"))
    assert [texts(options["view"]) for options in told.later] == [["two"], ["three"]]
    assert len(told.sent) == 2


async def test_a_reply_after_a_wait_whose_answer_was_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """The member has been told to wait, though nobody said so to us: the reply takes the place of that."""
    monkeypatch.setattr("bot.chat.replies._PATIENCE", 0.01)
    told = Told(lost=1, arrive=True)
    done = await in_time(as_interaction(told), asyncio.sleep(0.05, "done"))
    await say(as_interaction(told), done)
    assert [options["content"] for options in told.later] == ["done"]


async def test_a_reply_that_somebody_else_gave_is_no_reply_of_ours() -> None:
    """Without a loss of our own Discord's refusal is told to the caller."""
    told = Told(arrive=True)
    with pytest.raises(discord.HTTPException):
        await say(as_interaction(told), "words")
    assert told.extras == {}


@pytest.mark.parametrize(
    "error",
    [
        OSError("the process for drawing has ended"),
        TimeoutError(),
        ConnectionResetError("another service"),
    ],
)
async def test_an_error_of_the_system_is_told(error: Exception) -> None:
    """What a handler does besides replying may fail as the network does: the member is not left without a word."""
    told = Told()
    await report_error(as_interaction(told), error)
    assert [options["content"][:33] for options in told.sent] == [
        "Something went wrong on my side. "
    ]


@pytest.mark.parametrize("failure", [aiohttp.ClientError(), TimeoutError(), ConnectionResetError()])
@pytest.mark.parametrize("reply", [say, show])
async def test_a_reply_that_was_lost_is_not_followed_by_another(
    reply: Any, failure: Exception
) -> None:
    """It may have arrived: to be told of an error after a result would be wrong. The log has it."""
    told = Told()
    told.response.send_message = told.response.edit_message = AsyncMock(side_effect=failure)
    with pytest.raises(ReplyLost) as lost:
        await reply(as_interaction(told), Message(OPEN, "words"))
    told.response.send_message = told._take
    await report_error(as_interaction(told), lost.value)
    assert told.sent == []
