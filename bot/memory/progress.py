"""A member's knowledge: items to ask again, topics that are ready, and a level for each topic.

A topic has one of five levels, the first that applies:

  ready     they know `READY` of its items now, and their latest answer to its open question had
            most of its points
  new       the member has met none of its items
  known     they know `READY` of its items now
  weak      at least two of their last five answers in it were wrong
  learning  anything else
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import date, datetime, time, timedelta
from functools import cached_property

from fsrs import Rating
from msgspec import Struct

from bot.core.calendar import Rule, instant, local_date
from bot.memory.ability import Ability, ability_of
from bot.memory.model import READY, MemoryCard, OpenAnswer, Progress
from bot.memory.rules import may_be_forgotten, recall
from bot.questions.model import Bank, Item, Topic

_FEWEST_RECALLED = 3
"""Items that an open answer brings, of those that the member has met before or else of new ones."""
_READ = 0.5
"""The part of FSRS's recall that holds after a miss, between the truths of `make learn`."""


class Knowledge(Struct, frozen=True, dict=True):
    """A member's cards of the items that a bank asks, by item id, at one moment.

    `set_aside` items, of any bank, stay known but are never asked. `hidden` ones are in play on one
    of the member's servers and must not be asked now, and those `kept` for later not for the first
    time. `open_answers` are their latest counted answers to open questions, by topic id. `zone` is
    the member's, because no item is asked twice on one of their dates.
    """

    bank: Bank
    cards: Mapping[str, MemoryCard]
    set_aside: Set[str]
    zone: str
    now: datetime
    hidden: Set[str] = frozenset()
    open_answers: Mapping[str, OpenAnswer] = {}
    kept: Set[str] = frozenset()

    @property
    def today(self) -> date:
        """The member's date."""
        return local_date(self.zone, self.now)

    @cached_property
    def midnight(self) -> datetime:
        """When that date began."""
        return instant(Rule(time(0), self.zone), self.today)

    def unseen(self, topics: Iterable[Topic], more: float = 0.0) -> float:
        """Return the share that the member would know of questions on topics that they never met,
        weighted by what interviews ask, with so much more ability.
        """
        found = [(topic.weight, self.ability.knows_of(topic, more)) for topic in topics]
        whole = sum(weight for weight, _ in found)
        return sum(weight * knows for weight, knows in found) / (whole or 1)

    def may_ask(self, item_id: str) -> bool:
        """Return whether the member may be asked an item now."""
        return item_id not in self.set_aside and item_id not in self.hidden

    @cached_property
    def unmet(self) -> Set[str]:
        """The ids of the items that the member may be asked now for the first time."""
        others = self.cards.keys() | self.kept | self.set_aside | self.hidden
        return self.bank.asked.keys() - others

    def can_ask(self, item_id: str) -> bool:
        """Return whether the bank asks an item, and the member may be asked it now."""
        return item_id in self.bank.asked and self.may_ask(item_id)

    def repeats(self, *, within_days: int = 0) -> list[str]:
        """Return the ids of the items that are worth asking again today, no item twice on a date.

        These are those that the member may have forgotten, or that an open answer recalls. Others are
        added that will be in so many days.
        """
        if within_days in self._repeats:
            return self._repeats[within_days]
        midnight, recalled = self.midnight, self.recalled
        until = midnight + timedelta(days=1 + within_days)
        found = self._repeats[within_days] = [
            item_id
            for item_id, card in self.cards.items()
            if (within_days or card.last_review_at < midnight)
            and (
                may_be_forgotten(card, (until - card.last_review_at).days)
                or (item_id in recalled and self.days_away(item_id) <= within_days)
            )
            and self.may_ask(item_id)
        ]
        return found

    @cached_property
    def _repeats(self) -> dict[int, list[str]]:
        return {}

    @cached_property
    def recalled(self) -> Mapping[str, OpenAnswer]:
        """The items that an answer to their topic's open question brings, with that answer.

        These are all that the member had met before, and new ones where these are few.
        """
        found = {}
        for topic_id, answer in self.open_answers.items():
            if not answer.missed or topic_id not in self.bank.asked_topics:
                continue
            items = [item.id for item in self.bank.asked_topics[topic_id].items]
            met = [item_id for item_id in items if item_id in self.cards]
            back = [item_id for item_id in met if answer.recalls(self.cards[item_id])]
            new = [item_id for item_id in items if item_id in self.unmet]
            since = len(met) - len(back)
            back += new[: max(_FEWEST_RECALLED - len(back) - since, 0)]
            found.update(dict.fromkeys(back, answer))
        return found

    def days_away(self, item_id: str) -> int:
        """Return in how many days an item comes back that an open answer recalls."""
        answered = local_date(self.zone, self.recalled[item_id].at)
        return max((answered - self.today).days + 1, 0)

    def comes_first(self, item_id: str) -> bool:
        """Return whether an item comes before all others, because an open answer of an earlier date
        recalls it.
        """
        return item_id in self.recalled and self.recalled[item_id].at < self.midnight

    def missed_earlier(self, item_id: str) -> bool:
        """Return whether the member's last answer to an item was a miss, on an earlier date."""
        card = self.cards.get(item_id)
        return card is not None and card.last_missed and card.last_review_at < self.midnight

    def brought_back(self, topic_id: str, at: datetime) -> tuple[int, int]:
        """Return how many items an open answer of a moment brings back, and in how many days.

        An answer brings nothing back once a later one was counted.
        """
        days = max((local_date(self.zone, at) - self.today).days + 1, 0)
        latest = self.open_answers.get(topic_id)
        items = [i for i, answer in self.recalled.items() if answer is latest and answer.at == at]
        return sum(map(self.may_ask, items)), days

    @cached_property
    def ability(self) -> Ability:
        """The member's ability by topic."""
        return ability_of(self.bank, self.cards, self.now)

    def knows(self, item: Item) -> float:
        """Return the probability that the member knows an item now.

        For one that they have never met, their ability tells.
        """
        if (card := self.cards.get(item.id)) is not None:
            return 0.0 if card.last_missed else recall(card, self.now)
        return self.ability.knows(item)

    def remembers(self, item_id: str) -> float:
        """Return the probability that the member would get an item right that they have met.

        Unlike `knows`, it counts on something after a miss, because they have read the answer; and on
        no less than if they had never met the item, because FSRS knows nothing of their ability.
        """
        card = self.cards[item_id]
        if card.last_missed:
            return _READ * recall(card, self.now)
        return max(recall(card, self.now), self.ability.knows(self.bank.asked[item_id]))

    def expects(self, item: Item) -> float:
        """Return the probability of a right answer to an item that the member has never met.

        Lucky guesses and slips are included.
        """
        return self.ability.answers_right(item)

    def readiness(self, topics: Iterable[Topic]) -> float:
        """Return the share of the items of topics that the member knows now."""
        shares = [self.knows(item) for topic in topics for item in topic.items]
        return sum(shares) / len(shares) if shares else 0.0

    def is_ready(self, topic: Topic) -> bool:
        """Return whether the member knows a topic well, by items and by its open question."""
        return self.has_most_points(topic) and self.readiness([topic]) >= READY

    def lacks_open_answer(self, topic: Topic) -> bool:
        """Return whether only an answer to its open question is missing for a topic to be ready."""
        if topic.id not in self.bank.open_topics or self.has_most_points(topic):
            return False
        return self.readiness([topic]) >= READY

    def has_most_points(self, topic: Topic) -> bool:
        """Return whether the latest answer to its open question had most of its points."""
        answer = self.open_answers.get(topic.id)
        return answer is not None and answer.most

    def known(self, topics: Iterable[Topic]) -> float:
        """Return how many of the items of topics that the member has met they are expected to know now.

        To be rounded once it is added up, so that it is the same number on every screen.
        """
        met = (item for topic in topics for item in topic.items if item.id in self.cards)
        return sum(map(self.knows, met))


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
            share=knowledge.readiness([topic]),
            latest=len(latest[topic.id]),
            misses=latest[topic.id].count(Rating.Again),
            open_answer=knowledge.open_answers.get(topic.id),
            lacks_open_answer=knowledge.lacks_open_answer(topic),
            is_ready=knowledge.is_ready(topic),
        )
    return result


def weakest(topics: Mapping[str, Progress]) -> str | None:
    """Return the id of the topic to practise first; None if every topic is new, known or ready.

    Weak topics come before those in learning, then most recent misses, then least known.
    """
    unfinished = [p for p in topics.values() if p.level in {"weak", "learning"}]
    if not unfinished:
        return None
    return min(
        unfinished,
        key=lambda p: (p.level != "weak", -p.misses / max(p.latest, 1), p.share),
    ).topic_id
