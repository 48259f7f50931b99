"""From the bytes of a file that somebody sent to a checked draft, or to everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from bot.bank.forms import where_in_form
from bot.bank.rules import MAX_BYTES, Draft, foreign_ids, own_schema
from bot.bank.sheets import read_sheet, row_of
from bot.questions.check import MOST_PROBLEMS, BankError, Problem, place, problems_in, read_json, read_text
from bot.questions.model import Bank
from bot.questions.own import OwnTopic

_ARCHIVES = (b"PK", b"\x1f\x8b", b"7z", b"Rar!", b"BZh", b"\xfd7zXZ")


def refuse_size(size: int) -> None:
    """Raise BankError for a file that is too large to be read at all."""
    if size > MAX_BYTES:
        raise BankError([Problem("the file", f"has {size:,} bytes; {MAX_BYTES:,} are allowed")])


def read_file(
    name: str, content: bytes, schema: Mapping[str, Any], packs: Bank, topics: Sequence[OwnTopic] = ()
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
    found = problems_in(draft.document, own_schema(schema), draft.where, partial(foreign_ids, packs=packs))
    return replace(draft, problems=tuple(sorted([*draft.problems, *found], key=row_of)[:MOST_PROBLEMS]))


def check_one(item: Mapping[str, Any], topic: tuple[str, str, str, str], schema: Mapping[str, Any]) -> Draft:
    """One item that was written in a form, checked like a file; `topic` is id and title of its topic and section."""
    topic_id, title, section_id, section = topic
    inside = {"id": topic_id, "title": title, "items": [item]}
    document = {"version": 1, "title": "Form", "sections": [{"id": section_id, "title": section, "topics": [inside]}]}
    return Draft(document, where_in_form, tuple(problems_in(document, own_schema(schema), where_in_form)))


def _is_sheet(name: str, content: bytes) -> bool:
    """Whether a file is CSV: by its name, and where that does not say, by its first sign."""
    ending = name.casefold().rpartition(".")[2]
    if ending in {"csv", "tsv", "json"}:
        return ending != "json"
    return content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] not in {b"{", b"["}
