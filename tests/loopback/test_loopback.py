"""The loopback behaves like Discord where the crash tests depend on it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from tests.loopback.checks import Refused, check_modal
from tests.loopback.model import Channel, Json
from tests.loopback.world import World

Reply = tuple[int, Any, dict[str, str]]
V2 = 1 << 15
TEXT = {"type": 10, "content": "a text"}
PICTURE = {"type": 12, "items": [{"media": {"url": "attachment://formula.png"}}]}


class Client:
    """A client that only sends requests."""

    def __init__(self, world: World, http: aiohttp.ClientSession) -> None:
        self._world = world
        self._http = http

    async def call(self, method: str, path: str, body: object = None, *, upload: str = "") -> Reply:
        """Send a request, with a file if `file` names one."""
        sent: dict[str, Any] = {"json": body}
        if upload:
            form = sent["data"] = aiohttp.FormData({"payload_json": json.dumps(sent.pop("json"))})
            form.add_field("files[0]", b"PNG", filename=upload)
        headers = {"Authorization": f"Bot {self._world.token}"}
        url = f"{self._world.url}/api/v10{path}"
        async with self._http.request(method, url, headers=headers, **sent) as answer:
            return (
                answer.status,
                await answer.json() if answer.status != 204 else None,
                dict(answer.headers),
            )

    async def post(self, channel: Channel, text: str, **more: object) -> Reply:
        return await self.call(
            "POST", f"/channels/{channel.id}/messages", {"content": text, **more}
        )

    @asynccontextmanager
    async def gateway(
        self, op: int, data: dict[str, Any]
    ) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """Connect and identify, or resume."""
        async with self._http.ws_connect(self._world.gateway_url) as ws:
            assert (await ws.receive_json())["op"] == 10
            await ws.send_json({"op": op, "d": {"token": self._world.token, **data}})
            if op == 2:
                await self._world.until(lambda: self._world.gateway.connected)
            yield ws


async def heard(ws: aiohttp.ClientWebSocketResponse, name: str = "INTERACTION_CREATE") -> Json:
    """Return the next event of a type."""
    while (event := await ws.receive_json())["t"] != name:
        pass
    return dict(event["d"])


def answer_to(event: Json) -> str:
    """Return the path for responding to an interaction."""
    return f"/interactions/{event['id']}/{event['token']}/callback"


@pytest_asyncio.fixture
async def world() -> AsyncIterator[World]:
    async with World() as world:
        yield world


@pytest_asyncio.fixture
async def client(world: World) -> AsyncIterator[Client]:
    async with aiohttp.ClientSession() as http:
        yield Client(world, http)


@pytest.fixture
def channel(world: World) -> Channel:
    return world.add_channel(world.add_guild(), "quiz")


async def test_what_discord_refuses_is_refused(
    world: World, client: Client, channel: Channel
) -> None:
    """Unknown objects, missing permissions and a second thread have their own error codes."""
    message = (await client.post(channel, "x"))[1]["id"]
    threads = f"/channels/{channel.id}/messages/{message}/threads"
    edited = f"/channels/{channel.id}/messages/5"
    await client.call("POST", threads, {"name": "talk"})
    requests = ("POST", threads), ("PATCH", edited), ("GET", "/channels/5/messages")
    words = {"name": "talk", "content": "y"}
    codes = [(await client.call(*request, words))[1]["code"] for request in requests]
    await world.deny(channel, "send_messages")
    codes.append((await client.post(channel, "x"))[1]["code"])
    assert codes == [160004, 10008, 10003, 50013]


@pytest.mark.parametrize(
    "body",
    [
        {"content": ""},
        {"content": "x" * 2001},
        {"components": [TEXT]},
        {"components": [TEXT], "flags": V2, "content": "words"},
        {"components": [TEXT, PICTURE], "flags": V2},
        {"components": [TEXT, PICTURE], "flags": V2, "attachments": [{"id": "5"}]},
        {"components": [TEXT] * 41, "flags": V2},
        {"components": [TEXT | {"content": "x" * 4001}], "flags": V2},
    ],
)
async def test_a_message_that_discord_refuses(
    world: World, client: Client, channel: Channel, body: dict[str, Any]
) -> None:
    """A new message and an edit have the same limits."""
    path = f"/channels/{channel.id}/messages"
    sent = (await client.post(channel, "words"))[1]["id"]
    for method, where in (("POST", path), ("PATCH", f"{path}/{sent}")):
        assert (await client.call(method, where, body))[0] == 400
    assert len(world.violations) == 2
    assert [message.text for message in channel.messages.values()] == ["words"]


def modal(**group: object) -> dict[str, Any]:
    """Build a modal with a text of at most three characters and three checkboxes."""
    text = {"type": 4, "custom_id": "text", "style": 1, "max_length": 3}
    boxes = {
        "type": 22,
        "custom_id": "picks",
        "options": [{"label": f"Box {n}", "value": str(n)} for n in range(3)],
    }
    labels = [{"type": 18, "label": "Word", "component": text}]
    labels.append({"type": 18, "label": "Boxes", "component": boxes | group})
    return {"title": "Answer", "custom_id": "m", "components": [TEXT, *labels]}


@pytest.mark.parametrize(
    "wrong",
    [
        modal(max_values=4),
        modal(min_values=0),
        modal(options=[]),
        modal() | {"title": "x" * 46},
    ],
)
def test_a_modal_that_discord_refuses(wrong: dict[str, Any]) -> None:
    """A modal with more than a form may have doesn't open."""
    check_modal(modal(max_values=2))
    with pytest.raises(Refused):
        check_modal(wrong)


async def test_a_resumed_session_gets_what_it_missed(
    world: World, client: Client, channel: Channel
) -> None:
    """Missed events are replayed in order, and a deleted session is invalid."""
    async with client.gateway(2, {}) as ws:
        ready, _ = await ws.receive_json(), await ws.receive_json()
        await world.gateway.drop()
    await world.deny(channel, "send_messages")
    await world.deny(channel)
    session = {"session_id": ready["d"]["session_id"], "seq": 2}
    async with client.gateway(6, session) as ws:
        events = [await ws.receive_json() for _ in range(3)]
        assert [(e["s"], e["t"]) for e in events] == [
            (3, "CHANNEL_UPDATE"),
            (4, "CHANNEL_UPDATE"),
            (5, "RESUMED"),
        ]
        await world.gateway.drop(resumable=False)
    async with client.gateway(6, session) as ws:
        assert (await ws.receive_json())["op"] == 9


async def test_an_answer_is_taken_once_and_in_time(
    world: World, client: Client, channel: Channel
) -> None:
    """A second response gets 40060, a late one 10062, and only its member sees a private one."""
    annegret, bob = [world.add_member(channel.guild, name) for name in ("annegret", "bob")]
    world.commands = [{"id": "1", "name": "help"}]
    world.gateway.double_next = 1
    async with client.gateway(2, {}) as ws:
        acting = asyncio.create_task(annegret.slash(channel, "help"))
        first, second = [await heard(ws) for _ in range(2)]
        assert first["id"] == second["id"]
        path = answer_to(first)
        body = {"type": 4, "data": {"content": "hush", "flags": 64}}
        codes = [(await client.call("POST", f"{path}?with_response=1", body))[0] for _ in range(2)]
        result = await acting
        assert (codes, result.text, result.ephemeral) == ([200, 400], "hush", True)
        assert [m.text for m in annegret.sees(channel)] == ["hush"]
        assert bob.sees(channel) == []
        late = asyncio.create_task(annegret.slash(channel, "help"))
        event = await heard(ws)
        assert (await late).failed
        assert (await client.call("POST", answer_to(event), body))[1]["code"] == 10062


async def test_a_token_ends(world: World, client: Client, channel: Channel) -> None:
    """An expired interaction can't be followed up, whether or not it was answered."""
    annegret = world.add_member(channel.guild, "annegret")
    world.commands = [{"id": "1", "name": "help"}]
    async with client.gateway(2, {}) as ws:
        acting = asyncio.create_task(annegret.slash(channel, "help"))
        event = await heard(ws)
        path = f"/webhooks/{world.bot_id}/{event['token']}"
        assert (await client.call("POST", path, {"content": "x"}))[1]["code"] == 10015
        await client.call("POST", answer_to(event), {"type": 5})
        assert (await acting).acked
        assert (await client.call("PATCH", f"{path}/messages/@original", {"content": "x"}))[
            0
        ] == 200
        world.rest.token_life = 0
        assert (await client.call("PATCH", f"{path}/messages/@original", {"content": "y"}))[1][
            "code"
        ] == 50027
