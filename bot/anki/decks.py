"""Writes and reads Anki's .apkg files: a zip with an SQLite database and pictures.

The tables are those of schema 11, which every version of Anki imports:
https://github.com/ankidroid/Anki-Android/wiki/Database-Structure
Strangers can upload decks, so `read_deck` runs in a child process with limits of time and memory.
"""

from __future__ import annotations

import hashlib
import io
import json
import sqlite3
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import datetime
from typing import Any

from bot.anki.rules import DECK_ID, DECK_NAME, FIELDS, MODEL_ID, Note, note_of, plain_text
from bot.anki.templates import ANSWER_HTML, CARD_CSS, QUESTION_HTML
from bot.core.limits import (
    MAX_DECK_ENTRIES,
    MAX_DECK_NOTES,
    MAX_DECK_RATIO,
    MAX_DECK_UNPACKED,
)
from bot.questions.check import BankError, file_error
from bot.questions.model import Bank, Item

_TABLES = """
create table col (id integer primary key, crt integer, mod integer, scm integer, ver integer,
  dty integer, usn integer, ls integer, conf text, models text, decks text, dconf text, tags text);
create table notes (id integer primary key, guid text, mid integer, mod integer, usn integer,
  tags text, flds text, sfld text, csum integer, flags integer, data text);
create table cards (id integer primary key, nid integer, did integer, ord integer, mod integer,
  usn integer, type integer, queue integer, due integer, ivl integer, factor integer, reps integer,
  lapses integer, left integer, odue integer, odid integer, flags integer, data text);
create table revlog (id integer primary key, cid integer, usn integer, ease integer, ivl integer,
  lastIvl integer, factor integer, time integer, type integer);
create table graves (usn integer, oid integer, type integer);
"""
_MODEL_CHANGED = 1_764_000_000
"""When the fields or the look of cards last changed; Anki keeps a member's own look otherwise."""
_SEPARATOR = "\x1f"
_OLD = ("collection.anki21", "collection.anki2")
"""The names of the database in exports that older versions of Anki read, best first."""
_NEW = "collection.anki21b"
_EXPORT_AGAIN = (
    'is in Anki\'s new format; export it again with "Support older Anki versions" ticked'
)
_TOO_LARGE = "is far larger unpacked than a deck is; export a smaller deck"
_NO_DECK = "is not a deck that Anki exported"
_BROKEN = (
    sqlite3.Error,
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    RuntimeError,  # an encrypted file, or JSON that is nested too deeply
    ValueError,  # JSON that is none
    TypeError,  # a value of another kind than Anki stores there
    OverflowError,
)
_MOST_TEXT = 16 << 20
"""Bytes of a row: the row with the kinds of notes has less than one million in large collections."""
_STEPS = 100_000
_MOST_CALLS = 1_000
"""SQLite is stopped after so many times `_STEPS` instructions; 10,000 notes take two of these."""


def make_deck(
    bank: Bank, items: Sequence[Item], pictures: Mapping[str, bytes], at: datetime
) -> bytes:
    """Make a deck of items of a bank, with pictures of their formulas, by LaTeX, and their own, by
    file.

    A picture's file is named by its content, so that a changed one never takes another's name.
    """
    names = {key: _file_name(content) for key, content in pictures.items()}
    notes = [note_of(item, bank, names) for item in items]
    return write_deck(notes, {names[key]: content for key, content in pictures.items()}, at)


def _file_name(content: bytes) -> str:
    ending = "jpg" if content.startswith(b"\xff\xd8") else "png"
    return f"quizformer-{hashlib.sha256(content).hexdigest()[:16]}.{ending}"


def write_deck(notes: Sequence[Note], pictures: Mapping[str, bytes], at: datetime) -> bytes:
    """Write a deck. Anki replaces the notes of earlier decks, because `at` is later than theirs."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("collection.anki2", _collection(notes, at), zipfile.ZIP_DEFLATED)
        for number, png in enumerate(pictures.values()):
            archive.writestr(str(number), png)
        names = {str(number): name for number, name in enumerate(pictures)}
        archive.writestr("media", json.dumps(names), zipfile.ZIP_DEFLATED)
    return file.getvalue()


def _collection(notes: Sequence[Note], at: datetime) -> bytes:
    now = int(at.timestamp())
    with closing(sqlite3.connect(":memory:")) as conn:
        conn.executescript(_TABLES)
        settings = map(json.dumps, (_CONF, {str(MODEL_ID): _model()}, _decks(now), _OPTIONS, {}))
        col = (1, _MODEL_CHANGED, now * 1000, _MODEL_CHANGED * 1000, 11, 0, 0, 0, *settings)
        conn.execute(f"insert into col values ({', '.join('?' * 13)})", col)
        taken: set[int] = set()
        for position, note in enumerate(notes, start=1):
            note_id = note.id
            while note_id in taken:
                note_id += 1
            taken.add(note_id)
            fields = [note.fields[name] for name in FIELDS]
            about = (note_id, note.guid, MODEL_ID, now, -1, f" {' '.join(note.tags)} ")
            texts = (_SEPARATOR.join(fields), plain_text(fields[1]), _checksum(fields[0]))
            row = (*about, *texts, 0, "")
            conn.execute(f"insert into notes values ({', '.join('?' * 11)})", row)
            card = (note_id, note_id, DECK_ID, 0, now, -1, 0, 0, position, *[0] * 8, "")
            conn.execute(f"insert into cards values ({', '.join('?' * 18)})", card)
        conn.commit()
        return conn.serialize()


def _checksum(field: str) -> int:
    return int(hashlib.sha1(field.encode(), usedforsecurity=False).hexdigest()[:8], 16)


def _model() -> dict[str, Any]:
    look = {"font": "Arial", "media": [], "rtl": False, "size": 16, "sticky": False}
    template = {"name": "Question", "ord": 0, "qfmt": QUESTION_HTML, "afmt": ANSWER_HTML}
    return {
        "id": MODEL_ID,
        "name": DECK_NAME,
        "type": 0,
        "mod": _MODEL_CHANGED,
        "usn": -1,
        "sortf": FIELDS.index("Question"),
        "did": DECK_ID,
        "flds": [{"name": name, "ord": n, **look} for n, name in enumerate(FIELDS)],
        "tmpls": [{**template, "bqfmt": "", "bafmt": "", "did": None}],
        "css": CARD_CSS,
        "latexPre": "",
        "latexPost": "",
        "req": [[0, "any", [FIELDS.index("Question")]]],
        "tags": [],
        "vers": [],
    }


def _decks(now: int) -> dict[str, Any]:
    counts = {f"{name}Today": [0, 0] for name in ("new", "rev", "lrn", "time")}
    shared = {"desc": "", "dyn": 0, "collapsed": False, "extendNew": 10, "extendRev": 50, "conf": 1}
    names = {1: "Default", DECK_ID: DECK_NAME}
    return {
        str(deck_id): {"id": deck_id, "name": name, "mod": now, "usn": -1, **counts, **shared}
        for deck_id, name in names.items()
    }


_CONF = {
    "activeDecks": [1],
    "curDeck": 1,
    "newSpread": 0,
    "collapseTime": 1200,
    "timeLim": 0,
    "estTimes": True,
    "dueCounts": True,
    "curModel": None,
    "nextPos": 1,
    "sortType": "noteFld",
    "sortBackwards": False,
    "addToCur": True,
}
_OPTIONS = {
    "1": {
        **{"id": 1, "name": "Default", "mod": 0, "usn": 0, "maxTaken": 60, "autoplay": True},
        **{"timer": 0, "replayq": True, "dyn": False},
        "new": {
            **{"bury": True, "delays": [1, 10], "initialFactor": 2500, "ints": [1, 4, 7]},
            **{"order": 1, "perDay": 20, "separate": True},
        },
        "rev": {
            **{"bury": True, "ease4": 1.3, "fuzz": 0.05, "ivlFct": 1, "maxIvl": 36500},
            **{"minSpace": 1, "perDay": 200},
        },
        "lapse": {"delays": [10], "leechAction": 0, "leechFails": 8, "minInt": 1, "mult": 0},
    }
}


def read_deck(content: bytes) -> list[Note]:
    """Return the notes of a deck, up to `MAX_DECK_NOTES`; raises BankError if it can't be read.

    A note whose row has no number or no text comes without fields.
    """
    try:
        return list(_notes(_database_in(content)))
    except BankError:
        raise
    except _BROKEN as error:
        raise file_error(_NO_DECK) from error


def _database_in(content: bytes) -> bytes:
    """Unpack a deck's database, after checking what the archive says about its sizes."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entries = archive.infolist()
        names = {entry.filename: entry for entry in entries}
        if len(entries) > MAX_DECK_ENTRIES:
            raise file_error(f"has {len(entries):,} files in it; {MAX_DECK_ENTRIES:,} are allowed")
        if _NEW in names:
            raise file_error(_EXPORT_AGAIN)
        entry = next((names[name] for name in _OLD if name in names), None)
        if entry is None or entry.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
            raise file_error(_NO_DECK)
        unpacked = sum(each.file_size for each in entries)
        if unpacked > MAX_DECK_UNPACKED or unpacked > MAX_DECK_RATIO * len(content):
            raise file_error(_TOO_LARGE)
        with archive.open(entry) as file:
            database = file.read(entry.file_size + 1)
    return database


def _notes(database: bytes) -> Iterator[Note]:
    if database[:16] != b"SQLite format 3\0":
        raise file_error(_NO_DECK)
    # A database in memory can't have a write-ahead log: https://www.sqlite.org/fileformat.html
    database = database[:18] + b"\1\1" + database[20:]
    with closing(sqlite3.connect(":memory:")) as conn:
        conn.deserialize(database)
        _restrict(conn)
        kinds = _kinds_of_notes(conn)
        query = "select id, guid, mid, flds from notes order by id limit ?"
        length = 0
        for note_id, guid, kind, texts in conn.execute(query, [MAX_DECK_NOTES]):
            length += len(str(texts))
            if length > MAX_DECK_UNPACKED:  # a column may compute a long text of nothing
                raise file_error(_TOO_LARGE)
            if not (isinstance(note_id, int) and isinstance(texts, str)):
                yield Note(0, str(guid), {})  # it counts as one that can't be read
                continue
            names, is_cloze = kinds.get(str(kind), ((), False))
            fields = dict(zip(names, texts.split(_SEPARATOR), strict=False))
            yield Note(note_id, str(guid), fields, is_cloze=is_cloze)


def _restrict(conn: sqlite3.Connection) -> None:
    """Let a database that anybody may have made do nothing but give the rows of two tables.

    https://www.sqlite.org/security.html
    """
    calls = iter(range(_MOST_CALLS))
    conn.set_progress_handler(lambda: next(calls, None) is None, _STEPS)
    conn.text_factory = lambda raw: raw.decode("utf-8", "replace")
    conn.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _MOST_TEXT)
    conn.setlimit(sqlite3.SQLITE_LIMIT_SQL_LENGTH, 10_000)
    conn.setlimit(sqlite3.SQLITE_LIMIT_COLUMN, 50)
    conn.setlimit(sqlite3.SQLITE_LIMIT_EXPR_DEPTH, 20)
    conn.setlimit(sqlite3.SQLITE_LIMIT_VDBE_OP, 10_000)
    conn.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    conn.execute("pragma trusted_schema = off")
    conn.execute("pragma query_only = on")
    conn.execute("pragma cell_size_check = on")
    tables = conn.execute("select name from sqlite_master where type = 'table' and rootpage > 0")
    if not {"col", "notes"} <= {name for (name,) in tables}:  # views and virtual tables have none
        raise file_error(_NO_DECK)

    def authorize(action: int, *names: str | None) -> int:
        reads = action == sqlite3.SQLITE_READ and names[0] in {"col", "notes"}
        allowed = reads or action == sqlite3.SQLITE_SELECT
        return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY

    conn.set_authorizer(authorize)


def _kinds_of_notes(conn: sqlite3.Connection) -> dict[str, tuple[tuple[str, ...], bool]]:
    """Return the names of the fields of each kind of note, and whether it is for clozes."""
    row = conn.execute("select models from col limit 1").fetchone()
    models = json.loads(row[0]) if row and row[0] else {}
    if not isinstance(models, dict) or not models:
        raise file_error(_EXPORT_AGAIN)
    kinds = {}
    for number, model in models.items():
        listed = model.get("flds") if isinstance(model, dict) else None
        if not isinstance(listed, list):
            raise file_error(_NO_DECK)
        names = tuple(str(field.get("name")) for field in listed if isinstance(field, dict))
        kinds[number] = names, model.get("type") == 1
    return kinds
