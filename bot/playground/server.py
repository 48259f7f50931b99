"""The playground's web server: one local port for the client and the channels inside it."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from aiohttp import web
from simcord.backend.access import can_access_channel, can_access_message
from simcord.backend.models import Channel
from simcord.builders import ChannelHandle
from simcord.preview._server import PreviewServer

from .live import LiveEnv
from .patches import PATCHES, SIMCORD_STATIC, patched
from .preview import LivePreview
from .world import BOT_NAME, PEOPLE, World

PORT = 8770
PORTS_TRIED = 20
OWN_STATIC = Path(__file__).with_name("static")
HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self'; style-src 'self'; font-src 'self'; connect-src 'self' blob:; "
        "img-src 'self' blob:; media-src 'self' blob:; object-src 'none'; base-uri 'none'; frame-ancestors 'self'"
    ),
}
TEXT_CHANNEL = 0

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
PreviewHandler = Callable[[PreviewServer, web.Request], Awaitable[web.Response]]


def listen(port: int | None) -> socket.socket:
    """Return a local listening socket at `port` (0: any), or by default the first free from `PORT`.

    Raises OSError if no port can be used, and OverflowError if the number is out of range.
    """
    for candidate in range(PORT, PORT + PORTS_TRIED - 1) if port is None else ():
        with contextlib.suppress(OSError):
            return socket.create_server(("127.0.0.1", candidate))
    return socket.create_server(("127.0.0.1", PORT + PORTS_TRIED - 1 if port is None else port))


def _file(path: Path) -> Handler:
    """Return a handler that serves a file, patched if it is one of simcord's."""

    async def serve(_: web.Request) -> web.StreamResponse:
        if path.parent == SIMCORD_STATIC and path.name in PATCHES:
            kind = "text/html" if path.suffix == ".html" else "application/javascript"
            return web.Response(text=patched(path), content_type=kind)
        # simcord's fonts are large (5 MB for the emoji alone) and don't change while this runs
        caching = (
            {"Cache-Control": "private, max-age=86400, immutable"}
            if path.suffix == ".ttf"
            else None
        )
        return web.FileResponse(path, headers=caching)

    return serve


class PlaygroundServer:
    """Serves the pages, opening a preview for each channel and member on first use."""

    def __init__(self, env: LiveEnv, world: World) -> None:
        self.env = env
        self.world = world
        self.port = 0
        self.run = secrets.token_hex(8)
        self.previews: dict[tuple[int, str], LivePreview] = {}
        self._opening = asyncio.Lock()

    async def start(self, listener: socket.socket) -> None:
        """Serve requests on a listening socket."""
        app = web.Application(
            middlewares=[self._only_this_host], handler_args={"handler_cancellation": False}
        )
        app.add_routes(
            [
                web.get("/", _file(OWN_STATIC / "shell.html")),
                web.get("/favicon.ico", _file(OWN_STATIC / "icon.svg")),
                *(
                    web.get(f"/playground/{file.name}", _file(file))
                    for file in OWN_STATIC.iterdir()
                ),
                web.get("/playground.json", self._state_of_the_world),
                web.get(r"/open/{channel:\d+}/{member}", self._open),
                web.get("/channel", _file(SIMCORD_STATIC / "index.html")),
                *(
                    web.get(path, _file(SIMCORD_STATIC / name))
                    for path, name in PreviewServer._STATIC_FILES.items()
                    if path != "/"
                ),
                web.post("/api/pages", self._api(PreviewServer._pages)),
                web.delete("/api/pages/{context_id}", self._api(PreviewServer._delete_page)),
                web.get("/api/state", self._api(PreviewServer._state)),
                web.get("/api/commands", self._api(PreviewServer._commands)),
                web.get("/api/action-result", self._api(PreviewServer._action_result)),
                web.post("/api/action", self._api(PreviewServer._action)),
                web.get("/api/assets/{asset_id}", self._api(PreviewServer._asset)),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        await web.SockSite(self._runner, listener).start()
        self.port = int(listener.getsockname()[1])

    async def stop(self) -> None:
        await self._runner.cleanup()

    @web.middleware
    async def _only_this_host(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        # refuses other sites whose host name resolves to 127.0.0.1 (DNS rebinding)
        if request.headers.get("Host") not in {f"127.0.0.1:{self.port}", f"localhost:{self.port}"}:
            raise web.HTTPForbidden()
        response = await handler(request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    def _channels(self, member: str) -> list[Channel]:
        """Return a member's list: text channels with their threads, then direct messages."""
        viewer = self.world.members[member]
        channels = list(self.env.backend.channels.values())
        visible = [
            item
            for item in channels
            if item.guild_id is not None and can_access_channel(self.env, item.id, viewer)
        ]
        listed: list[Channel] = []
        for channel in visible:
            if channel.type == TEXT_CHANNEL:
                listed.append(channel)
                listed += [
                    item for item in visible if item.is_thread and item.parent_id == channel.id
                ]
        return listed + [
            item for item in channels if item.guild_id is None and viewer.id in item.recipient_ids
        ]

    async def _state_of_the_world(self, request: web.Request) -> web.Response:
        member = request.query.get("member", "")
        if member not in self.world.members:
            member = PEOPLE[0]
        return web.json_response(
            {
                "run": self.run,
                "server": self.world.guild.name,
                "member": member,
                "members": [
                    {"name": name, "id": str(actor.id)}
                    for name, actor in self.world.members.items()
                ],
                "channels": [
                    {
                        "id": str(channel.id),
                        "name": BOT_NAME if channel.guild_id is None else channel.name,
                        "kind": "dm"
                        if channel.guild_id is None
                        else "thread"
                        if channel.is_thread
                        else "text",
                        "last": str(self._newest(channel, member)),
                    }
                    for channel in self._channels(member)
                ],
            }
        )

    def _newest(self, channel: Channel, member: str) -> int:
        viewer = (
            self.world.users[member] if channel.guild_id is None else self.world.members[member]
        )
        for message_id, message in reversed(self.env.backend.messages.get(channel.id, {}).items()):
            if can_access_message(self.env, channel.id, message, viewer, history=True):
                return message_id
        return 0

    async def _open(self, request: web.Request) -> web.Response:
        """Redirect a frame to a channel as one member sees it.

        The URL's fragment is simcord's key.
        """
        member = request.match_info["member"]
        channel = self.env.backend.channels.get(int(request.match_info["channel"]))
        if (
            member not in self.world.members
            or channel is None
            or channel not in self._channels(member)
        ):
            raise web.HTTPNotFound()
        async with self._opening:
            preview = self.previews.get((channel.id, member))
            if preview is None:
                direct = channel.guild_id is None
                handle = ChannelHandle(self.env, None if direct else self.world.guild, channel)
                viewer: Any = self.world.users[member] if direct else self.world.members[member]
                preview = LivePreview(self.env, handle, viewer, self.port)
                await preview.open()
                self.previews[channel.id, member] = preview
        return web.Response(status=302, headers={"Location": f"/channel#{preview.capability}"})

    def _api(self, handler: PreviewHandler) -> Handler:
        """Wrap simcord's handler so that it serves the preview named by the request's key."""

        async def serve(request: web.Request) -> web.StreamResponse:
            key = request.headers.get("X-Simcord-Capability", "")
            preview = next(
                (item for item in self.previews.values() if item.capability == key), None
            )
            if preview is None:
                raise web.HTTPUnauthorized()
            since = request.query.get("since")
            if since is not None and since == str(
                preview.current_revision(request.headers.get("X-Simcord-Context"))
            ):
                return web.Response(status=204)
            return await handler(preview._server, request)

        return serve
