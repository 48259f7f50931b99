"""A member's knowledge: due items, and a level for each topic.

A topic has one of four levels, the first that applies:

  new       the member has met none of its items
  weak      at least two of their last five answers in it were wrong
  known     they know at least half of its items now
  learning  anything else
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import date, datetime, time
from functools import cached_property

from fsrs import Rating
from msgspec import Struct

from bot.core.calendar import Rule, instant, local_date
from bot.memory.ability import Ability, ability_of
from bot.memory.model import MemoryCard, Progress
from bot.memory.rules import comes_within, recall
from bot.questions.model import Bank, Item, Topic


class Knowledge(Struct, frozen=True, dict=True):
    """A member's cards of the items that a bank asks, by item id, at one moment.

    `set_aside` items, of any bank, stay known but are never due. `hidden` ones are in play on one
    of the member's servers and must not be asked now, and the `kept` ones not before the member has
    met them elsewhere. `zone` is the member's, because an item is
    due on one of the member's dates.
    """

    bank: Bank
    cards: Mapping[str, MemoryCard]
    set_aside: Set[str]
    zone: str
    now: datetime
    hidden: Set[str] = frozenset()
    kept: Set[str] = frozenset()

    @property
    def today(self) -> date:
        """The member's date."""
        return local_date(self.zone, self.now)

    @cached_property
    def midnight(self) -> datetime:
        """When that date began."""
        return instant(Rule(time(0), self.zone), self.today)

    def may_ask(self, item_id: str) -> bool:
        """Return whether the member may be asked an item now."""
        if item_id in self.kept and item_id not in self.cards:
            return False
        return item_id not in self.set_aside and item_id not in self.hidden

    def can_ask(self, item_id: str) -> bool:
        """Return whether the bank asks an item, and the member may be asked it now."""
        return item_id in self.bank.asked and self.may_ask(item_id)

    def due(self, *, within_days: int = 0) -> list[str]:
        """Return the ids of the items to ask again today: missed ones first, then longest due.

        `within_days` adds those that come back in so many days.
        """
        found = [
            (not card.missed, card.due_at, item_id)
            for item_id, card in self.cards.items()
            if self.may_ask(item_id) and comes_within(within_days, card, self.zone, self.now)
        ]
        return [item_id for _, _, item_id in sorted(found)]

    @cached_property
    def ability(self) -> Ability:
        """The member's ability by section."""
        return ability_of(self.bank, self.cards)

    def knows(self, item: Item) -> float:
        """Return the probability that the member knows an item now.

        For one that they have never met, their ability tells, once it is known in that section.
        """
        if (card := self.cards.get(item.id)) is not None:
            return 0.0 if card.last_missed else recall(card, self.now)
        section_id = self.bank.topic_of(item).section_id
        ability = self.ability
        return ability.knows(item, section_id) if ability.is_known(section_id) else 0.0

    def expects(self, item: Item) -> float:
        """Return the probability of a right answer to an item that the member has never met.

        Lucky guesses and slips are included.
        """
        return self.ability.answers_right(item, self.bank.topic_of(item).section_id)

    def readiness(self, topics: Iterable[Topic]) -> float:
        """Return the share of the items of topics that the member knows now."""
        shares = [self.knows(item) for topic in topics for item in topic.items]
        return sum(shares) / len(shares) if shares else 0.0

    def known(self, topics: Iterable[Topic]) -> float:
        """Return how many of the items of topics that the member has met they are expected to know now.

        To be rounded once it is added up, so that it is the same number on every screen.
        """
        met = (item for topic in topics for item in topic.items if item.id in self.cards)
        return sum(map(self.knows, met))


LEVELS = ("known", "learning", "weak", "new")
LATEST = 5


def progress(knowledge: Knowledge, ratings: Sequence[tuple[str, Rating]]) -> dict[str, Progress]:
    """Return a member's progress in every topic of their bank, in its order, by topic id.

    `ratings` are item id and rating of their latest answers, newest first. Items that left the bank
    don't count.
    """
    bank = knowledge.bank
    latest: dict[str, list[Rating]] = {topic_id: [] for topic_id in bank.asked_topics}
    for item_id, rating in ratings:
        if item_id in bank.asked and len(found := latest[bank.asked[item_id].topic_id]) < LATEST:
            found.append(rating)
    result = {}
    for topic in bank.asked_topics.values():
        result[topic.id] = Progress(
            topic_id=topic.id,
            items=len(topic.items),
            met=sum(item.id in knowledge.cards for item in topic.items),
            known=knowledge.known([topic]),
            latest=len(latest[topic.id]),
            misses=latest[topic.id].count(Rating.Again),
        )
    return result


def weakest(topics: Mapping[str, Progress]) -> str | None:
    """Return the id of the topic to practise first; None if every topic is new or known.

    Weak topics come before those in learning, then most recent misses, then least known.
    """
    unfinished = [p for p in topics.values() if p.level in {"weak", "learning"}]
    if not unfinished:
        return None
    return min(
        unfinished,
        key=lambda p: (p.level != "weak", -p.misses / max(p.latest, 1), p.known / p.items),
    ).topic_id
