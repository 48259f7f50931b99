"""The notes of items, and the files with them."""

from __future__ import annotations

import io
import json
import zipfile
from contextlib import closing
from datetime import UTC, datetime
from html import escape, unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.questions.model import Bank, Item, Reference, Section
from bot.topics.deck_files import FIELDS, MODEL_ID, note_of, to_html, write_deck
from tests.banks import small_bank
from tests.shipped import in_order
from tests.topics.apkg import database_of

BANK = small_bank()
CHOICE, _, MULTIPLE, TYPED = BANK.topics["t1"].items
NOTES = [note_of(item, BANK, {}) for item in BANK.asked.values()]
AT = datetime(2027, 1, 4, 12, tzinfo=UTC)
TEXTS = st.text(st.characters(exclude_categories=["C"]) | st.just("\n"), max_size=60)


def bank_with(item: Item) -> Bank:
    """Return a bank whose only topic has this item, and two references."""
    references = (
        Reference("First", "https://a.example"),
        Reference("A & B", "https://b.example?a=1&b"),
    )
    topic = replace(BANK.topics["t1"], items=(item,), references=references)
    return Bank("One", (Section("first", "First", (topic,)),))


@given(TEXTS)
def test_html_shows_the_text(text: str) -> None:
    """Whatever a text holds, its HTML has no tag of its own and gives the text back."""
    bare = to_html(text).replace("<span></span>", "")
    assert unescape(bare.replace("<br>", "\n")) == text
    assert "<" not in bare.replace("<br>", "")
    assert '"' not in bare


@pytest.mark.parametrize(
    "start", [r"\(x\)", r"\[x\]", "[latex]x[/latex]", "[sound:x.mp3]", "[$]x[/$]"]
)
def test_markup_of_anki_is_shown_as_it_is(start: str) -> None:
    """Text that Anki would draw or play has a tag after its first sign."""
    assert to_html(start)[:14] == f"{start[0]}<span></span>"


FULL = replace(
    MULTIPLE,
    code="if a < b:\n    print('x')",
    language="python",
    formula=r"\frac{a}{b}",
    spoken="a over b",
    as_of="2026-05",
    reference=1,
    prompt="Which <ones>?\n=1+1",
)


def test_a_note_has_everything() -> None:
    """Choices with reasons and marks, code, source, picture, attribution and tags; all escaped."""
    note = note_of(FULL, bank_with(FULL), {FULL.formula or "": "x.png"})
    fields = note.fields
    assert fields["Question"] == "Which &lt;ones&gt;?<br>=1+1"
    assert fields["Code"] == "if a &lt; b:<br>    print(&#x27;x&#x27;)"
    assert fields["Formula"] == '<img src="x.png" alt="a over b">'
    assert (fields["Source"], fields["Source address"]) == (
        "A &amp; B",
        "https://b.example?a=1&amp;b",
    )
    assert fields["Made by"] == "Quizformer, MIT licence"
    shown = {(fields[x], bool(fields[f"{x} right"]), fields[f"{x} why"]) for x in "ABCD"}
    assert shown == {(c.text, c.correct, c.why) for c in FULL.choices}
    assert fields["E"] == fields["F"] == ""
    assert note.tags == ("Quizformer::First", "Quizformer::First::Topic_1")
    assert note.guid == "quizformer-t1-c"
    assert set(fields) == set(FIELDS)


def test_code_in_order() -> None:
    """All lines are on the front with letters; the back has the code, and why the others stay out."""
    item = in_order(topic="t1")
    fields = note_of(item, bank_with(item), {}).fields
    shown = fields["Code"].split("<br>")
    assert [line[:3] for line in shown] == [f"{letter}  " for letter in "ABCDEFG"]
    assert sorted(unescape(line[3:]) for line in shown) == sorted(item.pieces)
    assert fields["In order"] == "<br>".join(map(escape, item.lines))
    assert fields["Left out"] == "a -= b: It never ends."
    assert fields["Hint"] == "6 of these 7 lines, in any order that works."
    assert not any(fields[letter] for letter in "ABCDEF")


def test_a_formula_without_a_picture() -> None:
    """It is there as LaTeX, escaped."""
    item = replace(FULL, formula="a < b")
    assert note_of(item, bank_with(item), {}).fields["Formula"] == "<code>a &lt; b</code>"


def test_hints() -> None:
    """They say what to do where a card of Anki doesn't show it."""
    number = replace(TYPED, unit="GB", tolerance=5)
    hints = [note_of(item, BANK, {}).fields["Hint"] for item in (CHOICE, MULTIPLE, TYPED, number)]
    assert hints == [
        "",
        "One or more are right.",
        "Say or type the answer.",
        "A number (GB), within 5%.",
    ]


def test_ids_depend_on_the_item_alone() -> None:
    """A changed item keeps its ids; others have other ids. An own item says that it is one."""
    note = note_of(CHOICE, BANK, {})
    changed = note_of(replace(CHOICE, prompt="Other?"), BANK, {})
    assert (note.id, note.guid) == (changed.id, changed.guid)
    assert len({note_of(item, BANK, {}).id for item in BANK.asked.values()}) == len(BANK.asked)
    own = replace(CHOICE, id="1--a")
    assert note_of(own, BANK, {}).fields["Made by"] == "Quizformer, from a server"


def test_the_right_choice_is_not_always_first() -> None:
    """Choices have an order of their own, because many files have the right one first."""
    first = {note_of(replace(CHOICE, id=f"x{n}"), BANK, {}).fields["A right"] for n in range(30)}
    assert first == {"✓", ""}


def test_the_tables() -> None:
    """The database has what schema 11 needs: the same ids each time, and later times later."""
    content = write_deck(NOTES, {"a.png": b"png", "b.png": b"other"}, AT)
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        assert json.loads(packed.read("media")) == {"0": "a.png", "1": "b.png"}
        assert (packed.read("0"), packed.read("1")) == (b"png", b"other")
    with closing(database_of(content)) as conn:
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
    with closing(database_of(write_deck([one, other], {}, AT))) as conn:
        read = conn.execute("select id, guid from notes order by id").fetchall()
    assert read == [(one.id, one.guid), (one.id + 1, other.guid)]
