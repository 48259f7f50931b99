"""Reads and checks uploaded files of questions, and writes them.

Anyone can upload a file, so `read_own` and `write_own` run in a child process with limits of time
and memory.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from msgspec.structs import asdict, replace

from bot.bank.archives import PICTURES, is_archive, pack, unpack
from bot.bank.checks import (
    foreign_ids,
    formulas_of,
    missing_pictures,
    own_schema,
    slow_to_grade,
    sources_of,
    too_long,
)
from bot.bank.forms import where_in_form
from bot.bank.model import Checked, Draft, Export, Merge, Own, TopicNames
from bot.bank.pictures import PictureError, count_pixels, file_name, redraw
from bot.bank.rules import merge
from bot.bank.sheets import read_sheet, row_of, write_sheet
from bot.core.errors import UserError
from bot.core.limits import (
    MAX_ARCHIVE_BYTES,
    MAX_FILE_BYTES,
    MAX_FILE_PIXELS,
    MAX_PROBLEMS,
)
from bot.questions.check import (
    Problem,
    file_error,
    items_in,
    pictures_in,
    place,
    problems_in,
    read_json,
    read_text,
)
from bot.questions.model import USUAL_WEIGHT, Bank, Item, Topic
from bot.questions.own import OwnItem, OwnRows, OwnTopic, bank_of, is_own

CardLength = Callable[[Item, Bank], int]
"""Counts the characters of an item's card."""


_MAX_TITLE = 100


_ARCHIVES = (b"PK", b"\x1f\x8b", b"7z", b"Rar!", b"BZh", b"\xfd7zXZ")
"""The first bytes of archives, which `read_file` can't read."""


def refuse_size(size: int, most: int = MAX_FILE_BYTES) -> None:
    """Raise BankError for a file that is too large."""
    if size > most:
        raise file_error(f"has {size:,} bytes; {most:,} are allowed")


def most_bytes(name: str) -> int:
    """Return how many bytes a file with this name may have."""
    return MAX_ARCHIVE_BYTES if name.casefold().endswith(".zip") else MAX_FILE_BYTES


def read_own(
    name: str,
    content: bytes,
    *,
    schema: Mapping[str, Any],
    own: Own,
    rows: OwnRows,
    card_length: CardLength,
) -> Checked:
    """Read and check a server's file; raises BankError if it can't be read or merged.

    `rows` are all rows of the server, which `own` is still without.
    """
    own = replace(own, topics=rows.topics, items=list(rows.items))
    if not is_archive(content):
        draft = read_file(name, content, schema, own.packs, own.topics)
        return checked(draft, own, card_length, keep_pictures=True)
    questions, files = unpack(content)
    draft = read_file("questions.json", questions, schema, own.packs, own.topics, files)
    drawn: dict[str, bytes] = {}
    problems = list(draft.problems)
    if not problems:
        problems = list(_redraw_all(draft.document, files, own.pictures, drawn))[:MAX_PROBLEMS]
    found = checked(replace(draft, problems=tuple(problems)), own, card_length)
    return replace(found, pictures=drawn)


def _redraw_all(
    document: dict[str, Any],
    files: Mapping[str, bytes],
    stored: Collection[str],
    drawn: dict[str, bytes],
) -> Iterator[Problem]:
    """Draw the pictures of a document into `drawn`, and give it the new names of their files.

    Those that are `stored` already stay as they are, so that they don't lose quality. Yields what
    is wrong with the others.
    """
    names: dict[str, str] = {}
    left = MAX_FILE_PIXELS
    for _, picture in pictures_in(document):
        file = picture["file"]
        if file not in names:
            names[file], content = file, files[file]
            try:
                if file not in stored or file_name(content, file.rpartition(".")[2]) != file:
                    left -= count_pixels(content)
                    if left < 0:
                        raise file_error(
                            f"has pictures of more than {MAX_FILE_PIXELS // 1_000_000} million "
                            "pixels in all. Save them smaller, or split the file"
                        )
                    names[file], content = redraw(content)
            except PictureError as error:
                yield Problem(PICTURES + file, str(error))
            else:
                drawn[names[file]] = content
        picture["file"] = names[file]
    for file in sorted(files.keys() - names.keys()):
        yield Problem(PICTURES + file, "belongs to no question; leave it out")


def checked(
    draft: Draft, own: Own, card_length: CardLength, *, keep_pictures: bool = False
) -> Checked:
    """Check a draft and merge it; cards too long for Discord are problems if there are no others.

    With `keep_pictures` its questions keep the pictures that they have.
    """
    problems = list(draft.problems)
    merged = None
    if not problems:
        merged = merge(own, draft.document, keep_pictures=keep_pictures)
        problems = _long_cards(draft, own, merged, card_length)
    return Checked(
        merge=None if problems else merged,
        problems=tuple(problems[:MAX_PROBLEMS]),
        formulas=tuple(formulas_of(draft, own.items)),
        pictures={},
    )


def _long_cards(draft: Draft, own: Own, merged: Merge, card_length: CardLength) -> list[Problem]:
    used = {row.topic_id for row in merged.items}
    known = {row.topic_id: row for row in (*own.topics, *merged.topics) if row.topic_id in used}
    bank = bank_of(own.packs, None, list(known.values()), merged.items)
    items = {row.name: bank.asked[row.item_id] for row in merged.items}
    return too_long(draft, {name: card_length(item, bank) for name, item in items.items()})


def write_own(
    rows: OwnRows,
    shipped: Bank,
    chosen: Collection[str] | None,
    title: str,
    pictures: Mapping[str, bytes],
    *,
    sheet: bool,
    packs: bool,
) -> Export:
    """Write a server's own questions as JSON, or as CSV if `sheet`.

    Refuses if there are none, or if Discord wouldn't take the file.

    With `packs`, the questions of its `chosen` packs are included. With `pictures`, JSON is in a
    .zip with their files.
    """
    topics, items = rows.topics, list(rows.items)
    bank = bank_of(shipped, chosen, topics, items)
    document = document_of(bank, topics, items, title, packs=packs)
    if not document["sections"]:
        raise UserError("This server has no questions of its own yet. Add some in </bank>.")
    if sheet:
        # Spreadsheets take a file for UTF-8 if it starts with a byte order mark.
        content = b"\xef\xbb\xbf" + write_sheet(document, bank).encode()
        in_order = sum(item["kind"] == "order" for _, item in items_in(document))
        made = Export("csv", content, sum(1 for _ in pictures_in(document)), in_order)
    else:
        content = json.dumps(document, ensure_ascii=False, indent=2).encode() + b"\n"
        if len(content) > MAX_FILE_BYTES:  # without its spaces, an import may take it
            content = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
        made = Export("zip", pack(content, pictures)) if pictures else Export("json", content)
    if len(made.content) > MAX_ARCHIVE_BYTES:
        raise UserError(
            f"This file would be larger than {MAX_ARCHIVE_BYTES >> 20} MiB, the most that Discord takes. "
            "Export CSV, which has no pictures, or take out pictures first."
        )
    return made


def read_file(
    name: str,
    content: bytes,
    schema: Mapping[str, Any],
    packs: Bank,
    topics: Sequence[OwnTopic] = (),
    pictures: Collection[str] | None = None,
) -> Draft:
    """Read JSON or CSV with every problem in it; raises BankError for a file that can't be read.

    `topics` are the server's existing ones; `pictures` are files that came with it, if any can.
    """
    refuse_size(len(content))
    if content.startswith(_ARCHIVES):
        raise file_error("is an archive; send the .json or .csv file in it")
    if not content.strip():
        raise file_error("is empty")
    if _is_sheet(name, content):
        draft = read_sheet(read_text(content), packs, topics)
    else:
        document = read_json(content)
        draft = Draft(document, partial(place, document))
    foreign = partial(foreign_ids, packs=packs)
    missing = partial(missing_pictures, files=pictures)
    rules = foreign, slow_to_grade, missing
    found = problems_in(draft.document, own_schema(schema), draft.where, *rules)
    problems = sorted([*draft.problems, *found], key=row_of)
    return replace(draft, problems=tuple(problems[:MAX_PROBLEMS]))


def check_one(item: Mapping[str, Any], topic: TopicNames, schema: Mapping[str, Any]) -> Draft:
    """Check an item from a form like a file."""
    topics = [{"id": topic.id, "title": topic.title, "items": [item]}]
    sections = [{"id": topic.section_id, "title": topic.section_title, "topics": topics}]
    document = {"version": 1, "title": "Form", "sections": sections}
    where = partial(where_in_form, item)
    return Draft(document, where, tuple(problems_in(document, own_schema(schema), where)))


def _is_sheet(name: str, content: bytes) -> bool:
    """Return whether a file is CSV, judged by its name or else by its first character."""
    ending = name.casefold().rpartition(".")[2]
    if ending in {"csv", "tsv", "json"}:
        return ending != "json"
    return content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] not in {b"{", b"["}


def document_of(
    bank: Bank,
    own_topics: Sequence[OwnTopic],
    own_items: Iterable[OwnItem],
    title: str,
    *,
    packs: bool,
) -> dict[str, Any]:
    """Return a server's own questions as a document, with those of its packs if `packs`."""
    names = {row.item_id: row.name for row in own_items}
    names |= {row.topic_id: row.name for row in own_topics}
    section_names = {row.topic_id: row.section for row in own_topics}
    sections: list[dict[str, Any]] = []
    for section in bank.sections:
        topics = [_topic_document(topic, names, packs=packs) for topic in section.topics]
        kept = [
            topic for topic in topics if topic["items"] or (topic.get("question") and topic["id"])
        ]
        if kept:
            name = section_names[section.topics[0].id] if is_own(section.id) else section.id
            sections.append({"id": name, "title": section.title, "topics": kept})
    return {"version": 1, "title": title[:_MAX_TITLE], "sections": sections}


def _topic_document(topic: Topic, names: Mapping[str, str], *, packs: bool) -> dict[str, Any]:
    own = is_own(topic.id)
    out: dict[str, Any] = {"id": names.get(topic.id, topic.id)}
    if (own or packs) and topic.number is not None:
        out["number"] = topic.number
    out["title"] = topic.title
    if (own or packs) and topic.weight != USUAL_WEIGHT:
        out["weight"] = topic.weight
    if (own or packs) and topic.question:
        out |= {"question": topic.question, "answer": topic.answer}
        out["key_points"] = [
            {"text": point.text, "accept": list(point.accept)}
            | ({"opposites": list(point.opposites)} if point.opposites else {})
            for point in topic.key_points
        ]
        if topic.misconceptions:
            out["misconceptions"] = [
                {**asdict(wrong), "accept": list(wrong.accept)} for wrong in topic.misconceptions
            ]
        out["follow_ups"] = [
            {name: value for name, value in asdict(follow_up).items() if value is not None}
            for follow_up in topic.follow_ups
        ]
    if (own or packs) and topic.references:
        out["references"] = sources_of(topic)
    out["items"] = [_item_document(item, names) for item in topic.items if packs or is_own(item.id)]
    return out


def _item_document(item: Item, names: Mapping[str, str]) -> dict[str, Any]:
    """Return an item as in a bank's file."""
    out: dict[str, Any] = {
        "id": names.get(item.id, item.id),
        "kind": item.kind,
        "difficulty": item.difficulty,
        "prompt": item.prompt,
    }
    for name in ("formula", "spoken", "code", "language", "unit", "tolerance", "as_of"):
        if value := getattr(item, name):
            out[name] = value
    if item.picture is not None:
        out["picture"] = asdict(item.picture)
    for name in ("accept", "lines", "orders"):
        if value := getattr(item, name):
            out[name] = list(value)
    for name in ("choices", "decoys"):
        if value := getattr(item, name):
            out[name] = [asdict(each) for each in value]
    out["explanation"] = item.explanation
    if item.reference is not None:
        out["reference"] = item.reference
    return out
