"""The few frames of RFC 6455 that a gateway needs: binary out; text, binary and close in."""

from __future__ import annotations

from collections.abc import Iterator

_CLOSE, _PING, _PONG = 8, 9, 10


def frame(payload: bytes) -> bytes:
    """A binary message from the server, in one frame."""
    size = len(payload)
    if size < 126:
        return b"\x82%c" % size + payload
    if size < 1 << 16:
        return b"\x82\x7e" + size.to_bytes(2, "big") + payload
    return b"\x82\x7f" + size.to_bytes(8, "big") + payload


class FrameReader:
    """Takes bytes as they come from a client, gives its messages; None for a close."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes | None]:
        self._buffer += data
        while (found := self._next()) is not None:
            opcode, payload = found
            if opcode == _CLOSE:
                yield None
            elif opcode not in {_PING, _PONG}:
                yield payload

    def _next(self) -> tuple[int, bytes] | None:
        buffer = self._buffer
        if len(buffer) < 6:
            return None
        size, at = buffer[1] & 0x7F, 2
        if size >= 126:
            width = 2 if size == 126 else 8
            if len(buffer) < at + width:
                return None
            size, at = int.from_bytes(buffer[at : at + width], "big"), at + width
        if len(buffer) < at + 4 + size:
            return None
        mask, opcode = bytes(buffer[at : at + 4]), buffer[0] & 0x0F
        masked = int.from_bytes(buffer[at + 4 : at + 4 + size], "big")
        repeated = (mask * (size // 4 + 1))[:size]
        del buffer[: at + 4 + size]
        return opcode, (masked ^ int.from_bytes(repeated, "big")).to_bytes(size, "big")
