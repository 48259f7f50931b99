"""Rules for files of own questions: checking, merging into the existing ones, writing out.

JSON, CSV and forms all become the same document first, so one set of rules checks them. Problems
name the place in the author's own file.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from bot.chat.text import MAX_MESSAGE
from bot.core.limits import (
    MAX_GRADED_CHARACTERS,
    MAX_ITEMS,
    MAX_OWN_ROWS,
    MAX_OWN_TOPICS,
    MAX_PICTURES,
    MAX_PICTURES_BYTES,
    MAX_SOURCES,
)
from bot.questions.check import (
    BankError,
    Path,
    Place,
    Problem,
    Violation,
    entries,
    pictures_in,
    topics_in,
)
from bot.questions.model import USUAL_WEIGHT, Bank, Item, Topic
from bot.questions.own import OwnItem, OwnTopic, is_own, own_id

MAX_TITLE = 100
_OPEN = ("question", "answer", "key_points", "follow_ups")
"""The fields of an open question; a topic has all of them or none."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A file that was read, as a bank's document; `where` translates paths to places in the file.

    The document may break any rule if there are `problems`.
    """

    document: dict[str, Any]
    where: Place
    problems: tuple[Problem, ...] = ()


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
    """Yield where a server's file changes a pack: it may only add items to a pack's topics."""
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
    if "retired" in item:
        yield (*path, "retired"), "can't be imported; leave the question out"
    if isinstance(accept, list) and any("\n" in form for form in accept if isinstance(form, str)):
        yield (*path, "accept"), "has a line break in it"
    if isinstance(item_id, str) and item_id in packs.items:
        yield (*path, "id"), f"{item_id} is a shipped question; give yours another id"
    if references is not None and isinstance(reference, int) and reference >= references:
        wrong = f"is {reference}, but its topic has {references} references, counted from 0"
        yield (*path, "reference"), wrong


def slow_to_grade(data: Any, _where: Place) -> Iterator[Violation]:
    """Yield topics with too many words to compare each answer with."""
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
    """Yield pictures whose files did not come with the document; None if it came alone."""
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
        for path, topic in topics_in(draft.document)
        for n, item in entries(topic, "items")
        if isinstance(item.get("formula"), str)
        and (where := draft.where([*path, "items", n, "formula"])) not in wrong
    ]
    with_formula = [row.content for row in known if '"formula"' in row.content] if found else []
    before = {json.loads(content).get("formula") for content in with_formula}
    return [(where, formula) for where, formula in found if formula not in before]


def too_long(draft: Draft, lengths: Mapping[str, int]) -> list[Problem]:
    """Return the items whose cards are too long for a message; `lengths` maps items' ids."""
    return [
        Problem(
            draft.where([*path, "items", n]),
            f"makes a card of {lengths[item['id']]:,} characters with all that a round adds; "
            f"Discord takes {MAX_MESSAGE:,}. Shorten the question, its choices or its explanation",
        )
        for path, topic in topics_in(draft.document)
        for n, item in entries(topic, "items")
        if lengths.get(item["id"], 0) > MAX_MESSAGE
    ]


@dataclass(frozen=True, slots=True)
class Merge:
    """The result of a merge: rows to store, and how many items are new, changed and unchanged.

    `rekeyed` are the ids of changed items with another key; `total` is how many items are asked now.
    """

    topics: tuple[OwnTopic, ...]
    items: tuple[OwnItem, ...]
    added: int
    changed: int
    same: int
    rekeyed: tuple[str, ...]
    total: int


@dataclass(slots=True)
class _Merger:
    guild_id: int
    next_number: int
    topics: dict[str, OwnTopic]
    items: dict[str, OwnItem]
    keep_pictures: bool
    saved_topics: list[OwnTopic] = field(default_factory=list)
    saved_items: list[OwnItem] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=lambda: {"added": 0, "changed": 0, "same": 0})
    rekeyed: list[str] = field(default_factory=list)

    def new_number(self) -> int:
        self.next_number += 1
        return self.next_number - 1


def numbers_needed(document: Mapping[str, Any]) -> int:
    """Return how many numbers a document can use up at most: one for each topic and item."""
    return sum(1 + len(topic["items"]) for _, topic in topics_in(document))


def merge(
    guild_id: int,
    first: int,
    topics: Sequence[OwnTopic],
    items: Sequence[OwnItem],
    document: Mapping[str, Any],
    packs: Bank,
    *,
    keep_pictures: bool = False,
) -> Merge:
    """Add a checked document to a server's questions; items and topics with known ids are updated.

    `first` is the first free number. `keep_pictures` leaves items their pictures, for a document
    that can't have any. Raises BankError if a server can't have that many.
    """
    merger = _Merger(
        guild_id=guild_id,
        next_number=first,
        topics={row.name: row for row in topics},
        items={row.name: row for row in items if not row.retired},
        keep_pictures=keep_pictures,
    )
    for section in document["sections"]:
        for topic in section["topics"]:
            row, sources = _merge_topic(merger, section, topic, packs)
            for item in topic["items"]:
                content = dict(item)
                if "reference" in item and sources:
                    content["reference"] = sources[item["reference"]]
                _merge_item(merger, row.topic_id, content)
    new = sum(row.number >= first for row in merger.saved_items)
    _refuse_too_many(merger, topics=len(topics), rows=len(items), new=new)
    return Merge(
        topics=tuple(merger.saved_topics),
        items=tuple(merger.saved_items),
        **merger.counts,
        rekeyed=tuple(merger.rekeyed),
        total=len(merger.items),
    )


def _refuse_too_many(merger: _Merger, *, topics: int, rows: int, new: int) -> None:
    """Raise BankError if the merged questions are more than a server can have.

    `topics` and `rows` are how many topics and items were stored before, the retired ones
    included; `new` is how many items are added.
    """
    problem = None
    if len(merger.items) > MAX_ITEMS:
        problem = f"would make {len(merger.items):,} questions of this server's own; {MAX_ITEMS:,} are allowed"
    elif len(merger.topics) > max(MAX_OWN_TOPICS, topics):
        problem = f"would make {len(merger.topics):,} topics of this server's own; "
        problem += f"{MAX_OWN_TOPICS:,} are allowed. Use those that are there"
    elif new and rows + new > MAX_OWN_ROWS:
        problem = f"would make {rows + new:,} questions of this server's own with those that were "
        problem += f"replaced or taken out; {MAX_OWN_ROWS:,} are allowed. "
        problem += "Keep the kinds and the numbers of choices of those that are there"
    if problem:
        raise BankError([Problem("the file", problem)])


def _merge_topic(
    merger: _Merger, section: Mapping[str, Any], topic: Mapping[str, Any], packs: Bank
) -> tuple[OwnTopic, list[int]]:
    """Return the row of a topic, and the new index of each reference in the document's topic."""
    name = topic["id"]
    content = {key: value for key, value in topic.items() if key not in {"id", "title", "items"}}
    titles = {"section": section["id"], "section_title": section["title"], "title": topic["title"]}
    before = merger.topics.get(name)
    sources: list[int] = []
    if before is None:
        number = merger.new_number()
        topic_id = name if name in packs.topics else own_id(merger.guild_id, number)
        row = OwnTopic(
            guild_id=merger.guild_id,
            number=number,
            name=name,
            topic_id=topic_id,
            **titles,
            content=to_json(content),
        )
    else:
        kept = json.loads(before.content)
        known = list(kept.get("references", ()))
        known += [source for source in content.get("references", ()) if source not in known]
        sources = [known.index(source) for source in content.get("references", ())]
        if len(known) > MAX_SOURCES:
            problem = f"would have {len(known)} sources; {MAX_SOURCES} are allowed"
            raise BankError([Problem(f'topic "{name}"', problem)])
        if "question" not in content:  # a file without the open question leaves it as it is
            content = {**kept, **content}
        if known:
            content["references"] = known
        row = replace(before, **titles, content=to_json(content))
    if row != before:
        merger.saved_topics.append(row)
    merger.topics[name] = row
    return row, sources


def _merge_item(merger: _Merger, topic_id: str, item: Mapping[str, Any]) -> None:
    name = item["id"]
    content = {key: value for key, value in item.items() if key != "id"}
    before = merger.items.get(name)
    if before is None:
        row = OwnItem(
            guild_id=merger.guild_id,
            number=merger.new_number(),
            name=name,
            topic_id=topic_id,
            retired=False,
            content=to_json(content),
        )
        merger.saved_items.append(row)
        merger.counts["added"] += 1
    else:
        picture = json.loads(before.content).get("picture") if merger.keep_pictures else None
        if picture is not None:
            content["picture"] = picture
        rows = successors(before, topic_id, content, merger.new_number)
        row = rows[-1]
        merger.saved_items += [each for each in rows if each != before]
        merger.counts["same" if row == before else "changed"] += 1
        keys = [key_of(json.loads(each.content)) for each in (before, row)]
        if row.number == before.number and keys[0] != keys[1]:
            merger.rekeyed.append(row.item_id)
    merger.items[name] = row


def successors(
    before: OwnItem, topic_id: str, content: Mapping[str, Any], new_number: Callable[[], int]
) -> list[OwnItem]:
    """Return the rows to store for an item's new content; the last one is asked from now on.

    Stored answers refer to choices by index, so choices keep their indexes. If they can't, because
    the kind or the number of choices changed, the old item is retired and a new one gets its name.
    """
    old = json.loads(before.content)
    old_choices = old.get("choices", ())
    if old["kind"] != content["kind"] or len(old_choices) != len(content.get("choices", ())):
        return [
            replace(before, retired=True),
            replace(before, number=new_number(), topic_id=topic_id, content=to_json(content)),
        ]
    if "choices" in content:
        content = {**content, "choices": _in_old_order(old_choices, content["choices"])}
    return [replace(before, topic_id=topic_id, content=to_json(content))]


def _in_old_order(
    old: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]]
) -> list[Mapping[str, Any]]:
    """Return the new choices, those with an old text at its old index, the others in the gaps."""
    left = list(new)
    placed: list[Mapping[str, Any] | None] = []
    for choice in old:
        same = next((other for other in left if other["text"] == choice["text"]), None)
        if same is not None:
            left.remove(same)
        placed.append(same)
    return [choice if choice is not None else left.pop(0) for choice in placed]


@dataclass(frozen=True, slots=True)
class PictureFiles:
    """The files of pictures that a server's items name: of those that are asked, and of others.

    The others are in the order of their items, the oldest first.
    """

    asked: frozenset[str]
    retired: tuple[str, ...]

    @classmethod
    def of(cls, items: Iterable[OwnItem]) -> PictureFiles:
        asked: set[str] = set()
        retired: dict[str, None] = {}
        for row in items:
            if '"picture"' in row.content:  # most items have none
                picture = json.loads(row.content).get("picture")
                if picture is not None and row.retired:
                    retired[picture["file"]] = None
                elif picture is not None:
                    asked.add(picture["file"])
        return cls(frozenset(asked), tuple(file for file in retired if file not in asked))


def unneeded_pictures(files: PictureFiles, sizes: Mapping[str, int]) -> list[str]:
    """Return the files to delete, of all that a server has with their `sizes`.

    Those of retired items stay as long as there is room. Raises BankError if a server can't have
    that many pictures.
    """
    total = sum(sizes[file] for file in files.asked)
    if len(files.asked) > MAX_PICTURES:
        problem = f"would make {len(files.asked):,} pictures of this server's own questions; {MAX_PICTURES} are allowed"
        raise BankError([Problem("the pictures", problem)])
    if total > MAX_PICTURES_BYTES:
        problem = (
            f"would make {total / (1 << 20):.1f} MiB of pictures of this server's own questions; "
            f"{MAX_PICTURES_BYTES >> 20} are allowed. Take out pictures or questions first"
        )
        raise BankError([Problem("the pictures", problem)])
    kept = set(files.asked)
    for file in reversed(files.retired):
        total += sizes.get(file, 0)
        if total > MAX_PICTURES_BYTES or len(kept) >= MAX_PICTURES:
            break
        kept.add(file)
    return sorted(sizes.keys() - kept)


def key_of(content: Mapping[str, Any]) -> Any:
    """Return an item's key: the part of its content that decides whether an answer is right."""
    if content["kind"] == "typed":
        return *content["accept"], content.get("unit"), content.get("tolerance")
    return tuple(choice["correct"] for choice in content["choices"])


def to_json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


# --- writing


@dataclass(frozen=True, slots=True)
class Names:
    """A server's names for its own items, by item id, and its own topics, by topic id."""

    items: Mapping[str, str]
    topics: Mapping[str, OwnTopic]

    @classmethod
    def of(cls, topics: Sequence[OwnTopic], items: Sequence[OwnItem]) -> Names:
        return cls({row.item_id: row.name for row in items}, {row.topic_id: row for row in topics})


def document_of(bank: Bank, names: Names, title: str, *, packs: bool = False) -> dict[str, Any]:
    """Return a server's own questions as a document, with those of its packs if `packs`."""
    sections: list[dict[str, Any]] = []
    for section in bank.sections:
        topics = [_topic_document(topic, names, packs=packs) for topic in section.topics]
        kept = [
            topic for topic in topics if topic["items"] or (topic.get("question") and topic["id"])
        ]
        if kept:
            own = next((names.topics[t.id] for t in section.topics if t.id in names.topics), None)
            name = own.section if own is not None and is_own(section.id) else section.id
            sections.append({"id": name, "title": section.title, "topics": kept})
    return {"version": 1, "title": title[:MAX_TITLE], "sections": sections}


def _topic_document(topic: Topic, names: Names, *, packs: bool) -> dict[str, Any]:
    own = is_own(topic.id)
    out: dict[str, Any] = {"id": names.topics[topic.id].name if own else topic.id}
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
    out["items"] = [item_document(item, names) for item in topic.items if packs or is_own(item.id)]
    return out


def item_document(item: Item, names: Names) -> dict[str, Any]:
    """Return an item as in a bank's file."""
    out: dict[str, Any] = {
        "id": names.items.get(item.id, item.id),
        "kind": item.kind,
        "difficulty": item.difficulty,
        "prompt": item.prompt,
    }
    for name in ("formula", "spoken", "code", "language", "unit", "tolerance", "as_of"):
        if value := getattr(item, name):
            out[name] = value
    if item.picture is not None:
        out["picture"] = asdict(item.picture)
    if item.kind == "typed":
        out["accept"] = list(item.accept)
    else:
        out["choices"] = [asdict(choice) for choice in item.choices]
    out["explanation"] = item.explanation
    if item.reference is not None:
        out["reference"] = item.reference
    return out
