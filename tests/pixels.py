"""Decodes PNGs with the standard library only."""

from __future__ import annotations

import struct
import zlib

Pixel = tuple[int, int, int]


def size(png: bytes) -> tuple[int, int]:
    """Return the width and height."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    assert png[12:16] == b"IHDR"
    width, height = struct.unpack(">II", png[16:24])
    return width, height


def rows(png: bytes) -> list[list[Pixel]]:
    """Return the pixels of a PNG with 8 bits per channel and no transparency."""
    width, _ = size(png)
    assert png[24:29] == b"\x08\x06\x00\x00\x00"  # 8 bits, RGBA, not interlaced
    data, at = b"", 8
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        if png[at + 4 : at + 8] == b"IDAT":
            data += png[at + 8 : at + 8 + length]
        at += length + 12
    raw, stride = zlib.decompress(data), width * 4
    found: list[list[Pixel]] = []
    above = bytearray(stride)
    for start in range(0, len(raw), stride + 1):
        line = bytearray(raw[start + 1 : start + 1 + stride])
        _unfilter(raw[start], line, above)
        assert set(line[3::4]) == {255}
        found.append(list(zip(line[0::4], line[1::4], line[2::4], strict=True)))
        above = line
    return found


def _unfilter(kind: int, line: bytearray, above: bytearray) -> None:
    for i in range(len(line)):
        left, up = line[i - 4] if i >= 4 else 0, above[i]
        corner = above[i - 4] if i >= 4 else 0
        match kind:
            case 1:
                line[i] = (line[i] + left) & 255
            case 2:
                line[i] = (line[i] + up) & 255
            case 3:
                line[i] = (line[i] + (left + up) // 2) & 255
            case 4:
                guess = left + up - corner
                nearest = min((left, up, corner), key=lambda value: abs(guess - value))
                line[i] = (line[i] + nearest) & 255


def different(one: bytes, other: bytes) -> int:
    """Return how many pixels differ between two pictures of the same size."""
    assert size(one) == size(other)
    return sum(
        a != b
        for x, y in zip(rows(one), rows(other), strict=True)
        for a, b in zip(x, y, strict=True)
    )
