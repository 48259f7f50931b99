"""The goal of a plan: everything, a pack, a section or chosen topics; and the order of topics.

A goal is stored as text: `all`, `pack:` with a name, `section:` with an id, or `topics:` with ids.
Goals are read against a bank, so topics that have left the bank don't count.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from heapq import heappop, heappush
from itertools import islice

from bot.core.errors import UserError
from bot.core.zones import quoted
from bot.memory import rules as memory_rules
from bot.memory.ability import Ability
from bot.memory.rules import DEFAULT, MemoryCard, MemoryModel
from bot.questions.model import Bank, Item, Topic

ALL = "all"
_PACK, _SECTION, _TOPICS = "pack:", "section:", "topics:"
READY = 0.8
"""A topic is ready from this share of its items that the member knows."""
_STARTED = 1 / 3
"""A topic with this share of its items met is finished before others are begun."""
_TOPICS_AT_ONCE = 3
_MOST_OPTIONS = 25


def goal_of_topics(topic_ids: Iterable[str]) -> str:
    """Return the goal of being ready for some topics."""
    return _TOPICS + " ".join(sorted(topic_ids))


def topics_of(bank: Bank, goal: str) -> list[Topic]:
    """Return the topics of a goal that have items, in the bank's order."""
    found = (topic for topic in bank.asked_topics.values() if topic.items)
    kind, _, rest = goal.partition(":")
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


def chosen_topics(goal: str) -> frozenset[str]:
    """Return the ids of the topics that were chosen one by one; none for other goals."""
    return (
        frozenset(goal.removeprefix(_TOPICS).split()) if goal.startswith(_TOPICS) else frozenset()
    )


def is_asked(bank: Bank, goal: str) -> bool:
    """Return whether a bank asks anything that a goal is about."""
    return bool(topics_of(bank, goal))


def goal_title(bank: Bank, goal: str) -> str:
    """Return a goal in words, such as `everything` or a section's title.

    A goal that the bank doesn't ask stands for everything.
    """
    topics = topics_of(bank, goal)
    kind, _, rest = goal.partition(":")
    if topics and kind == "pack":
        return next(pack.bank.title for pack in bank.packs if pack.name == rest)
    if topics and kind == "section":
        return bank.section_titles[rest]
    if topics and kind == "topics":
        return topics[0].title if len(topics) == 1 else f"{len(topics):,} topics"
    return "everything"


def area_options(bank: Bank) -> list[tuple[str, str]]:
    """Return (label, goal) pairs of everything, the packs and the sections that ask items."""
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


def goal_options(bank: Bank, typed: str) -> list[tuple[str, str]]:
    """Return (label, goal) pairs that match what was typed: everything, packs, sections, topics."""
    words = typed.casefold().split()
    found = [
        pair for pair in area_options(bank) if all(word in pair[0].casefold() for word in words)
    ]
    found += [
        (f"Topic · {topic.title}", goal_of_topics([topic.id]))
        for topic in bank.search(typed)
        if topic.items
    ]
    return found[:_MOST_OPTIONS]


def read_goal(bank: Bank, typed: str) -> str:
    """Return the goal that was picked or typed; raise UserError if there is no such goal."""
    if typed in {goal for _, goal in area_options(bank)}:
        return typed
    if typed in bank.asked_topics and is_asked(bank, goal_of_topics([typed])):
        return goal_of_topics([typed])
    if typed.startswith(_TOPICS) and (topics := topics_of(bank, typed)):
        return goal_of_topics(topic.id for topic in topics)
    exact = typed.casefold().strip()
    options = goal_options(bank, typed)
    for label, goal in options:
        if label.casefold().rpartition(" · ")[2] == exact:
            return goal
    if len(options) == 1:
        return options[0][1]
    raise UserError(
        f'I don\'t know what "{quoted(typed)}" stands for. Pick one from the list as you type, '
        "for example Everything, a section or a topic."
    )


def item_readiness(
    item: Item,
    section_id: str,
    card: MemoryCard | None,
    ability: Ability,
    at: datetime,
    model: MemoryModel = DEFAULT,
) -> float:
    """Return the probability that a member knows an item at a moment.

    For an item that they have never met, their ability tells, once it is known in that section.
    """
    if card is not None:
        return memory_rules.readiness(card, at, model)
    return ability.knows(item, section_id) if ability.is_known(section_id) else 0.0


def topic_readiness(
    topic: Topic,
    cards: Mapping[str, MemoryCard],
    ability: Ability,
    at: datetime,
    model: MemoryModel = DEFAULT,
) -> float:
    """Return the mean readiness of a topic's items."""
    known = sum(
        item_readiness(item, topic.section_id, cards.get(item.id), ability, at, model)
        for item in topic.items
    )
    return known / len(topic.items) if topic.items else 0.0


def topics_in_order(
    topics: Iterable[Topic],
    cards: Mapping[str, MemoryCard],
    ability: Ability,
    now: datetime,
    model: MemoryModel = DEFAULT,
) -> tuple[list[Topic], list[Topic]]:
    """Return the topics that are ready, and the others in a plan's order.

    Topics that interviews ask most come first; of equal ones those that are well begun, then those that
    the member knows least.
    """
    ranked = []
    ready = []
    for number, topic in enumerate(topics):
        share = topic_readiness(topic, cards, ability, now, model)
        if share >= READY:
            ready.append(topic)
            continue
        met = sum(item.id in cards for item in topic.items)
        begun = met >= _STARTED * len(topic.items)
        ranked.append((-topic.weight, not begun, round(share, 1), number, topic))
    return ready, [topic for *_, topic in sorted(ranked, key=lambda rank: rank[:-1])]


def items_in_order(
    topics: Iterable[Topic], cards: Mapping[str, MemoryCard], ability: Ability
) -> Iterator[Item]:
    """Yield the items of topics in a plan's order that a member has never met.

    A few topics are taken at a time. Of their items, the one comes first that suits the member's
    ability best.
    """
    waiting = (iter(new) for topic in topics if (new := _new_items(topic, cards, ability)))
    current: list[tuple[float, str, Item, Iterator[tuple[float, str, Item]]]] = []

    def add_next(rest: Iterator[tuple[float, str, Item]] | None) -> None:
        """Queue a topic's next item, or else the first one of the next topic."""
        while rest is not None:
            if (found := next(rest, None)) is not None:
                heappush(current, (*found, rest))
                return
            rest = next(waiting, None)

    for rest in islice(waiting, _TOPICS_AT_ONCE):
        add_next(rest)
    while current:
        _, _, item, rest = heappop(current)
        yield item
        add_next(rest)


def _new_items(
    topic: Topic, cards: Mapping[str, MemoryCard], ability: Ability
) -> list[tuple[float, str, Item]]:
    """Return a topic's new items, the best one first, each after its distance and id."""
    return sorted(
        (ability.distance_from_best(item, topic.section_id), item.id, item)
        for item in topic.items
        if item.id not in cards
    )
