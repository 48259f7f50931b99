"""The sender with Discord's HTTP responses."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from unittest.mock import Mock

import aiohttp
import discord
import pytest
import pytest_asyncio

from bot.chat.messages import OPEN, Message, PlainMessage, button, row
from bot.chat.pictures import PendingPicture, Picture
from bot.chat.rate_limit import LIMIT, RefusalCounter
from bot.chat.sender import DiscordSender
from bot.core.context import Place
from bot.core.errors import DeliveryLater, DeliveryRefused, DeliveryUnknown
from bot.core.snowflakes import ALL
from tests.fakes import Clock

HERE = Place(0, 5)
SERVER = Place(1, 5)
IN_THREAD = Place(1, 6)
CARD = Message(OPEN, "x")
BOT_ID = 77
GIVING = "PUT /guilds/1/members/3/roles/7"
AT = datetime(2027, 1, 4, tzinfo=UTC)


class FakeHttp:
    """Replaces discord.py's HTTP client. `answers` maps requests to an error or a JSON response."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.answers: dict[str, Any] = {
            "POST /users/@me/channels": {"id": "900", "type": 1, "recipients": []}
        }

    async def request(self, route: Any, *, form: Any = None, json: Any = None, **more: Any) -> Any:
        what = f"{route.method} {route.url.removeprefix(route.BASE)}".partition("?")[0]
        self.requests.append((what, _payload(form) if form else json or more.get("params", {})))
        answer = self.answers.get(what)
        answer = answer() if callable(answer) else answer
        answer = await answer if isinstance(answer, Awaitable) else answer
        if isinstance(answer, Exception):
            raise answer
        return message_data("", 4) if answer is None else answer


def _payload(form: list[dict[str, Any]]) -> dict[str, Any]:
    return dict(json.loads(form[0]["value"]))


AUTHOR = {"id": str(BOT_ID), "username": "bot", "discriminator": "0", "avatar": None}


def message_data(content: str, message_id: int = 1, author: object = AUTHOR) -> dict[str, Any]:
    """Return a message of the bot's as sent by Discord."""
    lists = ("attachments", "embeds", "components", "mentions", "mention_roles")
    return {
        **{name: [] for name in lists},
        "id": str(message_id),
        "channel_id": "5",
        "type": 0,
        "flags": 0,
        "author": author,
        "content": content,
        "timestamp": "2027-01-04T00:00:00+00:00",
        "edited_timestamp": None,
        "pinned": False,
        "mention_everyone": False,
        "tts": False,
    }


def refusal(status: int, code: int) -> discord.HTTPException:
    response = Mock(status=status, reason="")
    kind = discord.Forbidden if status == 403 else discord.HTTPException
    return kind(response, {"code": code, "message": "refused"})


@pytest.fixture
def http() -> FakeHttp:
    return FakeHttp()


async def load(guild_id: int, file: str) -> bytes | None:
    """Load a stored picture: there is one."""
    return b"jpg" if (guild_id, file) == (1, "a.jpg") else None


@pytest_asyncio.fixture
async def sender(http: FakeHttp) -> AsyncIterator[DiscordSender]:
    async with discord.Client(intents=discord.Intents.none()) as client:
        client.http.request = http.request  # type: ignore[method-assign]
        client._connection.user = discord.ClientUser(
            state=client._connection, data=cast(Any, AUTHOR)
        )
        yield DiscordSender(
            client, lambda name: f"</{name}:1>", Clock().estimate(), load, LIMIT, ALL
        )


async def test_pictures_are_drawn_before_a_message_goes(
    sender: DiscordSender, http: FakeHttp
) -> None:
    """Posts, edits and direct messages include pictures, except those that can't be drawn."""

    async def draw() -> bytes | None:
        return pngs.pop()

    pngs: list[bytes | None] = [None, b"png", b"png", b"png"]
    message = Message(OPEN, "words", PendingPicture("one.png", "what it shows", "in words", draw))
    await sender.post(HERE, message, "1")
    await sender.edit(HERE, 4, message)
    await sender.write_to(3, message, 900)
    await sender.edit(HERE, 4, message)
    names = [
        [file["filename"] for file in sent.get("attachments", ())] for _, sent in http.requests
    ]
    assert names == [["one.png"]] * 3 + [[]]
    assert ["one.png" in str(sent["components"]) for _, sent in http.requests] == [True] * 3 + [
        False
    ]


async def test_every_request_waits_for_its_turn(
    sender: DiscordSender, http: FakeHttp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is sent passes the rate limit first."""
    waits: list[int] = []

    async def wait(_server: int, *, urgent: bool) -> None:
        waits.append(len(http.requests))

    monkeypatch.setattr(sender._limiter, "wait", wait)
    http.answers["GET /channels/5/messages"] = []
    http.answers["POST /channels/5/threads"] = {"id": "9"}
    http.answers["POST /channels/5/messages/4/threads"] = THREAD
    await sender.post(HERE, CARD, "n")
    await sender.find(HERE, CARD, AT)
    await sender.edit(HERE, 4, CARD)
    await sender.open_thread(HERE, 4, "talk")
    await sender.open_private_thread(HERE, "Interview 3", others=None)
    await sender.add_to_thread(HERE, 3)
    await sender.write_to(3, CARD, None)
    await sender.give_role(1, 3, 7)
    assert waits == [*range(len(http.requests))]
    assert "PUT /channels/5/thread-members/3" in dict(http.requests)


@pytest.mark.parametrize(
    ("refused", "code", "outcome"),
    [
        *(("POST /channels/900/messages", code, DeliveryRefused) for code in (50007, 50278)),
        *(("POST /users/@me/channels", code, DeliveryLater) for code in (40003, 20026)),
    ],
)
async def test_direct_messages_that_are_refused(
    sender: DiscordSender, http: FakeHttp, refused: str, code: int, outcome: type[Exception]
) -> None:
    """A member's settings, or no shared server, refuse them for good; too many are postponed."""
    http.answers[refused] = refusal(403, code)
    with pytest.raises(outcome) as caught:
        await sender.write_to(3, PlainMessage("hello"), None)
    assert getattr(caught.value, "what", "closed") == "closed"
    assert http.requests[-1][0] == refused


async def test_a_direct_message_channel_is_reused(sender: DiscordSender, http: FakeHttp) -> None:
    """A direct message channel is opened once, and its id can be used again."""
    message = PlainMessage("use </practice>", button("Go", "go"))
    assert await sender.write_to(3, message, None) == 900
    assert await sender.write_to(3, PlainMessage("again"), 901) == 901
    assert [what for what, _ in http.requests] == [
        "POST /users/@me/channels",
        "POST /channels/900/messages",
        "POST /channels/901/messages",
    ]
    sent = http.requests[1][1]
    assert (sent["content"], sent.get("flags", 0)) == ("use </practice:1>", 0)
    assert sent["components"][0]["components"][0]["custom_id"] == "go"


async def test_a_private_thread_is_opened_once(sender: DiscordSender, http: FakeHttp) -> None:
    """After a crash the bot's private thread with the name in that channel is found, and no other one:
    two members who are called like these have one of their own."""

    def thread(
        thread_id: int, name: str, parent: int, owner: int = BOT_ID, kind: int = 12
    ) -> dict[str, Any]:
        ids = {"id": str(thread_id), "parent_id": str(parent), "owner_id": str(owner)}
        return {**ids, "name": name, "type": kind}

    http.answers["POST /channels/5/threads"] = thread(9, "Interview 3", 5)
    assert await sender.open_private_thread(SERVER, "Interview 3", others=None) == 9
    [(what, sent)] = http.requests
    assert (what, sent["type"], sent["invitable"]) == ("POST /channels/5/threads", 12, False)
    others = [
        thread(10, "Interview 33", 5),
        thread(11, "Interview 3", 6),
        thread(13, "Interview 3", 5, owner=3),
        thread(14, "Interview 3", 5, kind=11),
    ]
    http.answers["GET /guilds/1/threads/active"] = {"threads": others}
    assert await sender.open_private_thread(SERVER, "Interview 3", others=()) == 9
    assert [what for what, _ in http.requests].count("POST /channels/5/threads") == 2
    others += [thread(8, "Interview 3", 5), thread(12, "Interview 3", 5)]
    assert await sender.open_private_thread(SERVER, "Interview 3", others={8}) == 12
    assert [what for what, _ in http.requests].count("POST /channels/5/threads") == 2


async def test_plain_text_becomes_a_card(sender: DiscordSender, http: FakeHttp) -> None:
    """A plain message pings its role; editing it into a Message removes its text."""
    await sender.post(HERE, PlainMessage("<@&8> new", ping_role=8), "n")
    await sender.edit(HERE, 4, Message(OPEN, "card"))
    (_, plain), (what, card) = http.requests
    assert (plain["content"], plain["allowed_mentions"]["roles"], plain["nonce"]) == (
        "<@&8> new",
        [8],
        "n",
    )
    assert (what, card["content"], card["flags"]) == ("PATCH /channels/5/messages/4", None, 1 << 15)


async def test_a_plain_message_is_found_again(sender: DiscordSender, http: FakeHttp) -> None:
    """It is found by its text among the bot's own messages; a member's copy isn't taken for it."""
    history = [
        message_data("<@&8> new", 3),
        message_data("<@&8> new", 2, AUTHOR | {"id": "1"}),
        message_data("other", 1),
    ]
    http.answers["GET /channels/5/messages"] = history  # newest first, as Discord sends them
    assert await sender.find(HERE, PlainMessage("<@&8> new"), AT) == 3
    assert await sender.find(HERE, PlainMessage("not there"), AT) is None
    assert await sender.post(HERE, PlainMessage("<@&8> new"), "n", tried_at=AT) == 3
    assert "POST /channels/5/messages" not in dict(http.requests)


async def test_a_post_whose_turn_comes_too_late(
    sender: DiscordSender, http: FakeHttp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its lease ends while it waits for the rate limit, so another process may have posted it."""
    clock = Clock()
    sender._clock = clock.estimate()

    async def wait(*_: object, **__: object) -> None:
        clock.turn(seconds=20)

    monkeypatch.setattr(sender._limiter, "wait", wait)
    for seconds, requests in ((20, 0), (21, 1)):
        until = clock() + timedelta(seconds=seconds)
        with suppress(DeliveryUnknown):
            await sender.post(HERE, CARD, "n", leased_until=until)
        assert len(http.requests) == requests


async def test_messages_with_the_same_buttons_are_told_apart(
    sender: DiscordSender, http: FakeHttp
) -> None:
    """One that failed is not taken for an earlier one that has the same button, but another id."""

    def plain(own_id: int) -> PlainMessage:
        stop = button("Stop", "stop")
        stop.id = own_id
        return PlainMessage(f"message {own_id}", stop)

    def marked(own_id: int) -> Message:
        return Message(OPEN, row(button("End", "end")), container_id=own_id)

    for message in (plain, marked):
        earlier = {**message_data(""), "components": message(1_000_000_001).to_components()}
        http.answers["GET /channels/5/messages"] = [earlier]
        assert await sender.find(HERE, message(1_000_000_001), AT) == 1
        assert await sender.find(HERE, message(1_000_000_002), AT) is None


VIEW, SEND, FILES, HISTORY = 1 << 10, 1 << 11, 1 << 15, 1 << 16
ROLE = {"color": 0, "hoist": False, "managed": False, "mentionable": False, "flags": 0}
THREAD = {
    "id": "6", "type": 11, "guild_id": "1", "parent_id": "5", "owner_id": "2", "name": "thread", "message_count": 0,
    "member_count": 0, "rate_limit_per_user": 0, "flags": 0, "thread_metadata": {
        "archived": False, "auto_archive_duration": 60, "archive_timestamp": "2027-01-04T00:00:00+00:00",
        "locked": False,
    },
}  # fmt: skip


def guild_data(*, deny: int = 0, **me: Any) -> dict[str, Any]:
    """Return a server with one channel, where everyone lacks the `deny` permissions."""
    everyone = {"id": "1", "name": "@everyone", "position": 0}
    everyone["permissions"] = str(VIEW | SEND | FILES | HISTORY)
    overwrite = {"id": "1", "type": 0, "allow": "0", "deny": str(deny)}
    channel = {"id": "5", "type": 0, "name": "quiz", "position": 0}
    member: dict[str, Any] = {"user": AUTHOR, "roles": [], "joined_at": None, "flags": 0}
    return {
        **{name: [] for name in ("emojis", "stickers", "features")},
        "id": "1",
        "name": "here",
        "owner_id": "2",
        "roles": [everyone | ROLE],
        "channels": [channel | {"permission_overwrites": [overwrite]}],
        "members": [member | {"deaf": False, "mute": False} | me],
        "threads": [THREAD],
    }


TIME_OUT: dict[str, Any] = {"communication_disabled_until": "2999-01-01T00:00:00+00:00"}
EXPIRED: dict[str, Any] = {"communication_disabled_until": "2026-01-01T00:00:00+00:00"}


def add_to_cache(sender: DiscordSender, data: dict[str, Any]) -> None:
    """Put a server into the cache."""
    sender._client._connection._add_guild_from_data(cast(Any, data))


@pytest.mark.parametrize(
    ("deny", "channel_id", "more", "lacking"),
    [
        (SEND, 5, {}, "I need Send Messages there"),
        (VIEW | SEND, 5, {}, "I need View Channel there"),
        (1 << 38, 6, {}, "I need Send Messages in Threads there"),
        (0, 5, TIME_OUT, "I'm in time-out until <t:324721"),
    ],
)
async def test_permissions_are_checked_in_the_cache_first(
    sender: DiscordSender,
    http: FakeHttp,
    deny: int,
    channel_id: int,
    more: dict[str, str],
    lacking: str,
) -> None:
    """A permission that is missing in the cache causes no request."""
    add_to_cache(sender, guild_data(deny=deny, **more))
    with pytest.raises(DeliveryRefused, match=lacking) as caught:
        await sender.post(Place(1, channel_id), CARD, "n")
    assert (caught.value.what, http.requests) == ("permission", [])
    add_to_cache(sender, guild_data(**EXPIRED))
    await sender.post(SERVER, CARD, "n")
    assert len(http.requests) == 1


async def test_the_cache_is_rechecked_after_half_an_hour(
    sender: DiscordSender, http: FakeHttp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a lost event the cache is trusted for half an hour only."""
    add_to_cache(sender, guild_data(deny=SEND))
    for trust, requests in ((1800.0, 0), (1800.0, 0), (0.0, 1), (1800.0, 1)):
        monkeypatch.setattr("bot.chat.sender._RECHECK_SECONDS", trust)
        with suppress(DeliveryRefused):
            await sender.post(SERVER, CARD, "n")
        assert len(http.requests) == requests


async def test_an_outage_causes_no_request(
    sender: DiscordSender, http: FakeHttp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is sent to servers that have an outage or have removed the bot, not even a search."""
    monkeypatch.setattr(sender._client, "is_ready", lambda: True)
    with pytest.raises(DeliveryRefused, match="no longer on that server"):
        await sender.post(SERVER, CARD, "n", tried_at=AT)
    add_to_cache(sender, {"id": "1", "unavailable": True})
    with pytest.raises(DeliveryUnknown, match="outage"):
        await sender.post(SERVER, CARD, "n", tried_at=AT)
    with pytest.raises(DeliveryUnknown, match="outage"):
        await sender.find(SERVER, CARD, AT)
    assert http.requests == []


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (50001, "I can't see <#5>. If it's a private thread, mention me in it"),
        (50013, "whether I'm in time-out"),
    ],
)
async def test_refusals_that_the_cache_does_not_explain(
    sender: DiscordSender, http: FakeHttp, code: int, words: str
) -> None:
    """A refusal that the cache doesn't explain still says what can be done."""
    add_to_cache(sender, guild_data())
    http.answers["POST /channels/5/messages"] = refusal(403, code)
    with pytest.raises(DeliveryRefused, match=words) as caught:
        await sender.post(SERVER, CARD, "n")
    assert caught.value.what == "permission"


async def test_an_archived_thread_is_reopened_for_an_edit(
    sender: DiscordSender, http: FakeHttp
) -> None:
    """A thread that Discord archived is reopened to edit a card in it."""
    edits = [refusal(400, 50083), None]
    http.answers["PATCH /channels/6/messages/4"] = lambda: edits.pop(0)
    await sender.edit(IN_THREAD, 4, CARD)
    assert [what for what, _ in http.requests] == [
        "PATCH /channels/6/messages/4",
        "PATCH /channels/6",
        "PATCH /channels/6/messages/4",
    ]
    assert http.requests[1][1] == {"archived": False}


async def test_only_a_moderator_can_unlock_a_thread(sender: DiscordSender, http: FakeHttp) -> None:
    """If a thread can't be reopened, it is locked and needs a moderator."""
    http.answers["PATCH /channels/6/messages/4"] = refusal(400, 50083)
    http.answers["PATCH /channels/6"] = refusal(403, 50013)
    with pytest.raises(DeliveryRefused, match=r"is locked\. Ask a moderator") as caught:
        await sender.edit(IN_THREAD, 4, CARD)
    assert caught.value.what == "channel"


@pytest.mark.parametrize(
    "error",
    [
        *(refusal(status, 0) for status in (429, 500, 503)),
        *(aiohttp.ClientError(), TimeoutError(), OSError(), RuntimeError("Session is closed")),
    ],
)
async def test_an_outcome_that_nobody_knows(
    sender: DiscordSender, http: FakeHttp, error: Exception
) -> None:
    """The request may have had its effect, and may have it later, so it is no refusal."""
    http.answers["POST /channels/5/messages"] = http.answers[GIVING] = error
    for request in (sender.post(SERVER, CARD, "n"), sender.give_role(1, 3, 7)):
        with pytest.raises(DeliveryUnknown):
            await request


@pytest.mark.parametrize(
    ("status", "code", "tries"), [(403, 50013, 2), (400, 50035, 2), (404, 10008, 1)]
)
async def test_pictures_that_discord_refuses(
    sender: DiscordSender, http: FakeHttp, status: int, code: int, tries: int
) -> None:
    """The message is sent without them, unless the refusal has another cause."""
    pictured = Message(OPEN, "words", Picture(b"png", "one.png", "what it shows"))
    http.answers["PATCH /channels/5/messages/4"] = refusal(status, code)
    for message, tried in ((CARD, 1), (pictured, tries)):
        http.requests.clear()
        with pytest.raises(DeliveryRefused):
            await sender.edit(HERE, 4, message)
        assert len(http.requests) == tried
    assert [len(sent["attachments"]) for _, sent in http.requests] == [1, 0][:tries]


async def test_a_late_edit_keeps_others_of_its_message_back(
    sender: DiscordSender, http: FakeHttp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until it has ended, the same message has no other edit; one that only waits is cancelled."""
    over, ended = asyncio.Event(), []

    async def answer() -> dict[str, Any]:
        await over.wait()
        ended.append(1)
        return message_data("", 4)

    async def send_late() -> None:
        with monkeypatch.context() as patch:
            patch.setattr("bot.chat.sender._PATIENCE", 0)
            for send in (sender.edit(HERE, 4, CARD), sender.post(Place(0, 6), CARD, "n")):
                with pytest.raises(DeliveryUnknown, match="in time"):
                    await send

    http.answers["PATCH /channels/5/messages/4"] = answer
    http.answers["POST /channels/6/messages"] = answer
    sender._client.http._global_over = asyncio.Event()
    await send_late()
    with pytest.raises(DeliveryUnknown, match="still on its way"):
        await sender.edit(HERE, 4, CARD)
    await sender.edit(HERE, 9, CARD)
    over.set()
    await asyncio.wait(set(sender._late))
    await sender.edit(HERE, 4, CARD)
    assert len(ended) == 3
    over.clear()
    sender._client.http._global_over.set()
    await send_late()
    await asyncio.wait(set(sender._late))
    assert len(ended) == 3


async def test_what_the_cache_knows_of_a_server(
    sender: DiscordSender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Servers of other processes aren't known, so they count as having the bot and the role."""
    add_to_cache(sender, guild_data())
    assert [sender.has_role(*one) for one in ((1, 1), (1, 7), (2, 7))] == [True, False, True]
    assert sender.is_on(2)
    monkeypatch.setattr(sender._client, "is_ready", lambda: True)
    assert [sender.is_on(guild_id) for guild_id in (1, 2)] == [True, False]


async def test_servers_with_many_refusals_are_blocked(
    sender: DiscordSender, http: FakeHttp
) -> None:
    """After many refusals nothing is sent to the servers that caused them; others still work."""
    sender._refusals = RefusalCounter(2)
    http.answers["PATCH /channels/5/messages/9"] = refusal(403, 50013)
    for _ in range(2):
        with pytest.raises(DeliveryRefused):
            await sender.edit(SERVER, 9, CARD)
    asked = len(http.requests)
    with pytest.raises(DeliveryUnknown, match="refused"):
        await sender.edit(SERVER, 9, CARD)
    assert len(http.requests) == asked
    await sender.edit(Place(2, 6), 9, CARD)
    assert len(http.requests) == asked + 1


@pytest.mark.parametrize(
    ("status", "code", "what", "words"),
    [
        (404, 10007, "member", "That member has left the server."),
        (404, 10013, "member", "That member has left the server."),
        (403, 50013, "role", "Discord doesn't let me give <@&7>. Check that I have Manage Roles"),
        (403, 50001, "role", "Discord doesn't let me give <@&7>."),
        (404, 10011, "role", "Discord doesn't let me give <@&7>."),
    ],
)
async def test_a_refused_role(
    sender: DiscordSender, http: FakeHttp, status: int, code: int, what: str, words: str
) -> None:
    """A member who left is told from a role that can't be given."""
    http.answers[GIVING] = refusal(status, code)
    with pytest.raises(DeliveryRefused) as caught:
        await sender.give_role(1, 3, 7)
    assert caught.value.what == what
    assert str(caught.value).startswith(words)
