"""The stub as a whole: a server on 127.0.0.1 with numbered servers, which counts what the client asks for."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Self

import orjson

from benchmarks.stub import payloads
from benchmarks.stub.gateway import Gateway
from benchmarks.stub.http import Answer, Connection
from tests.loopback.limits import Limits
from tests.loopback.model import Snowflakes

Json = dict[str, Any]
API = "/api/v10"
_PER_SHARD = 1000
"""Discord recommends about so many servers a shard, and refuses more than 2,500."""


class UnknownRequest(Exception):
    """The client asked for what the stub does not have: what was measured with it says nothing."""


class Stub:
    """`async with Stub(servers=20) as stub`. `limited`: rate limits as Discord has them, with 429s.

    `on_callback(interaction id, type, at)` is called for each interaction callback, `on_post(channel id, message)` and
    `on_edit(channel id, message id, message, at)` for messages; `at` is the monotonic time at which the request had
    arrived in full.
    """

    def __init__(
        self, *, servers: int = 0, channels: int = 25, roles: int = 15, limited: bool = False
    ) -> None:
        self.servers = servers
        self.shards = max(1, -(-servers // _PER_SHARD))
        self.snowflake = Snowflakes()
        self.limits = Limits() if limited else None
        self.gateway = Gateway(
            shards=self.shards,
            ready=lambda shard, ids: payloads.ready(shard, self.shards, ids, self.gateway_url),
            guild_ids=lambda shard: [payloads.guild_id(n) for n in self._of_shard(shard)],
            guilds=self._guild_events,
        )
        self.requests: Counter[str] = Counter()
        self.posted: dict[int, list[Json]] = {}
        """Every message that was made, by channel id. A repeated nonce makes none."""
        self.on_callback: Callable[[int, int, float], None] = lambda *_: None
        self.on_post: Callable[[int, Json, float], None] = lambda *_: None
        self.on_edit: Callable[[int, int, Json, float], None] = lambda *_: None
        self._template = payloads.guild_template(channels, roles)
        self._nonces: dict[str, Json] = {}
        self._unknown: list[str] = []
        self._commands: list[Json] = []
        self._server: asyncio.Server

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: Connection(self._handle, self.gateway.accept), "127.0.0.1", 0, backlog=1024
        )
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.close()
        if self._unknown and error is None:
            raise UnknownRequest(
                f"the stub knows no {self._unknown[0]} (and {len(self._unknown) - 1} more)"
            )

    @property
    def api_url(self) -> str:
        return f"http://127.0.0.1:{self._port}{API}"

    @property
    def gateway_url(self) -> str:
        return f"ws://127.0.0.1:{self._port}/gateway"

    def send(self, server: int, event: bytes) -> float:
        """Dispatch an INTERACTION_CREATE; returns the monotonic time just before it went to the socket."""
        session = self.gateway.session(self.shard_of(server))
        at = time.monotonic()
        session.dispatch("INTERACTION_CREATE", event)
        return at

    def shard_of(self, server: int) -> int:
        return (payloads.guild_id(server) >> 22) % self.shards

    def _of_shard(self, shard: int) -> list[int]:
        return [n for n in range(self.servers) if self.shard_of(n) == shard]

    def _guild_events(self, shard: int) -> Iterator[bytes]:
        return (payloads.fill_guild(self._template, n) for n in self._of_shard(shard))

    def _handle(self, method: str, path: str, body: bytes) -> Answer:
        at = time.monotonic()
        path, _, _query = path.removeprefix(API).partition("?")
        match [method, *path.split("/")[1:]]:
            case ["POST", "interactions", number, _, "callback"]:
                return self._callback(int(number), body, at)
            case ["GET", "gateway", "bot"]:
                limit = {"total": 1000, "remaining": 1000, "reset_after": 0, "max_concurrency": 16}
                return _json(
                    {"url": self.gateway_url, "shards": self.shards, "session_start_limit": limit}
                )
            case ["GET", "users", "@me"]:
                return _json(payloads.BOT)
            case ["PUT", "applications", _, "commands"]:
                self._commands = [
                    {
                        "type": 1,
                        **c,
                        "id": str(self.snowflake()),
                        "version": "1",
                        "application_id": str(payloads.BOT_ID),
                    }
                    for c in orjson.loads(body)
                ]
                return _json(self._commands)
            case ["GET", "applications", _, "commands"]:
                return _json(self._commands)
            case ["GET", "oauth2" | "applications", *_]:
                return _json(_APPLICATION)
            case ["POST", "channels", channel, "messages"]:
                return self._limited(
                    "POST",
                    "/channels/{}/messages",
                    channel,
                    lambda: self._post(int(channel), body, at),
                )
            case ["GET", "channels", channel, "messages"]:
                found = self.posted.get(int(channel), [])
                return self._limited(
                    "GET", "/channels/{}/messages", channel, lambda: _json(found[::-1][:100])
                )
            case ["PATCH", "channels", channel, "messages", message]:
                return self._limited(
                    "PATCH",
                    "/channels/{}/messages/{}",
                    f"{channel}/{message}",
                    lambda: self._edit(int(channel), int(message), body, at),
                )
            case [
                "PATCH",
                "webhooks",
                _,
                _,
                "messages",
                "@original",
            ]:  # counted by itself, for each token
                return _json(payloads.message(self.snowflake(), 0, _body(body), ephemeral=True))
        self._unknown.append(f"{method} {path}"[:200])
        return 404, b"{}", b""

    def _limited(
        self, method: str, template: str, major: str, answer: Callable[[], Answer]
    ) -> Answer:
        self.requests[f"{method} {template}"] += 1
        if self.limits is None:
            return answer()
        headers, wait = self.limits.use(method, template, major)
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode()
        if wait is not None:
            words = {"message": "You are being rate limited.", "retry_after": round(wait, 3)}
            return 429, orjson.dumps(words | {"global": "X-RateLimit-Global" in headers}), lines
        status, content, _ = answer()
        return status, content, lines

    def _callback(self, number: int, body: bytes, at: float) -> Answer:
        given = _body(body)
        kind = int(given["type"])
        about: Json = {"id": str(number), "type": 3, "response_message_loading": kind == 5}
        answer: Json = {"interaction": about}
        if kind == 4:
            shown = payloads.message(self.snowflake(), 0, given["data"], ephemeral=True)
            about |= {"response_message_id": shown["id"], "response_message_ephemeral": True}
            answer["resource"] = {"type": kind, "message": shown}
        self.on_callback(number, kind, at)
        return _json(answer)

    def _post(self, channel: int, body: bytes, at: float) -> Answer:
        given = _body(body)
        nonce = given.get("nonce")
        if nonce and given.get("enforce_nonce") and nonce in self._nonces:
            return _json(self._nonces[nonce])
        shown = payloads.message(self.snowflake(), channel, given)
        self.posted.setdefault(channel, []).append(shown)
        if nonce:
            self._nonces[nonce] = shown
        self.on_post(channel, shown, at)
        return _json(shown)

    def _edit(self, channel: int, number: int, body: bytes, at: float) -> Answer:
        shown = payloads.message(number, channel, _body(body))
        self.on_edit(channel, number, shown, at)
        return _json(shown)


_APPLICATION: Json = {
    "id": str(payloads.BOT_ID),
    "name": "quizformer",
    "description": "",
    "icon": None,
    "verify_key": "",
    "owner": payloads.BOT | {"bot": False},
    "team": None,
    "bot_public": True,
    "bot_require_code_grant": False,
    "flags": 0,
}


def _json(content: object) -> Answer:
    return 200, orjson.dumps(content), b""


def _body(body: bytes) -> Json:
    """The JSON of a request, also of one with files."""
    if body.startswith(b"--"):
        start = body.index(b'name="payload_json"')
        begin = body.index(b"\r\n\r\n", start) + 4
        body = body[begin : body.index(b"\r\n--", begin)]
    given: Json = orjson.loads(body)
    return given
