"""The gateway: one session a shard, zlib-stream as discord.py asks, no resuming."""

from __future__ import annotations

import asyncio
import time
import zlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import orjson

from benchmarks.stub.websocket import frame

if TYPE_CHECKING:
    from benchmarks.stub.http import Connection

HELLO, HEARTBEAT, IDENTIFY, RESUME, INVALID, ACK = 10, 1, 2, 6, 9, 11
_MOST_UNSENT = 4 << 20


class Session:
    """One shard's connection."""

    def __init__(self, gateway: Gateway, connection: Connection) -> None:
        self._gateway = gateway
        self._connection = connection
        self._deflate = zlib.compressobj(1)
        self.sequence = 0
        self.shard = 0
        self.send(
            orjson.dumps({"op": HELLO, "d": {"heartbeat_interval": 41250}, "s": None, "t": None})
        )

    def send(self, packet: bytes) -> None:
        packed = self._deflate.compress(packet) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        self._connection.transport.write(frame(packed))

    def dispatch(self, event: str, data: bytes) -> None:
        """Send an event whose data is JSON already."""
        self.sequence += 1
        self.send(b'{"op":0,"t":"%b","s":%d,"d":%b}' % (event.encode(), self.sequence, data))

    def received(self, message: bytes | None) -> None:
        if message is None:
            self._gateway.left(self)
            return
        packet = orjson.loads(message)
        if packet["op"] == HEARTBEAT:
            self.send(b'{"op":11,"d":null,"s":null,"t":null}')
        elif packet["op"] == RESUME:
            self.send(b'{"op":9,"d":false,"s":null,"t":null}')
        elif packet["op"] == IDENTIFY:
            self.shard = (packet["d"].get("shard") or [0, 1])[0]
            self._gateway.identified(self)

    async def flow(self) -> None:
        """Wait while the client has not taken what was sent."""
        while self._connection.transport.get_write_buffer_size() > _MOST_UNSENT:  # noqa: ASYNC110  # uvloop tells no event
            await asyncio.sleep(0.005)


class Gateway:
    """`guilds`: gives (guild id, GUILD_CREATE as JSON) for a shard. `ready`: READY for a shard and its guild ids."""

    def __init__(
        self,
        *,
        shards: int,
        ready: Callable[[int, list[int]], dict[str, Any]],
        guild_ids: Callable[[int], list[int]],
        guilds: Callable[[int], Iterator[bytes]],
    ) -> None:
        self.shards = shards
        self._ready = ready
        self._guild_ids = guild_ids
        self._guilds = guilds
        self._sessions: dict[int, Session] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.ready_at: float | None = None
        """Monotonic time at which the last shard got its READY."""
        self.delivered = asyncio.Event()
        """Every shard has its guilds."""
        self._waiting = shards

    def expect(self) -> None:
        """A new client is about to start."""
        self._sessions.clear()
        self.ready_at, self._waiting = None, self.shards
        self.delivered.clear()

    def accept(self, path: str, connection: Connection) -> Session:
        if "compress=zlib-stream" not in path:
            raise ValueError(f"the client asks for another compression than zlib-stream: {path}")
        return Session(self, connection)

    def session(self, shard: int = 0) -> Session:
        return self._sessions[shard]

    def left(self, session: Session) -> None:
        if self._sessions.get(session.shard) is session:
            del self._sessions[session.shard]

    def identified(self, session: Session) -> None:
        self._sessions[session.shard] = session
        session.dispatch(
            "READY", orjson.dumps(self._ready(session.shard, self._guild_ids(session.shard)))
        )
        if len(self._sessions) == self.shards:
            self.ready_at = time.monotonic()
        task = asyncio.create_task(self._deliver(session))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, session: Session) -> None:
        for number, guild in enumerate(self._guilds(session.shard)):
            session.dispatch("GUILD_CREATE", guild)
            if number % 20 == 19:
                await session.flow()
                await asyncio.sleep(0)
        self._waiting -= 1
        if not self._waiting:
            self.delivered.set()
