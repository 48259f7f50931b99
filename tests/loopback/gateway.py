"""The gateway, version 10: sessions that can be resumed with replay, and faults in them."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

from aiohttp import WSMsgType, web

from tests.loopback.model import Json

if TYPE_CHECKING:
    from tests.loopback.world import World

HELLO, HEARTBEAT, IDENTIFY, RESUME, RECONNECT, INVALID, ACK = 10, 1, 2, 6, 7, 9, 11
_INTERVAL_MS = 41250


@dataclass(eq=False)
class Session:
    """A session with all its events, delivered or not. `link` is the open connection.

    `shard`: its number and the number of shards.
    """

    shard: tuple[int, int]
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    events: list[Json] = field(default_factory=list)
    link: Link | None = None
    resumable: bool = True

    def receives(self, guild_id: int) -> bool:
        number, count = self.shard
        return (guild_id >> 22) % count == number


@dataclass(eq=False)
class Link:
    ws: web.WebSocketResponse
    request: web.Request
    session: Session | None = None

    @property
    def name(self) -> str:
        """Return the name of the process, from the URL that it was given."""
        return self.request.match_info.get("name", "")

    async def send(self, op: int, data: object = None) -> None:
        await self.send_packet({"op": op, "d": data, "s": None, "t": None})

    async def send_packet(self, packet: Json) -> None:
        with suppress(
            ConnectionError, RuntimeError
        ):  # if it is gone, the event waits in its session
            await self.ws.send_str(json.dumps(packet))

    def cut(self) -> None:
        """Close the connection without a close frame, like a network failure."""
        if self.request.transport is not None:
            self.request.transport.abort()


class Gateway:
    """Accepts connections and sends events.

    `double_next`: how many of the next interactions are delivered twice. `event_delay`: the delay
    of events in seconds. A bot may have several processes, with a shard each or with the same one.
    A named process connects to the URL that ends in its name.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self.sessions: dict[str, Session] = {}
        self.double_next = 0
        self.event_delay = 0.0
        self.doubled = self.identified = self.resumed = 0
        self._up: dict[str, float] = {}

    def up(self, name: str = "") -> float | None:
        """Return the monotonic time when a process connected, or None if it isn't connected."""
        return self._up.get(name)

    @property
    def up_at(self) -> float | None:
        return self.up()

    @property
    def connected(self) -> bool:
        return self.up_at is not None

    async def emit(self, event: str, data: Json) -> None:
        """Send a server's event to the sessions of its shard.

        A disconnected session gets it on resuming.
        """
        copies = 1
        if event == "INTERACTION_CREATE" and self.double_next:
            self.double_next -= 1
            self.doubled += 1
            copies = 2
        await asyncio.sleep(self.event_delay)
        guild_id = int(
            data.get("guild_id") or (data["id"] if event.startswith("GUILD_") else 0)
        )  # none in a DM
        if (
            guild_id in self._world.guilds
            and self._world.guilds[guild_id].outage
            and event != "GUILD_DELETE"
        ):
            return
        for session in [s for s in self.sessions.values() if s.receives(guild_id)]:
            for _ in range(copies):
                await self._push(session, event, data)

    async def drop(self, *, code: int | None = None, resumable: bool = True) -> None:
        """Cut the connection, or close it with a code.

        Unless `resumable`, the session is deleted.
        """
        for session in self._live():
            link, session.resumable = session.link, resumable
            assert link is not None
            self._unlink(link)
            if code is None:
                link.cut()
            else:
                await link.ws.close(code=code)

    async def reconnect(self) -> None:
        """Ask the bot to reconnect and resume (op 7)."""
        for session in self._live():
            if session.link is not None:
                await session.link.send(RECONNECT)

    async def invalidate(self, *, resumable: bool) -> None:
        """Tell the bot that its session is invalid (op 9)."""
        for session in self._live():
            session.resumable = resumable
            if session.link is not None:
                link = session.link
                if not resumable:
                    self._unlink(link)
                await link.send(INVALID, resumable)

    def _live(self) -> list[Session]:
        return [s for s in self.sessions.values() if s.link is not None]

    def _unlink(self, link: Link) -> None:
        if link.session is not None and link.session.link is link:
            link.session.link = None
            self._up.pop(link.name, None)

    async def _push(self, session: Session, event: str, data: Json) -> None:
        packet = {"op": 0, "t": event, "s": len(session.events) + 1, "d": data}
        session.events.append(packet)
        if session.link is not None:
            await session.link.send_packet(packet)

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse()
        ws.headers["Date"] = formatdate(self._world.clock(), usegmt=True)
        await ws.prepare(request)
        link = Link(ws, request)
        await link.send(HELLO, {"heartbeat_interval": _INTERVAL_MS})
        try:
            async for message in ws:
                if message.type is WSMsgType.TEXT:
                    packet: Json = json.loads(message.data)
                    await self._receive(link, packet["op"], packet.get("d"))
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._unlink(link)
            if (
                link.session is not None
                and ws.close_code in {1000, 1001}
                and link.session.link is None
            ):
                self.sessions.pop(
                    link.session.id, None
                )  # a client ends its session by closing with these codes
        return ws

    async def _receive(self, link: Link, op: int, data: Any) -> None:
        if op == HEARTBEAT:
            await link.send(ACK)
        elif op == IDENTIFY:
            await self._identify(link, data)
        elif op == RESUME:
            await self._resume(link, data)

    async def _identify(self, link: Link, data: Json) -> None:
        world = self._world
        if data["token"] != world.token:
            await link.ws.close(code=4004)
            return
        self.identified += 1
        number, count = data.get("shard") or (0, 1)
        shard = int(number), int(count)
        # disconnected sessions of the same shard can't be used any more
        self.sessions = {
            s.id: s for s in self.sessions.values() if s.link is not None or s.shard != shard
        }
        session = link.session = Session(shard, link=link)
        self.sessions[session.id] = session
        guilds = [g for g in world.guilds.values() if session.receives(g.id)]
        ready = {
            "v": 10,
            "user": world.bot,
            "session_id": session.id,
            "resume_gateway_url": world.gateway_url_of(link.name),
            "guilds": [{"id": str(g.id), "unavailable": True} for g in guilds],
            "application": {"id": str(world.bot_id), "flags": 0},
            "shard": list(shard),
        }
        await self._push(session, "READY", ready)
        for guild in [g for g in guilds if not g.outage]:
            await self._push(session, "GUILD_CREATE", guild.payload(world.bot))
        self._up[link.name] = time.monotonic()

    async def _resume(self, link: Link, data: Json) -> None:
        session = self.sessions.get(data.get("session_id", ""))
        if session is None or not session.resumable or data["seq"] > len(session.events):
            await link.send(INVALID, False)
            return
        self.resumed += 1
        link.session = session
        done = int(data["seq"])
        while done < len(session.events):  # events that arrive now are queued behind
            await link.send_packet(session.events[done])
            done += 1
        session.link = link
        self._up[link.name] = time.monotonic()
        await self._push(session, "RESUMED", {})
