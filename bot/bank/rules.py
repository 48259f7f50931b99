"""A server's own questions as files: read and checked, merged into what is there, and written out again.

A file of whatever form becomes a document of a bank's shape first, so that one set of rules checks them all; what is
wrong is told by the place where its author finds it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from bot.chat.text import MAX_MESSAGE
from bot.core.limits import (
    MAX_GRADED_CHARACTERS,
    MAX_ITEMS,
    MAX_OWN_ROWS,
    MAX_OWN_TOPICS,
    MAX_SOURCES,
)
from bot.questions.check import BankError, Path, Place, Problem, Wrong, entries, topics_in
from bot.questions.model import Bank, Item, Topic
from bot.questions.own import OwnItem, OwnTopic, is_own, own_id

MAX_TITLE = 100
_OPEN = ("question", "answer", "key_points", "follow_ups")
"""What an open question is made of: all of it, or nothing."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A file that was read, as a document of a bank's shape; `where` says where something stands in the file.

    The document may break any rule as long as there are `problems`.
    """

    document: dict[str, Any]
    where: Place
    problems: tuple[Problem, ...] = ()


def own_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of a server's own bank: topics need no open question, and may be those of a pack."""
    topic = dict(schema["$defs"]["topic"])
    topic["required"] = ["id", "title", "items"]
    topic["dependentRequired"] = {
        name: [other for other in _OPEN if other != name] for name in _OPEN
    }
    properties = dict(topic["properties"])
    properties["items"] = {**properties["items"], "minItems": 0, "maxItems": MAX_ITEMS}
    return {**schema, "$defs": {**schema["$defs"], "topic": {**topic, "properties": properties}}}


def foreign_ids(data: Any, _where: Place, packs: Bank) -> Iterator[Wrong]:
    """Yield ids of packs in a server's file: items keep their own, and a pack's topic takes items, but nothing else."""
    for path, topic in topics_in(data):
        topic_id, references = topic.get("id"), topic.get("references", [])
        shipped = packs.topics.get(topic_id) if isinstance(topic_id, str) else None
        if shipped is not None:
            extra = [name for name in (*_OPEN, "misconceptions", "number") if name in topic]
            if extra:
                wrong = f"is part of a shipped topic, which takes questions only; leave out {', '.join(extra)}"
                yield (*path, extra[0]), wrong
            if (
                isinstance(references, list)
                and references != sources_of(shipped)[: len(references)]
            ):
                wrong = "are not those of the shipped topic; leave them out, or repeat its own"
                yield (*path, "references"), wrong
        known = shipped.references if shipped is not None else references
        count = len(known) if isinstance(known, list | tuple) else None
        for n, item in entries(topic, "items"):
            yield from _foreign_item((*path, "items", n), item, packs, count)


def _foreign_item(
    path: Path, item: Mapping[str, Any], packs: Bank, references: int | None
) -> Iterator[Wrong]:
    """Yield what is wrong with an item in a server's file, whose topic has so many references, if that is known."""
    item_id, accept, reference = item.get("id"), item.get("accept"), item.get("reference")
    if isinstance(accept, list) and any("\n" in form for form in accept if isinstance(form, str)):
        yield (*path, "accept"), "has a line break in it"
    if isinstance(item_id, str) and item_id in packs.items:
        yield (*path, "id"), f"{item_id} is a shipped question; give yours another id"
    if references is not None and isinstance(reference, int) and reference >= references:
        yield (
            (*path, "reference"),
            f"is {reference}, but its topic has {references} references, counted from 0",
        )


def slow_to_grade(data: Any, _where: Place) -> Iterator[Wrong]:
    """Yield topics whose answers would have to be compared with too many words."""
    for path, topic in topics_in(data):
        count = sum(
            _characters(entry)
            for name in ("key_points", "misconceptions")
            for _, entry in entries(topic, name)
        )
        if count > MAX_GRADED_CHARACTERS:
            yield (
                path,
                (
                    f"has {count:,} characters in its key points, its misconceptions and their other wordings; "
                    f"{MAX_GRADED_CHARACTERS:,} are allowed. Leave out wordings that say nearly the same"
                ),
            )


def _characters(entry: Mapping[str, Any]) -> int:
    """Return how long a key point or misconception is, with its other wordings."""
    accept = entry.get("accept")
    texts = [entry.get("text"), *(accept if isinstance(accept, list) else ())]
    return sum(len(text) for text in texts if isinstance(text, str))


def sources_of(topic: Topic | None) -> list[dict[str, str]]:
    """A topic's references as in a bank's file; none for no topic."""
    return [asdict(reference) for reference in topic.references] if topic else []


def formulas_of(draft: Draft, known: Sequence[OwnItem]) -> list[tuple[str, str]]:
    """Return the formulas of a file that were not there before, each with the place where it stands.

    Those with a problem of their own are left out.
    """
    wrong = {problem.place for problem in draft.problems}
    found = [
        (where, item["formula"])
        for path, topic in topics_in(draft.document)
        for n, item in entries(topic, "items")
        if isinstance(item.get("formula"), str)
        and (where := draft.where([*path, "items", n, "formula"])) not in wrong
    ]
    contents = (
        (json.loads(row.content) for row in known if '"formula"' in row.content) if found else ()
    )
    before = {content.get("formula") for content in contents}
    return [(where, formula) for where, formula in found if formula not in before]


def too_long(draft: Draft, lengths: Mapping[str, int]) -> list[Problem]:
    """Return the items whose cards do not fit into a message; `lengths` are those by the items' ids."""
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
    """What a file changes: rows to store, and how many items it adds, changes and leaves as they are.

    `rekeyed` are ids of changed items whose key is another now, `total` is how many items are asked then.
    """

    topics: tuple[OwnTopic, ...]
    items: tuple[OwnItem, ...]
    added: int
    changed: int
    same: int
    rekeyed: tuple[str, ...]
    total: int


@dataclass(slots=True)
class _Merging:
    guild_id: int
    number: int
    topics: dict[str, OwnTopic]
    items: dict[str, OwnItem]
    saved_topics: list[OwnTopic] = field(default_factory=list)
    saved_items: list[OwnItem] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=lambda: {"added": 0, "changed": 0, "same": 0})
    rekeyed: list[str] = field(default_factory=list)

    def take(self) -> int:
        self.number += 1
        return self.number - 1


def numbers_needed(document: Mapping[str, Any]) -> int:
    """How many numbers a document may use up: one for each topic and item."""
    return sum(1 + len(topic["items"]) for _, topic in topics_in(document))


def merge(
    guild_id: int,
    first: int,
    topics: Sequence[OwnTopic],
    items: Sequence[OwnItem],
    document: Mapping[str, Any],
    packs: Bank,
) -> Merge:
    """Add a checked document to a server's questions and bring up to date what has the same id.

    `first` is the first number that is free. Refuses with BankError what would be more than a server can have.
    """
    at = _Merging(
        guild_id, first, {t.name: t for t in topics}, {i.name: i for i in items if not i.retired}
    )
    for section in document["sections"]:
        for topic in section["topics"]:
            row, sources = _merge_topic(at, section, topic, packs)
            for item in topic["items"]:
                moved = (
                    {"reference": sources[item["reference"]]}
                    if "reference" in item and sources
                    else {}
                )
                _merge_item(at, row.topic_id, {**item, **moved})
    new = sum(row.number >= first for row in at.saved_items)
    _refuse_too_many(at, topics=len(topics), rows=len(items), new=new)
    topics, items = tuple(at.saved_topics), tuple(at.saved_items)
    return Merge(topics, items, **at.counts, rekeyed=tuple(at.rekeyed), total=len(at.items))


def _refuse_too_many(at: _Merging, *, topics: int, rows: int, new: int) -> None:
    """Raise BankError for more than a server can have.

    It has had so many `topics` and `rows` of questions, with those that are not asked any more; `new`
    rows come to these.
    """
    problem = None
    if len(at.items) > MAX_ITEMS:
        problem = f"would make {len(at.items):,} questions of this server's own; {MAX_ITEMS:,} are allowed"
    elif len(at.topics) > max(MAX_OWN_TOPICS, topics):
        problem = f"would make {len(at.topics):,} topics of this server's own; "
        problem += f"{MAX_OWN_TOPICS:,} are allowed. Use those that are there"
    elif new and rows + new > MAX_OWN_ROWS:
        problem = f"would make {rows + new:,} questions of this server's own with those that were "
        problem += (
            f"replaced or taken out; {MAX_OWN_ROWS:,} are allowed. Keep the kinds and the numbers "
        )
        problem += "of choices of those that are there"
    if problem:
        raise BankError([Problem("the file", problem)])


def _merge_topic(
    at: _Merging, section: Mapping[str, Any], topic: Mapping[str, Any], packs: Bank
) -> tuple[OwnTopic, list[int]]:
    """The row of a topic, and where the references that its items name by number stand now."""
    content = {name: value for name, value in topic.items() if name not in {"id", "title", "items"}}
    before = at.topics.get(topic["id"])
    sources: list[int] = []
    if before is None:
        number = at.take()
        topic_id = topic["id"] if topic["id"] in packs.topics else own_id(at.guild_id, number)
        before = OwnTopic(at.guild_id, number, topic["id"], topic_id, "", "", "", "")
    else:
        kept = json.loads(before.content)
        known = list(kept.get("references", ()))
        known += [source for source in content.get("references", ()) if source not in known]
        sources = [known.index(source) for source in content.get("references", ())]
        if len(known) > MAX_SOURCES:
            problem = f"would have {len(known)} sources; {MAX_SOURCES} are allowed"
            raise BankError([Problem(f'topic "{topic["id"]}"', problem)])
        if "question" not in content:  # closed questions alone leave the open one as it is
            content = {**kept, **content}
        content |= {"references": known} if known else {}
    names = {"section": section["id"], "section_title": section["title"], "title": topic["title"]}
    row = replace(before, **names, content=to_json(content))
    if row != at.topics.get(topic["id"]):
        at.saved_topics.append(row)
    at.topics[topic["id"]] = row
    return row, sources


def _merge_item(at: _Merging, topic_id: str, item: Mapping[str, Any]) -> None:
    content = {name: value for name, value in item.items() if name != "id"}
    before = at.items.get(item["id"])
    if before is None:
        row = OwnItem(at.guild_id, at.take(), item["id"], topic_id, False, to_json(content))
        at.saved_items.append(row)
        at.counts["added"] += 1
    else:
        rows = successors(before, topic_id, content, at.take)
        row = rows[-1]
        at.saved_items += [one for one in rows if one != before]
        at.counts["same" if row == before else "changed"] += 1
        if row.number == before.number and key_of(json.loads(row.content)) != key_of(
            json.loads(before.content)
        ):
            at.rekeyed.append(row.item_id)
    at.items[item["id"]] = row


def successors(
    before: OwnItem, topic_id: str, content: Mapping[str, Any], take: Any
) -> list[OwnItem]:
    """An own item with new content: the rows to store, the one that is asked from now on at the end.

    Past answers are kept by the numbers of choices. So the choices keep theirs; where they can't, because the kind of
    the item or the number of its choices is another, the old item is retired, and a new one takes its name.
    """
    old = json.loads(before.content)
    if old["kind"] != content["kind"] or len(old.get("choices", ())) != len(
        content.get("choices", ())
    ):
        return [
            replace(before, retired=True),
            replace(before, number=take(), topic_id=topic_id, content=to_json(content)),
        ]
    if "choices" in content:
        content = {**content, "choices": _in_place(old["choices"], content["choices"])}
    return [replace(before, topic_id=topic_id, content=to_json(content))]


def _in_place(
    old: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]]
) -> list[Mapping[str, Any]]:
    """New choices in the old order: those whose text stays where they were, the others in the places left."""
    left = list(new)
    placed: list[Mapping[str, Any] | None] = []
    for choice in old:
        same = next((other for other in left if other["text"] == choice["text"]), None)
        if same is not None:
            left.remove(same)
        placed.append(same)
    return [choice if choice is not None else left.pop(0) for choice in placed]


def key_of(content: Mapping[str, Any]) -> Any:
    """What decides whether an answer is right."""
    if content["kind"] == "typed":
        return tuple(content["accept"])
    return tuple(choice["correct"] for choice in content["choices"])


def to_json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


# --- out


@dataclass(frozen=True, slots=True)
class Names:
    """How a server calls its own: by id, the names of items and topics, and of sections."""

    items: Mapping[str, str]
    topics: Mapping[str, OwnTopic]

    @classmethod
    def of(cls, topics: Sequence[OwnTopic], items: Sequence[OwnItem]) -> Names:
        return cls({row.item_id: row.name for row in items}, {row.topic_id: row for row in topics})


def document_of(bank: Bank, names: Names, title: str, *, packs: bool = False) -> dict[str, Any]:
    """What is asked on a server as a document; only its own questions, unless its packs are wanted too."""
    sections: list[dict[str, Any]] = []
    for section in bank.sections:
        topics = [_topic_out(topic, names, packs=packs) for topic in section.topics]
        kept = [
            topic for topic in topics if topic["items"] or (topic.get("question") and topic["id"])
        ]
        if kept:
            own = next((names.topics[t.id] for t in section.topics if t.id in names.topics), None)
            name = own.section if own is not None and is_own(section.id) else section.id
            sections.append({"id": name, "title": section.title, "topics": kept})
    return {"version": 1, "title": title[:MAX_TITLE], "sections": sections}


def _topic_out(topic: Topic, names: Names, *, packs: bool) -> dict[str, Any]:
    mine = is_own(topic.id)
    out: dict[str, Any] = {"id": names.topics[topic.id].name if mine else topic.id}
    if (mine or packs) and topic.number is not None:
        out["number"] = topic.number
    out["title"] = topic.title
    if (mine or packs) and topic.question:
        out |= {"question": topic.question, "answer": topic.answer}
        out["key_points"] = [
            {"text": point.text, "accept": list(point.accept)} for point in topic.key_points
        ]
        if topic.misconceptions:
            out["misconceptions"] = [
                {"text": m.text, "accept": list(m.accept), "why": m.why, "point": m.point}
                for m in topic.misconceptions
            ]
        out["follow_ups"] = [
            {"when": f.when, "question": f.question}
            | ({"hint": f.hint} if f.hint is not None else {})
            for f in topic.follow_ups
        ]
    if (mine or packs) and topic.references:
        out["references"] = sources_of(topic)
    out["items"] = [item_out(item, names) for item in topic.items if packs or is_own(item.id)]
    return out


def item_out(item: Item, names: Names) -> dict[str, Any]:
    """An item as in a bank's file."""
    out: dict[str, Any] = {
        "id": names.items.get(item.id, item.id),
        "kind": item.kind,
        "difficulty": item.difficulty,
    }
    out["prompt"] = item.prompt
    for name in ("formula", "spoken"):
        if (value := getattr(item, name)) is not None:
            out[name] = value
    if item.kind == "typed":
        out["accept"] = list(item.accept)
    else:
        out["choices"] = [
            {"text": c.text, "correct": c.correct, "why": c.why} for c in item.choices
        ]
    out["explanation"] = item.explanation
    if item.reference is not None:
        out["reference"] = item.reference
    return out
