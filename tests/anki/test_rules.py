"""Notes of items, and rows of notes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.anki.rules import FIELDS, csv_row, note_of, plain_text, to_html
from bot.questions.model import Bank, Item, Reference, Section
from tests.banks import small_bank

BANK = small_bank()
CHOICE, _, MULTIPLE, TYPED = BANK.topics["t1"].items
TEXTS = st.text(st.characters(exclude_categories=["C"]) | st.just("\n"), max_size=60).map(str.strip)


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
    html = to_html(text)
    assert plain_text(html) == text.strip("\n")
    bare = html.replace("<br>", "").replace("<span></span>", "")
    assert "<" not in bare
    assert ">" not in bare
    assert '"' not in bare


@pytest.mark.parametrize(
    "start", [r"\(x\)", r"\[x\]", "[latex]x[/latex]", "[sound:x.mp3]", "[$]x[/$]"]
)
def test_markup_of_anki_is_shown_as_it_is(start: str) -> None:
    """Text that Anki would draw or play has a tag in its first sign, and is read back without."""
    assert to_html(start)[:14] == f"{start[0]}<span></span>"
    assert plain_text(to_html(start)) == start


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<div>one</div><div>two</div>", "one\ntwo"),
        ("a<br>b<br/>c", "a\nb\nc"),
        ("<ul><li>a</li><li>b</li></ul>", "a\nb"),
        ("x&nbsp;&lt;y&gt;", "x <y>"),
        ("<script>alert(1)</script><style>b{}</style>safe", "safe"),
        ("<b>bo</b>ld", "bold"),
        ("<SCRIPT>never closed", ""),
        ("a < b &lt; c <d", "a < b < c <d"),
        ("<pre>  x\n  y</pre><br>", "  x\n  y"),
        ("  x\n", "  x"),
    ],
)
def test_text_of_html(html: str, text: str) -> None:
    """Blocks become lines, entities become letters, scripts and tags are left out."""
    assert plain_text(html) == text


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


def test_a_changed_number_of_choices() -> None:
    """Choices that somebody added or removed in Anki come in the order of the note."""
    note = note_of(CHOICE, BANK, {})
    fields = {**note.fields, "E": "a new one", "E why": "new"}
    row = csv_row(replace(note, fields=fields))
    assert [row[x] for x in "abcde"] == [*(note.fields[x] for x in "ABCD"), "a new one"]
