"""Private replies: files, mentions of commands, and lost responses."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock, Mock

import aiohttp
import discord
import pytest

from bot.chat.messages import OPEN, Message, text_of
from bot.chat.pictures import PendingPicture, Picture
from bot.chat.replies import ReplyLost, defer_if_slow, report_error, say, show, update_reply
from bot.core.errors import UserError
from tests.messages import texts

PICTURE = Picture(b"png", "one.png", "what it shows")


class FakeInteraction:
    """An interaction that records its replies, with files as bytes. The first `lost` ones fail.

    With `arrive` they reach Discord and only their confirmation is lost.
    """

    def __init__(self, lost: int = 0, *, arrive: bool = False) -> None:
        self.sent: list[dict[str, Any]] = []
        self.later: list[dict[str, Any]] = []
        self.extras: dict[str, Any] = {}
        self._lost = lost
        self._arrive = arrive
        self.client = SimpleNamespace(
            command_mention=lambda name: f"</{name}:7>",
            ways_in=lambda _interaction, _text: [],
            is_closed=lambda: False,
            load_picture=None,
        )
        self.message = None
        self.type = discord.InteractionType.component
        self.data = {"custom_id": "x"}
        self.guild_id = None
        self.response = SimpleNamespace(
            is_done=lambda: False,
            send_message=self._record,
            edit_message=self._record,
            defer=self._record,
        )
        self.edit_original_response = self._record_later
        self.followup = SimpleNamespace(send=self._record_later)

    async def _record_later(self, **options: Any) -> None:
        self.later.append(_with_bytes(options))

    async def _record(self, **options: Any) -> None:
        self.sent.append(_with_bytes(options))
        if len(self.sent) <= self._lost:
            raise aiohttp.ClientError
        if self._arrive:
            raise discord.HTTPException(
                Mock(status=400, reason=""), {"code": 40060, "message": "acknowledged"}
            )


def _with_bytes(options: dict[str, Any]) -> dict[str, Any]:
    """Replace the files in a request by their bytes."""
    files = {"files", "attachments"} & options.keys()
    return options | {key: [file.fp.read() for file in options[key]] for key in files}


async def test_a_lost_reply_is_sent_again_with_its_files() -> None:
    """The second attempt has the picture too, although the first has read its file."""
    fake: Any = FakeInteraction(lost=1)
    await say(fake, Message(OPEN, PICTURE))
    assert [options["files"] for options in fake.sent] == [[b"png"], [b"png"]]


async def test_an_edit_names_the_files_of_the_page() -> None:
    """An edit sends the page's pictures, and none for a page without; it takes plain text away."""
    fake: Any = FakeInteraction()
    for reply in (show, update_reply):
        await reply(fake, Message(OPEN, PICTURE))
        await reply(fake, Message(OPEN, "words"))
    assert [options["attachments"] for options in fake.sent + fake.later] == [
        [b"png"],
        [],
        [b"png"],
        [],
    ]
    assert {options["content"] for options in fake.sent + fake.later} == {None}


@pytest.mark.parametrize(("reply", "files"), [(say, "files"), (show, "attachments")])
async def test_a_picture_that_takes_long_to_draw(
    reply: Any, files: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reply is deferred, and the page is sent once its picture is drawn."""
    monkeypatch.setattr("bot.chat.replies._PATIENCE", 0.01)
    fake: Any = FakeInteraction()
    waiting = asyncio.Event()

    async def draw() -> bytes:
        await waiting.wait()
        return b"png"

    async def defer(**options: Any) -> None:
        assert options == {"ephemeral": True, "thinking": reply is say}
        fake.response.is_done = lambda: True
        waiting.set()

    fake.response.defer = defer
    page = Message(OPEN, PendingPicture("one.png", "what it shows", "in words", draw))
    await reply(fake, page)
    await update_reply(fake, page)
    assert (fake.sent, fake.later[0][files], fake.later[1]["attachments"]) == (
        [],
        [b"png"],
        [b"png"],
    )


async def test_commands_can_be_clicked() -> None:
    """Commands become mentions in sentences and pages, in replies and edits."""
    fake: Any = FakeInteraction()
    await say(fake, str(UserError("See </quiz>.")))
    await say(fake, Message(OPEN, "See </help>."))
    await show(fake, Message(OPEN, "See </help>."))
    assert fake.sent[0]["content"] == "See </quiz:7>."
    assert [texts(options["view"]) for options in fake.sent[1:]] == [["See </help:7>."]] * 2
    assert text_of(fake.sent[1]["view"]) == "See </help:7>."


@pytest.mark.parametrize("first", [say, show])
async def test_pages_after_a_reply_whose_confirmation_was_lost(first: Any) -> None:
    """After it, further ones are follow-ups or edits; a follow-up is private unless it says so."""
    fake: Any = FakeInteraction(lost=1, arrive=True)
    await first(fake, Message(OPEN, "one"))
    assert len(fake.sent) == 2
    await say(fake, Message(OPEN, "two"))
    await show(fake, Message(OPEN, "three"))
    await say(fake, Message(OPEN, "four"), public=True)
    assert [texts(options["view"]) for options in fake.later] == [["two"], ["three"], ["four"]]
    assert [options.get("ephemeral") for options in fake.later] == [True, None, False]
    assert len(fake.sent) == 2


async def test_a_deferral_whose_confirmation_was_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """If the confirmation of deferring is lost, the result still replaces the placeholder."""
    monkeypatch.setattr("bot.chat.replies._PATIENCE", 0.01)
    fake: Any = FakeInteraction(lost=1, arrive=True)
    done = await defer_if_slow(fake, asyncio.sleep(0.05, "done"))
    await say(fake, done)
    assert [options["content"] for options in fake.later] == ["done"]
    assert fake.sent == [{"ephemeral": True, "thinking": True}] * 2


async def test_a_response_by_somebody_else_is_an_error() -> None:
    """If no response of ours was lost, Discord's error is raised."""
    fake: Any = FakeInteraction(arrive=True)
    with pytest.raises(discord.HTTPException):
        await say(fake, "words")
    assert fake.extras == {}


@pytest.mark.parametrize(
    "error",
    [
        OSError("the process for drawing has ended"),
        TimeoutError(),
        ConnectionResetError("another service"),
    ],
)
async def test_a_network_error_of_the_handler_is_reported(error: Exception) -> None:
    """A network error in the handler's own work is reported to the member."""
    fake: Any = FakeInteraction()
    await report_error(fake, error)
    assert [options["content"][:33] for options in fake.sent] == [
        "Something went wrong on my side. "
    ]


@pytest.mark.parametrize("failure", [aiohttp.ClientError(), TimeoutError(), ConnectionResetError()])
@pytest.mark.parametrize("reply", [say, show])
async def test_a_lost_reply_is_only_logged(reply: Any, failure: Exception) -> None:
    """A lost reply may have arrived, so it is only logged."""
    fake: Any = FakeInteraction()
    fake.response.send_message = fake.response.edit_message = AsyncMock(side_effect=failure)
    with pytest.raises(ReplyLost) as lost:
        await reply(fake, Message(OPEN, "words"))
    fake.response.send_message = fake._record
    await report_error(fake, lost.value)
    assert fake.sent == []
