"""The loopback Discord: a server on 127.0.0.1, its state, and a bot that uses it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Collection
from email.utils import formatdate
from typing import Any, Self

from aiohttp import hdrs, web

from tests.loopback.checks import Refused
from tests.loopback.driver import Member
from tests.loopback.faults import Call, Fault, Faults
from tests.loopback.gateway import Gateway
from tests.loopback.limits import Limits
from tests.loopback.model import PERMISSIONS, Channel, Guild, Interaction, Json, Message, Snowflakes
from tests.loopback.rest import Rest, find
from tests.patience import PATIENCE

API = "/api/v10"


class World:
    """The whole loopback. Use it with `async with`, then add servers, channels and members.

    `violations`: malformed requests. `unknown`: routes that aren't modelled. `errors`: exceptions
    in this server. All three, which are `wrong`, must be empty at the end. `members`: everyone who was ever here, by
    id.
    """

    def __init__(self) -> None:
        self.snowflake = Snowflakes(self.clock)
        self.bot_id = self.snowflake()
        self.bot: Json = {
            "id": str(self.bot_id),
            "username": "quizformer",
            "discriminator": "0000",
            "bot": True,
        }
        self.bot |= {"avatar": None, "global_name": None, "public_flags": 0}
        self.token = "loopback.token"
        self.guilds: dict[int, Guild] = {}
        self.channels: dict[int, Channel] = {}
        self.members: dict[int, Member] = {}
        self.commands: list[Json] = []
        self.syncs = self.deduplicated = 0
        self.interactions: dict[str, Interaction] = {}
        self.calls: list[Call] = []
        self.violations: list[str] = []
        self.unknown: list[str] = []
        self.errors: list[str] = []
        self.faults = Faults()
        self.limits = Limits(self.clock)
        self.gateway = Gateway(self)
        self.rest = Rest(self)
        self._files: dict[str, bytes] = {}
        self._port = 0
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=32 << 20)
        app.router.add_get("/gateway", self.gateway.serve)
        app.router.add_get("/gateway/", self.gateway.serve)
        app.router.add_get("/gateway/{name}", self.gateway.serve)
        app.router.add_get("/files/{id}/{name}", self._serve_file)
        app.router.add_route(hdrs.METH_ANY, API + "/{path:.*}", self._serve)
        self._runner = web.AppRunner(
            app, access_log=None, shutdown_timeout=0.2, handler_cancellation=True
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self.gateway.drop()
            await self._runner.cleanup()

    def clock(self) -> float:
        """Return Discord's time in seconds."""
        return time.time()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def gateway_url(self) -> str:
        return self.gateway_url_of("")

    def gateway_url_of(self, name: str) -> str:
        """Return the gateway's URL for a named process."""
        return f"ws://127.0.0.1:{self._port}/gateway" + (f"/{name}" if name else "")

    @property
    def names(self) -> dict[int, str]:
        return {member.id: member.name for member in self.members.values()}

    @property
    def wrong(self) -> list[str]:
        return [*self.violations, *self.unknown, *self.errors]

    @property
    def messages(self) -> list[Message]:
        """Return every message in every channel, including deleted and ephemeral ones."""
        return [m for c in self.channels.values() for m in c.messages.values()]

    def add_guild(
        self, name: str = "guild", *, guild_id: int | None = None, bot: bool = True
    ) -> Guild:
        """Add a server.

        One without the `bot` has only the commands, and the gateway doesn't list it.
        """
        guild = Guild(guild_id or self.snowflake(), name, self.snowflake(), left=not bot)
        if bot:
            self.guilds[guild.id] = guild
        return guild

    async def opened(self) -> Channel:
        """Return the channel of a new server, once the bot has registered its commands."""
        channel = self.add_channel(self.add_guild(), "quiz")
        await self.gateway.emit("GUILD_CREATE", channel.guild.payload(self.bot))
        await self.until(lambda: self.commands and self.gateway.connected)
        return channel

    def add_channel(
        self,
        guild: Guild,
        name: str,
        *,
        parent: Channel | None = None,
        channel_id: int | None = None,
    ) -> Channel:
        channel = Channel(channel_id or self.snowflake(), guild, name, parent, bot_id=self.bot_id)
        self.channels[channel.id] = guild.channels[channel.id] = channel
        return channel

    def add_member(
        self, guild: Guild, name: str, *, manager: bool = False, roles: Collection[int] = ()
    ) -> Member:
        member = Member(self, guild, self.snowflake(), name, manager, roles)
        self.members[member.id] = member
        guild.members[member.id] = name
        return member

    def direct(self, member: Member) -> Channel:
        """Return the direct message channel of a member and the bot."""
        for channel in self.channels.values():
            if channel.recipient and channel.recipient["id"] == str(member.id):
                return channel
        channel = self.add_channel(Guild(0, "direct messages", 0), member.name)
        channel.recipient = member.user
        return channel

    def say(self, channel: Channel, text: str) -> Message:
        """Add a member's message, which sends the bot no event."""
        author = {"id": "7", "username": "human", "discriminator": "0", "avatar": None}
        message = Message(self.snowflake(), channel, author, content=text)
        channel.messages[message.id] = message
        return message

    def add_file(self, name: str, content: bytes) -> Json:
        """Store a file that a member uploads with a command, for the bot to download."""
        file_id = str(self.snowflake())
        self._files[file_id] = content
        url = f"{self.url}/files/{file_id}/{name}"
        return {"id": file_id, "filename": name, "size": len(content), "url": url, "proxy_url": url}

    async def deny(self, channel: Channel, *names: str) -> None:
        """Take permissions from the bot in a channel; without names it gets all of them back."""
        channel.denied = sum(PERMISSIONS[name] for name in names)
        await self.gateway.emit("CHANNEL_UPDATE", channel.announced())

    async def until(self, condition: Any, seconds: float = PATIENCE, what: str = "") -> Any:
        """Wait until `condition()` is true and return its value."""
        end = time.monotonic() + seconds
        while not (value := condition()):
            if time.monotonic() > end:
                raise TimeoutError(f"{what or 'it'} did not happen within {seconds:g} s")
            await asyncio.sleep(0.02)
        return value

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        path = "/" + request.match_info["path"]
        hit = find(request.method, path)
        if hit is None:
            self.unknown.append(f"{request.method} {path}")
            return self._answer(None, 404, {"code": 0, "message": "404: Not Found"})
        template, ids, handler = hit
        call = Call(request.method, template, ids, dict(request.query), {}, [], time.monotonic())
        await self._read(request, call)
        self.calls.append(call)
        private = template.startswith(("/interactions", "/webhooks"))
        if not private and request.headers.get("Authorization") != f"Bot {self.token}":
            return self._answer(call, 401, {"code": 0, "message": "401: Unauthorized"})
        fault = call.fault = self.faults.next_for(call)
        if (
            fault is not None
            and fault.when == "before"
            and (answer := await self._apply_fault(request, call, fault))
        ):
            return answer
        headers, wait = self.limits.use(call.method, template, "/".join(ids[: 2 if private else 1]))
        if wait is not None:
            return self._answer(call, 429, _limited(wait, headers), headers)
        try:
            status, body = await handler(self.rest, call)
        except Refused as refused:
            status, body = refused.status, refused.body
            if body["code"] in {50006, 50035}:
                self.violations.append(f"{body}: {call.body}")
        except Exception as error:
            self.errors.append(f"{call.method} {path}: {error!r}")
            status, body = 400, {"code": 50035, "message": "Invalid Form Body"}
        if (
            fault is not None
            and fault.when == "after"
            and (answer := await self._apply_fault(request, call, fault))
        ):
            return answer
        return self._answer(call, status, body, headers)

    async def _serve_file(self, request: web.Request) -> web.Response:
        content = self._files.get(request.match_info["id"])
        return web.Response(body=content) if content is not None else web.Response(status=404)

    async def _read(self, request: web.Request, call: Call) -> None:
        if request.content_type == "multipart/form-data":
            for name, value in (await request.post()).items():
                if isinstance(value, web.FileField):
                    call.files.append((name, value.filename, value.file.read()))
                elif name == "payload_json":
                    call.body = json.loads(str(value))
        elif raw := await request.read():
            body = json.loads(raw)
            call.body = body if isinstance(body, dict) else {"list": body}

    async def _apply_fault(
        self, request: web.Request, call: Call, fault: Fault
    ) -> web.Response | None:
        if fault.act is not None:
            fault.act()
        if fault.kind == "delay":
            await asyncio.sleep(fault.seconds)
            return None
        if fault.kind == "status":
            if fault.status == 429:
                return self._answer(
                    call,
                    429,
                    _limited(
                        fault.seconds, {"X-RateLimit-Global": "true"} if fault.everywhere else {}
                    ),
                )
            return self._answer(
                call, fault.status, {"code": 0, "message": f"{fault.status}: injected"}
            )
        if fault.kind == "hang":
            await asyncio.sleep(3600)
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=500)

    def _answer(
        self, call: Call | None, status: int, body: Any, headers: dict[str, str] | None = None
    ) -> web.Response:
        if call is not None:
            call.status = status
        headers = {
            **(headers or {}),
            "Via": "1.1 loopback",
            "Date": formatdate(self.clock(), usegmt=True),
        }
        if status == 204:
            return web.Response(status=status, headers=headers)
        headers["Content-Type"] = (
            "application/json"  # exactly this: discord.py doesn't expect a charset
        )
        return web.Response(status=status, headers=headers, body=json.dumps(body).encode())


def _limited(seconds: float, headers: dict[str, str]) -> Json:
    is_global = "X-RateLimit-Global" in headers
    return {
        "message": "You are being rate limited.",
        "retry_after": round(seconds, 3),
        "global": is_global,
    }
