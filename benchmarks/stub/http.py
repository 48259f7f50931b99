"""HTTP/1.1 with keep-alive, and the upgrade to a websocket, as one asyncio protocol."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
from collections.abc import Callable
from typing import Protocol, cast

from benchmarks.stub.websocket import FrameReader

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
_KEY = re.compile(rb"\r\nsec-websocket-key: *(\S+)", re.IGNORECASE)
_MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_REASONS = {
    200: b"OK",
    201: b"Created",
    204: b"No Content",
    404: b"Not Found",
    429: b"Too Many Requests",
}

Answer = tuple[int, bytes, bytes]
"""Status, body, further header lines (each ending in CRLF)."""


class Receiver(Protocol):
    """The other end of a websocket: gets whole messages, and None once it is closed."""

    def received(self, message: bytes | None) -> None: ...


class Connection(asyncio.Protocol):
    """One TCP connection. `handle` answers a request; `accept` takes a websocket for a path and says who receives."""

    def __init__(
        self,
        handle: Callable[[str, str, bytes], Answer],
        accept: Callable[[str, Connection], Receiver],
    ) -> None:
        self._handle = handle
        self._accept = accept
        self._buffer = bytearray()
        self._frames: FrameReader | None = None
        self._receiver: Receiver | None = None
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's has another base class

    def connection_lost(self, exc: Exception | None) -> None:
        if self._receiver is not None:
            self._receiver.received(None)

    def data_received(self, data: bytes) -> None:
        if self._frames is not None:
            self._receive_frames(data)
            return
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0 and self._request(
            bytes(self._buffer[:end]), end + 4
        ):
            pass

    def _request(self, head: bytes, start: int) -> bool:
        """Answer the request at the buffer's start; False if it has not arrived in full."""
        if _CHUNKED.search(head):
            whole = _dechunked(self._buffer, start)
            if whole is None:
                return False
            body, end = whole
        else:
            length = _LENGTH.search(head)
            end = start + (int(length[1]) if length else 0)
            if len(self._buffer) < end:
                return False
            body = bytes(self._buffer[start:end])
        del self._buffer[:end]
        method, path, _ = head[: head.index(b"\r\n")].decode().split(" ")
        if key := _KEY.search(head):
            self._upgrade(path, key[1])
            return False
        status, content, headers = self._handle(method, path, body)
        self.transport.write(
            b"HTTP/1.1 %d %b\r\nContent-Type: application/json\r\nVia: 1.1 stub\r\n%bContent-Length: %d\r\n\r\n%b"
            % (status, _REASONS.get(status, b"-"), headers, len(content), content)
        )
        return True

    def _upgrade(self, path: str, key: bytes) -> None:
        accepted = base64.b64encode(hashlib.sha1(key + _MAGIC).digest())
        self.transport.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: %b\r\n\r\n" % accepted
        )
        self._frames = FrameReader()
        self._receiver = self._accept(path, self)
        rest = bytes(self._buffer)
        self._buffer.clear()
        self._receive_frames(rest)

    def _receive_frames(self, data: bytes) -> None:
        assert self._frames is not None
        assert self._receiver is not None
        for message in self._frames.feed(data):
            if message is None:
                self.transport.close()
                return
            self._receiver.received(message)


def _dechunked(buffer: bytearray, at: int) -> tuple[bytes, int] | None:
    """A chunked body and where it ends; None if it has not arrived in full."""
    body = b""
    while (line := buffer.find(b"\r\n", at)) >= 0:
        size = int(bytes(buffer[at:line]).partition(b";")[0], 16)
        end = line + 2 + size + 2
        if len(buffer) < end:
            return None
        if size == 0:
            return body, end
        body += buffer[line + 2 : end - 2]
        at = end
    return None
