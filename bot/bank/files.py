"""Reads and checks uploaded files of questions, and writes them.

Anyone can upload a file, so `read_own` and `write_own` run in a child process with limits of time
and memory.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from bot.bank.forms import where_in_form
from bot.bank.rules import (
    Draft,
    Names,
    document_of,
    foreign_ids,
    formulas_of,
    merge,
    own_schema,
    slow_to_grade,
    too_long,
)
from bot.bank.sheets import read_sheet, row_of, write_sheet
from bot.core.errors import UserError
from bot.core.limits import MAX_DECK_BYTES, MAX_FILE_BYTES, MAX_PROBLEMS
from bot.questions.check import BankError, Problem, place, problems_in, read_json, read_text
from bot.questions.model import Bank, Item
from bot.questions.own import OwnItem, OwnTopic, bank_of

CardLength = Callable[[Item, Bank], int]
"""Counts the characters of an item's card."""


@dataclass(frozen=True, slots=True)
class Own:
    """The sources of a server's bank: the shipped packs, its own topics and all its own items."""

    packs: Bank
    topics: Sequence[OwnTopic]
    items: Sequence[OwnItem]


@dataclass(frozen=True, slots=True)
class Checked:
    """A document of own questions with its problems.

    `formulas` are pairs of a place and a new formula, which are still to be drawn.
    """

    document: dict[str, Any]
    problems: tuple[Problem, ...]
    formulas: tuple[tuple[str, str], ...]


_ARCHIVES = (b"PK", b"\x1f\x8b", b"7z", b"Rar!", b"BZh", b"\xfd7zXZ")


def refuse_size(size: int, most: int = MAX_FILE_BYTES) -> None:
    """Raise BankError for a file that is too large."""
    if size > most:
        raise BankError([Problem("the file", f"has {size:,} bytes; {most:,} are allowed")])


def refuse_unread(name: str, size: int) -> None:
    """Raise BankError for a file that need not even be downloaded."""
    if name.casefold().endswith(".colpkg"):
        message = "is a whole collection of Anki; export a deck from there as .apkg"
        raise BankError([Problem("the file", message)])
    refuse_size(size, MAX_DECK_BYTES if is_deck(name) else MAX_FILE_BYTES)


def is_deck(name: str) -> bool:
    """Return whether a file's name says that it is a deck of Anki."""
    return name.casefold().endswith(".apkg")


def read_own(
    name: str, content: bytes, *, schema: Mapping[str, Any], own: Own, card_length: CardLength
) -> Checked:
    """Read and check a server's file; raises BankError if it can't be read or merged."""
    return checked(read_file(name, content, schema, own.packs, own.topics), own, card_length)


def checked(draft: Draft, own: Own, card_length: CardLength) -> Checked:
    """Check a draft; cards too long for Discord are problems if there are no others."""
    problems = draft.problems or tuple(_long_cards(draft, own, card_length)[:MAX_PROBLEMS])
    return Checked(draft.document, problems, tuple(formulas_of(draft, own.items)))


def _long_cards(draft: Draft, own: Own, card_length: CardLength) -> list[Problem]:
    last = max([*(row.number for row in own.topics), *(row.number for row in own.items)], default=0)
    merged = merge(0, last + 1, own.topics, own.items, draft.document, own.packs)
    used = {row.topic_id for row in merged.items}
    known = {row.topic_id: row for row in (*own.topics, *merged.topics) if row.topic_id in used}
    bank = bank_of(own.packs, None, list(known.values()), merged.items)
    asked = {row.name: bank.asked[row.item_id] for row in merged.items if not row.retired}
    return too_long(draft, {name: card_length(item, bank) for name, item in asked.items()})


def write_own(
    own: Own, chosen: Collection[str] | None, title: str, *, sheet: bool, packs: bool
) -> bytes:
    """Write a server's own questions as JSON, or as CSV if `sheet`; refuse if there are none.

    With `packs`, the questions of its `chosen` packs are included.
    """
    bank = bank_of(own.packs, chosen, own.topics, own.items)
    document = document_of(bank, Names.of(own.topics, own.items), title, packs=packs)
    if not document["sections"]:
        raise UserError(
            "This server has no questions of its own yet. Add some with </bank import>."
        )
    if sheet:
        # Spreadsheets take a file for UTF-8 if it starts with a byte order mark.
        return b"\xef\xbb\xbf" + write_sheet(document, bank).encode()
    return json.dumps(document, ensure_ascii=False, indent=2).encode() + b"\n"


def read_file(
    name: str,
    content: bytes,
    schema: Mapping[str, Any],
    packs: Bank,
    topics: Sequence[OwnTopic] = (),
) -> Draft:
    """Read JSON or CSV with every problem in it; raises BankError for a file that can't be read.

    `topics` are the server's existing ones.
    """
    refuse_size(len(content))
    if content.startswith(_ARCHIVES):
        raise BankError([Problem("the file", "is an archive; send the .json or .csv file in it")])
    if not content.strip():
        raise BankError([Problem("the file", "is empty")])
    if _is_sheet(name, content):
        draft = read_sheet(read_text(content), packs, topics)
    else:
        document = read_json(content)
        draft = Draft(document, partial(place, document))
    foreign = partial(foreign_ids, packs=packs)
    found = problems_in(draft.document, own_schema(schema), draft.where, foreign, slow_to_grade)
    problems = sorted([*draft.problems, *found], key=row_of)
    return replace(draft, problems=tuple(problems[:MAX_PROBLEMS]))


def check_one(
    item: Mapping[str, Any], topic: tuple[str, str, str, str], schema: Mapping[str, Any]
) -> Draft:
    """Check an item from a form like a file.

    `topic` holds the id and title of its topic, and the id and title of its section.
    """
    topic_id, topic_title, section_id, section_title = topic
    topics = [{"id": topic_id, "title": topic_title, "items": [item]}]
    sections = [{"id": section_id, "title": section_title, "topics": topics}]
    document = {"version": 1, "title": "Form", "sections": sections}
    problems = problems_in(document, own_schema(schema), where_in_form)
    return Draft(document, where_in_form, tuple(problems))


def _is_sheet(name: str, content: bytes) -> bool:
    """Return whether a file is CSV, judged by its name or else by its first character."""
    ending = name.casefold().rpartition(".")[2]
    if ending in {"csv", "tsv", "json"}:
        return ending != "json"
    return content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] not in {b"{", b"["}
