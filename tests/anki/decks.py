"""Makes decks as other people's versions of Anki export them, and broken ones."""

from __future__ import annotations

import io
import json
import sqlite3
import zipfile
from collections.abc import Sequence
from contextlib import closing
from typing import Any

BASIC = {"1": {"name": "Basic", "type": 0, "flds": [{"name": "Front"}, {"name": "Back"}]}}
CLOZE = {"2": {"name": "Cloze", "type": 1, "flds": [{"name": "Text"}, {"name": "Extra"}]}}
MODELS = BASIC | CLOZE


def database(*notes: Sequence[str], kind: int = 1, models: Any = MODELS, script: str = "") -> bytes:
    """Return a database with notes of one kind, after a script of SQL."""
    with closing(sqlite3.connect(":memory:")) as conn:
        conn.execute("create table col (id integer primary key, models text)")
        conn.execute("insert into col values (1, ?)", [json.dumps(models)])
        conn.execute("create table notes (id integer primary key, guid, mid, flds)")
        rows = [(f"guid {n}", kind, "\x1f".join(fields)) for n, fields in enumerate(notes)]
        conn.executemany("insert into notes (guid, mid, flds) values (?, ?, ?)", rows)
        conn.executescript(script)
        conn.commit()
        return conn.serialize()


def archive(**files: bytes) -> bytes:
    """Return a zip with these files; a double underscore in a name is a dot."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(name.replace("__", "."), content)
    return out.getvalue()


def deck(*notes: Sequence[str], **options: Any) -> bytes:
    """Return a deck with notes of one kind."""
    return archive(collection__anki2=database(*notes, **options), media=b"{}")
