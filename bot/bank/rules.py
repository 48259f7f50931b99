"""Rules for a server's own questions: merging a document into them, and what a server can have."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from bot.bank.model import Merge
from bot.core.limits import (
    MAX_ITEMS,
    MAX_OWN_BYTES,
    MAX_OWN_TOPICS,
    MAX_PICTURES,
    MAX_PICTURES_BYTES,
    MAX_SOURCES,
)
from bot.questions.check import BankError, Problem, file_error, topics_in
from bot.questions.model import Bank
from bot.questions.own import OwnItem, OwnTopic, own_id


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
    merger = _Merger(guild_id, first, topics, items, keep_pictures=keep_pictures)
    for section in document["sections"]:
        for topic in section["topics"]:
            row, sources = merger.merge_topic(section, topic, packs)
            for item in topic["items"]:
                content = dict(item)
                if "reference" in item and sources:
                    content["reference"] = sources[item["reference"]]
                merger.merge_item(row.topic_id, content)
    _refuse_too_many(len(merger.items), len(merger.topics), len(topics))
    rows: list[OwnTopic | OwnItem] = [*topics, *items]
    saved: list[OwnTopic | OwnItem] = [*merger.saved_topics, *merger.saved_items]
    after = {row.number: row for row in rows + saved}
    _refuse_too_much(_size(after.values()), _size(rows))
    return Merge(
        topics=tuple(merger.saved_topics),
        items=tuple(merger.saved_items),
        added=merger.counts["added"],
        changed=merger.counts["changed"],
        same=merger.counts["same"],
        rekeyed=tuple(new_keys(items, merger.saved_items)),
        total=len(merger.items),
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


def _refuse_too_much(size: int, size_before: int) -> None:
    """Raise BankError for more bytes of questions than a server can have."""
    if size > max(MAX_OWN_BYTES, size_before):
        raise file_error(
            f"would make {size / (1 << 20):.1f} MiB of this server's own questions with those that "
            f"were replaced or taken out; {MAX_OWN_BYTES >> 20} are allowed. "
            "Keep the kinds and the numbers of choices of those that are there"
        )


def _size(rows: Iterable[OwnTopic | OwnItem]) -> int:
    """Return the bytes of the contents of rows."""
    contents = (row.content for row in rows)
    return sum(len(text) if text.isascii() else len(text.encode()) for text in contents)


class _Merger:
    """Merges topics and items one by one into those of a server."""

    def __init__(
        self,
        guild_id: int,
        first: int,
        topics: Iterable[OwnTopic],
        items: Iterable[OwnItem],
        *,
        keep_pictures: bool,
    ) -> None:
        self._guild_id = guild_id
        self._numbers = itertools.count(first)
        self._keep_pictures = keep_pictures
        self.topics = {row.name: row for row in topics}
        self.items = {row.name: row for row in items if not row.retired}
        self.saved_topics: list[OwnTopic] = []
        self.saved_items: list[OwnItem] = []
        self.counts = Counter[str]()

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
            number = next(self._numbers)
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
                number=next(self._numbers),
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
            rows = _successors(before, topic_id, content, self._numbers)
            row = rows[-1]
            self.saved_items += [each for each in rows if each != before]
            self.counts["same" if row == before else "changed"] += 1
        self.items[name] = row


def _successors(
    before: OwnItem, topic_id: str, content: Mapping[str, Any], numbers: Iterator[int]
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
            replace(before, number=next(numbers), topic_id=topic_id, content=to_json(content)),
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


class PictureFiles(Struct, frozen=True):
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


def new_keys(
    before: Iterable[OwnTopic | OwnItem], after: Iterable[OwnTopic | OwnItem]
) -> dict[str, str]:
    """Return ids and names of the items and topics whose key differs in their rows `after`."""
    old = {row.number: row for row in before}
    return {
        row.item_id if isinstance(row, OwnItem) else row.topic_id: row.name
        for row in after
        if row.number in old and _key_of(row) != _key_of(old[row.number])
    }


def _key_of(row: OwnTopic | OwnItem) -> Any:
    """Return what decides whether an answer is right: of a topic, the statements to be ticked."""
    content = json.loads(row.content)
    if isinstance(row, OwnTopic):
        return [point["text"] for point in content.get("key_points", ())]
    if content["kind"] == "typed":
        return *content["accept"], content.get("unit"), content.get("tolerance")
    return tuple(choice["correct"] for choice in content["choices"])


def to_json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
