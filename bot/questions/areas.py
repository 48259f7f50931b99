"""Areas of a bank, which plans and dailies ask: everything, a pack, a section or chosen topics.

An area is stored as text: `all`, `pack:` with a name, `section:` with an id, or `topics:` with
ids. It is read against a bank, so topics that have left the bank don't count.
"""

from __future__ import annotations

from collections.abc import Iterable

from bot.core.errors import UserError
from bot.core.zones import quoted
from bot.questions.model import Bank, Topic

ALL = "all"
_PACK, _SECTION, _TOPICS = "pack:", "section:", "topics:"
_MOST_OPTIONS = 25


def area_of_topics(topic_ids: Iterable[str]) -> str:
    """Return the area of some topics."""
    return _TOPICS + " ".join(sorted(topic_ids))


def topics_of(bank: Bank, area: str) -> list[Topic]:
    """Return the topics of an area that have items, in the bank's order."""
    found = (topic for topic in bank.asked_topics.values() if topic.items)
    kind, _, rest = area.partition(":")
    match kind:
        case "pack":
            packs = (pack.bank.asked_topics for pack in bank.packs if pack.name == rest)
            ids = set().union(*packs)
            return [topic for topic in found if topic.id in ids]
        case "section":
            return [topic for topic in found if topic.section_id == rest]
        case "topics":
            ids = set(rest.split())
            return [topic for topic in found if topic.id in ids]
        case _:
            return list(found)


def is_asked(bank: Bank, area: str) -> bool:
    """Return whether an area has items that the bank asks."""
    return bool(topics_of(bank, area))


def area_title(bank: Bank, area: str) -> str:
    """Return an area in words, such as `everything` or a section's title.

    An area without items that the bank asks is called `everything`.
    """
    topics = topics_of(bank, area)
    kind, _, rest = area.partition(":")
    if topics and kind == "pack":
        return {pack.name: pack.bank.title for pack in bank.packs}[rest]
    if topics and kind == "section":
        return bank.section_titles[rest]
    if topics and kind == "topics":
        return topics[0].title if len(topics) == 1 else f"{len(topics):,} topics"
    return "everything"


def area_options(bank: Bank) -> list[tuple[str, str]]:
    """Return (label, area) pairs of everything, the packs and the sections that ask items."""
    with_items = {topic.id for topic in bank.asked_topics.values() if topic.items}
    areas = [("Everything", ALL)] if with_items else []
    areas += [
        (f"Pack · {pack.bank.title}", _PACK + pack.name)
        for pack in bank.packs
        if not with_items.isdisjoint(pack.bank.asked_topics)
    ]
    areas += [
        (f"Section · {section.title}", _SECTION + section.id)
        for section in bank.sections
        if any(topic.items for topic in section.topics)
    ]
    return areas


def find_areas(bank: Bank, typed: str) -> list[tuple[str, str]]:
    """Return (label, area) pairs that match what was typed: everything, packs, sections, topics."""
    words = typed.casefold().split()
    found = [
        pair for pair in area_options(bank) if all(word in pair[0].casefold() for word in words)
    ]
    found += [
        (f"Topic · {topic.title}", area_of_topics([topic.id]))
        for topic in bank.search(typed)
        if topic.items
    ]
    return found[:_MOST_OPTIONS]


def read_area(bank: Bank, typed: str) -> str:
    """Return the area that was picked or typed; raise UserError if there is no such area."""
    if typed in {area for _, area in area_options(bank)}:
        return typed
    if typed in bank.asked_topics and is_asked(bank, area_of_topics([typed])):
        return area_of_topics([typed])
    if typed.startswith(_TOPICS) and (topics := topics_of(bank, typed)):
        return area_of_topics(topic.id for topic in topics)
    exact = typed.casefold().strip()
    options = find_areas(bank, typed)
    for label, area in options:
        if label.casefold().rpartition(" · ")[2] == exact:
            return area
    if len(options) == 1:
        return options[0][1]
    raise UserError(
        f'I don\'t know what "{quoted(typed)}" stands for. Pick one from the list as you type, '
        "for example Everything, a section or a topic."
    )
