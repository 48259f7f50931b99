"""Decks in Anki's own library, which is large and under another licence than the bot.

`make everything` installs it apart, and names the Python that has it in ANKI_PYTHON.
"""

from __future__ import annotations

import json
import os
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from bot.questions.formulas import png_of
from bot.topics.deck_files import DECK_NAME, FIELDS, make_deck, note_of, write_deck
from tests.patience import PATIENCE
from tests.shipped import packs

ANKI = os.environ.get("ANKI_PYTHON", "")
pytestmark = pytest.mark.skipif(
    not ANKI, reason="ANKI_PYTHON names no Python with Anki's library; make everything installs it"
)
SCRIPT = Path(__file__).with_name("anki_import.py")
BANK = packs()
ITEMS = list(BANK.asked.values())
NOTES = {note.guid: note for note in (note_of(item, BANK, {}) for item in ITEMS)}
AT = datetime(2027, 1, 4, 12, tzinfo=UTC)


def in_anki(folder: Path, *decks: bytes) -> list[dict[str, Any]]:
    """Import decks one after the other into an empty collection; return what each import did."""
    files = []
    for number, content in enumerate(decks):
        file = folder / f"{number}.apkg"
        file.write_bytes(content)
        files.append(str(file))
    command = [ANKI, str(SCRIPT), str(folder), *files]
    done = subprocess.run(command, capture_output=True, timeout=PATIENCE, check=True)
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


async def test_the_shipped_questions(tmp_path: Path) -> None:
    """All are there with fields, tags and pictures; the same deck again adds and changes nothing."""
    drawings = {item.formula: await png_of(item) for item in ITEMS if item.formula}
    pictures = {latex: png for latex, png in drawings.items() if png}
    content = make_deck(BANK, ITEMS, pictures, AT)
    first, again = in_anki(tmp_path, content, content)
    counts = [
        (each["new"], each["updated"], each["same"], each["cards"]) for each in (first, again)
    ]
    assert counts == [(len(ITEMS), 0, 0, len(ITEMS)), (0, 0, len(ITEMS), len(ITEMS))]
    assert set(first["notes"]) == set(NOTES)
    assert DECK_NAME in first["decks"]
    for guid, fields in first["notes"].items():
        expected = NOTES[guid].fields
        assert list(fields) == list(FIELDS)
        drawn = {"Formula": fields["Formula"]} if expected["Formula"] else {}
        assert fields == {**expected, **drawn}
        assert set(first["tags"][guid]) == set(NOTES[guid].tags)
    assert (first["missing"], first["unused"]) == ([], [])
    assert len(first["pictures"]) == len(pictures) > 0


async def test_a_later_deck(tmp_path: Path) -> None:
    """A changed item changes its note, a new one is added, and no note is doubled."""
    old = ITEMS[:20]
    changed = [replace(old[0], prompt="Changed?"), *old[1:], ITEMS[20]]
    decks = [
        make_deck(BANK, items, {}, AT + timedelta(hours=hours))
        for hours, items in enumerate([old, changed])
    ]
    before, after = in_anki(tmp_path, *decks)
    assert (after["new"], after["conflicting"], after["cards"]) == (1, 0, 21)
    assert (before["kinds"], after["kinds"]) == (7, 7)
    guid = f"quizformer-{old[0].id}"
    assert before["notes"][guid]["Question"] != after["notes"][guid]["Question"] == "Changed?"
    others = set(before["notes"]) - {guid}
    assert all(before["notes"][other] == after["notes"][other] for other in others)


def test_cards_show_the_question_first(tmp_path: Path) -> None:
    """The question has neither reasons nor marks; the answer has both, and the explanation."""
    (found,) = in_anki(tmp_path, write_deck(list(NOTES.values()), {}, AT))
    for guid, note in NOTES.items():
        question, answer = (
            found[name][guid].partition("</style>")[2] for name in ("questions", "answers")
        )
        fields = note.fields
        assert fields["Question"] in question
        assert fields["Explanation"] in answer
        assert fields["Explanation"] not in question
        assert "✅" not in question
        assert answer.count("✅") == sum(bool(fields[f"{letter} right"]) for letter in "ABCDEF")
        for letter in "ABCDEF":
            assert fields[letter] in question
            assert fields[f"{letter} why"] in answer
