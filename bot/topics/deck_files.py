"""Writes decks for Anki: .apkg files, each a zip with an SQLite database and pictures.

The tables are those of schema 11, which every version of Anki imports:
https://github.com/ankidroid/Anki-Android/wiki/Database-Structure
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import sqlite3
import zipfile
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import datetime
from html import escape
from typing import Any

from msgspec import Struct

from bot.questions.model import LETTERS, PIECE_LETTERS, Bank, Item
from bot.questions.own import is_own

DECK_NAME = "Quizformer"
DECK_ID = 1_764_000_000_001
MODEL_ID = 1_764_000_000_002
"""These ids never change: Anki recognizes a deck and a kind of note by them."""
_MODEL_CHANGED = 1_764_000_000
"""When the fields or the look of cards last changed; Anki keeps a member's own look otherwise."""
_FIRST_NOTE_ID = 1_600_000_000_000
_NOTE_IDS = 10**11
"""Anki shows a note's id as the time of its creation, so ids are milliseconds from 2020 to 2023."""
_CHOICES = tuple((letter, f"{letter} right", f"{letter} why") for letter in LETTERS)
FIELDS = (
    *("Id", "Question", "Code", "Formula", "Hint"),
    *(field for choice in _CHOICES for field in choice),
    *("Accepted", "Unit", "In order", "Left out", "Explanation", "Source", "Source address"),
    *("Section", "Topic", "Checked", "Made by"),
)
_SEPARATOR = "\x1f"
_RIGHT = "✓"
_SHIPPED = "Quizformer, MIT licence"
_OWN = "Quizformer, from a server"
# https://docs.ankiweb.net/math.html, https://docs.ankiweb.net/templates/fields.html
_MARKUP = re.compile(r"\\(?=[(\[])|\[(?=latex\]|\$|sound:|anki:)", re.IGNORECASE)
"""The start of what Anki would draw as a formula or play as a sound."""


class Note(Struct, frozen=True):
    """A note of a deck. `fields` are HTML, by name; Anki sorts notes by `sort_text`."""

    id: int
    guid: str
    fields: Mapping[str, str]
    sort_text: str
    tags: tuple[str, ...]


def note_of(item: Item, bank: Bank, pictures: Mapping[str, str]) -> Note:
    """Return the note of an item.

    `pictures` are the files in the deck: of formulas by LaTeX, of items' own pictures by their
    names in the bank.
    """
    topic = bank.topic_of(item)
    source = topic.references[item.reference] if item.reference is not None else None
    values = {
        "Id": item.id,
        "Question": item.prompt,
        "Code": "\n".join(_lettered(item)) if item.lines else item.code,
        "In order": "\n".join(item.lines),
        "Left out": "\n".join(f"{decoy.text.strip()}: {decoy.why}" for decoy in item.decoys),
        "Hint": _hint(item),
        "Accepted": "\n".join(item.accept),
        "Unit": item.unit,
        "Explanation": item.explanation,
        "Source": source.title if source else None,
        "Source address": source.url if source else None,
        "Section": bank.section_titles[topic.section_id],
        "Topic": topic.title,
        "Checked": item.as_of,
        "Made by": _OWN if is_own(item.id) else _SHIPPED,
    }
    choices = _order(item) if item.choices else []
    for (text, right, why), index in zip(_CHOICES, choices, strict=False):
        choice = item.choices[index]
        values |= {text: choice.text, right: _RIGHT if choice.correct else None, why: choice.why}
    fields = {name: to_html(values.get(name) or "") for name in FIELDS}
    shown = [_formula(item, pictures), _picture(item, pictures)]
    fields["Formula"] = "<br>".join(filter(None, shown))
    section = bank.section_titles[topic.section_id]
    return Note(
        id=_FIRST_NOTE_ID + _hash(item.id) % _NOTE_IDS,
        guid=f"quizformer-{item.id}",
        fields=fields,
        sort_text=item.prompt,
        tags=(_tag(section), _tag(section, topic.title)),
    )


def _order(item: Item) -> list[int]:
    """Return the order of an item's choices or lines in its note, which is always the same.

    Many files have the right choice first, and Anki shows the choices in the order of the note.
    """
    return sorted(item.offered, key=lambda n: _hash(f"{item.id} {n}"))


def _lettered(item: Item) -> list[str]:
    """Return the lines to put in order, and those that don't belong, with their letters."""
    lines = [item.pieces[n] for n in _order(item)]
    return [f"{letter}  {line}" for letter, line in zip(PIECE_LETTERS, lines, strict=False)]


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])


def _hint(item: Item) -> str:
    if item.kind == "multiple":
        return "One or more are right."
    if item.kind == "choice":
        return ""
    if item.kind == "order":
        return f"{len(item.lines)} of these {len(item.pieces)} lines, in any order that works."
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
    parts = [re.sub(r'[\s"]+', "_", title.replace("::", ":")) for title in titles]
    return "::".join([DECK_NAME, *parts])


def to_html(text: str) -> str:
    """Return the HTML that shows a text as it is."""
    html = _MARKUP.sub(r"\g<0><span></span>", escape(text))
    return html.replace("\n", "<br>")


# How a note looks in Anki: HTML with its fields in double braces.
# https://docs.ankiweb.net/templates/intro.html


def _choice_html(letter: str, *, answered: bool) -> str:
    text, right, why = f"{{{{{letter}}}}}", f"{letter} right", f"{{{{{letter} why}}}}"
    if answered:
        marked = f"{{{{#{right}}}}}<b>{text} ✅</b>{{{{/{right}}}}}"
        text = f'{marked}{{{{^{right}}}}}{text}{{{{/{right}}}}}<div class="why">{why}</div>'
    return f"{{{{#{letter}}}}}<li>{text}</li>{{{{/{letter}}}}}"


def _card_html(*, answered: bool) -> str:
    choices = "".join(_choice_html(letter, answered=answered) for letter in LETTERS)
    return (
        '<div class="small">{{Section}} · {{Topic}}</div><h3>{{Question}}</h3>'
        "{{#Code}}<pre>{{Code}}</pre>{{/Code}}{{Formula}}"
        f'{{{{#A}}}}<ol type="A">{choices}</ol>{{{{/A}}}}<div class="small">{{{{Hint}}}}</div>'
    )


QUESTION_HTML = _card_html(answered=False)
ANSWER_HTML = (
    _card_html(answered=True)
    + """<hr id="answer">{{#Accepted}}<p><b>{{Accepted}}</b> {{Unit}}</p>{{/Accepted}}
{{#In order}}<pre>{{In order}}</pre><div class="why">Stays out: {{Left out}}</div>{{/In order}}
<p>{{Explanation}}</p><div class="small">{{#Source address}}<a href="{{Source address}}">{{Source}}</a>
{{/Source address}}{{#Checked}} · checked {{Checked}}{{/Checked}}<br>{{Made by}}</div>"""
)
CARD_CSS = """.card { font-family: sans-serif; font-size: 18px; max-width: 40em; margin: 0 auto; }
.small, .why { font-size: 14px; opacity: 0.75; } li { margin: 0.4em 0; }
pre { overflow-x: auto; font-size: 14px; } img { max-width: 100%; border-radius: 6px; }
"""
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


def make_deck(
    bank: Bank, items: Sequence[Item], pictures: Mapping[str, bytes], at: datetime
) -> bytes:
    """Make a deck of items, with pictures of their formulas, by LaTeX, and their own, by file.

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
            texts = (_SEPARATOR.join(fields), note.sort_text, _checksum(fields[0]))
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
