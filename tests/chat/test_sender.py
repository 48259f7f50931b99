"""The sender against Discord's answers, as they come from its HTTP interface."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from unittest.mock import Mock

import discord
import pytest
import pytest_asyncio

from bot.chat.messages import OPEN, Message, PlainMessage, button
from bot.chat.sender import DiscordSender
from bot.core.clock import DiscordClock
from bot.core.context import Place
from bot.core.errors import DeliveryLater, DeliveryRefused

HERE = Place(0, 5)
BOT_ID = 77
AT = datetime(2027, 1, 4, tzinfo=UTC)


class FakeHttp:
    """Takes discord.py's requests; `answers` by method and path, the error to raise or the JSON to return."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.answers: dict[str, Any] = {"POST /users/@me/channels": {"id": "900", "type": 1, "recipients": []}}

    async def request(self, route: Any, *, form: Any = None, json: Any = None, **more: Any) -> Any:
        what = f"{route.method} {route.url.removeprefix(route.BASE)}".partition("?")[0]
        self.requests.append((what, _payload(form) if form else json or more.get("params", {})))
        answer = self.answers.get(what)
        if isinstance(answer, Exception):
            raise answer
        return message_data("", 4) if answer is None else answer


def _payload(form: list[dict[str, Any]]) -> dict[str, Any]:
    return dict(json.loads(form[0]["value"]))


def message_data(content: str, message_id: int = 1, **more: Any) -> dict[str, Any]:
    """A message of the bot's as Discord sends it."""
    author = {"id": str(BOT_ID), "username": "bot", "discriminator": "0", "avatar": None}
    rest = {"attachments": [], "embeds": [], "components": [], "mentions": [], "mention_roles": [], "flags": 0}
    stamps = {"timestamp": "2027-01-04T00:00:00+00:00", "edited_timestamp": None}
    ids = {"id": str(message_id), "channel_id": "5", "type": 0, "author": author, "content": content}
    return {**ids, **rest, **stamps, "pinned": False, "mention_everyone": False, "tts": False, **more}


def refusal(status: int, code: int) -> discord.HTTPException:
    response = Mock(status=status, reason="")
    kind = discord.Forbidden if status == 403 else discord.HTTPException
    return kind(response, {"code": code, "message": "refused"})


@pytest.fixture
def http() -> FakeHttp:
    return FakeHttp()


@pytest_asyncio.fixture
async def sender(http: FakeHttp) -> AsyncIterator[DiscordSender]:
    async with discord.Client(intents=discord.Intents.none()) as client:
        client.http.request = http.request  # type: ignore[method-assign]
        client._connection.user = discord.ClientUser(state=client._connection, data=message_data("")["author"])
        yield DiscordSender(client, lambda name: f"</{name}:1>", DiscordClock(discord.utils.utcnow))


@pytest.mark.parametrize("code", [50007, 50278])
async def test_closed_direct_messages(sender: DiscordSender, http: FakeHttp, code: int) -> None:
    """Only a member's own refusal, or no server in common, is one for good."""
    http.answers["POST /channels/900/messages"] = refusal(403, code)
    with pytest.raises(DeliveryRefused) as caught:
        await sender.write_to(3, PlainMessage("hello"), None)
    assert caught.value.what == "closed"


@pytest.mark.parametrize("code", [40003, 20026])
async def test_too_many_direct_messages(sender: DiscordSender, http: FakeHttp, code: int) -> None:
    """What Discord does not let through now may go later, and did not happen."""
    http.answers["POST /users/@me/channels"] = refusal(403, code)
    with pytest.raises(DeliveryLater):
        await sender.write_to(3, PlainMessage("hello"), None)
    assert [what for what, _ in http.requests] == ["POST /users/@me/channels"]


async def test_the_channel_of_direct_messages_is_kept(sender: DiscordSender, http: FakeHttp) -> None:
    """It is opened once; whoever kept its id writes there at once."""
    assert await sender.write_to(3, PlainMessage("use </practice>", button("Go", "go")), None) == 900
    assert await sender.write_to(3, PlainMessage("again"), 901) == 901
    assert [what for what, _ in http.requests] == [
        "POST /users/@me/channels",
        "POST /channels/900/messages",
        "POST /channels/901/messages",
    ]
    sent = http.requests[1][1]
    assert (sent["content"], sent.get("flags", 0)) == ("use </practice:1>", 0)
    assert sent["components"][0]["components"][0]["custom_id"] == "go"


async def test_plain_text_becomes_a_card(sender: DiscordSender, http: FakeHttp) -> None:
    """A plain message pings its role; the edit into a Message takes its text away and says that it has components."""
    await sender.post(HERE, PlainMessage("<@&8> new", ping_role=8), "n")
    await sender.edit(HERE, 4, Message(OPEN, "card"))
    (_, plain), (what, card) = http.requests
    assert (plain["content"], plain["allowed_mentions"]["roles"], plain["nonce"]) == ("<@&8> new", [8], "n")
    assert (what, card["content"], card["flags"]) == ("PATCH /channels/5/messages/4", None, 1 << 15)


async def test_a_plain_message_is_found_again(sender: DiscordSender, http: FakeHttp) -> None:
    """By its whole text, among the bot's own messages."""
    history = [message_data("other", 1), message_data("<@&8> new", 2), message_data("<@&8> new", 3)]
    history[1]["author"] = {**history[1]["author"], "id": "1"}
    http.answers["GET /channels/5/messages"] = history
    assert await sender.find(HERE, PlainMessage("<@&8> new"), AT) == 3
    assert await sender.find(HERE, PlainMessage("not there"), AT) is None
    assert await sender.post(HERE, PlainMessage("<@&8> new"), "n", tried_at=AT) == 3
    assert "POST /channels/5/messages" not in dict(http.requests)
