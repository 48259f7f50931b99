"""The format of a member's export."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from bot.questions.answers import decode_picks
from bot.questions.model import Bank

FILE_BYTES = 8_000_000
"""The size limit of one file of an export, below Discord's limit for uploads:
https://discord.com/developers/docs/reference#uploading-files
"""
ERASE_AFTER = timedelta(days=30)
"""The data of a server that has removed the bot are kept for this time."""
_ABOUT = "All that Quizformer has stored about you. Items and topics are named by their ids in the question bank."

Row = Mapping[str, Any]
Sections = Mapping[str, Sequence[Row]]


def readable(bank: Bank, row: Row) -> Row:
    """Return a row with the texts of the picked choices instead of their numbers."""
    item = bank.items.get(row.get("item_id") or "")
    if item is None or item.kind == "typed" or not row.get("answer"):
        return row
    picked = [
        item.choices[n].text for n in sorted(decode_picks(row["answer"])) if n < len(item.choices)
    ]
    return {**row, "answer": picked}


def files(user_id: int, at: datetime, sections: Sections, limit: int = FILE_BYTES) -> list[bytes]:
    """Return the export as JSON, one row a line, in files of at most about `limit` bytes."""
    parts: list[dict[str, list[str]]] = [{}]
    size = 0
    for name, rows in sections.items():
        parts[-1][name] = []
        for row in rows:
            line = _dump(row)
            size += len(line.encode()) + 4
            if size > limit and any(parts[-1].values()):
                parts.append({name: []})
                size = len(line.encode()) + 4
            parts[-1][name].append(line)
    head = {"about": _ABOUT, "member_id": str(user_id), "made_at": at.isoformat(timespec="seconds")}
    return [
        _file(head if len(parts) == 1 else {**head, "part": number, "parts": len(parts)}, part)
        for number, part in enumerate(parts, start=1)
    ]


def _file(head: Mapping[str, Any], sections: Mapping[str, Sequence[str]]) -> bytes:
    fields = [f"{_dump(key)}: {_dump(value)}" for key, value in head.items()]
    for name, rows in sections.items():
        listed = ",".join(f"\n  {row}" for row in rows)
        fields.append(f"{_dump(name)}: [{listed}\n ]" if rows else f"{_dump(name)}: []")
    return ("{\n " + ",\n ".join(fields) + "\n}\n").encode()


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
