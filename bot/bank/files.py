"""From the bytes of a file that somebody sent to a checked document, and back.

Strangers send these files, so `read_own` and `write_own` run in a process with limits of time and memory.
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
from bot.core.limits import MAX_FILE_BYTES, MAX_PROBLEMS
from bot.questions.check import BankError, Problem, place, problems_in, read_json, read_text
from bot.questions.model import Bank, Item
from bot.questions.own import OwnItem, OwnTopic, bank_of

CardLength = Callable[[Item, Bank], int]
"""Counts the characters of an item's card."""


@dataclass(frozen=True, slots=True)
class Own:
    """What a server's bank is made of: the shipped packs, its own topics, and all its own questions."""

    packs: Bank
    topics: Sequence[OwnTopic]
    items: Sequence[OwnItem]


@dataclass(frozen=True, slots=True)
class Checked:
    """A document of a server's own questions, with all that is wrong with it but for its new formulas.

    These are still to be drawn; each comes with the place where it stands.
    """

    document: dict[str, Any]
    problems: tuple[Problem, ...]
    formulas: tuple[tuple[str, str], ...]


_ARCHIVES = (b"PK", b"\x1f\x8b", b"7z", b"Rar!", b"BZh", b"\xfd7zXZ")


def refuse_size(size: int) -> None:
    """Raise BankError for a file that is too large to be read at all."""
    if size > MAX_FILE_BYTES:
        raise BankError(
            [Problem("the file", f"has {size:,} bytes; {MAX_FILE_BYTES:,} are allowed")]
        )


def read_own(
    name: str, content: bytes, *, schema: Mapping[str, Any], own: Own, card_length: CardLength
) -> Checked:
    """Return what a file of a server holds, with every problem; raises BankError if it can't be read or merged."""
    return checked(read_file(name, content, schema, own.packs, own.topics), own, card_length)


def checked(draft: Draft, own: Own, card_length: CardLength) -> Checked:
    """Return a draft with each card that Discord would refuse as a problem, if it has no other problems."""
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
    """Return a server's own questions as a file, with those of its `chosen` packs if `packs` are wanted.

    Refuses an empty file.
    """
    bank = bank_of(own.packs, chosen, own.topics, own.items)
    document = document_of(bank, Names.of(own.topics, own.items), title, packs=packs)
    if not document["sections"]:
        raise UserError(
            "This server has no questions of its own yet. Add some with </bank import>."
        )
    if sheet:
        return (
            b"\xef\xbb\xbf" + write_sheet(document, bank).encode()
        )  # a spreadsheet takes it for UTF-8 then
    return json.dumps(document, ensure_ascii=False, indent=2).encode() + b"\n"


def read_file(
    name: str,
    content: bytes,
    schema: Mapping[str, Any],
    packs: Bank,
    topics: Sequence[OwnTopic] = (),
) -> Draft:
    """Return what a server's JSON or CSV holds, with every problem; raises BankError for a file that can't be read.

    `topics` are those that the server has already.
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
    rules = partial(foreign_ids, packs=packs), slow_to_grade
    found = problems_in(draft.document, own_schema(schema), draft.where, *rules)
    return replace(
        draft, problems=tuple(sorted([*draft.problems, *found], key=row_of)[:MAX_PROBLEMS])
    )


def check_one(
    item: Mapping[str, Any], topic: tuple[str, str, str, str], schema: Mapping[str, Any]
) -> Draft:
    """One item that was written in a form, checked like a file; `topic` is id and title of its topic and section."""
    topic_id, title, section_id, section = topic
    inside = {"id": topic_id, "title": title, "items": [item]}
    document = {
        "version": 1,
        "title": "Form",
        "sections": [{"id": section_id, "title": section, "topics": [inside]}],
    }
    return Draft(
        document, where_in_form, tuple(problems_in(document, own_schema(schema), where_in_form))
    )


def _is_sheet(name: str, content: bytes) -> bool:
    """Whether a file is CSV: by its name, and where that does not say, by its first sign."""
    ending = name.casefold().rpartition(".")[2]
    if ending in {"csv", "tsv", "json"}:
        return ending != "json"
    return content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] not in {b"{", b"["}
