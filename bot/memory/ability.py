"""A member's ability by section, from their first answers, by item response theory.

The probability to know an item is that of the Rasch model: 1 / (1 + exp(difficulty - ability)). A
member who doesn't know it may guess, so the probability of a right answer has a floor, as in Birnbaum's
three-parameter model (F. M. Lord, "Applications of Item Response Theory to Practical Testing
Problems", 1980). Abilities of members are taken to be normally distributed around 0 with a standard
deviation of 1, those of one member around their own mean. The estimates are the most probable ones
(MAP), so that a few answers move them little.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping

from msgspec import Struct

from bot.memory.model import MemoryCard
from bot.questions.model import Bank, Item

SPREAD_OF_MEMBERS = 1.0
SPREAD_OF_SECTIONS = 0.5
"""Standard deviation of a member's abilities in the sections around their mean ability."""
FEWEST_ANSWERS = 10
"""First answers in a section before anything is said about its items that were never met."""
BEST_CHANCE = 0.8
"""New items teach most, without discouraging, at about this probability of a right answer."""
_STEPS = 12
_LONGEST_STEP = 1.0
_CLOSE = 1e-4

FirstAnswer = tuple[float, float, bool]
"""Difficulty, probability of a right guess, and whether the answer was right."""


class Ability(Struct, frozen=True):
    """A member's ability by section id, with the number of their first answers there.

    `overall` holds for sections without any.
    """

    overall: float
    sections: Mapping[str, float]
    answers: Mapping[str, int]

    def of(self, section_id: str) -> float:
        return self.sections.get(section_id, self.overall)

    def knows(self, item: Item, section_id: str) -> float:
        """Return the probability that the member knows an item that they have never met."""
        return logistic(self.of(section_id) - item.expected_difficulty)

    def answers_right(self, item: Item, section_id: str) -> float:
        """Return the probability of a right first answer, guessing included."""
        return with_guessing(self.knows(item, section_id), item.guessing)

    def distance_from_best(self, item: Item, section_id: str) -> float:
        """Return how far the probability of a right answer is from `BEST_CHANCE`."""
        return abs(self.answers_right(item, section_id) - BEST_CHANCE)

    def is_known(self, section_id: str) -> bool:
        """Return whether there are enough answers to judge by `knows` in a section."""
        return self.answers.get(section_id, 0) >= FEWEST_ANSWERS


def logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x > -700 else 0.0


def with_guessing(knows: float, guessing: float) -> float:
    """Return the probability of a right answer, given that of knowing and that of guessing it."""
    return guessing + (1 - guessing) * knows


def ability_of(bank: Bank, cards: Mapping[str, MemoryCard]) -> Ability:
    """Estimate a member's ability from the cards of the items that a bank asks."""
    by_section: dict[str, Counter[FirstAnswer]] = {}
    for section in bank.sections:
        found = Counter(
            (item.expected_difficulty, item.guessing, cards[item.id].first_right)
            for topic in section.topics
            for item in topic.items
            if item.id in cards
        )
        if found:
            by_section[section.id] = found
    overall = most_probable_ability(sum(by_section.values(), Counter()))
    return Ability(
        overall=overall,
        sections={
            section_id: most_probable_ability(found, overall, SPREAD_OF_SECTIONS)
            for section_id, found in by_section.items()
        },
        answers={section_id: found.total() for section_id, found in by_section.items()},
    )


def most_probable_ability(
    given: Mapping[FirstAnswer, int], mean: float = 0.0, spread: float = SPREAD_OF_MEMBERS
) -> float:
    """Return the most probable ability of who gave these answers, each with its number.

    `mean` and `spread` are what is known without them: a normal distribution.
    """
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
    return ability


def evidence(lead: float, guessing: float, right: bool) -> tuple[float, float]:
    """Return the derivative of an answer's log probability by the ability, and how certain it is.

    `lead` is the ability minus the difficulty. The sum of derivatives, divided by that of
    certainties, is a step to the maximum. The certainty is Fisher's information, but for a wrong
    answer the exact curvature: Fisher's is almost 0 where most right answers are guesses, and steps
    would go too far.
    """
    knows = logistic(lead)
    chance = min(max(with_guessing(knows, guessing), 1e-9), 1 - 1e-9)
    change = (1 - guessing) * knows * (1 - knows)
    spread = chance * (1 - chance)
    certainty = change * change / spread if right else knows * (1 - knows)
    return (right - chance) * change / spread, certainty
