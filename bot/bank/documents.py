"""Writes a server's questions as a bank's document."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict

from bot.questions.model import USUAL_WEIGHT, Bank, Item, Topic
from bot.questions.own import OwnItem, OwnTopic, is_own

MAX_TITLE = 100


class _Names(Struct, frozen=True):
    """A server's names for its own items, by item id, and its own topics, by topic id."""

    items: Mapping[str, str]
    topics: Mapping[str, OwnTopic]


def sources_of(topic: Topic | None) -> list[dict[str, str]]:
    """Return a topic's references as in a bank's file."""
    return [asdict(reference) for reference in topic.references] if topic else []


def document_of(
    bank: Bank,
    own_topics: Iterable[OwnTopic],
    own_items: Iterable[OwnItem],
    title: str,
    *,
    packs: bool = False,
) -> dict[str, Any]:
    """Return a server's own questions as a document, with those of its packs if `packs`."""
    names = _Names(
        items={row.item_id: row.name for row in own_items},
        topics={row.topic_id: row for row in own_topics},
    )
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


def _topic_document(topic: Topic, names: _Names, *, packs: bool) -> dict[str, Any]:
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
    out["items"] = [_item_document(item, names) for item in topic.items if packs or is_own(item.id)]
    return out


def _item_document(item: Item, names: _Names) -> dict[str, Any]:
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
