"""Files of questions for the review: which format they have, and notes of decks."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from bot.anki.decks import write_deck
from bot.anki.rules import Note, note_of
from bot.core.limits import MAX_TYPED
from bot.questions.check import BankError, Problem
from bot.suggestions.files import Existing, QuestionFile, may_be_read, read_questions
from bot.suggestions.formats import Placed
from bot.suggestions.rules import SuggestedQuestion
from tests.anki.decks import MODELS, deck
from tests.banks import small_bank

NOTHING = Existing(frozenset(), {}, frozenset())
AIKEN = "Q?\nA. a\nB. b\nANSWER: A"
GIFT = "Q? {=a ~b}"
CSV = "topic,prompt,a,b,right,explanation\nT {x},Q?,a,b,a,E.\nT,ANSWER: {x}?,a,b,a,E."
JSON = '{"version": 1}'
BANK = small_bank()


def read(name: str, content: bytes, existing: Existing = NOTHING) -> QuestionFile:
    found = read_questions(name, content, existing)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("name", "text", "questions"),
    [
        ("x.txt", AIKEN, 1),
        ("X.TXT", f"\ufeff{AIKEN}".replace("\n", "\r\n"), 1),
        ("x.txt", GIFT, 1),
        ("x.gift", GIFT, 1),
        ("x.gift", f"{GIFT}\n\n{GIFT}", 2),
        ("x.gift", "no braces", 0),
        ("x.txt", CSV, None),
        ("x.txt", JSON, None),
        ("x.txt", "only words", None),
    ],
)
def test_formats(name: str, text: str, questions: int | None) -> None:
    """The name says what a file is; a .txt is Aiken or GIFT unless it is CSV or JSON."""
    found = read_questions(name, text.encode(), NOTHING)
    assert questions == (None if found is None else len(found.questions))


def test_names() -> None:
    """Other files are not read at all."""
    names = ["a.apkg", "A.GIFT", "a.txt", "a.csv", "a.json", "txt", "a.zip"]
    assert [may_be_read(name) for name in names] == [True] * 3 + [False] * 4


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("x.gift", b"// nothing\n\n", "the file: has no question in it"),
        ("x.gift", b"\xff", "the file: is not UTF-8 (at byte 0)"),
        ("x.apkg", deck(), "the file: has no question in it"),
        ("x.apkg", b"x", "the file: is not a deck that Anki exported"),
    ],
)
def test_bad_files(name: str, content: bytes, why: str) -> None:
    """A file without anything in it is refused."""
    with pytest.raises(BankError) as error:
        read_questions(name, content, NOTHING)
    assert str(error.value) == why


def only(*fields: str, kind: int = 1) -> Placed | Problem:
    """Return what a deck's only note becomes."""
    found = read("x.apkg", deck(fields, kind=kind))
    assert len(found.questions) + len(found.problems) == 1
    return found.questions[0] if found.questions else found.problems[0]


def test_a_front_and_a_short_back() -> None:
    """They become a question with a typed answer, as text on one line."""
    longest = "b" * MAX_TYPED
    assert only("<b>Which</b><br>one?", f"<div>{longest}</div>") == Placed(
        'note "Which one?"', SuggestedQuestion("Which\none?", longest, "", "", "")
    )
    expected = SuggestedQuestion("Q?", "a b", "", "", "")
    assert only("Q?", "a<br>b") == Placed('note "Q?"', expected)


@pytest.mark.parametrize(
    ("fields", "kind", "why"),
    [
        (("Q?", "b" * (MAX_TYPED + 1)), 1, "has an answer of 101 characters; 100 can be typed"),
        (("Q?", "{{c1::x}}"), 1, "is a cloze; write it as a question with an answer"),
        (("Q?", "x"), 2, "is a cloze; write it as a question with an answer"),
        (("Q? <IMG src='x.png'>", "x"), 1, "has a picture or a sound, which I can't take"),
        (("Q?", "[sound:x.mp3]"), 1, "has a picture or a sound, which I can't take"),
        (("Q?", " <br> "), 1, "is not a question with one answer: it needs a front and a back"),
    ],
)
def test_notes_that_are_no_closed_question(fields: tuple[str, ...], kind: int, why: str) -> None:
    """Each is told by its first words, and why."""
    assert only(*fields, kind=kind) == Problem('note "Q?"', why)


def test_notes_with_more_fields() -> None:
    """Empty fields don't matter; a third text does. A long front is cut where it names the note."""
    three = {"1": {"type": 0, "flds": [{"name": name} for name in "abc"]}}
    found = read("x.apkg", deck(("Q?", "", "x"), ("Q" * 50, "y", "z"), models=three))
    assert [each.question.answer for each in found.questions] == ["x"]
    why = "is not a question with one answer: it needs a front and a back"
    assert found.problems == (Problem(f'note "{"Q" * 39}…"', why),)


def test_a_note_without_text() -> None:
    """It is counted and nothing is made of it, certainly no text like "None"."""
    found = read("x.apkg", deck(("Q?", "x"), ("R?", "y"), script="update notes set flds = null"))
    why = "is not a question with one answer: it needs a front and a back"
    assert (found.questions, found.problems) == ((), (Problem('note ""', why),) * 2)


def ours(*notes: Note) -> bytes:
    return write_deck(notes, {}, datetime(2027, 1, 4, tzinfo=UTC))


ITEM = BANK.topics["t1"].items[0]


def test_our_own_decks() -> None:
    """Shipped questions are counted, those of this server keep their ids, others get new ones."""
    notes = [note_of(replace(ITEM, id=item_id), BANK, {}) for item_id in ("t1-a", "1--5", "2--7")]
    existing = Existing({"t1-a"}, {"1--5": "our-fifth"}, {"topic 1"})
    found = read("x.apkg", ours(*notes), existing)
    assert (found.questions, found.problems, found.shipped) == ((), (), 1)
    rows = [row for _, row in found.rows]
    assert sorted(row["id"] for row in rows) == ["", "our-fifth"]
    assert {row["section"] for row in rows} == {""}
    assert {place for place, _ in found.rows} == {'note "Which?"'}
    elsewhere = read("x.apkg", ours(notes[2]))
    assert [(row["id"], row["section"]) for _, row in elsewhere.rows] == [("", "First")]


def test_our_notes_are_known_by_their_fields() -> None:
    """Another kind of note in the same deck is for the review."""
    assert "Id" not in str(MODELS)
    found = read("x.apkg", ours(note_of(replace(ITEM, id="new-one"), BANK, {})))
    assert (len(found.rows), found.questions) == (1, ())
