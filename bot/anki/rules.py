"""Makes a note for Anki of an item, and a row of a CSV file of such a note.

A note has the columns of a CSV file as fields, so that a deck can be imported again, with the
changes that somebody made to it in Anki.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from html import escape, unescape

from msgspec import Struct

from bot.questions.model import LETTERS, Bank, Item, Reference
from bot.questions.own import is_own

DECK_NAME = "Quizformer"
DECK_ID = 1_764_000_000_001
MODEL_ID = 1_764_000_000_002
"""These ids never change: Anki recognizes a deck and a kind of note by them."""
_FIRST_NOTE_ID = 1_600_000_000_000
_NOTE_IDS = 10**11
"""Anki shows a note's id as the time of its creation, so ids are milliseconds from 2020 to 2023."""
_COLUMNS = {
    "Question": "prompt",
    "Code": "code",
    "Accepted": "accept",
    "Unit": "unit",
    "Tolerance": "tolerance",
    "Explanation": "explanation",
    "Source": "source",
    "Source address": "source_url",
    "Section": "section",
    "Topic": "topic",
    "Kind": "kind",
    "Difficulty": "difficulty",
    "Checked": "as_of",
    "Language": "language",
    "LaTeX": "formula",
    "Spoken": "spoken",
}
"""The fields of a note that are a column of a CSV file."""
_CHOICES = tuple((letter, f"{letter} right", f"{letter} why") for letter in LETTERS)
FIELDS = (
    *("Id", "Question", "Code", "Formula", "Hint"),
    *(field for choice in _CHOICES for field in choice),
    *(field for field in _COLUMNS if field not in {"Question", "Code"}),
    *("Order", "Made by"),
)
_RIGHT = "✓"
_SHIPPED = "Quizformer, MIT licence"
_OWN = "Quizformer, from a server"
# https://docs.ankiweb.net/math.html, https://docs.ankiweb.net/templates/fields.html
_MARKUP = re.compile(r"\\(?=[(\[])|\[(?=latex\]|\$|sound:|anki:)", re.IGNORECASE)
"""The start of what Anki would draw as a formula or play as a sound."""
_TAG = re.compile(r"(<[a-zA-Z/!][^<>]*>)")
_TAG_NAME = re.compile(r"<(/?)([a-zA-Z0-9]*)[^<>]*>\Z")
_BLOCKS = {"div", "p", "li", "ul", "ol", "tr", "pre", "hr", "h1", "h2", "h3", "blockquote"}
_SILENT = {"script", "style"}


class Note(Struct, frozen=True):
    """A note as it is in a deck; `fields` are HTML, by name."""

    id: int
    guid: str
    fields: Mapping[str, str]
    tags: tuple[str, ...] = ()
    is_cloze: bool = False

    @property
    def is_ours(self) -> bool:
        """Whether it has the fields that our decks have."""
        return self.fields.keys() >= set(FIELDS)


def note_of(item: Item, bank: Bank, pictures: Mapping[str, str]) -> Note:
    """Return the note of an item.

    `pictures` are the files in the deck: of formulas by LaTeX, of items' own pictures by their
    names in the bank.
    """
    topic, order = bank.topic_of(item), _order(item)
    source = _source(item, topic.references)
    values = {
        "Id": item.id,
        "Question": item.prompt,
        "Code": item.code,
        "Hint": _hint(item),
        "Accepted": "\n".join(item.accept),
        "Unit": item.unit,
        "Tolerance": str(item.tolerance) if item.tolerance else None,
        "Explanation": item.explanation,
        "Source": source.title if source else None,
        "Source address": source.url if source else None,
        "Section": bank.section_titles[topic.section_id],
        "Topic": topic.title,
        "Kind": item.kind,
        "Difficulty": str(item.difficulty),
        "Checked": item.as_of,
        "Language": item.language,
        "LaTeX": item.formula,
        "Spoken": item.spoken,
        "Order": " ".join(str(index + 1) for index in order),
        "Made by": _OWN if is_own(item.id) else _SHIPPED,
    }
    for (text, right, why), index in zip(_CHOICES, order, strict=False):
        choice = item.choices[index]
        values |= {text: choice.text, right: _RIGHT if choice.correct else None, why: choice.why}
    fields = {name: to_html(values.get(name) or "") for name in FIELDS}
    shown = [_formula(item, pictures), _picture(item, pictures)]
    fields["Formula"] = "<br>".join(filter(None, shown))
    tags = _tag(fields["Section"]), _tag(fields["Section"], fields["Topic"])
    return Note(_note_id(item.id), f"quizformer-{item.id}", fields, tags)


def _order(item: Item) -> list[int]:
    """Return the order of an item's choices in its note, which is always the same.

    Many files have the right choice first, and Anki shows the choices in the order of the note.
    """
    return sorted(range(len(item.choices)), key=lambda n: _hash(f"{item.id} {n}"))


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])


def _note_id(item_id: str) -> int:
    return _FIRST_NOTE_ID + _hash(item_id) % _NOTE_IDS


def _source(item: Item, references: tuple[Reference, ...]) -> Reference | None:
    return references[item.reference] if item.reference is not None else None


def _hint(item: Item) -> str:
    if item.kind == "multiple":
        return "One or more are right."
    if item.kind == "choice":
        return ""
    hint = f"A number ({item.unit})" if item.unit else "Say or type the answer"
    return hint + (f", within {item.tolerance}%." if item.tolerance else ".")


def _formula(item: Item, pictures: Mapping[str, str]) -> str:
    if item.formula is None:
        return ""
    if item.formula not in pictures:
        return f"<code>{to_html(item.formula)}</code>"
    return _image(pictures[item.formula], item.spoken or item.formula)


def _picture(item: Item, pictures: Mapping[str, str]) -> str:
    """Return an item's own picture, or what it shows in words if it is not in the deck."""
    if item.picture is None:
        return ""
    if item.picture.file not in pictures:
        return f"<i>{to_html(item.picture.alt)}</i>"
    return _image(pictures[item.picture.file], item.picture.alt)


def _image(file: str, alt: str) -> str:
    return f'<img src="{escape(file)}" alt="{escape(alt)}">'


def _tag(*titles: str) -> str:
    """Return a tag inside of ours; Anki splits tags at spaces, and their levels at two colons."""
    parts = [re.sub(r'[\s"]+', "_", plain_text(title).replace("::", ":")) for title in titles]
    return "::".join([DECK_NAME, *parts])


def to_html(text: str) -> str:
    """Return the HTML that shows a text as it is."""
    html = _MARKUP.sub(r"\g<0><span></span>", escape(text))
    return html.replace("\n", "<br>")


def plain_text(html: str) -> str:
    """Return the text of HTML, with a line for each block; an indented first line stays indented.

    The time grows with the length, whatever the HTML is; that of Python's own parser doesn't.
    """
    parts: list[str] = []
    silent: str | None = None
    for part in _TAG.split(html):
        tag = _TAG_NAME.match(part)
        if tag is None:
            if part and silent is None:
                parts.append(unescape(part.replace("&nbsp;", " ")))
            continue
        name = tag[2].casefold()
        if silent is not None:
            silent = None if tag[1] and name == silent else silent
        elif name in _SILENT and not tag[1]:
            silent = name
        elif name == "br" or (name in _BLOCKS and parts and not parts[-1].endswith("\n")):
            parts.append("\n")
    return "".join(parts).strip("\n")


def csv_row(note: Note) -> dict[str, str]:
    """Return a note of our own decks as the cells of a CSV row, by column."""
    texts = {name: plain_text(html) for name, html in note.fields.items()}
    row = {column: texts[field] for field, column in _COLUMNS.items()}
    row["id"] = texts["Id"]
    filled = [choice for choice in _CHOICES if texts[choice[0]] or texts[choice[2]]]
    right = []
    choices = _in_order(filled, texts["Order"])
    for letter, (text, mark, why) in zip(LETTERS.casefold(), choices, strict=False):
        row |= {letter: texts[text], f"{letter}_why": texts[why]}
        right += [letter] if texts[mark] else []
    return row | {"right": " ".join(right)}


def _in_order(choices: list[tuple[str, str, str]], order: str) -> list[tuple[str, str, str]]:
    """Return choices in the order of the item, if nobody has changed their number."""
    numbers = order.split()
    if sorted(numbers) != [str(n + 1) for n in range(len(choices))]:
        return choices
    return [choice for _, choice in sorted(zip(map(int, numbers), choices, strict=True))]
