"""Checks of files and forms with a server's own questions. Problems name the place in the author's file.

JSON and CSV become the same document first, so one set of rules checks both.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from msgspec.structs import asdict

from bot.bank.model import Draft
from bot.chat.text import MAX_MESSAGE
from bot.core.limits import MAX_GRADED_CHARACTERS, MAX_ITEMS
from bot.questions.check import (
    Path,
    Place,
    Problem,
    Violation,
    entries,
    items_in,
    pictures_in,
    topics_in,
)
from bot.questions.model import Bank, Topic
from bot.questions.own import OwnItem

_OPEN = ("question", "answer", "key_points", "follow_ups")
"""The fields of an open question; a topic has all of them or none."""


def own_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of own questions: topics need no open question and no items."""
    topic = dict(schema["$defs"]["topic"])
    topic["required"] = ["id", "title", "items"]
    topic["dependentRequired"] = {
        name: [other for other in _OPEN if other != name] for name in _OPEN
    }
    properties = dict(topic["properties"])
    properties["items"] = {**properties["items"], "minItems": 0, "maxItems": MAX_ITEMS}
    return {**schema, "$defs": {**schema["$defs"], "topic": {**topic, "properties": properties}}}


def foreign_ids(data: Any, _where: Place, packs: Bank) -> Iterator[Violation]:
    """Yield what a server's file may not contain; to a pack's topics it may only add items."""
    for path, topic in topics_in(data):
        topic_id = topic.get("id")
        references = topic.get("references", [])
        shipped = packs.topics.get(topic_id) if isinstance(topic_id, str) else None
        if shipped is not None:
            names = (*_OPEN, "misconceptions", "number", "weight")
            extra = [name for name in names if name in topic]
            if extra:
                wrong = f"is part of a shipped topic, which takes questions only; leave out {', '.join(extra)}"
                yield (*path, extra[0]), wrong
            shipped_sources = sources_of(shipped)
            if isinstance(references, list) and references != shipped_sources[: len(references)]:
                wrong = "are not those of the shipped topic; leave them out, or repeat its own"
                yield (*path, "references"), wrong
        known = shipped.references if shipped is not None else references
        count = len(known) if isinstance(known, list | tuple) else None
        for n, item in entries(topic, "items"):
            yield from _foreign_item((*path, "items", n), item, packs, count)


def _foreign_item(
    path: Path, item: Mapping[str, Any], packs: Bank, references: int | None
) -> Iterator[Violation]:
    """Yield what is wrong with an item; `references` is how many its topic has, if known."""
    item_id = item.get("id")
    accept = item.get("accept")
    reference = item.get("reference")
    if isinstance(accept, list) and any("\n" in form for form in accept if isinstance(form, str)):
        yield (*path, "accept"), "has a line break in it"
    if isinstance(item_id, str) and item_id in packs.items:
        yield (*path, "id"), f"{item_id} is a shipped question; give yours another id"
    if references is not None and isinstance(reference, int) and reference >= references:
        wrong = f"is {reference}, but its topic has {references} references, counted from 0"
        yield (*path, "reference"), wrong


def slow_to_grade(data: Any, _where: Place) -> Iterator[Violation]:
    """Yield topics whose key points and misconceptions are too long to compare answers with."""
    for path, topic in topics_in(data):
        count = sum(
            _characters(entry)
            for name in ("key_points", "misconceptions")
            for _, entry in entries(topic, name)
        )
        if count > MAX_GRADED_CHARACTERS:
            wrong = (
                f"has {count:,} characters in its key points, its misconceptions, their other wordings and opposites; "
                f"{MAX_GRADED_CHARACTERS:,} are allowed. Leave out wordings that say nearly the same"
            )
            yield path, wrong


def missing_pictures(
    data: Any, _where: Place, files: Collection[str] | None
) -> Iterator[Violation]:
    """Yield pictures whose files did not come with the document; `files` is None without any."""
    for path, picture in pictures_in(data):
        if files is None:
            wrong = (
                "needs its file: send a .zip with this file as questions.json and a folder "
                "pictures, as an export makes it"
            )
            yield path, wrong
            continue
        file = picture.get("file") if isinstance(picture, dict) else None
        if isinstance(file, str) and file not in files:
            yield (*path, "file"), "is not in the folder pictures of the .zip"


def _characters(entry: Mapping[str, Any]) -> int:
    """Return the length of a key point or misconception with its other wordings and opposites."""
    lists = (entry.get(name) for name in ("accept", "opposites"))
    texts = [
        entry.get("text"),
        *(text for each in lists if isinstance(each, list) for text in each),
    ]
    return sum(len(text) for text in texts if isinstance(text, str))


def sources_of(topic: Topic | None) -> list[dict[str, str]]:
    """Return a topic's references as in a bank's file."""
    return [asdict(reference) for reference in topic.references] if topic else []


def formulas_of(draft: Draft, known: Sequence[OwnItem]) -> list[tuple[str, str]]:
    """Return the new formulas of a file, as pairs of place and formula.

    Formulas with a problem are left out.
    """
    wrong = {problem.place for problem in draft.problems}
    found = [
        (where, item["formula"])
        for path, item in items_in(draft.document)
        if isinstance(item.get("formula"), str)
        and (where := draft.where([*path, "formula"])) not in wrong
    ]
    with_formula = [row.content for row in known if '"formula"' in row.content] if found else []
    before = {json.loads(content).get("formula") for content in with_formula}
    return [(where, formula) for where, formula in found if formula not in before]


def too_long(draft: Draft, lengths: Mapping[str, int]) -> list[Problem]:
    """Return a problem for each item whose card is too long; `lengths` has characters by item id."""
    return [
        Problem(
            draft.where(path),
            f"makes a card of {lengths[item['id']]:,} characters with all that a round adds; "
            f"Discord takes {MAX_MESSAGE:,}. Shorten the question, its choices or its explanation",
        )
        for path, item in items_in(draft.document)
        if lengths.get(item["id"], 0) > MAX_MESSAGE
    ]
