"""Rules for a server's own questions: merging a document into them, and what a server can have."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from bot.bank.model import Merge, Own
from bot.chat import text as t
from bot.core.limits import (
    MAX_ITEMS,
    MAX_OWN_BYTES,
    MAX_OWN_TOPICS,
    MAX_PICTURES,
    MAX_PICTURES_BYTES,
    MAX_SOURCES,
)
from bot.questions.check import BankError, Problem, file_error
from bot.questions.model import Bank
from bot.questions.own import OwnItem, OwnTopic, Sums, own_id, sums_of

_MAX_WORDS = 60
"""Characters of a question that a sentence names."""


def merge(own: Own, document: Mapping[str, Any], *, keep_pictures: bool = False) -> Merge:
    """Add a checked document to a server's questions; items and topics with known ids are updated.

    `own` has all rows that the document names. `keep_pictures` leaves items their pictures, for a
    document that can't have any. Raises BankError if a server can't have that many.
    """
    merger = _Merger(own, keep_pictures=keep_pictures)
    for section in document["sections"]:
        for topic in section["topics"]:
            row, sources = merger.merge_topic(section, topic, own.packs)
            for item in topic["items"]:
                content = dict(item)
                if "reference" in item and sources:
                    content["reference"] = sources[item["reference"]]
                merger.merge_item(row.topic_id, content)
    before, after = sums_of(own.topics, own.items), merger.sums()
    total = own.elsewhere.asked + after.asked
    topics_before = own.elsewhere.topics + before.topics
    _refuse_too_many(total, own.elsewhere.topics + after.topics, topics_before)
    refuse_too_much(own.elsewhere.size + after.size, own.elsewhere.size + before.size)
    return Merge(
        topics=tuple(merger.saved_topics),
        items=tuple(merger.saved_items),
        retired=tuple(row.number for row in merger.retired),
        added=merger.counts["added"],
        changed=merger.counts["changed"],
        same=merger.counts["same"],
        rekeyed=new_keys(own.items, merger.saved_items),
        rekeyed_topics=new_keys(own.topics, merger.saved_topics),
        last=next(merger.numbers) - 1,
        total=total,
    )


def _refuse_too_many(asked: int, topics: int, topics_before: int) -> None:
    """Raise BankError for more questions or topics than a server can have."""
    if asked > MAX_ITEMS:
        raise file_error(
            f"would make {asked:,} questions of this server's own; {MAX_ITEMS:,} are allowed"
        )
    if topics > max(MAX_OWN_TOPICS, topics_before):
        raise file_error(
            f"would make {topics:,} topics of this server's own; {MAX_OWN_TOPICS:,} are allowed. "
            "Use those that are there"
        )


def refuse_too_much(size: int, size_before: int) -> None:
    """Raise BankError for more bytes of questions than a server can have."""
    if size > max(MAX_OWN_BYTES, size_before):
        raise file_error(
            f"would make {size / (1 << 20):.1f} MiB of this server's own questions with those that "
            f"were replaced or taken out; {MAX_OWN_BYTES >> 20} are allowed. "
            "Keep the kinds and the numbers of choices of those that are there"
        )


class _Merger:
    """Merges topics and items one by one into those of a server."""

    def __init__(self, own: Own, *, keep_pictures: bool) -> None:
        self._guild_id = own.guild_id
        self._keep_pictures = keep_pictures
        self.numbers = itertools.count(own.first)
        self.topics = {row.name: row for row in own.topics}
        self.items = {row.name: row for row in own.items if not row.retired}
        self.retired: list[OwnItem] = []
        self._retired_before = [row for row in own.items if row.retired]
        self.saved_topics: list[OwnTopic] = []
        self.saved_items: list[OwnItem] = []
        self.counts = Counter[str]()

    def sums(self) -> Sums:
        """Return the sums of all rows as they are now."""
        retired = [*self._retired_before, *self.retired]
        return sums_of(self.topics.values(), [*self.items.values(), *retired])

    def merge_topic(
        self, section: Mapping[str, Any], topic: Mapping[str, Any], packs: Bank
    ) -> tuple[OwnTopic, list[int]]:
        """Return the row of a topic, and the new index of each reference in the document's topic."""
        name = topic["id"]
        content = {k: value for k, value in topic.items() if k not in {"id", "title", "items"}}
        titles = {
            "section": section["id"],
            "section_title": section["title"],
            "title": topic["title"],
        }
        before = self.topics.get(name)
        sources: list[int] = []
        if before is None:
            number = next(self.numbers)
            topic_id = name if name in packs.topics else own_id(self._guild_id, number)
            row = OwnTopic(
                guild_id=self._guild_id,
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
            self.saved_topics.append(row)
        self.topics[name] = row
        return row, sources

    def merge_item(self, topic_id: str, item: Mapping[str, Any]) -> None:
        name = item["id"]
        content = {key: value for key, value in item.items() if key != "id"}
        before = self.items.get(name)
        if before is None:
            row = OwnItem(
                guild_id=self._guild_id,
                number=next(self.numbers),
                name=name,
                topic_id=topic_id,
                retired=False,
                content=to_json(content),
            )
            self.saved_items.append(row)
            self.counts["added"] += 1
        else:
            picture = json.loads(before.content).get("picture") if self._keep_pictures else None
            if picture is not None:
                content["picture"] = picture
            row = _successor(before, topic_id, content, self.numbers)
            if row.number != before.number:
                self.retired.append(replace(before, retired=True))
            if row != before:
                self.saved_items.append(row)
            self.counts["same" if row == before else "changed"] += 1
        self.items[name] = row


def _successor(
    before: OwnItem, topic_id: str, content: Mapping[str, Any], numbers: Iterator[int]
) -> OwnItem:
    """Return the row that is asked from now on, with an item's new content.

    Stored answers refer to choices and lines by index, so these keep their indexes. If they can't,
    because the kind or a number changed or a line moved, the row has a new number, and the old one
    is retired.
    """
    old = json.loads(before.content)
    old_lines = _lines_of(old)
    now_at = zip(old_lines, _lines_of(content), strict=False)
    moved = any(now != then and now in old_lines for then, now in now_at)
    number = before.number
    if moved or _shape_of(old) != _shape_of(content):
        number = next(numbers)
    elif "choices" in content:
        content = {**content, "choices": _in_old_order(old["choices"], content["choices"])}
    return replace(before, number=number, topic_id=topic_id, content=to_json(content))


def _shape_of(content: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return an item's kind, and how many choices, lines and decoys it has."""
    lists = ("choices", "lines", "decoys")
    return content["kind"], *(len(content.get(name, ())) for name in lists)


def _lines_of(content: Mapping[str, Any]) -> list[str]:
    """Return the lines of code to put in order, then the decoys, as answers refer to them."""
    return [*content.get("lines", ()), *(decoy["text"] for decoy in content.get("decoys", ()))]


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


def unneeded_pictures(
    asked: Collection[str], retired: Sequence[str], sizes: Mapping[str, int]
) -> list[str]:
    """Return the files to delete, of all that a server has with their `sizes`.

    Those of `retired` items, the oldest first, stay as long as there is room. Raises BankError if a
    server can't have that many pictures.
    """
    total = sum(sizes.get(file, 0) for file in asked)
    if len(asked) > MAX_PICTURES:
        problem = f"would make {len(asked):,} pictures of this server's own questions; {MAX_PICTURES} are allowed"
        raise BankError([Problem("the pictures", problem)])
    if total > MAX_PICTURES_BYTES:
        problem = (
            f"would make {total / (1 << 20):.1f} MiB of pictures of this server's own questions; "
            f"{MAX_PICTURES_BYTES >> 20} are allowed. Take out pictures or questions first"
        )
        raise BankError([Problem("the pictures", problem)])
    kept = set(asked)
    for file in reversed(retired):
        total += sizes.get(file, 0)
        if total > MAX_PICTURES_BYTES or len(kept) >= MAX_PICTURES:
            break
        kept.add(file)
    return sorted(sizes.keys() - kept)


def new_keys(
    before: Iterable[OwnTopic | OwnItem], after: Iterable[OwnTopic | OwnItem]
) -> dict[str, str]:
    """Return the words of the items and topics whose key differs in their rows `after`, by id."""
    old = {row.number: row for row in before}
    return {
        row.item_id if isinstance(row, OwnItem) else row.topic_id: _words_of(row)
        for row in after
        if row.number in old and _key_of(row) != _key_of(old[row.number])
    }


def _words_of(row: OwnTopic | OwnItem) -> str:
    """Return how members know a row: the prompt of an item, the title of a topic."""
    words = row.title if isinstance(row, OwnTopic) else json.loads(row.content)["prompt"]
    return t.one_line(t.cut(words, _MAX_WORDS))


def _key_of(row: OwnTopic | OwnItem) -> Any:
    """Return what decides whether an answer is right: of a topic, the statements to be ticked."""
    content = json.loads(row.content)
    if isinstance(row, OwnTopic):
        return [point["text"] for point in content.get("key_points", ())]
    if content["kind"] == "typed":
        return *content["accept"], content.get("unit"), content.get("tolerance")
    if content["kind"] == "order":
        return content.get("orders")
    return tuple(choice["correct"] for choice in content["choices"])


def portions(sizes: Mapping[int, int], most: int) -> Iterator[list[int]]:
    """Split keys into lists whose sizes are at most `most` together, if not one alone is larger."""
    some: list[int] = []
    left = most
    for key, size in sizes.items():
        if some and size > left:
            yield some
            some = []
            left = most
        some.append(key)
        left -= size
    if some:
        yield some


def to_json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
