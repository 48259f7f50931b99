"""Decks are written and read back; broken and hostile ones are refused with a sentence."""

from __future__ import annotations

import io
import json
import random
import sqlite3
import zipfile
from contextlib import closing
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.anki import decks
from bot.anki.decks import read_deck, write_deck
from bot.anki.rules import MODEL_ID, note_of
from bot.questions.check import BankError
from tests.anki.decks import archive, database, deck
from tests.banks import small_bank

BANK = small_bank()
NOTES = [note_of(item, BANK, {}) for item in BANK.asked.values()]
AT = datetime(2027, 1, 4, 12, tzinfo=UTC)


def refused(content: bytes) -> str:
    """Return why a deck can't be read."""
    with pytest.raises(BankError) as error:
        read_deck(content)
    (problem,) = error.value.problems
    assert problem.place == "the file"
    return problem.message


def test_written_and_read() -> None:
    """Notes have the same fields and ids when they are read, in the order of their ids."""
    read = read_deck(write_deck(NOTES, {}, AT))
    expected = sorted(NOTES, key=lambda note: note.id)
    assert read == [replace(note, tags=()) for note in expected]
    assert all(note.is_ours for note in read)


def test_the_tables() -> None:
    """The database has what schema 11 needs: the same ids each time, and later times later."""
    content = write_deck(NOTES, {"a.png": b"png", "b.png": b"other"}, AT)
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        assert json.loads(packed.read("media")) == {"0": "a.png", "1": "b.png"}
        assert (packed.read("0"), packed.read("1")) == (b"png", b"other")
        file = packed.read("collection.anki2")
    with closing(sqlite3.connect(":memory:")) as conn:
        conn.deserialize(file)
        assert conn.execute("select ver, mod from col").fetchall() == [(11, 1_799_064_000_000)]
        assert conn.execute("pragma integrity_check").fetchall() == [("ok",)]
        notes = conn.execute("select mid, mod, guid, tags from notes order by id").fetchall()
        cards = conn.execute("select count(*), count(distinct nid), min(due) from cards")
        assert cards.fetchall() == [(len(NOTES), len(NOTES), 1)]
    assert {row[:2] for row in notes} == {(MODEL_ID, 1_799_064_000)}
    assert all(row[3].startswith(" Quizformer::") for row in notes)


def test_two_notes_with_the_same_id() -> None:
    """If the hashes of two items are equal, both are in the deck."""
    one, other = NOTES[0], replace(NOTES[1], id=NOTES[0].id)
    read = read_deck(write_deck([one, other], {}, AT))
    assert [(note.id, note.guid) for note in read] == [
        (one.id, one.guid),
        (one.id + 1, other.guid),
    ]


def test_a_deck_of_somebody_else() -> None:
    """Fields are read by the names of their kind of note, up to the limit of notes."""
    (first, second) = read_deck(deck(["a", "b"], ["<b>c</b>", "d"]))
    assert dict(first.fields) == {"Front": "a", "Back": "b"}
    assert dict(second.fields) == {"Front": "<b>c</b>", "Back": "d"}
    assert not first.is_ours
    assert not first.is_cloze
    assert read_deck(deck(["{{c1::x}}", ""], kind=2))[0].is_cloze
    assert read_deck(deck(["a", "b"], kind=77))[0].fields == {}


def test_the_newer_of_two_databases_is_read() -> None:
    """Anki puts a note that says "please update" into the older database."""
    both = archive(
        collection__anki2=database(["please update", ""]), collection__anki21=database(["a", "b"])
    )
    assert read_deck(both)[0].fields["Front"] == "a"


def test_a_database_with_a_log() -> None:
    """A database whose header says that it had a write-ahead log is read too."""
    content = bytearray(database(["a", "b"]))
    content[18:20] = b"\2\2"
    assert read_deck(archive(collection__anki2=bytes(content)))[0].fields["Front"] == "a"


def test_only_so_many_notes_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest of a huge deck is left out."""
    monkeypatch.setattr(decks, "MAX_DECK_NOTES", 3)
    assert len(read_deck(deck(*[["a", "b"]] * 5))) == 3


AGAIN = 'is in Anki\'s new format; export it again with "Support older Anki versions" ticked'
NO_DECK = "is not a deck that Anki exported"
LARGE = "is far larger unpacked than a deck is; export a smaller deck"
LOOSE_COL = "drop table col; create table col (models);"
LOOSE_NOTES = "drop table notes; create table notes (id, guid, mid, flds);"
SLOW = (
    "drop table notes; create view notes as with recursive n(i) as "
    "(select 1 union all select i + 1 from n) select i as id, '' as guid, 1 as mid, '' as flds from n"
)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", NO_DECK),
        (b"PK\3\4 and no more", NO_DECK),
        (archive(), NO_DECK),
        (archive(collection__anki2=b"no database"), NO_DECK),
        (archive(collection__anki2=b"SQLite format 3\0" + b"\1" * 5000), NO_DECK),
        (archive(collection__anki2=database()[:3000]), NO_DECK),
        (archive(collection__anki21b=b"zstd", collection__anki2=database()), AGAIN),
        (deck(models={}), AGAIN),
        (deck(models=[1]), AGAIN),
        (deck(models={"1": 5}), NO_DECK),
        (deck(script=f"{LOOSE_COL} insert into col values (5)"), NO_DECK),
        (deck(script=f"{LOOSE_COL} insert into col values (9e999)"), NO_DECK),
        (deck(script="update col set models = '{{{'"), NO_DECK),
        (deck(script=f"update col set models = '{'[' * 3_000}'"), NO_DECK),
        (deck(script="drop table notes"), NO_DECK),
        (deck(script=SLOW), NO_DECK),
        (deck(script="drop table notes; create virtual table notes using fts5(flds)"), NO_DECK),
        (archive(collection__anki2=b"\0" * (65 << 20)), LARGE),
        (archive(collection__anki2=database(["a", "b"]), x=b"\0" * (2 << 20)), LARGE),
    ],
    ids=range(19),
)
def test_what_is_no_deck(content: bytes, why: str) -> None:
    """Each is refused with a sentence, and nothing of it is run."""
    assert refused(content) == why


@pytest.mark.parametrize(
    "row",
    ["null, 1, 1, 'a'", "9e999, 1, 1, 'a'", "'x', 1, 1, 'a'", "7, 1, 1, null", "7, 1, 1, x'61'"],
)
def test_notes_without_number_or_text(row: str) -> None:
    """Each comes without fields, so that it is counted among those that can't be read."""
    script = f"{LOOSE_NOTES} insert into notes values ({row}), (8, null, 1, 'c' || char(31) || 'd')"
    read = read_deck(deck(script=script))
    assert sorted([dict(note.fields) for note in read], key=len) == [
        {},
        {"Front": "c", "Back": "d"},
    ]


def test_an_archive_with_too_many_files() -> None:
    """They are counted before anything is unpacked."""
    files = {f"x{n}": b"" for n in range(20_001)}
    assert refused(archive(**files)) == "has 20,001 files in it; 20,000 are allowed"


def test_an_encrypted_deck() -> None:
    """An archive with a password is refused."""
    content = bytearray(deck(["a", "b"]))
    for signature, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        content[content.index(signature) + offset] |= 1
    assert refused(bytes(content)) == NO_DECK


@pytest.mark.parametrize(("length", "rows", "why"), [(9 << 20, 1, NO_DECK), (7 << 20, 9, LARGE)])
def test_columns_that_compute_long_texts(length: int, rows: int, why: str) -> None:
    """A row and all rows together have limits, whatever the size of the file."""
    script = (
        "alter table notes rename to old; create table notes (id integer primary key, guid, mid, n,"
        " flds text generated always as (hex(zeroblob(n))));"
    ) + f"insert into notes (guid, mid, n) values (1, 1, {length});" * rows
    assert refused(deck(script=script)) == why


WHOLE = write_deck(NOTES, {"a.png": b"png"}, AT)


@given(st.data())
def test_damaged_decks(data: st.DataObject) -> None:
    """Whatever bytes are changed, a deck is read or refused with a sentence."""
    content = bytearray(WHOLE)
    for _ in range(data.draw(st.integers(1, 5))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    _read_or_refuse(bytes(content))


@given(st.integers(0, 2**32))
def test_damaged_databases(seed: int) -> None:
    """Whatever bytes of the database are changed, a deck is read or refused with a sentence."""
    rng = random.Random(seed)
    content = bytearray(DATABASE)
    for _ in range(rng.randint(1, 20)):
        content[rng.randrange(len(content))] = rng.randrange(256)
    _read_or_refuse(archive(collection__anki2=bytes(content)))


with zipfile.ZipFile(io.BytesIO(WHOLE)) as _packed:
    DATABASE = _packed.read("collection.anki2")


def _read_or_refuse(content: bytes) -> None:
    try:
        notes = read_deck(content)
    except BankError:
        return
    assert all(isinstance(value, str) for note in notes for value in note.fields.values())
