"""Reads the decks that the bot writes."""

from __future__ import annotations

import io
import sqlite3
import zipfile
from contextlib import closing

from bot.topics.deck_files import FIELDS


def database_of(deck: bytes) -> sqlite3.Connection:
    """Return a connection to a deck's database, in memory."""
    with zipfile.ZipFile(io.BytesIO(deck)) as packed:
        content = packed.read("collection.anki2")
    conn = sqlite3.connect(":memory:")
    conn.deserialize(content)
    return conn


def fields_of(deck: bytes) -> list[dict[str, str]]:
    """Return the fields of a deck's notes, by name."""
    with closing(database_of(deck)) as conn:
        rows = conn.execute("select flds from notes order by id").fetchall()
    return [dict(zip(FIELDS, texts.split("\x1f"), strict=True)) for (texts,) in rows]
