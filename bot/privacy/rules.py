"""The format of a member's export."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from bot.questions.answers import decode_order, decode_picks
from bot.questions.model import Bank

FILE_BYTES = 8_000_000
"""The size limit of one file of an export, below Discord's limit for uploads:
https://discord.com/developers/docs/reference#uploading-files
"""
_ABOUT = "All that Quizformer has stored about you. Items and topics are named by their ids in the question bank."

Row = Mapping[str, Any]


def readable(bank: Bank, row: Row) -> Row:
    """Return a row with the texts of the picked choices or placed lines instead of their numbers."""
    item = bank.items.get(row.get("item_id") or "")
    if item is None or item.kind == "typed" or not row.get("answer"):
        return row
    if item.kind == "order":
        texts, picked = item.pieces, decode_order(row["answer"])
    else:
        texts = tuple(choice.text for choice in item.choices)
        picked = tuple(sorted(decode_picks(row["answer"])))
    return {**row, "answer": [texts[n] for n in picked if n < len(texts)]}


class DataFiles:
    """A member's export as JSON, one row a line, in files of at most about `limit` bytes.

    The files are compressed until they are needed, to a tenth of their size.
    """

    def __init__(self, user_id: int, at: datetime, limit: int = FILE_BYTES) -> None:
        self._head = {
            "about": _ABOUT,
            "member_id": str(user_id),
            "made_at": at.isoformat(timespec="seconds"),
        }
        self._limit = limit
        self._finished: list[bytes] = []
        self._part = _Part()
        self.entries = 0

    def add(self, name: str, rows: Iterable[Row]) -> None:
        """Add all rows of a section."""
        self._part.begin(name)
        for row in rows:
            line = _dump(row).encode()
            if self._part.size + len(line) > self._limit and self._part.rows:
                self._part.end()
                self._finished.append(self._part.packed())
                self._part = _Part()
                self._part.begin(name)
            self._part.add(line)
            self.entries += 1
        self._part.end()

    @property
    def parts(self) -> int:
        """The number of files."""
        return len(self._finished) + 1

    def files(self) -> Iterator[bytes]:
        """Yield the files one by one."""
        head: dict[str, Any] = self._head
        for number, packed in enumerate([*self._finished, self._part.packed()], start=1):
            if self.parts > 1:
                head = {**head, "part": number, "parts": self.parts}
            fields = ",\n ".join(f"{_dump(key)}: {_dump(value)}" for key, value in head.items())
            yield b"{\n " + fields.encode() + zlib.decompress(packed) + b"\n}\n"


class _Part:
    """The sections of one file, compressed as they are added."""

    def __init__(self) -> None:
        self._compress = zlib.compressobj(level=1)
        self._packed: list[bytes] = []
        self._empty = True
        self.rows = 0
        self.size = 0

    def begin(self, name: str) -> None:
        """Begin a section."""
        self._write(f",\n {_dump(name)}: [".encode())
        self._empty = True

    def add(self, line: bytes) -> None:
        self._write((b"\n  " if self._empty else b",\n  ") + line)
        self._empty = False
        self.rows += 1

    def end(self) -> None:
        """End the section."""
        self._write(b"]" if self._empty else b"\n ]")

    def packed(self) -> bytes:
        return b"".join([*self._packed, self._compress.copy().flush()])

    def _write(self, text: bytes) -> None:
        self._packed.append(self._compress.compress(text))
        self.size += len(text)


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
