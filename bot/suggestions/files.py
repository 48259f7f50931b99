"""Reads files of questions for the review: decks of Anki, and the formats Aiken and GIFT.

Anyone can upload a file, so `read_questions` runs in a child process with limits of time and memory.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from itertools import islice

from msgspec import Struct

from bot.anki.decks import read_deck
from bot.anki.rules import Note, csv_row, plain_text
from bot.bank.files import is_deck
from bot.bank.sheets import NEEDED
from bot.core.limits import MAX_PROBLEMS, MAX_TYPED
from bot.questions.check import Problem, file_error, read_text
from bot.questions.own import is_own
from bot.suggestions.formats import (
    Found,
    Placed,
    Unreadable,
    looks_like_aiken,
    looks_like_gift,
    read_aiken,
    read_gift,
)
from bot.suggestions.rules import SuggestedQuestion

_CLOZE = re.compile(r"\{\{c[0-9]+::")
_MEDIA = re.compile(r"<(img|video|audio|object|embed)\b|\[sound:", re.IGNORECASE)
_SHOWN_WORDS = 40


class Existing(Struct, frozen=True):
    """The ids of shipped items, and a server's own: names of items by id, and titles of topics.

    Titles are in lower case, and of shipped topics too.
    """

    shipped: Collection[str]
    own_names: Mapping[str, str]
    topics: Collection[str]


class QuestionFile(Struct, frozen=True):
    """A file that was read.

    `rows` are the complete questions of a deck that `/anki export` made, as rows of a CSV file,
    each with its place in the deck. `shipped` counts those that are part of a pack.
    """

    questions: tuple[Placed, ...]
    problems: tuple[Problem, ...]
    rows: tuple[tuple[str, dict[str, str]], ...] = ()
    shipped: int = 0


def may_be_read(name: str) -> bool:
    """Return whether `read_questions` reads some files with such a name."""
    return name.casefold().endswith((".apkg", ".gift", ".txt"))


def read_questions(name: str, content: bytes, existing: Existing) -> QuestionFile | None:
    """Read a file that `may_be_read`; None for CSV and JSON. Raises BankError for a bad file.

    A `.txt` may be Aiken, GIFT, CSV or JSON.
    """
    if is_deck(name):
        return _read_notes(read_deck(content), existing)
    text = read_text(content).replace("\r\n", "\n").replace("\r", "\n")
    if name.casefold().endswith(".gift"):
        return _file_of(read_gift(text))
    if _is_sheet(text) or text.lstrip().startswith("{"):
        return None
    if looks_like_aiken(text):
        return _file_of(read_aiken(text))
    return _file_of(read_gift(text)) if looks_like_gift(text) else None


def _is_sheet(text: str) -> bool:
    """Return whether the first line names the columns of a CSV file."""
    names = re.split("[,;\t]", text.partition("\n")[0].casefold())
    return {name.strip() for name in names} >= set(NEEDED)


def _file_of(
    found: Found, rows: Sequence[tuple[str, dict[str, str]]] = (), shipped: int = 0
) -> QuestionFile:
    if not (found or rows or shipped):
        raise file_error("has no question in it")
    problems = (each for each in found if isinstance(each, Problem))
    return QuestionFile(
        questions=tuple(each for each in found if isinstance(each, Placed)),
        problems=tuple(islice(problems, MAX_PROBLEMS)),
        rows=tuple(rows),
        shipped=shipped,
    )


def _read_notes(notes: list[Note], existing: Existing) -> QuestionFile:
    rows = []
    shipped = 0
    found: Found = []
    for note in notes:
        if not note.is_ours:
            found.append(_suggested(note))
            continue
        row = csv_row(note)
        if row["id"] in existing.shipped:
            shipped += 1
            continue
        place = _place(row["prompt"])
        if is_own(row["id"]):
            row["id"] = existing.own_names.get(row["id"], "")
        if row["topic"].casefold() in existing.topics:
            row["section"] = ""  # a topic stays in its section
        rows.append((place, row))
    return _file_of(found, rows, shipped)


def _place(text: str) -> str:
    """Name a note by its first words, because Anki shows no numbers."""
    words = " ".join(text.split())
    return f'note "{words if len(words) <= _SHOWN_WORDS else words[: _SHOWN_WORDS - 1] + "…"}"'


def _suggested(note: Note) -> Placed | Problem:
    """Return a note with a front and a short back as a question with a typed answer."""
    texts = [plain_text(html).strip() for html in note.fields.values()]
    filled = [text for text in texts if text]
    place = _place(filled[0] if filled else "")
    try:
        for html in note.fields.values():
            if _MEDIA.search(html):
                raise Unreadable("has a picture or a sound, which I can't take")
            if note.is_cloze or _CLOZE.search(html):
                raise Unreadable("is a cloze; write it as a question with an answer")
        if len(filled) != 2:
            raise Unreadable("is not a question with one answer: it needs a front and a back")
        front, back = filled[0], " ".join(filled[1].split())
        if len(back) > MAX_TYPED:
            wrong = f"has an answer of {len(back):,} characters; {MAX_TYPED} can be typed"
            raise Unreadable(wrong)
    except Unreadable as error:
        return Problem(place, str(error))
    return Placed(place, SuggestedQuestion(front, back, "", "", ""))
