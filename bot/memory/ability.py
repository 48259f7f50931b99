"""A member's ability by topic, from their first answers, by item response theory.

The probability to know an item is 1 / (1 + exp(steepness * difficulty - ability)). A member who doesn't
know it may guess, and one who does may slip, so the probability of a right answer has a floor and a
ceiling, as in the four-parameter model (M. A. Barton & F. M. Lord, "An Upper Asymptote for the
Three-Parameter Logistic Item-Response Model", 1981). Abilities of members are taken to be normally
distributed around 0, those of one member in the sections around their own mean, and those in topics
around their section's. The steepness tells how much a member's answers depend on the bank's levels.
The estimates are the most probable ones (MAP), so that a few answers move them little.

With each of a topic's items that a member meets, they know its other items somewhat better, as in the
additive factors model (H. Cen, K. Koedinger & B. Junker, "Learning Factors Analysis", 2006). First
answers tell what they knew in the middle of meeting them; what they know now is more than that.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache

from msgspec import Struct

from bot.memory.model import MemoryCard
from bot.questions.model import Bank, Item, Topic

SPREAD_OF_MEMBERS = 1.0
SPREAD_OF_SECTIONS = 0.4
"""Standard deviation of a member's abilities in the sections around their mean ability."""
SPREAD_OF_TOPICS = 0.6
"""And of those in a section's topics around the section's."""
SLIPS = 0.05
"""The probability of a wrong answer to an item that one knows."""
_KEPT_QUIET = 0.85
"""The part of lucky guesses that members don't admit with "I guessed"; the others count as misses."""
STEEPNESS, SPREAD_OF_STEEPNESS = 0.7, 0.2
"""1 where the levels say as much as `expected_difficulty` does."""
GROWTH = 0.06
"""The ability that an item adds in its topic once it was met. It is an assumption, between the truths that
`make learn` simulates; about 0.1 is found for each practice of a single skill (K. Koedinger et al.,
"An Astonishing Regularity in Student Learning Rate", 2023), and a topic has several."""
_WIDE = 20
"""Topics with more items are about more than one of these, so that each of their items adds less."""
REPEATED = 0.3
"""The part of that which an item adds when it is asked again."""
_FADES_AFTER, _FADING = 10, 0.3
"""It fades by a power law, after days without another answer to the item."""
_FIRST, _TIMES = 2.3, 4.5
"""Days that an item lasts after a right first answer, and how much longer after each that follows."""
_LOG_TIMES = math.log(_TIMES)
_STEPS = 12
_LONGEST_STEP = 1.0
_CLOSE = 1e-2
_FAR = 700.0
_UNLIKELY = 1e-9

FirstAnswer = tuple[float, float, bool]
"""Difficulty, probability of a right guess, and whether the answer was right."""


class Ability(Struct, frozen=True):
    """A member's ability now in the topics of a bank, by id, and the mean with its standard error."""

    mean: float
    error: float
    steepness: float
    topics: Mapping[str, float]

    def knows(self, item: Item) -> float:
        """Return the probability that the member knows an item that they have never met."""
        ability = self.topics.get(item.topic_id, self.mean)
        return logistic(ability - self.steepness * item.expected_difficulty)

    def answers_right(self, item: Item) -> float:
        """Return the probability of a right first answer, with guesses and slips."""
        return answered_right(self.knows(item), item.guessing)

    def knows_of(self, topic: Topic, more: float = 0.0) -> float:
        """Return the share of a topic's items that the member would know had they never met them,
        with so much more ability.
        """
        ability = self.topics.get(topic.id, self.mean) + more
        levels = topic.levels.items()
        known = sum(n * logistic(ability - self.steepness * level) for level, n in levels)
        return known / max(len(topic.items), 1)


def growth(topic: Topic) -> float:
    """Return the ability that an item adds in its topic."""
    return GROWTH * min(_WIDE / max(len(topic.items), 1), 1)


def logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x > -_FAR else 0.0


def answered_right(knows: float, guessing: float) -> float:
    """Return the probability of a right answer, given that of knowing and that of guessing it."""
    return guessing + (1 - SLIPS - guessing) * knows


def ability_of(bank: Bank, cards: Mapping[str, MemoryCard], now: datetime) -> Ability:
    """Estimate a member's ability from the cards of the items that a bank asks."""
    topics = bank.asked_topics
    met: dict[str, Counter[FirstAnswer]] = {}
    sections = {topic.section_id: Counter[FirstAnswer]() for topic in topics.values()}
    added: dict[str, float] = {}
    for item_id, card in cards.items():
        if (item := bank.asked.get(item_id)) is None:
            continue
        answer = item.expected_difficulty, _KEPT_QUIET * item.guessing, card.first_right
        met.setdefault(item.topic_id, Counter())[answer] += 1
        sections[topics[item.topic_id].section_id][answer] += 1
        added[item.topic_id] = added.get(item.topic_id, 0.0) + _added(card, now)
    everything = sum(sections.values(), Counter())
    steepness = _steepness(everything)
    mean, error = _estimate(_scaled(everything, steepness), 0.0, SPREAD_OF_MEMBERS)
    answers = everything.total()
    # in the middle of answering, half of a topic's other items had been met
    before = {
        topic_id: growth(topics[topic_id]) * (found.total() - 1) / 2
        for topic_id, found in met.items()
    }
    grown = sum(before[topic_id] * found.total() for topic_id, found in met.items())
    mean -= grown / max(answers, 1)
    in_section = {
        section_id: mean
        if not found
        else _estimate(_scaled(found, steepness), mean + grown / answers, SPREAD_OF_SECTIONS)[0]
        - grown / answers
        for section_id, found in sections.items()
    }
    abilities = {topic.id: in_section[topic.section_id] for topic in topics.values()}
    for topic_id, found in met.items():
        start = abilities[topic_id] + before[topic_id]
        ability, _ = _estimate(_scaled(found, steepness), start, SPREAD_OF_TOPICS)
        abilities[topic_id] = (
            ability + growth(topics[topic_id]) * added[topic_id] - before[topic_id]
        )
    # answers to a topic resemble each other, so that each tells less than one of its own would
    return Ability(mean, error * math.sqrt(2 - error**2), steepness, abilities)


def _scaled(given: Mapping[FirstAnswer, int], steepness: float) -> dict[FirstAnswer, int]:
    return {
        (steepness * level, guessing, right): number
        for (level, guessing, right), number in given.items()
    }


def _added(card: MemoryCard, now: datetime) -> float:
    """Return what an item adds to the ability in its topic, next to one that was just met."""
    times = math.log(card.stability / _FIRST) / _LOG_TIMES if card.stability > _FIRST else 0.0
    return (1 + REPEATED * times) * left_after((now - card.last_review_at).days)


@lru_cache(maxsize=4096)
def left_after(days: float) -> float:
    """Return the part of what an item added that is left after days without an answer to it."""
    return math.pow(1 + days / _FADES_AFTER, -_FADING) if days > 0 else 1.0


def mean_left(days: float) -> float:
    """Return the part that is left on average, if items are answered evenly during so many days."""
    if days <= 0:
        return 1.0
    span = days / _FADES_AFTER
    return (math.pow(1 + span, 1 - _FADING) - 1) / ((1 - _FADING) * span)


def _steepness(given: Mapping[FirstAnswer, int]) -> float:
    """Return the most probable steepness, given a member's first answers."""
    steepness = STEEPNESS
    for _ in range(2):
        ability, _ = _estimate(_scaled(given, steepness), 0.0, SPREAD_OF_MEMBERS)
        slope = (STEEPNESS - steepness) / SPREAD_OF_STEEPNESS**2
        information = 1 / SPREAD_OF_STEEPNESS**2
        for (level, guessing, right), number in given.items():
            gain, certainty = evidence(ability - steepness * level, guessing, right)
            slope -= number * level * gain
            information += number * level * level * certainty
        steepness = max(steepness + slope / information, 0.1)
    return steepness


def _estimate(given: Mapping[FirstAnswer, int], mean: float, spread: float) -> tuple[float, float]:
    """Return the most probable ability, and its standard error."""
    ability = mean
    for _ in range(_STEPS):
        slope, information = (mean - ability) / spread**2, 1 / spread**2
        for (difficulty, guessing, right), number in given.items():
            gain, certainty = evidence(ability - difficulty, guessing, right)
            slope += number * gain
            information += number * certainty
        step = max(-_LONGEST_STEP, min(slope / information, _LONGEST_STEP))
        ability += step
        if abs(step) < _CLOSE:
            break
    return ability, 1 / math.sqrt(information)


def evidence(lead: float, guessing: float, right: bool) -> tuple[float, float]:
    """Return the derivative of an answer's log probability by the ability, and how certain it is.

    `lead` is the ability minus the difficulty. The sum of derivatives, divided by that of
    certainties, is a step to the maximum. The certainty is Fisher's information, but at least half of
    the model's without guesses and slips: where a right answer is almost surely a guess, or a wrong
    one a slip, Fisher's is almost 0, and steps would go too far.
    """
    knows = 1 / (1 + math.exp(-max(lead, -_FAR)))
    span = (1 - SLIPS - guessing) * knows
    chance = max(guessing + span, _UNLIKELY)
    change, spread = span * (1 - knows), chance * (1 - chance)
    certainty = max(change * change / spread, knows * (1 - knows) / 2)
    return (right - chance) * change / spread, certainty
